package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"trivia/internal/diag"
	"trivia/internal/receiver"
	"trivia/internal/source"
)

// A front is what callers meet: the servers, and all that is behind them up to
// the database. It needs none to answer: until there is one, every delivery is
// answered 503.
type front struct {
	log     *slog.Logger
	metrics *diag.Metrics
	state   *readiness
	guard   *source.Guard
	intake  *receiver.Intake
	pending chan struct{} // wakes settle
	edge    *receiver.Receiver
	cert    *certificate   // nil without TLS
	gate    *receiver.Gate // before public
	inner   *receiver.Gate // before private
	public  *http.Server
	private *http.Server
	leave   farewell // of public
}

func newFront(sur surroundings, set settings, log *slog.Logger) *front {
	now := sur.now
	metrics, refusals := diag.New(), &diag.Refusals{}
	f := &front{
		log: log, metrics: metrics, state: newReadiness(), pending: make(chan struct{}, 1),
		guard: source.NewGuard(set.allowed, set.trusted, set.Observe),
	}
	f.intake = receiver.NewIntake(nil, metrics, log, now, f.nudge)
	f.edge = receiver.New(receiver.Options{
		Guard:  f.guard,
		Action: set.action, Event: set.event, MaxBody: set.MaxBody,
		Intake: f.intake, Ready: f.ready, Metrics: metrics, Refusals: refusals, Log: log, Now: now,
	})
	f.cert = newCertificate(set, log, now)
	f.gate, f.inner = newGates(set, f.cert, metrics, f.edge, log, now)
	f.public = receiver.NewServer(f.edge, log)
	f.public.IdleTimeout = set.IdleTimeout
	f.leave.attend(f.public)
	f.gate.Attend(f.public)
	f.private = receiver.NewServer(diag.Handler(metrics, refusals, f.ready), log)
	f.inner.Attend(f.private)
	f.private.WriteTimeout = time.Minute // a CPU profile takes half of that
	metrics.Queue(f.intake.Waiting)

	return f
}

func (f *front) nudge() {
	select {
	case f.pending <- struct{}{}:
	default:
	}
}

// ready returns nil if a delivery that comes now can get in and be kept.
func (f *front) ready(ctx context.Context) error {
	if err := f.gate.Accepting(); err != nil {
		return err
	}

	return f.state.check(ctx)
}

// serve answers on both listeners until they are closed. The private one is
// none of the sender's: if it breaks, the public one goes on.
func (f *front) serve(ctx context.Context, public, private net.Listener) error {
	go func() {
		if err := served(f.private.Serve(f.inner.Listen(private))); err != nil {
			f.log.ErrorContext(ctx, "the private listener broke: no metrics until the next start", slog.Any("error", err))
		}
	}()

	return served(f.public.Serve(f.gate.Listen(public)))
}

func served(err error) error {
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		return nil
	}

	return err
}

// stop ends the front from the outside in, so that nobody is cut off: who asks
// is sent elsewhere at once, and everybody is served for delay as before; then
// nobody new is let in but who stands in the kernel's queue, and all others
// have a moment to finish. Idle and silent connections are not waited for.
func (f *front) stop(ctx context.Context, public *door, delay time.Duration) error {
	f.state.stop()
	if delay > 0 {
		f.log.InfoContext(ctx, "no longer ready; serving on before stopping", slog.Duration("for", delay))
		select {
		case <-time.After(delay):
		case <-public.handedOver: // whoever comes is served by another process
		}
	}
	f.log.InfoContext(ctx, "stopping: requests in flight are answered first")

	timeout, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	f.leave.begin()
	public.empty()
	_ = public.Close() // connections that are open stay so
	f.leave.say(leaveTime)
	f.gate.Hurry()
	err := f.public.Shutdown(timeout)
	if errors.Is(err, net.ErrClosed) {
		err = nil // the listener: its Serve may not have noticed yet
	}
	f.edge.FlushLog(timeout)

	return errors.Join(err, f.private.Close())
}
