package operator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"golang.org/x/time/rate"

	"trivia/internal/faultpoint"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// pruneBatch is how many rows are looked at in one commit: a fraction of a
// second, in which a running service waits for nothing.
const pruneBatch = 5000

// A Pruning says what is past its use. What waits for the service is never.
type Pruning struct {
	Only         []store.Prunable // of events, deliveries and pushes; empty means all three
	Before       time.Time        // they are older; zero: they stay
	BodiesBefore time.Time        // bodies are blanked of settled deliveries that are older; zero: they stay
	Parked       bool             // also what waits for a person
	Rate         int              // rows in a second at most, or 0
	Reason       string
	Progress     func(done int) // of all rows that go; may be nil
}

// ErrTooRecent says that something may come again, or has not happened yet.
var ErrTooRecent = errors.New("too recent to be pruned")

// spans returns what p says, in the order in which it is done.
func (p Pruning) spans() []store.PruneSpan {
	chosen := func(what store.Prunable) bool {
		return !p.Before.IsZero() && (len(p.Only) == 0 || slices.Contains(p.Only, what))
	}

	var all []store.PruneSpan
	for _, what := range store.Prunables() {
		span := store.PruneSpan{What: what, Before: p.Before, Parked: p.Parked, EventsStay: !chosen(store.PruneEvents)}
		if what == store.PruneBodies {
			if p.BodiesBefore.IsZero() {
				continue
			}
			span.Before = p.BodiesBefore
			// What is older, and settled, is deleted before.
			if chosen(store.PruneDeliveries) && chosen(store.PruneEvents) {
				span.From = p.Before
			}
			all = append(all, span)
		} else if chosen(what) {
			all = append(all, span)
		}
	}

	return all
}

// checkAge returns nil if everything p names is old enough, by the database's
// clock.
func (o *Operator) checkAge(ctx context.Context, p Pruning) error {
	now, err := o.store.Now(ctx)
	if err != nil {
		return err
	}
	if !p.Before.IsZero() && p.Before.After(now.Add(-store.RepeatedFor)) {
		return fmt.Errorf("%s is less than %d days ago: %w", p.Before.UTC().Format(time.RFC3339), int(store.RepeatedFor.Hours()/24), ErrTooRecent)
	}
	if p.BodiesBefore.After(now) {
		return fmt.Errorf("%s has not come yet: %w", p.BodiesBefore.UTC().Format(time.RFC3339), ErrTooRecent)
	}

	return nil
}

// PreviewPrune says what Prune would come to, and does nothing. It is an
// [ErrTooRecent] if that may come again.
func (o *Operator) PreviewPrune(ctx context.Context, p Pruning) ([]store.PruneCount, error) {
	if err := o.checkAge(ctx, p); err != nil {
		return nil, err
	}

	var all []store.PruneCount
	for _, span := range p.spans() {
		c, err := o.store.CountPrune(ctx, span)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}

	return all, nil
}

// A Pruned says what went of one part.
type Pruned struct {
	What  store.Prunable
	Rows  int
	Bytes int64 // of bodies
}

// Prune deletes what is past its use. Each batch is a commit of its own, with
// its own line in the audit log: what is stopped halfway can be run again. No
// win is among it, so that nobody wins anything twice.
func (o *Operator) Prune(ctx context.Context, p Pruning) ([]Pruned, error) {
	if err := o.checkAge(ctx, p); err != nil {
		return nil, err
	}

	w := &pruneWalk{Operator: o, limiter: limit(p.Rate), reason: p.Reason, progress: p.Progress}
	var all []Pruned
	for _, span := range p.spans() {
		done, err := w.span(ctx, span)
		all = append(all, done)
		if err != nil {
			return all, err
		}
	}

	return all, nil
}

func limit(perSecond int) *rate.Limiter {
	if perSecond <= 0 {
		return rate.NewLimiter(rate.Inf, pruneBatch)
	}

	return rate.NewLimiter(rate.Limit(perSecond), pruneBatch)
}

