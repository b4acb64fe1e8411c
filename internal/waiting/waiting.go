// Package waiting lets tests wait for what happens, however busy the machine is:
// until it has happened, and not for a time. Only what never happens is a
// failure, and that is found out late.
package waiting

import (
	"context"
	"testing"
	"time"
)

// How long a test waits at most, and what is left of its own time to say what
// it has waited for.
const (
	most  = 2 * time.Minute
	spare = 5 * time.Second
	gap   = 5 * time.Millisecond // between two looks
)

// Most returns how long one thing may take: two minutes, or until shortly before
// the tests of the package run out of time.
func Most(tb testing.TB) time.Duration {
	tb.Helper()

	limited, ok := tb.(interface{ Deadline() (time.Time, bool) })
	if !ok {
		return most
	}
	deadline, ok := limited.Deadline()
	if !ok {
		return most
	}

	return min(most, max(time.Until(deadline)-spare, gap))
}

// For returns when done says so. If that takes [Most], it fails the test, and says
// what it waited for.
func For(tb testing.TB, what string, done func() bool) {
	tb.Helper()

	look := time.NewTicker(gap)
	defer look.Stop()
	limit := Most(tb)
	late := time.NewTimer(limit)
	defer late.Stop()

	for !done() {
		select {
		case <-look.C:
		case <-late.C:
			tb.Fatalf("waited %v for: %s", limit, what)
		}
	}
}

// Late returns what tells when [Most] is over.
func Late(tb testing.TB) <-chan time.Time {
	tb.Helper()

	return time.After(Most(tb))
}

// Context returns a context that ends with the test, or when [Most] is over.
func Context(tb testing.TB) context.Context {
	tb.Helper()

	ctx, cancel := context.WithTimeout(tb.Context(), Most(tb))
	tb.Cleanup(cancel)

	return ctx
}
