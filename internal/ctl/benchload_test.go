package ctl

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A range is where shots are counted.
type shootingRange struct {
	mu        sync.Mutex
	shots     map[int]int
	latencies []time.Duration
}

// load returns a load that hits the range; each shot takes as long as takes
// says.
func (r *shootingRange) load(takes func(n int) time.Duration) load {
	r.shots = map[int]int{}

	return load{now: time.Now, shoot: func(_ context.Context, n int, due time.Time) error {
		time.Sleep(takes(n)) // in a bubble, where it costs nothing
		r.mu.Lock()
		defer r.mu.Unlock()
		r.shots[n]++
		r.latencies = append(r.latencies, time.Since(due))

		return nil
	}}
}

// once fails unless each of the first n was shot once.
func (r *shootingRange) once(t *testing.T, n int) {
	t.Helper()
	for i := range n {
		if r.shots[i] != 1 {
			t.Fatalf("shot %d was shot %d times, want once", i, r.shots[i])
		}
	}
	if len(r.shots) != n {
		t.Errorf("%d were shot, want %d", len(r.shots), n)
	}
}

func always10ms(int) time.Duration { return 10 * time.Millisecond }

func TestConnectionsShootAgainWhenTheyHaveTheirAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var r shootingRange
		l := r.load(always10ms)
		l.duration, l.connections = time.Second, 4
		got, err := l.run(t.Context())
		if want := (loaded{took: time.Second, sent: 400, due: 400}); err != nil || got != want {
			t.Errorf("run = %+v, %v, want %+v", got, err, want)
		}
		r.once(t, 400)
	})
}

func TestARateIsKeptByTheClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var r shootingRange
		l := r.load(always10ms)
		l.duration, l.connections, l.rate = 2*time.Second, 100, 500
		got, err := l.run(t.Context())
		if want := (loaded{took: 2*time.Second + 8*time.Millisecond, sent: 1000, due: 1000}); err != nil || got != want {
			t.Errorf("run = %+v, %v, want %+v", got, err, want)
		}
		r.once(t, 1000)
		for _, latency := range r.latencies {
			if latency != 10*time.Millisecond {
				t.Fatalf("a latency is %v, want 10 ms", latency)
			}
		}
	})
}

// A hook that stops for a second is asked as often meanwhile, and each of those
// requests has waited as long as it has.
func TestAStandstillCountsForAllThatWereDueInIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var (
			r     shootingRange
			begun = time.Now()
			stop  = begun.Add(time.Second)
		)
		l := r.load(func(int) time.Duration {
			if now := time.Now(); !now.Before(stop) && now.Before(stop.Add(time.Second)) {
				return stop.Add(time.Second).Sub(now)
			}

			return time.Millisecond
		})
		l.duration, l.connections, l.rate = 3*time.Second, 10, 100
		got, err := l.run(t.Context())
		if err != nil || got.sent != 300 || got.due != 300 {
			t.Errorf("run = %+v, %v, want 300 sent of 300", got, err)
		}
		r.once(t, 300)
		long := 0
		for _, latency := range r.latencies {
			if latency > 50*time.Millisecond {
				long++
			}
		}
		if long < 90 || long > 100 {
			t.Errorf("%d latencies are longer than 50 ms, want those of the second that it stood still: about 95", long)
		}
		if got.late < 80 || got.late > 95 {
			t.Errorf("%d were sent too late, want those that found nobody free: about 90", got.late)
		}
	})
}

func TestARateThatCannotBeKeptSaysSo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var r shootingRange
		l := r.load(always10ms)
		l.duration, l.connections, l.rate = time.Second, 1, 1000
		got, err := l.run(t.Context())
		if err != nil || got.due != 1000 || got.sent < 99 || got.sent > 101 || got.late < 97 {
			t.Errorf("run = %+v, %v, want about 100 sent of 1000, nearly all of them late", got, err)
		}
		r.once(t, got.sent)
	})
}

func TestALoadThatIsInterruptedWaitsForItsAnswers(t *testing.T) {
	t.Parallel()
	for _, rate := range []int{0, 100} {
		synctest.Test(t, func(t *testing.T) {
			var r shootingRange
			l := r.load(always10ms)
			l.duration, l.connections, l.rate = time.Hour, 3, rate
			ctx, cancel := context.WithTimeout(t.Context(), time.Second+time.Millisecond)
			defer cancel()
			got, err := l.run(ctx)
			if err != nil || got.took < time.Second || got.took > time.Second+20*time.Millisecond || got.due > 303 {
				t.Errorf("at rate %d: run = %+v, %v, want an end after a second", rate, got, err)
			}
			r.once(t, got.sent)
		})
	}
}

func TestAnErrorEndsALoad(t *testing.T) {
	t.Parallel()
	for _, rate := range []int{0, 100} {
		synctest.Test(t, func(t *testing.T) {
			gone := errors.New("gone")
			l := load{
				now: time.Now, duration: time.Hour, connections: 3, rate: rate,
				shoot: func(_ context.Context, n int, _ time.Time) error {
					time.Sleep(time.Millisecond)
					if n == 20 {
						return gone
					}

					return nil
				},
			}
			if got, err := l.run(t.Context()); !errors.Is(err, gone) || got.took > time.Second {
				t.Errorf("at rate %d: run = %+v, %v, want %v at once", rate, got, err, gone)
			}
		})
	}
}
