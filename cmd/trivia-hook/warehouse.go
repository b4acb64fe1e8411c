package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"trivia/internal/config"
	"trivia/internal/diag"
	"trivia/internal/drain"
	"trivia/internal/store"
	"trivia/internal/warehouse"
)

const (
	copyEvery = time.Second // how soon it is noticed that there are rows for the warehouse

	// From so many requests on that wait for their commit, intake has all that it
	// can do: the stage then works a sixth of the time, and catches up later.
	busyIntake = 8
	idleTimes  = 5
)

// newWarehouse returns the stage that copies events and wins, or nil where that
// is not set.
func (b *back) newWarehouse(ctx context.Context, set settings, db *store.Store, now func() time.Time) (*warehouse.Stage, error) {
	if set.Warehouse.Kind == config.NoWarehouse {
		return nil, nil //nolint:nilnil // no stage is what the settings ask for
	}
	sink, err := warehouse.Open(ctx, set.Warehouse)
	if err != nil {
		return nil, fmt.Errorf("open the warehouse %s: %w", set.Warehouse.Name(), err)
	}
	b.log.InfoContext(ctx, "events and wins are copied to the warehouse", slog.String("sink", sink.Name()))
	b.metrics.WarehouseLag(func(ctx context.Context) ([]diag.WarehouseLag, error) { return warehouseLag(ctx, db, now) })

	return warehouse.NewStage(warehouse.Options{
		Store: db, Sink: sink, Metrics: b.metrics, Log: b.log, Now: now, Jitter: rand.Float64, Every: set.Warehouse.Every,
		Spare: func(took time.Duration) time.Duration {
			if b.intake.Waiting() < busyIntake {
				return 0
			}

			return idleTimes * took
		},
	}), nil
}

func warehouseLag(ctx context.Context, db *store.Store, now func() time.Time) ([]diag.WarehouseLag, error) {
	states, err := db.WarehouseLag(ctx)
	if err != nil {
		return nil, err
	}
	lags := make([]diag.WarehouseLag, len(states))
	for i, st := range states {
		lags[i] = diag.WarehouseLag{Sink: st.Sink, Table: string(st.Table)}
		if !st.Oldest.IsZero() {
			lags[i].Lag = max(now().Sub(st.Oldest), 0)
		}
	}

	return lags, nil
}

// copy runs the stage until ctx ends, and a moment longer for what it has in
// hand.
func (b *back) copy(ctx context.Context) {
	if b.warehouse == nil {
		return
	}
	drain.Loop(ctx, b.log, copyEvery, nil, b.warehouse.Step)

	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), b.db.patience(farTime))
	defer cancel()
	if err := b.warehouse.Close(limited); err != nil && !errors.Is(err, context.Canceled) {
		b.log.WarnContext(ctx, "what was not handed to the warehouse is sent by who runs next", slog.Any("error", err))
	}
}
