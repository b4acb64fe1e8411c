package operator

import (
	"context"
	"fmt"
	"iter"
	"strconv"

	"trivia/internal/store"
)

// A Resend says which deliveries are sent to a hook once more.
type Resend struct {
	Set    ReplaySet
	To     string // for the audit log
	Reason string
	Send   func(context.Context, []store.DeliveryRow) error // is given them with their bodies
}

// ListReplay yields the deliveries of a set without their bodies, oldest first.
// After an error it yields nothing more.
func (o *Operator) ListReplay(ctx context.Context, set ReplaySet) iter.Seq2[store.DeliveryRow, error] {
	return o.all(ctx, set)
}

// resendBatch is how many deliveries are handed over at once.
const resendBatch = 100

// Resend hands the deliveries of a set over to be sent, oldest first, batch by
// batch. Each batch is written into the audit log before. It returns where to go
// on after an error.
func (o *Operator) Resend(ctx context.Context, r Resend) (last store.Cursor, err error) {
	var (
		batch []store.DeliveryRow
		bytes int
	)
	last = r.Set.After
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		if err := o.resend(ctx, r, batch); err != nil {
			return err
		}
		last = batch[len(batch)-1].Place()
		batch, bytes = batch[:0], 0

		return nil
	}

	for d, err := range o.all(ctx, r.Set) {
		if err != nil {
			return last, err
		}
		if ctx.Err() != nil {
			return last, fmt.Errorf("send again: %w", context.Cause(ctx))
		}
		batch = append(batch, d)
		if bytes += d.Size; len(batch) < resendBatch && bytes < mostBytes {
			continue
		}
		if err := flush(); err != nil {
			return last, err
		}
	}

	return last, flush()
}

func (o *Operator) resend(ctx context.Context, r Resend, batch []store.DeliveryRow) error {
	if err := o.store.ReadBodies(ctx, batch); err != nil {
		return err
	}
	err := o.store.Act(ctx, func(act *store.Act) (store.Deed, error) {
		if len(batch) > 1 {
			deed := o.deed("replay http", countDeliveries(len(batch)), r.Reason)
			keys := make([]string, len(batch))
			for i, d := range batch {
				keys[i] = d.Key
			}
			deed.Detail = map[string]any{"to": r.To, "keys": keys}

			return deed, nil
		}
		deed := o.deed("replay http", batch[0].Key, r.Reason)
		deed.Detail = map[string]any{"to": r.To}

		return deed, nil
	})
	if err != nil {
		return err
	}

	return r.Send(ctx, batch)
}

func countDeliveries(n int) string {
	if n == 1 {
		return "1 delivery"
	}

	return strconv.Itoa(n) + " deliveries"
}
