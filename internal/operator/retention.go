package operator

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"trivia/internal/store"
)

// A Retention says how long what is kept is of use. Zero means for ever.
type Retention struct {
	Events, Deliveries, Pushes, Bodies time.Duration
}

// of returns how long one part is kept.
func (r Retention) of(what store.Prunable) time.Duration {
	switch what {
	case store.PruneEvents:
		return r.Events
	case store.PruneDeliveries:
		return r.Deliveries
	case store.PrunePushes:
		return r.Pushes
	case store.PruneBodies:
		return r.Bodies
	}

	return 0
}

// Any reports whether anything is ever past its use.
func (r Retention) Any() bool { return r != Retention{} }

func (r Retention) String() string {
	var words []string
	for _, what := range store.Prunables() {
		if keep := r.of(what); keep > 0 {
			words = append(words, fmt.Sprintf("%s are kept for %s", what, keep))
		}
	}

	return strings.Join(words, ", ")
}

const (
	retainEvery = 24 * time.Hour   // how often all services together prune
	retainLease = 10 * time.Minute // more than a batch and its pause take
	retainRate  = 5000             // rows in a second, to be out of everybody's way

	// From time to time a walk begins at the very first, for what had not ended
	// when one went past it.
	retainWhole = 30 * 24 * time.Hour
)

// Retain prunes what is past its use by r, if it is time to and no other
// process does. It returns [store.ErrNotDue] if not. pruned is told of each
// part that is done.
func (o *Operator) Retain(ctx context.Context, r Retention, pruned func(Pruned)) error {
	lease, err := o.store.ClaimRetention(ctx, retainLease)
	if err != nil {
		return err
	}
	now, err := o.store.Now(ctx)
	if err != nil {
		return err
	}

	w := &pruneWalk{Operator: o, limiter: limit(retainRate), reason: r.String()}
	kept := *lease
	w.hold = func(ctx context.Context, act *store.Act) (err error) {
		*lease = kept // the one before is committed
		kept, err = act.KeepRetention(ctx, lease, retainLease)

		return err
	}
	for _, what := range store.Prunables() {
		if r.of(what) == 0 {
			continue
		}
		done, err := w.retain(ctx, what, r, now)
		pruned(done)
		if err != nil {
			return err
		}
	}

	return o.store.EndRetention(ctx, &kept, retainEvery)
}

// retain prunes one part, from where the last walk has ended.
func (w *pruneWalk) retain(ctx context.Context, what store.Prunable, r Retention, now time.Time) (Pruned, error) {
	last, err := w.store.Walk(ctx, what)
	if err != nil {
		return Pruned{What: what}, err
	}
	walk := store.Walk{Until: now.Add(-r.of(what)), As: r.String(), WholeAt: last.WholeAt}
	span := store.PruneSpan{What: what, From: last.Until, Before: walk.Until, EventsStay: r.Events == 0}
	if last.As != walk.As || now.Sub(last.WholeAt) >= retainWhole {
		span.From, walk.WholeAt = time.Time{}, now
	}

	done, err := w.span(ctx, span)
	if err != nil {
		return done, err
	}

	return done, w.store.NoteWalk(ctx, what, walk)
}

// IsNotDue reports whether err says that it is not time to prune.
func IsNotDue(err error) bool { return errors.Is(err, store.ErrNotDue) }
