package warehouse

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"trivia/internal/store"
)

// hold sees to it that the table is ours. It reports false if another process
// has it.
func (w *walk) hold(ctx context.Context) (ok bool, err error) {
	if w.lease == nil {
		return w.claim(ctx)
	}
	if w.Now().Before(w.renew) {
		return true, nil
	}
	if err := w.Store.KeepWarehouse(ctx, w.lease, w.Lease); err != nil {
		return false, w.lost(ctx, err)
	}
	w.renewed()

	return true, nil
}

func (w *walk) claim(ctx context.Context) (ok bool, err error) {
	lease, err := w.Store.ClaimWarehouse(ctx, w.Sink.Name(), w.table, w.Lease)
	if errors.Is(err, store.ErrWarehouseHeld) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	w.lease, w.caughtUp = lease, false
	w.renewed()
	if lease.Anew {
		w.Log.WarnContext(ctx, "the database is a copy of another one: all that it has is sent to the warehouse again",
			slog.String("sink", lease.Sink), slog.String("table", string(w.table)))
	}

	return true, nil
}

func (w *walk) renewed() { w.renew = w.Now().Add(w.Lease / 3) }

// lost gives up what is in hand. That another process goes on is no error.
func (w *walk) lost(ctx context.Context, err error) error {
	w.drop()
	w.lease = nil
	if !errors.Is(err, store.ErrWarehouseHeld) {
		return err
	}
	w.Log.WarnContext(ctx, "another process sends to the warehouse now",
		slog.String("sink", w.Sink.Name()), slog.String("table", string(w.table)))

	return nil
}

// giveBack lets another process have the table at once.
func (w *walk) giveBack(ctx context.Context) error {
	w.drop()
	if w.lease == nil {
		return nil
	}
	err := w.Store.KeepWarehouse(ctx, w.lease, 0)
	w.lease = nil
	if errors.Is(err, store.ErrWarehouseHeld) {
		return nil
	}

	return err
}

// holding does what may take longer than a lease, and makes the lease longer
// meanwhile. Where it is lost, what is under way is stopped.
func (w *walk) holding(ctx context.Context, do func(context.Context) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	keeping, end := context.WithCancel(ctx)
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		if err := w.keep(keeping); err != nil {
			stop(err)
		}
	}()

	err := do(ctx)
	end()
	<-kept
	if err != nil && errors.Is(context.Cause(ctx), store.ErrWarehouseHeld) {
		return store.ErrWarehouseHeld
	}

	return err
}

// keep makes the lease longer until ctx ends. It is [store.ErrWarehouseHeld]
// when it was lost, or may be, since the database has not answered for so long.
func (w *walk) keep(ctx context.Context) error {
	tick := time.NewTicker(max(w.Lease/3, time.Millisecond))
	defer tick.Stop()
	until := w.Now().Add(w.Lease)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		begun := w.Now()
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.Lease/3)
		err := w.Store.KeepWarehouse(limited, w.lease, w.Lease)
		cancel()
		switch {
		case err == nil:
			until = begun.Add(w.Lease)
		case errors.Is(err, store.ErrWarehouseHeld), !w.Now().Before(until):
			return store.ErrWarehouseHeld
		}
	}
}