// A pruneWalk is pruning under way.
type pruneWalk struct {
	*Operator

	limiter  *rate.Limiter
	reason   string
	progress func(done int)
	done     int

	// hold is called in each commit, and undoes it by an error; may be nil.
	hold func(context.Context, *store.Act) error
}

// span walks through what a span names, batch by batch.
func (w *pruneWalk) span(ctx context.Context, span store.PruneSpan) (all Pruned, err error) {
	all.What = span.What
	err = w.walk(ctx, func(act *store.Act, after store.PrunePlace) (step store.PruneStep, deed store.Deed, err error) {
		step, err = act.Prune(ctx, span, after, pruneBatch)
		if err != nil || step.Gone == 0 {
			return step, deed, err
		}
		deed = w.deed("prune "+string(span.What), strconv.Itoa(step.Gone)+" rows", w.reason)
		deed.Detail = map[string]any{"before": span.Before, "rows": step.Gone}
		if span.Parked {
			deed.Detail["parked"] = true
		}

		return step, deed, act.MarkPruned(ctx, span.What, span.Before)
	}, func(step store.PruneStep) {
		all.Rows += step.Gone
		all.Bytes += step.Bytes
	})

	return all, err
}

// walk makes steps until there is no more, each in a commit of its own.
func (w *pruneWalk) walk(
	ctx context.Context,
	act func(*store.Act, store.PrunePlace) (store.PruneStep, store.Deed, error),
	count func(store.PruneStep),
) error {
	for step := (store.PruneStep{}); !step.End; {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("prune: %w", context.Cause(ctx))
		}
		next := step
		err := w.store.Act(ctx, func(a *store.Act) (deed store.Deed, err error) {
			if w.hold != nil {
				if err := w.hold(ctx, a); err != nil {
					return deed, err
				}
			}
			next, deed, err = act(a, step.After)

			return deed, err
		})
		if err != nil {
			return err
		}
		faultpoint.At(faultpoint.Pruned)
		step = next
		count(step)
		w.done += step.Gone
		if w.progress != nil {
			w.progress(w.done)
		}
		if step.Gone > 0 {
			if err := w.limiter.WaitN(ctx, step.Gone); err != nil {
				return fmt.Errorf("prune: %w", err)
			}
		}
	}

	return nil
}

// A WinPruning says which wins go.
type WinPruning struct {
	Trivia   trivia.ID
	Before   time.Time // only those that were won before; zero means all
	Rate     int       // rows in a second at most, or 0
	Reason   string
	Progress func(done int) // may be nil
}

func (p WinPruning) before(now time.Time) time.Time {
	if p.Before.IsZero() {
		return now
	}

	return p.Before
}

// PreviewPruneWins says what PruneWins would come to, and does nothing.
func (o *Operator) PreviewPruneWins(ctx context.Context, p WinPruning) (store.WinsCount, error) {
	now, err := o.store.Now(ctx)
	if err != nil {
		return store.WinsCount{}, err
	}

	return o.store.CountPruneWins(ctx, p.Trivia, p.before(now))
}

// PruneWins deletes wins of a trivia that is closed, with their prizes, and
// seals it: it can never be opened again, and so nobody wins it twice. It
// returns how many went.
func (o *Operator) PruneWins(ctx context.Context, p WinPruning) (n int, err error) {
	now, err := o.store.Now(ctx)
	if err != nil {
		return 0, err
	}

	w := &pruneWalk{Operator: o, limiter: limit(p.Rate), reason: p.Reason, progress: p.Progress}
	before := p.before(now)
	err = w.walk(ctx, func(act *store.Act, after store.PrunePlace) (step store.PruneStep, deed store.Deed, err error) {
		step, err = act.PruneWins(ctx, p.Trivia, before, after, pruneBatch)
		if err != nil {
			return step, deed, err
		}
		deed = w.deed("prune wins", string(p.Trivia), w.reason)
		deed.Detail = map[string]any{"before": before, "rows": step.Gone, "sealed": true}

		return step, deed, nil
	}, func(step store.PruneStep) { n += step.Gone })

	return n, err
}
