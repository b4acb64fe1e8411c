package main

import (
	"context"
	"log/slog"
	"time"

	"trivia/internal/diag"
	"trivia/internal/operator"
	"trivia/internal/store"
)

// retainEvery is how often a service looks whether it is time to prune. All of
// them together prune once a day.
const retainEvery = time.Minute

// A retention deletes what is past its use.
type retention struct {
	keep    operator.Retention
	op      *operator.Operator
	metrics *diag.Metrics
	log     *slog.Logger
}

// newRetention returns nil if everything is kept for ever.
func newRetention(set settings, db *store.Store, metrics *diag.Metrics, log *slog.Logger) *retention {
	r := &retention{
		keep: operator.Retention{
			Events: set.Keep.Events, Deliveries: set.Keep.Deliveries, Pushes: set.Keep.Pushes, Bodies: set.Keep.Bodies,
		},
		op: operator.New(db, "trivia-hook@"+set.host), metrics: metrics, log: log,
	}
	if !r.keep.Any() {
		return nil
	}

	return r
}

// Step prunes if it is time to. It is a [drain.Step] that is never at once
// followed by another.
func (r *retention) Step(ctx context.Context) (int, error) {
	var rows int
	err := r.op.Retain(ctx, r.keep, func(p operator.Pruned) {
		rows += p.Rows
		r.metrics.Pruned(string(p.What), p.Rows)
		r.log.InfoContext(ctx, "pruned what is past its use",
			slog.String("table", string(p.What)), slog.Int("rows", p.Rows), slog.Int64("bytes", p.Bytes))
	})
	if operator.IsNotDue(err) && rows == 0 {
		return 0, nil
	}

	return 0, err
}
