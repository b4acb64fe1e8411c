// Package settle is the stage behind intake: it settles, one by one, the
// deliveries that intake could only keep, and those whose user was not there
// yet. It finds those of other processes too, also of ones that have crashed.
package settle

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"trivia/internal/customerio"
	"trivia/internal/diag"
	"trivia/internal/drain"
	"trivia/internal/faultpoint"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// How a stage paces itself.
const (
	atOnce    = 4                // deliveries in hand at once
	perStep   = 64               // deliveries looked at in a step
	statement = 15 * time.Second // an award may take this long, where intake allows it a second
	attempt   = 25 * time.Second // a database that vanishes without a word is given up then
	lease     = 30 * time.Second // longer than an attempt can take; then somebody else may try
)

// What the database refuses is tried again before it is parked, since the rule
// that refuses may be replaced any moment.
const (
	refusedAttempts = 3
	firstWait       = 500 * time.Millisecond
	longestWait     = time.Minute
)

// A Stage settles pending deliveries. All fields are needed.
type Stage struct {
	Store       *store.Store
	CreateUsers bool // insert a missing user with the win
	Owing       store.Owing
	Metrics     *diag.Metrics
	Log         *slog.Logger
	Now         func() time.Time
	Jitter      func() float64 // in [0, 1)

	broken broken
}

// Step settles deliveries that are due and returns how many it had in hand. An
// error is the database's; what one delivery runs into is written on it.
func (st *Stage) Step(ctx context.Context) (int, error) {
	due, err := st.due(ctx)
	if err != nil {
		return 0, err
	}

	others, suspects := st.broken.part(due)
	n, err := st.all(ctx, others)
	for _, ref := range suspects {
		if err != nil {
			break
		}
		var one int
		one, err = st.one(ctx, ref)
		n += one
	}

	return n, err
}

// all settles several at once.
func (st *Stage) all(ctx context.Context, refs []store.Ref) (n int, err error) {
	handled := make([]int, len(refs))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i, ref := range refs {
		group.Go(func() error {
			one, err := st.one(ctx, ref)
			handled[i] = one

			return err
		})
	}
	err = group.Wait()
	for _, one := range handled {
		n += one
	}

	return n, err
}

func (st *Stage) due(ctx context.Context) ([]store.Ref, error) {
	ctx, cancel := context.WithTimeout(ctx, attempt)
	defer cancel()

	return st.Store.Due(ctx, perStep)
}

// one settles one delivery, or says on it why not. It returns 0 if the
// delivery was in other hands.
func (st *Stage) one(ctx context.Context, ref store.Ref) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, attempt)
	defer cancel()

	p, err := st.Store.Claim(ctx, ref, lease)
	if errors.Is(err, store.ErrBusy) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	faultpoint.At(faultpoint.SettleClaimed)

	receipt, err := st.Store.Settle(ctx, p, arrivalOf(p), store.SettleOptions{
		CreateUsers: st.CreateUsers, Retry: st.retry(p), Statement: statement, Owing: st.Owing,
	})
	if err != nil {
		return 1, st.failed(ctx, p, err)
	}
	faultpoint.At(faultpoint.SettleCommitted)
	st.broken.forget(ref)

	st.Metrics.Settled(string(receipt.Outcome))
	if receipt.State == trivia.StateParked {
		st.Log.WarnContext(ctx, "delivery parked",
			slog.String("kind", string(p.Kind)), slog.String("key", p.Key),
			slog.String("outcome", string(receipt.Outcome)), slog.String("reason", receipt.Reason))
	}

	return 1, nil
}

// retry returns when a win of p is tried again if its user is not there; nil
// if it has waited long enough.
func (st *Stage) retry(p store.Pending) *time.Duration {
	wait, ok := trivia.RetryUnknownUser(st.Now().Sub(p.Received))
	if !ok {
		return nil
	}

	return &wait
}

// failed gives a delivery back or sets it aside. What stands in its way may
// pass, and then it is tried for as long as it takes; or the database refuses
// it for what it is.
func (st *Stage) failed(ctx context.Context, p store.Pending, cause error) error {
	// Also on the way out the claim is given back, or the delivery would wait
	// for the lease to end.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()

	reason := store.Message(cause)
	log := st.Log.With(slog.String("kind", string(p.Kind)), slog.String("key", p.Key),
		slog.Int("attempts", p.Attempts), slog.String("reason", reason))

	if store.Broke(cause) && st.broken.count(p.Ref) >= brokenAttempts {
		log.WarnContext(ctx, "delivery parked: its award ends the database's session")
		st.Metrics.Settled("broken")
		if err := st.Store.Park(ctx, p, brokenReason+reason); err != nil {
			return err // it stays counted
		}
		st.broken.forget(p.Ref)

		return nil
	}
	if !store.Passing(cause) && p.Attempts >= refusedAttempts {
		st.broken.forget(p.Ref)
		log.WarnContext(ctx, "delivery parked: the database refuses to settle it")
		st.Metrics.Settled("refused")

		return st.Store.Park(ctx, p, reason)
	}

	wait := drain.Backoff(p.Attempts, firstWait, longestWait, st.Jitter())
	log.WarnContext(ctx, "delivery is tried again", slog.Duration("after", wait))
	st.Metrics.Settled("")
	if err := st.Store.Defer(ctx, p, wait, reason); err != nil {
		return fmt.Errorf("%w (after: %v)", err, cause)
	}

	return nil
}

// arrivalOf decodes a kept delivery again: its bytes are the truth, and this
// program may know more about them than the one that kept them.
func arrivalOf(p store.Pending) store.Arrival {
	a := store.Arrival{Kind: p.Kind, Key: p.Key, Body: p.Body, SHA256: sha256.Sum256(p.Body), At: p.Received}
	var err error
	switch p.Kind {
	case trivia.KindWin:
		a.Win, err = customerio.DecodeAction(p.Body)
	case trivia.KindEvent:
		_, a.Event, err = customerio.DecodeEvent(p.Body)
	}
	if err != nil {
		a.Win, a.Unusable = trivia.Win{}, err.Error()
	}

	return a
}
