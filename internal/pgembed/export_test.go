package pgembed

import (
	"os"
	"syscall"
	"testing"
	"time"
)

// WithRenewEvery makes a cluster look for upgraded binaries more often.
func WithRenewEvery(o Options, every time.Duration) Options {
	o.renewEvery = every

	return o
}

// WriteProgram writes a script that can be run at once: while it is written, no
// other test may fork a process that would hold it open.
func WriteProgram(tb testing.TB, path, text string) {
	tb.Helper()

	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()

	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		tb.Fatal(err)
	}
}

// WithSayEvery makes a cluster say more often that it is not ready yet, and
// wait less between two tries to start.
func WithSayEvery(o Options, every time.Duration) Options {
	o.sayEvery, o.pauseMost = every, every

	return o
}
