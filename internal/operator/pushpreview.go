package operator

import (
	"context"
	"errors"

	"trivia/internal/store"
)

// A MovePreview says what a move of pushes would do.
type MovePreview struct {
	Pushes int             // that would be moved; of all of a person's, at most
	First  []store.PushRow // the first of them, by their identifiers or newest first
}

// PreviewMoves says what [Operator.MovePushes] would do to ids or, if there are
// none, [Operator.SweepPushes] to a set; and does nothing. Its errors are theirs.
func (o *Operator) PreviewMoves(ctx context.Context, move PushMove, ids []int64, set store.PushSet) (p MovePreview, err error) {
	if len(ids) == 0 {
		return o.previewSweep(ctx, move, set)
	}

	err = o.store.Act(ctx, func(act *store.Act) (store.Deed, error) {
		found, err := act.LockPushes(ctx, ids)
		if err == nil {
			err = move.check(ids, found)
		}
		if err != nil {
			return store.Deed{}, err
		}
		p = MovePreview{Pushes: len(found), First: found[:min(len(found), mostPreviewed)]}

		return store.Deed{}, errNothing
	})
	if errors.Is(err, errNothing) {
		err = nil
	}

	return p, err
}

func (o *Operator) previewSweep(ctx context.Context, move PushMove, set store.PushSet) (p MovePreview, err error) {
	if p.Pushes, _, err = o.store.CountPushSet(ctx, set); err != nil || p.Pushes == 0 {
		return p, err
	}

	filter := store.PushFilter{Person: set.Person, State: set.State, Since: set.Since, Until: set.Until}
	for row, err := range o.store.Pushes(ctx, filter, store.Page{Limit: mostTold}) {
		if err != nil {
			return p, err
		}
		if move.moves(row) {
			p.First = append(p.First, row)
		}
		if len(p.First) == mostPreviewed {
			break
		}
	}

	return p, nil
}
