package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"trivia/internal/diag"
	"trivia/internal/drain"
	"trivia/internal/pushback"
	"trivia/internal/receiver"
	"trivia/internal/settle"
	"trivia/internal/source"
	"trivia/internal/warehouse"
)

const (
	startTime = 30 * time.Second // for the database to answer at start
	drainTime = 10 * time.Second // for requests in flight at the end
	leaveTime = time.Second      // of it, for senders to use the connections that they keep once more
	closeTime = 2 * time.Second  // for the database to take note of the end

	writers   = 2                      // commits under way at once, if there is enough for both
	statement = 950 * time.Millisecond // the server gives up a statement a little before we do

	sweepEvery = time.Second // how soon deliveries that another process left are found
)

// serve runs everything until ctx ends, and returns nil if all of it ended
// well.
func serve(ctx context.Context, sur surroundings, log *slog.Logger, set settings, opts flags) error {
	sayPolicy(ctx, log, set)

	// The addresses come first: a port that is taken is no reason to start a
	// database, and who calls early waits instead of being refused.
	public, err := listen(ctx, set.Listen)
	if err != nil {
		return fmt.Errorf("open the public listener: %w", err)
	}
	defer func() { _ = public.Close() }()
	private, err := listen(ctx, set.AdminListen)
	if err != nil {
		return fmt.Errorf("open the private listener: %w", err)
	}
	defer func() { _ = private.Close() }()

	db, err := openDatabase(ctx, log, set)
	if err != nil {
		return err
	}
	defer db.close(ctx, log)

	if opts.demo {
		if err := prepareDemo(ctx, db.Store); err != nil {
			return err
		}
	}
	h := newHook(sur, set, db, log)
	if h.warehouse, err = h.newWarehouse(ctx, set, db.Store, sur.now); err != nil {
		return err
	}
	warn(log, set)
	warnOfDangers(log, set)
	h.addresses.load(ctx)
	_, _ = h.intake.Probe(ctx) // says itself what it has found
	log.InfoContext(ctx, "ready", slog.String("public", public.Addr().String()), slog.String("private", private.Addr().String()),
		slog.String("environment", set.Environment))
	if opts.demo {
		printDemo(sur, set, public.Addr().String(), private.Addr().String())
	}

	return h.run(ctx, sur, db, public, private)
}

func listen(ctx context.Context, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	return lc.Listen(ctx, "tcp", addr)
}

// A hook is the service, wired.
type hook struct {
	log     *slog.Logger
	metrics *diag.Metrics
	intake  *receiver.Intake
	settle  *settle.Stage
	pending chan struct{} // wakes settle
	public  *http.Server
	private *http.Server
	leave   farewell       // of public
	gate    *receiver.Gate // before public
	inner   *receiver.Gate // before private
	edge    *receiver.Receiver

	pushback  *pushback.Stage // nil without credentials
	addresses *addresses
	keys      *keyLog
	reloader  *reloader
	auditor   *auditor // nil where nothing is checked on a timer
	schema    *schemaWatch
	retention *retention       // nil where everything is kept for ever
	warehouse *warehouse.Stage // nil where nothing is copied
}

