package waiting_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"trivia/internal/waiting"
)

// A brief is a test that has little time left, and notes how it fails.
type brief struct {
	testing.TB

	until  time.Time
	failed string
}

// Deadline is that of [testing.T].
func (b *brief) Deadline() (time.Time, bool) { return b.until, !b.until.IsZero() }

// Fatalf notes the failure and ends the wait.
func (b *brief) Fatalf(format string, args ...any) {
	b.failed = fmt.Sprintf(format, args...)
	panic(b)
}

func TestAWaitEndsWithItsEventHoweverLate(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		looks := 0
		waiting.For(&brief{TB: t}, "the third look", func() bool { looks++; return looks == 3 })
		if looks != 3 {
			t.Errorf("looked %d times, want 3", looks)
		}
	})
}

func TestAWaitForNothingFailsByName(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct {
		left time.Duration // of the test's own time; 0 means that there is no limit
		want string
	}{
		{0, "waited 2m0s for: a miracle"},
		{time.Hour, "waited 2m0s for: a miracle"},
		{time.Minute, "waited 55s for: a miracle"},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := &brief{TB: t}
			if tt.left > 0 {
				b.until = time.Now().Add(tt.left)
			}
			func() {
				defer func() { _ = recover() }()
				waiting.For(b, "a miracle", func() bool { return false })
			}()
			if b.failed != tt.want {
				t.Errorf("with %v left it says %q, want %q", tt.left, b.failed, tt.want)
			}
		})
	}
}
