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
	copyEvery = time.Second     // how soon it is noticed that there are rows for the warehouse
	flushTime = 5 * time.Second // for what is gathered, when the service stops

	// From so many requests on that wait for their commit, intake has all that it
	// can do: the stage then works a sixth of the time, and catches up later.
	busyIntake = 8
	idleTimes  = 5
)

// newWarehouse returns the stage that copies events and wins, or nil where that
// is not set.
func (h *hook) newWarehouse(ctx context.Context, set settings, db *store.Store, now func() time.Time) (*warehouse.Stage, error) {
	if set.Warehouse.Kind == config.NoWarehouse {
		return nil, nil //nolint:nilnil // no stage is what the settings ask for
	}
	sink, err := warehouse.Open(ctx, set.Warehouse)
	if err != nil {
		return nil, fmt.Errorf("open the warehouse %s: %w", set.Warehouse.Name(), err)
	}
	h.log.InfoContext(ctx, "events and wins are copied to the warehouse", slog.String("sink", sink.Name()))
	h.metrics.WarehouseLag(func(ctx context.Context) ([]diag.WarehouseLag, error) { return warehouseLag(ctx, db, now) })

	return warehouse.NewStage(warehouse.Options{
		Store: db, Sink: sink, Metrics: h.metrics, Log: h.log, Now: now, Jitter: rand.Float64, Every: set.Warehouse.Every,
		Spare: func(took time.Duration) time.Duration {
			if h.intake.Waiting() < busyIntake {
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
func (h *hook) copy(ctx context.Context) {
	if h.warehouse == nil {
		return
	}
	drain.Loop(ctx, h.log, copyEvery, nil, h.warehouse.Step)

	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTime)
	defer cancel()
	if err := h.warehouse.Close(limited); err != nil && !errors.Is(err, context.Canceled) {
		h.log.WarnContext(ctx, "what was not handed to the warehouse is sent by who runs next", slog.Any("error", err))
	}
}