func newHook(sur surroundings, set settings, db *database, log *slog.Logger) *hook {
	now := sur.now
	metrics, refusals := diag.New(), &diag.Refusals{}
	h := &hook{log: log, metrics: metrics, pending: make(chan struct{}, 1)}

	h.intake = receiver.NewIntake(db.Intake, metrics, log, now, h.nudge)
	h.settle = &settle.Stage{
		Store: db.Store, CreateUsers: set.CreateUsers, Owing: owingOf(set),
		Metrics: metrics, Log: log, Now: now, Jitter: rand.Float64,
	}
	h.pushback = newPushback(set, db, metrics, log, now)
	guard := source.NewGuard(set.allowed, set.trusted, set.Observe)
	h.addresses = newAddresses(set, db.Store, guard, metrics, log, now)
	h.auditor = newAuditor(set, db.Store, metrics, log, now)
	h.retention = newRetention(set, db.Store, metrics, log)
	edge := receiver.New(receiver.Options{
		Guard:  guard,
		Action: set.action, Event: set.event, MaxBody: set.MaxBody,
		Intake: h.intake, Ready: h.ready(h.intake.Ready), Metrics: metrics, Refusals: refusals, Log: log, Now: now,
	})
	h.edge = edge
	cert := newCertificate(set, log, now)
	h.gate, h.inner = newGates(set, cert, metrics, edge, log, now)
	h.schema = &schemaWatch{ask: db.Schema, metrics: metrics, log: log}
	h.keys = &keyLog{collect: edge.CollectKeyUses, store: db.Store, log: log}
	h.reloader = &reloader{
		getenv: sur.getenv, log: log, receiver: edge, addresses: h.addresses, cert: cert, set: set, said: set.said,
	}
	h.public = receiver.NewServer(edge, log)
	h.public.IdleTimeout = set.IdleTimeout
	h.leave.attend(h.public)
	h.gate.Attend(h.public)
	h.private = receiver.NewServer(diag.Handler(metrics, refusals, h.ready(h.intake.Ready)), log)
	h.inner.Attend(h.private)
	h.private.WriteTimeout = time.Minute // a CPU profile takes half of that

	metrics.Queue(h.intake.Waiting)
	metrics.LastDeliveries(lastDeliveries(db.Store))
	metrics.Backlog(func(ctx context.Context) (int64, map[string]int64, time.Duration, error) {
		b, err := db.Backlog(ctx)
		return b.Pending, b.Parked, b.Oldest, err
	})

	return h
}

func (h *hook) nudge() {
	select {
	case h.pending <- struct{}{}:
	default:
	}
}

// warn says at start what is easily overlooked.
func warn(log *slog.Logger, set settings) {
	if set.Observe {
		log.Warn("sources are only observed: a caller from anywhere is let in if its signature holds")
	}
	if set.Tolerance == 0 {
		log.Warn("timestamps of any age are accepted: who has recorded a request can send it again")
	}
}

// run serves until ctx ends or a listener breaks. Then it stops from the
// outside in: first no new request, then no new batch, then no stage.
func (h *hook) run(ctx context.Context, sur surroundings, db *database, public, private net.Listener) error {
	group, ctx := errgroup.WithContext(ctx)
	stages, stopStages := context.WithCancel(context.WithoutCancel(ctx))

	group.Go(func() error { return served(h.public.Serve(h.gate.Listen(public))) })
	group.Go(func() error { return served(h.private.Serve(h.inner.Listen(private))) })
	group.Go(func() error { drain.Loop(stages, h.log, receiver.ProbeEvery, nil, h.intake.Probe); return nil })
	group.Go(func() error { db.supervise(stages, h.log); return nil })
	group.Go(func() error { h.push(stages); return nil })
	for range writers {
		group.Go(func() error { h.intake.Run(stages); return nil })
	}
	group.Go(func() error {
		drain.Loop(stages, h.log, sweepEvery, h.pending, h.settle.Step)
		return nil
	})
	group.Go(func() error { drain.Loop(stages, h.log, lookEvery, nil, h.addresses.Step); return nil })
	group.Go(func() error { h.keys.run(stages); return nil })
	group.Go(func() error { drain.Loop(stages, h.log, schemaLook, nil, h.schema.Step); return nil })
	group.Go(func() error { return h.reloader.run(ctx, sur) })
	group.Go(func() error { h.auditor.run(stages); return nil })
	group.Go(func() error { h.copy(stages); return nil })
	if h.retention != nil {
		group.Go(func() error { drain.Loop(stages, h.log, retainEvery, nil, h.retention.Step); return nil })
	}
	group.Go(func() error {
		<-ctx.Done()
		defer stopStages()
		h.log.InfoContext(ctx, "stopping: requests in flight are answered first")

		timeout, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
		defer cancel()
		_ = public.Close() // connections that are open stay so
		h.leave.say(leaveTime)
		err := h.public.Shutdown(timeout)
		if errors.Is(err, net.ErrClosed) {
			err = nil // the listener: its Serve may not have noticed yet
		}

		h.edge.FlushLog(timeout)

		return errors.Join(err, h.private.Close())
	})

	return group.Wait()
}

func served(err error) error {
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		return nil
	}

	return fmt.Errorf("serve: %w", err)
}
