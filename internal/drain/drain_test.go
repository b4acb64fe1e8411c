package drain_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"trivia/internal/drain"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A script is a step that a test writes in advance: it returns one answer
// after the other, then stops the loop, and notes when it was called.
type script struct {
	answers []answer
	stop    context.CancelFunc
	start   time.Time
	at      []time.Duration
}

type answer struct {
	n   int
	err error
}

func (s *script) step(context.Context) (int, error) {
	s.at = append(s.at, time.Since(s.start))
	if len(s.at) > len(s.answers) {
		s.stop()

		return 0, nil
	}
	a := s.answers[len(s.at)-1]

	return a.n, a.err
}

// run lets Loop play answers, and returns when each step was called. It is
// called in a bubble, where time passes only while everyone waits.
func run(t *testing.T, log *bytes.Buffer, wake <-chan struct{}, answers ...answer) []time.Duration {
	t.Helper()

	ctx, stop := context.WithCancel(t.Context())
	defer stop()

	s := script{answers: answers, stop: stop, start: time.Now()}
	drain.Loop(ctx, slog.New(slog.NewTextHandler(log, nil)), time.Minute, wake, s.step)

	return s.at
}

func TestLoopGoesOnAtOnceWhileThereIsWork(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		at := run(t, new(bytes.Buffer), nil, answer{n: 3}, answer{n: 1}, answer{}, answer{n: 1}, answer{})

		want := []time.Duration{0, 0, 0, time.Minute, time.Minute, 2 * time.Minute}
		for i := range want {
			if len(at) != len(want) || at[i] != want[i] {
				t.Fatalf("steps at %v, want %v", at, want)
			}
		}
	})
}

func TestLoopIsWoken(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		wake := make(chan struct{}, 1)
		time.AfterFunc(time.Second, func() { wake <- struct{}{} })

		at := run(t, new(bytes.Buffer), wake, answer{}, answer{})
		if len(at) != 3 || at[1] != time.Second || at[2] != time.Minute+time.Second {
			t.Errorf("steps at %v, want them at 0s, 1s and 1m1s", at)
		}
	})
}

func TestLoopIsNotDrivenByAClosedWake(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		wake := make(chan struct{})
		close(wake)

		at := run(t, new(bytes.Buffer), wake, answer{}, answer{}, answer{})
		if len(at) != 4 || at[3] < 2*time.Minute {
			t.Errorf("steps at %v, want a minute between two from the second on", at)
		}
	})
}

func TestLoopBacksOffFromAFault(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		var (
			log   bytes.Buffer
			fault = answer{err: errors.New("no database")}
			wake  = make(chan struct{}, 1)
		)
		wake <- struct{}{} // does not cut the pauses short

		at := run(t, &log, wake, fault, fault, answer{n: 1, err: fault.err}, answer{n: 1}, fault)

		if len(at) != 6 {
			t.Fatalf("%d steps, want 6: %v", len(at), at)
		}
		for i, longest := range []time.Duration{100, 200, 400, 0, 100} {
			longest *= time.Millisecond
			if pause := at[i+1] - at[i]; pause < longest/2 || pause > longest {
				t.Errorf("pause %d is %v, want %v to %v", i+1, pause, longest/2, longest)
			}
		}
		if n := strings.Count(log.String(), "no database"); n != 4 {
			t.Errorf("logged %d faults, want 4:\n%s", n, &log)
		}
	})
}

func TestLoopNeverPausesForLong(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		faults := make([]answer, 40)
		for i := range faults {
			faults[i].err = errors.New("no database")
		}

		at := run(t, new(bytes.Buffer), nil, faults...)
		if last := at[40] - at[39]; last < 2500*time.Millisecond || last > 5*time.Second {
			t.Errorf("the pause after 40 failures is %v, want 2.5s to 5s", last)
		}
	})
}

