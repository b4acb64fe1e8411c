package ctl

import (
	"context"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// lateBy is how much later than intended a request is that counts as late. A
// timer alone is not that late.
const lateBy = 10 * time.Millisecond

// A load shoots until its time is over: at a rate, whatever the answers do, or
// as fast as its connections have their answers.
type load struct {
	shoot       func(ctx context.Context, n int, due time.Time) error // the n-th; an error ends the load
	now         func() time.Time
	duration    time.Duration
	rate        int // per second; 0: closed, each connection waits for its answer
	connections int // that shoot; at a rate, at most so many are under way at once
}

// A loaded says how far a load came.
type loaded struct {
	took time.Duration // until the last answer
	sent int
	due  int // how many the rate wanted; as many as sent without one
	late int // were sent by more than lateBy too late
}

// run returns when everything that was shot is answered. The end of ctx ends
// the load, not what is under way.
func (l load) run(ctx context.Context) (loaded, error) {
	begun := l.now()
	var (
		got loaded
		err error
	)
	if l.rate > 0 {
		got, err = l.open(ctx, begun)
	} else {
		got, err = l.closed(ctx, begun)
	}
	got.took = l.now().Sub(begun)

	return got, err
}

func (l load) closed(ctx context.Context, begun time.Time) (loaded, error) {
	var (
		group, running = errgroup.WithContext(ctx)
		next           atomic.Int64
		end            = begun.Add(l.duration)
	)
	for range l.connections {
		group.Go(func() error {
			for running.Err() == nil {
				now := l.now()
				if !now.Before(end) {
					return nil
				}
				if err := l.shoot(context.WithoutCancel(ctx), int(next.Add(1)-1), now); err != nil {
					return err
				}
			}

			return nil
		})
	}
	err := group.Wait()
	sent := int(next.Load())

	return loaded{sent: sent, due: sent}, err
}

// A shot is one that is due.
type shot struct {
	n   int
	due time.Time
}

// open shoots by the clock. When nobody is free to shoot, the next ones wait,
// and their latency counts from when they were due: otherwise a slow hook would
// be asked less, and look faster than it is.
func (l load) open(ctx context.Context, begun time.Time) (loaded, error) {
	var (
		group, running = errgroup.WithContext(ctx)
		shots          = make(chan shot)
		got            loaded
	)
	group.Go(func() error {
		defer close(shots)
		got = l.pace(running, begun, shots)

		return nil
	})
	var late atomic.Int64
	for range l.connections {
		group.Go(func() error {
			for shot := range shots {
				if l.now().Sub(shot.due) > lateBy {
					late.Add(1)
				}
				if err := l.shoot(context.WithoutCancel(ctx), shot.n, shot.due); err != nil {
					return err
				}
			}

			return nil
		})
	}
	err := group.Wait()
	got.late = int(late.Load())

	return got, err
}

// pace hands out shots when they are due, until the time is over. What nobody
// has taken by then is never shot.
func (l load) pace(ctx context.Context, begun time.Time, shots chan<- shot) (got loaded) {
	end := time.NewTimer(l.duration)
	defer end.Stop()
	wait := time.NewTimer(0)
	defer wait.Stop()

	for n := 0; ; n++ {
		offset := time.Duration(float64(n) / float64(l.rate) * float64(time.Second))
		if offset >= l.duration {
			got.due = n

			return got
		}
		due := begun.Add(offset)
		if ahead := due.Sub(l.now()); ahead > 0 {
			wait.Reset(ahead)
			select {
			case <-wait.C:
			case <-ctx.Done():
				got.due = n

				return got
			}
		}
		select {
		case shots <- shot{n, due}:
			got.sent++
		case <-ctx.Done():
			got.due = l.dueBy(l.now().Sub(begun))

			return got
		case <-end.C:
			got.due = l.dueBy(l.duration)

			return got
		}
	}
}

// dueBy returns how many a rate wants within a time.
func (l load) dueBy(passed time.Duration) int {
	return int(float64(l.rate) * min(passed, l.duration).Seconds())
}
