package operator

import (
	"context"
	"fmt"
	"strconv"

	"trivia/internal/store"
)

// WinPushes say of which wins Customer.io is told again.
type WinPushes struct {
	Span     store.WinSpan
	After    store.Cursor // go on behind the win that an earlier call has ended with
	Reason   string
	Progress func(so PushedWins, whole int) // may be nil
}

// PushedWins counts what telling of wins came to.
type PushedWins struct {
	Wins   int          // looked at
	Pushed int          // pushes written; for the others one is waiting already
	Last   store.Cursor // of the win looked at last, if there was any
}

// winBatch is how many wins are looked at in one commit.
const winBatch = 500

// PushWins writes a push for each win of a span, oldest first, unless one that
// tells of it is waiting already. It holds no more than a batch in memory.
//
// Each batch is a commit of its own, with its own line in the audit log. After
// an error, Last says where to go on.
func (o *Operator) PushWins(ctx context.Context, w WinPushes) (so PushedWins, err error) {
	so.Last = w.After
	whole, err := o.store.CountWins(ctx, w.Span, w.After)
	if err != nil {
		return so, err
	}

	batch := make([]store.WinRow, 0, winBatch)
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("push wins: %w", context.Cause(ctx))
		}
		n, err := o.pushWins(ctx, batch, w)
		if err != nil {
			return err
		}
		so.Wins += len(batch)
		so.Pushed += n
		so.Last = batch[len(batch)-1].Place()
		batch = batch[:0]
		if w.Progress != nil {
			w.Progress(so, whole)
		}

		return nil
	}

	for win, err := range o.store.OldestWins(ctx, w.Span, store.Page{After: w.After}) {
		if err != nil {
			return so, err
		}
		if batch = append(batch, win); len(batch) < winBatch {
			continue
		}
		if err := flush(); err != nil {
			return so, err
		}
	}

	return so, flush()
}

func (o *Operator) pushWins(ctx context.Context, batch []store.WinRow, w WinPushes) (n int, err error) {
	err = o.store.Act(ctx, func(act *store.Act) (deed store.Deed, err error) {
		n, err = act.PushWins(ctx, batch)
		deed = o.deed("push wins", countWins(len(batch)), w.Reason)
		deed.Detail = map[string]any{
			"pushed": n, "first_won_at": batch[0].At, "last_won_at": batch[len(batch)-1].At, "until": batch[len(batch)-1].Place(),
		}
		if w.Span.Trivia != "" {
			deed.Detail["trivia"] = w.Span.Trivia
		}

		return deed, err
	})

	return n, err
}

func countWins(n int) string {
	if n == 1 {
		return "1 win"
	}

	return strconv.Itoa(n) + " wins"
}

// A WinPreview says what [Operator.PushWins] would do.
type WinPreview struct {
	Wins   int            // it would look at
	Pushed int            // pushes it would write
	First  []store.WinRow // the first of the wins that it would tell of
}

// mostPreviewed is how many wins a [WinPreview] shows.
const mostPreviewed = 10

// PreviewWins says what PushWins would do, and does nothing.
func (o *Operator) PreviewWins(ctx context.Context, w WinPushes) (p WinPreview, err error) {
	if p.Wins, err = o.store.CountWins(ctx, w.Span, w.After); err != nil {
		return p, err
	}
	if p.Pushed, err = o.store.CountUntoldWins(ctx, w.Span, w.After); err != nil || p.Pushed == 0 {
		return p, err
	}

	for page := (store.Page{After: w.After, Limit: winBatch}); len(p.First) < min(p.Pushed, mostPreviewed); {
		wins, err := first(o.store.OldestWins(ctx, w.Span, page))
		if err != nil || len(wins) == 0 {
			return p, err
		}
		told, err := o.store.Told(ctx, wins)
		if err != nil {
			return p, err
		}
		for i, win := range wins {
			if !told[i] && len(p.First) < mostPreviewed {
				p.First = append(p.First, win)
			}
		}
		page.After = wins[len(wins)-1].Place()
	}

	return p, nil
}
