// Package drain repeats a step of work until it is told to stop, and says how
// long to wait after a step that went wrong.
package drain

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"
)

// The pauses after steps that failed one after the other. The longest is short
// because a database that comes back should be noticed soon.
const (
	firstPause   = 100 * time.Millisecond
	longestPause = 5 * time.Second
)

// A Step does one piece of work and returns how many things it settled; 0 means
// that there was nothing to do.
type Step = func(context.Context) (int, error)

// Loop runs step until ctx ends: again at once while it finds work, and else
// after idle, which must not be 0, or as soon as wake says that there is work
// again. A step that fails is logged, and tried again after a pause that grows
// with every failure in a row; wake does not cut that pause short, or a busy
// sender would hammer a database that is down.
//
// It returns only when the last step has returned. A wake that is nil, or
// closed, never wakes; one with room for a single element is enough.
func Loop(ctx context.Context, log *slog.Logger, idle time.Duration, wake <-chan struct{}, step Step) {
	failures := 0

	for ctx.Err() == nil {
		n, err := step(ctx)

		switch {
		case ctx.Err() != nil:
			return // what step says about being stopped is no news
		case err != nil:
			failures++
			pause := Backoff(failures, firstPause, longestPause, rand.Float64()) //nolint:gosec // spreads load, hides nothing
			log.ErrorContext(ctx, "step failed",
				slog.Any("error", err), slog.Int("failures", failures), slog.Duration("pause", pause))
			wait(ctx, pause, nil)
		case n > 0:
			failures = 0
		default:
			failures = 0
			if !wait(ctx, idle, wake) {
				wake = nil
			}
		}
	}
}

// wait returns after d, when ctx ends, or when wake says so. It returns false
// if wake will never say anything again.
func wait(ctx context.Context, d time.Duration, wake <-chan struct{}) (alive bool) {
	timer := time.NewTimer(d)
	defer timer.Stop()

	select {
	case <-ctx.Done():
	case <-timer.C:
	case _, alive := <-wake:
		return alive
	}

	return true
}

// Backoff returns how long to wait after the given number of attempts, the
// first of which is 1. The wait doubles from base with every attempt, up to
// most. jitter, from 0 up to but not including 1, says where in the second half
// of that wait to end, so that many who failed together do not return together.
func Backoff(attempt int, base, most time.Duration, jitter float64) time.Duration {
	wait := min(base, most)
	if wait <= 0 {
		return 0
	}
	for range max(attempt, 1) - 1 {
		if wait > most/2 {
			wait = most

			break
		}
		wait *= 2
	}

	half := wait / 2

	return min(wait, half+time.Duration(float64(wait-half)*jitter))
}
