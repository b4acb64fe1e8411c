package main

import (
	"context"
	"log/slog"
	"math/rand/v2"

	"golang.org/x/sync/errgroup"

	"trivia/internal/drain"
	"trivia/internal/pushback"
	"trivia/internal/receiver"
	"trivia/internal/settle"
	"trivia/internal/warehouse"
)

// A back is all that works on the database, behind the front.
type back struct {
	*front

	db        *database
	settle    *settle.Stage
	pushback  *pushback.Stage // nil without credentials
	addresses *addresses
	keys      *keyLog
	schema    *schemaWatch
	auditor   *auditor         // nil where nothing is checked on a timer
	retention *retention       // nil where everything is kept for ever
	warehouse *warehouse.Stage // nil where nothing is copied
}

func newBack(ctx context.Context, sur surroundings, set settings, f *front, db *database, addrs *addresses) (*back, error) {
	now := sur.now
	b := &back{front: f, db: db, addresses: addrs}
	b.settle = &settle.Stage{
		Store: db.Store, CreateUsers: set.CreateUsers, Owing: owingOf(set),
		Metrics: f.metrics, Log: f.log, Now: now, Jitter: rand.Float64,
	}
	b.pushback = newPushback(set, db, f.metrics, f.log, now)
	b.auditor = newAuditor(set, db.Store, f.metrics, f.log, now)
	b.retention = newRetention(set, db.Store, f.metrics, f.log)
	b.schema = &schemaWatch{ask: db.Schema, metrics: f.metrics, log: f.log}
	b.keys = &keyLog{collect: f.edge.CollectKeyUses, store: db.Store, log: f.log}
	f.metrics.LastDeliveries(lastDeliveries(db.Store))
	f.metrics.Backlog(db.backlog)

	var err error
	b.warehouse, err = b.newWarehouse(ctx, set, db.Store, now)

	return b, err
}

// run runs every stage until ctx ends, and returns when all of them have: what
// waits at intake is taken in before that.
func (b *back) run(ctx context.Context, now supervisor) {
	var group errgroup.Group
	stage := func(name string, run func(context.Context)) {
		group.Go(func() error {
			return now.keep(ctx, name, func(ctx context.Context) error { run(ctx); return nil })
		})
	}

	stage("postgres", func(ctx context.Context) { b.db.supervise(ctx, b.log) })
	for range writers {
		stage("intake", b.intake.Run)
	}
	stage("readiness", func(ctx context.Context) { drain.Loop(ctx, b.log, receiver.ProbeEvery, nil, b.intake.Probe) })
	stage("settle", func(ctx context.Context) { drain.Loop(ctx, b.log, sweepEvery, b.pending, b.settle.Step) })
	stage("push", b.push)
	stage("addresses", func(ctx context.Context) { drain.Loop(ctx, b.log, lookEvery, nil, b.addresses.Step) })
	stage("keys", b.keys.run)
	stage("schema", func(ctx context.Context) { drain.Loop(ctx, b.log, schemaLook, nil, b.schema.Step) })
	stage("audit", b.auditor.run)
	stage("warehouse", b.copy)
	if b.retention != nil {
		stage("retention", func(ctx context.Context) { drain.Loop(ctx, b.log, retainEvery, nil, b.retention.Step) })
	}
	if err := group.Wait(); err != nil {
		b.log.ErrorContext(ctx, "a stage ended", slog.Any("error", err))
	}
}
