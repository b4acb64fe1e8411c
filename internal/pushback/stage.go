// Package pushback is the stage that tells Customer.io what we owe it: it sends
// pushes, one person's in order, at a rate that people share fairly, and again
// until Customer.io has taken them.
package pushback

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"trivia/internal/customerio"
	"trivia/internal/diag"
	"trivia/internal/faultpoint"
	"trivia/internal/store"
)

// How a stage paces itself.
const (
	perStep      = 64  // people claimed at once
	perTurn      = 100 // pushes of one person that are read at once
	callsPerTurn = 11  // for one person, before others get their turn
	mostWorkers  = 100
	fewWorkers   = 10

	callTime  = 10 * time.Second
	lease     = store.PushLease // after a crash somebody else sends for these people
	grace     = 2 * time.Second // for calls under way when the service stops
	claimTime = 10 * time.Second

	// How long a person rests after failures.
	firstRest   = time.Second
	longestRest = 15 * time.Minute
)

// A Client is what a stage needs of [customerio.Client].
type Client interface {
	SetAttributes(ctx context.Context, person string, attributes map[string]any, at time.Time) error
	Track(ctx context.Context, person string, ev customerio.TrackEvent) error
	Suppress(ctx context.Context, person string) error
	Account(ctx context.Context) (customerio.Account, error)
}

// Options are what a stage works with. Lease and CallTime may be left out.
type Options struct {
	Store    *store.Store
	Client   Client
	Rate     *rate.Limiter // of all calls; people share it fairly
	Metrics  *diag.Metrics
	Log      *slog.Logger
	Now      func() time.Time
	Jitter   func() float64 // in [0, 1)
	CallTime time.Duration  // what a call takes at most, as the client has it; 0 means 10 s
	Lease    time.Duration  // longer than CallTime: after a crash, a person waits for so long; 0 means 25 s
}

// A Stage sends pushes. Make one with [New].
type Stage struct {
	Options

	pause   *pause
	ledger  ledger
	release release

	after   *string       // the last person who was looked at
	workers chan struct{} // one for each person in hand
	busy    sync.WaitGroup
	wake    chan struct{}

	mu     sync.Mutex
	failed error // of turns, since the last step
}

// New returns a stage.
func New(opts Options) *Stage {
	opts.CallTime, opts.Lease = cmp.Or(opts.CallTime, callTime), cmp.Or(opts.Lease, lease)
	st := &Stage{
		Options: opts,
		pause:   &pause{now: opts.Now, jitter: opts.Jitter, show: opts.Metrics.PushPaused, failing: map[string]bool{}},
		ledger:  ledger{store: opts.Store},
		// Who is in hand has a call coming well before the lease ends.
		workers: make(chan struct{}, clamp(2*opts.Rate.Limit(), fewWorkers, mostWorkers)),
		wake:    make(chan struct{}, 1),
	}
	opts.Metrics.PushPaused("")

	return st
}

func clamp(r rate.Limit, least, most int) int {
	return int(min(max(r, rate.Limit(least)), rate.Limit(most)))
}

// Wake tells when a step would find work at once.
func (st *Stage) Wake() <-chan struct{} { return st.wake }

// Step takes people who are owed something in hand and returns how many, or
// does what else there is to do. What is sent for them goes on behind it; a
// call that takes long holds up nobody else. An error is the database's.
func (st *Stage) Step(ctx context.Context) (int, error) {
	if err := st.failure(); err != nil {
		return 0, err
	}
	if err := st.release.start(ctx, st); err != nil {
		return 0, err
	}

	limit, trial := clamp(st.Rate.Limit(), 1, perStep), false
	switch st.pause.gate() {
	case gateShut:
		return 0, nil
	case gateAsk:
		return st.ask(ctx), nil
	case gateTrial:
		limit, trial = 1, true
		st.busy.Wait() // who is still in hand would be stopped anyway
	case gateOpen:
	}

	released, err := st.release.step(ctx, st)
	if err != nil {
		return released, err
	}
	n, err := st.claim(ctx, limit, trial)
	if trial {
		st.busy.Wait()
	}

	return released + n, err
}

// claim takes up to limit people in hand. It goes on from where the last claim
// stopped, and once round at most.
func (st *Stage) claim(ctx context.Context, limit int, trial bool) (int, error) {
	for range lookAround {
		until, begun := st.Now().Add(st.Lease), st.after
		turns, err := st.take(ctx, limit)
		if err != nil {
			return 0, err
		}
		st.handOver(ctx, turns, until, trial)
		if len(turns) > 0 || st.after == nil && begun == nil {
			return len(turns), nil
		}
	}

	return 0, nil
}

// lookAround is how often one step looks on when all it saw are in hand, or rest.
const lookAround = 20

func (st *Stage) take(ctx context.Context, limit int) ([]store.PushTurn, error) {
	ctx, cancel := context.WithTimeout(ctx, claimTime)
	defer cancel()

	turns, after, err := st.Store.ClaimTurns(ctx, st.after, limit, perTurn, st.Lease)
	if err != nil {
		return nil, err
	}
	st.after = after

	return turns, nil
}

// handOver gives each person to a worker, as soon as one is free.
func (st *Stage) handOver(ctx context.Context, turns []store.PushTurn, until time.Time, trial bool) {
	for i := range turns {
		st.workers <- struct{}{} // none is busy for long: calls end
		st.busy.Go(func() {
			defer func() { <-st.workers }()
			st.turn(ctx, &turns[i], until, trial)
		})
	}
}

// turn sends for one person and gives them back.
func (st *Stage) turn(ctx context.Context, t *store.PushTurn, until time.Time, trial bool) {
	tn := &turn{Stage: st, PushTurn: t, until: until, trial: trial, ended: map[int64]store.PushEnd{}}
	faultpoint.At(faultpoint.PushClaimed)
	end := tn.run(ctx)
	if err := st.ledger.write(ctx, end); err != nil {
		st.mu.Lock()
		st.failed = errors.Join(st.failed, err)
		st.mu.Unlock()

		return
	}
	faultpoint.At(faultpoint.PushEnded)

	for _, e := range end.Ends {
		st.Metrics.PushSettled(string(e.State))
		if isRefused(e) {
			st.release.found()
		}
	}
	if tn.more {
		select {
		case st.wake <- struct{}{}:
		default:
		}
	}
}

// failure returns what went wrong behind the last step.
func (st *Stage) failure() error {
	st.mu.Lock()
	defer st.mu.Unlock()
	err := st.failed
	st.failed = nil

	return err
}

// Wait returns when nobody is in hand any more, with what went wrong. After the
// context of [Stage.Step] has ended that takes a few seconds at most.
func (st *Stage) Wait() error {
	st.busy.Wait()

	return st.failure()
}
