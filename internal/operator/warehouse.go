package operator

import (
	"context"
	"errors"
	"iter"
	"strconv"
	"time"

	"trivia/internal/store"
)

// Warehouses says how far each warehouse is that rows were ever sent to.
func (o *Operator) Warehouses(ctx context.Context) ([]store.WarehouseState, error) {
	return o.store.Warehouses(ctx)
}

// OldestWriter returns the transaction that holds up warehouses for longest, or
// an [ErrNotFound].
func (o *Operator) OldestWriter(ctx context.Context) (store.Writer, error) {
	return o.store.OldestWriter(ctx)
}

// ListRefused yields rows that warehouses have refused, newest first. After an
// error it yields nothing more.
func (o *Operator) ListRefused(ctx context.Context, f store.WarehouseRefusedFilter, page store.Page) iter.Seq2[store.WarehouseRefused, error] {
	return o.store.WarehouseRefusals(ctx, f, page)
}

// A Refill is what a warehouse is sent once more.
type Refill struct {
	Sink         string
	Tables       []store.WarehouseTable
	Since, Until time.Time
	After        store.Cursor // where an earlier call was stopped; empty: from Since
	Reason       string
}

// BeginRefill writes into the audit log that a warehouse is about to be sent
// rows once more. They are sent behind it: a warehouse is no part of a commit.
func (o *Operator) BeginRefill(ctx context.Context, r Refill) error {
	return o.store.Act(ctx, func(*store.Act) (store.Deed, error) {
		deed := o.deed("warehouse backfill", r.Sink, r.Reason)
		deed.Detail = map[string]any{"tables": r.Tables, "since": r.Since, "until": r.Until}
		if r.After != "" {
			deed.Detail["after"] = r.After
		}

		return deed, nil
	})
}

// LeaveWarehouse forgets how far a warehouse is: pruning no longer waits for
// it, and if rows are sent to it again they are sent from the first one on.
// What it has stays there. It is an [ErrNotFound] if nothing is known of it.
func (o *Operator) LeaveWarehouse(ctx context.Context, sink, reason string) (refused int, err error) {
	err = o.store.Act(ctx, func(act *store.Act) (deed store.Deed, err error) {
		refused, err = act.LeaveWarehouse(ctx, sink)
		if errors.Is(err, store.ErrNotFound) {
			return deed, missing("no rows were ever sent to a warehouse called " + strconv.Quote(sink))
		}
		deed = o.deed("warehouse leave", sink, reason)
		deed.Detail = map[string]any{"refused": refused}

		return deed, err
	})

	return refused, err
}
