package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"trivia/internal/drain"
	"trivia/internal/pgembed"
	"trivia/internal/store"
)

// A database is the store, opened, and the private Postgres below it if there
// is one.
type database struct {
	*store.Store

	Intake *store.Intake

	options pgembed.Options
	cluster *pgembed.Cluster // nil unless embedded
}

// openDatabase opens the database that the settings name, and migrates it if
// it is our own.
func openDatabase(ctx context.Context, log *slog.Logger, set settings) (_ *database, err error) {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()

	db := &database{}
	defer func() {
		if err != nil {
			db.close(ctx, log)
		}
	}()

	dsn := set.dsn
	if set.Embedded {
		if dsn, err = db.startEmbedded(ctx, log, set); err != nil {
			return nil, err
		}
	}
	if db.Store, err = dsn.Open(ctx); err != nil {
		return nil, err
	}
	if err = db.Ready(ctx); err != nil {
		return nil, err
	}
	db.Intake, err = dsn.OpenIntake(ctx, store.IntakeOptions{
		Conns: writers, Statement: statement, CreateUsers: set.CreateUsers, Owing: owingOf(set),
	})

	return db, err
}

func (db *database) startEmbedded(ctx context.Context, log *slog.Logger, set settings) (*store.DSN, error) {
	db.options = pgembed.Options{Dir: set.DataDir, Durable: true, Log: log}
	cluster, err := pgembed.Start(ctx, db.options)
	if err != nil {
		return nil, err
	}
	db.cluster = cluster

	dsn, err := store.ParseDSN(cluster.URL(), store.DSNOptions{})
	if err != nil {
		return nil, err
	}
	before, err := dsn.Migrate(ctx)
	if err != nil {
		return nil, err
	}
	if before.Version < before.Latest {
		log.InfoContext(ctx, "migrated the database", slog.Int("from", before.Version), slog.Int("to", before.Latest))
	}

	return dsn, nil
}

// supervise starts the private Postgres again whenever it dies by itself,
// until ctx ends. Requests are answered 503 meanwhile.
func (db *database) supervise(ctx context.Context, log *slog.Logger) {
	if db.cluster == nil {
		return
	}

	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			return
		case <-db.cluster.Done():
		}
		log.ErrorContext(ctx, "the private Postgres died; it is started again", slog.Any("error", db.cluster.Err()))
		db.restart(ctx, log)
	}
}

func (db *database) restart(ctx context.Context, log *slog.Logger) {
	for attempt := 1; ctx.Err() == nil; attempt++ {
		cluster, err := pgembed.Start(ctx, db.options)
		if err == nil {
			db.cluster = cluster
			log.InfoContext(ctx, "the private Postgres runs again")

			return
		}
		wait := drain.Backoff(attempt, 100*time.Millisecond, 5*time.Second, 0)
		log.ErrorContext(ctx, "the private Postgres does not start", slog.Any("error", err), slog.Duration("again_after", wait))
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// close ends everything that openDatabase has opened, in the opposite order.
func (db *database) close(ctx context.Context, log *slog.Logger) {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		db.disconnect()
	}()
	select {
	case <-closed:
	case <-time.After(closeTime):
		log.WarnContext(ctx, "the database does not answer: leaving without a good-bye to it")
	}
	if db.cluster == nil {
		return
	}

	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), startTime)
	defer cancel()
	if err := db.cluster.Stop(ctx); err != nil && !errors.Is(err, context.Canceled) {
		log.ErrorContext(ctx, "stop the private Postgres", slog.Any("error", fmt.Errorf("%s: %w", db.options.Dir, err)))
	}
}

func (db *database) disconnect() {
	if db.Intake != nil {
		db.Intake.Close()
	}
	if db.Store != nil {
		db.Close()
	}
}