func TestLoopWaitsForTheLastStep(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		var (
			log       bytes.Buffer
			ctx, stop = context.WithCancel(t.Context())
			finished  = false
		)
		time.AfterFunc(time.Second, stop)

		drain.Loop(ctx, slog.New(slog.NewTextHandler(&log, nil)), time.Minute, nil, func(ctx context.Context) (int, error) {
			<-ctx.Done()
			time.Sleep(time.Second) // it takes a while to put things down
			finished = true

			return 0, ctx.Err()
		})

		if !finished {
			t.Error("Loop returned before its step")
		}
		if log.Len() > 0 {
			t.Errorf("being stopped is logged as a fault:\n%s", &log)
		}
	})
}

func TestLoopStopsWhileItWaits(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()

		steps := 0
		drain.Loop(ctx, slog.New(slog.DiscardHandler), time.Minute, nil, func(context.Context) (int, error) {
			steps++

			return 0, nil
		})

		if took := time.Since(start); took != time.Second || steps != 1 {
			t.Errorf("Loop took %v and %d steps, want 1s and 1", took, steps)
		}
	})
}

func TestLoopDoesNothingOnceStopped(t *testing.T) {
	t.Parallel()

	ctx, stop := context.WithCancel(t.Context())
	stop()

	drain.Loop(ctx, slog.New(slog.DiscardHandler), time.Minute, nil, func(context.Context) (int, error) {
		t.Error("a step after the end")

		return 0, nil
	})
}

func TestBackoff(t *testing.T) {
	t.Parallel()

	tests := []struct {
		attempt    int
		base, most time.Duration
		jitter     float64
		want       time.Duration
	}{
		{1, time.Second, time.Minute, 0, 500 * time.Millisecond},
		{1, time.Second, time.Minute, 0.5, 750 * time.Millisecond},
		{2, time.Second, time.Minute, 0, time.Second},
		{3, time.Second, time.Minute, 0.5, 3 * time.Second},
		{6, time.Second, time.Minute, 0, 16 * time.Second},
		{7, time.Second, time.Minute, 0, 30 * time.Second},
		{math.MaxInt, time.Second, time.Minute, 0, 30 * time.Second},
		{0, time.Second, time.Minute, 0, 500 * time.Millisecond},
		{math.MinInt, time.Second, time.Minute, 0, 500 * time.Millisecond},
		{2, 40 * time.Second, time.Minute, 0, 30 * time.Second},
		{1, time.Hour, time.Minute, 0, 30 * time.Second},
		{3, 0, time.Minute, 0.5, 0},
		{math.MaxInt, -time.Second, time.Minute, 0.5, 0},
		{3, time.Second, 0, 0.5, 0},
	}

	for _, tt := range tests {
		if got := drain.Backoff(tt.attempt, tt.base, tt.most, tt.jitter); got != tt.want {
			t.Errorf("Backoff(%d, %v, %v, %v) = %v, want %v", tt.attempt, tt.base, tt.most, tt.jitter, got, tt.want)
		}
	}
}

func TestBackoffGrowsAndStaysWithinItsBounds(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		var (
			attempt = rapid.IntRange(-3, 1000).Draw(t, "attempt")
			base    = time.Duration(rapid.Int64Range(1, math.MaxInt64).Draw(t, "base"))
			most    = time.Duration(rapid.Int64Range(1, math.MaxInt64).Draw(t, "most"))
			jitter  = rapid.Float64Range(0, math.Nextafter(1, 0)).Draw(t, "jitter")
		)

		got := drain.Backoff(attempt, base, most, jitter)
		if least := min(base, most) / 2; got < least || got > most {
			t.Fatalf("Backoff(%d, %v, %v, %v) = %v, want %v to %v", attempt, base, most, jitter, got, least, most)
		}
		if next := drain.Backoff(attempt+1, base, most, jitter); next < got {
			t.Fatalf("Backoff(%d, %v, %v, %v) = %v, and %v for the attempt before", attempt+1, base, most, jitter, next, got)
		}
		if later := drain.Backoff(attempt, base, most, min(jitter+0.1, 0.999)); jitter < 0.899 && later < got {
			t.Fatalf("Backoff(%d, %v, %v, …) shrinks from %v to %v as jitter grows", attempt, base, most, got, later)
		}
	})
}
