package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"trivia/internal/operator"
)

const (
	connectTime = 5 * time.Second  // for a database to answer, before it is asked anew
	drainTime   = 10 * time.Second // for requests in flight at the end
	leaveTime   = time.Second      // of it, for senders to use the connections that they keep once more
	lastTime    = time.Second      // for last words to the database
	farTime     = 5 * time.Second  // for what is gathered for others, when the service stops

	writers   = 2                      // commits under way at once, if there is enough for both
	statement = 950 * time.Millisecond // the server gives up a statement a little before we do

	sweepEvery = time.Second // how soon deliveries that another process left are found
)

// serve runs everything until ctx ends, and returns nil if all of it ended
// well. The listeners answer from the first moment to the last; the database
// is waited for behind them.
func serve(ctx context.Context, sur surroundings, log *slog.Logger, set settings, opts flags) error {
	sayPolicy(ctx, log, set)
	doors, err := openDoors(ctx, set, opts, log)
	if err != nil {
		return err
	}
	defer doors.close()

	f := newFront(sur, set, log)
	addrs := newAddresses(set, f.guard, f.metrics, log, sur.now)
	reload := &reloader{getenv: sur.getenv, log: log, receiver: f.edge, addresses: addrs, cert: f.cert, set: set, said: set.said}
	warn(log, set)
	warnOfDangers(log, set)
	log.InfoContext(ctx, "listening", slog.String("public", doors.public.Addr().String()),
		slog.String("private", doors.private.Addr().String()), slog.String("environment", set.Environment))

	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	sup := supervisor{metrics: f.metrics, log: log, now: sur.now}
	var group errgroup.Group
	group.Go(func() error {
		err := f.serve(ctx, doors.public, doors.private)
		stop(err)

		return wrapped("serve", err)
	})
	group.Go(func() error {
		err := sup.keep(ctx, "reload", func(ctx context.Context) error { return reload.run(ctx, sur) })
		if err != nil {
			stop(err)
		}

		return err
	})
	group.Go(func() error { doors.offer(ctx, stop); return nil })
	group.Go(func() error {
		err := work(ctx, sur, set, opts, f, addrs, doors, sup)
		stop(err)

		return err
	})

	return group.Wait()
}

// wrapped says what was being done, if it went wrong.
func wrapped(what string, err error) error {
	if err == nil {
		return nil
	}

	return fmt.Errorf("%s: %w", what, err)
}

// work waits for the database, and runs what works on it. When ctx ends, it
// stops the front, and then the stages behind it.
func work(
	ctx context.Context, sur surroundings, set settings, opts flags, f *front, addrs *addresses, doors *doors, sup supervisor,
) error {
	db := newDatabase(f.log, set)
	stages, stopStages := context.WithCancel(context.WithoutCancel(ctx))
	defer stopStages()

	b, err := begin(ctx, sur, set, opts, f, db, addrs, doors)
	var running errgroup.Group
	if b != nil {
		running.Go(func() error { b.run(stages, sup); return nil })
		<-ctx.Done()
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = nil // being stopped while one waits is no failure
	}

	delay := set.StopDelay
	if b == nil {
		delay = 0 // nobody was told that we are ready
	}
	err = errors.Join(err, f.stop(context.WithoutCancel(ctx), doors.public, delay))
	db.leave(context.WithoutCancel(ctx))
	stopStages()
	_ = running.Wait()
	db.close(context.WithoutCancel(ctx))

	return err
}

// begin waits for the database, however long that takes, and opens intake.
func begin(
	ctx context.Context, sur surroundings, set settings, opts flags, f *front, db *database, addrs *addresses, doors *doors,
) (*back, error) {
	if set.Embedded {
		// Only one process can own the private Postgres: whoever had the listeners
		// before us has to leave it first. They are ours meanwhile.
		doors.taken()
		doors.waitGone(ctx)
	}
	if err := db.open(ctx, f.state); err != nil {
		return nil, err
	}
	if opts.demo {
		if err := prepareDemo(ctx, db.Store); err != nil {
			return nil, err
		}
	}
	b, err := newBack(ctx, sur, set, f, db, addrs)
	if err != nil {
		return nil, err
	}
	addrs.attach(ctx, operator.New(db.Store, "trivia-hook@"+set.host))
	f.intake.Open(db.Intake)
	_, _ = f.intake.Probe(ctx) // says itself what it has found
	f.state.begin(f.intake.Ready)
	doors.taken()
	f.log.InfoContext(ctx, "ready", slog.String("public", doors.public.Addr().String()),
		slog.String("private", doors.private.Addr().String()), slog.String("environment", set.Environment))
	if opts.demo {
		printDemo(sur, set, doors.public.Addr().String(), doors.private.Addr().String())
	}

	return b, nil
}

// warn says at start what is easily overlooked.
func warn(log *slog.Logger, set settings) {
	if set.Observe {
		log.Warn("sources are only observed: a caller from anywhere is let in if its signature holds")
	}
	if set.Tolerance > 0 {
		log.Warn("signed requests are refused when clocks differ, and hold back all behind them", slog.String("tolerance", set.Tolerance.String()))
	}
}
