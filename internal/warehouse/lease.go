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
	if err := w.extend(ctx); err != nil {
		return false, w.lost(ctx, err)
	}

	return true, nil
}

func (w *walk) claim(ctx context.Context) (ok bool, err error) {
	begun := w.Now()
	lease, err := w.Store.ClaimWarehouse(ctx, w.Sink.Name(), w.table, w.Lease)
	if errors.Is(err, store.ErrWarehouseHeld) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	w.lease, w.caughtUp = lease, false
	w.renewed(begun)
	if lease.Anew {
		w.Log.WarnContext(ctx, "the database is a copy of another one: all that it has is sent to the warehouse again",
			slog.String("sink", lease.Sink), slog.String("table", string(w.table)))
	}

	return true, nil
}

// renewed notes that the lease was made longer by who was asked to at begun.
func (w *walk) renewed(begun time.Time) {
	w.renew, w.until = begun.Add(w.Lease/3), begun.Add(w.Lease)
}

func (w *walk) extend(ctx context.Context) error {
	begun := w.Now()
	err := w.Store.KeepWarehouse(ctx, w.lease, w.Lease)
	if err == nil {
		w.renewed(begun)
	}

	return err
}

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
// meanwhile. Where it is lost, or may be, what is under way is stopped, and the
// error is [store.ErrWarehouseHeld].
func (w *walk) holding(ctx context.Context, do func(context.Context) error) error {
	if w.until.Sub(w.Now()) < w.Lease/2 {
		if err := w.extend(ctx); err != nil {
			return err
		}
	}

	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	keeping, end := context.WithCancel(ctx)
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		if !w.keep(keeping) {
			stop(store.ErrWarehouseHeld)
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

// keep makes the lease longer until ctx ends. It reports false when it was lost,
// or may be, since the database has not answered for so long.
func (w *walk) keep(ctx context.Context) bool {
	tick := time.NewTicker(max(w.Lease/4, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return true
		case <-tick.C:
		}
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.Lease/4)
		err := w.extend(limited)
		cancel()
		if errors.Is(err, store.ErrWarehouseHeld) || !w.Now().Before(w.until) {
			return false
		}
	}
}
