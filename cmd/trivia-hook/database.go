package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"trivia/internal/drain"
	"trivia/internal/pgembed"
	"trivia/internal/store"
)

// How a database that is not there is asked for again.
const (
	firstWait   = 100 * time.Millisecond
	longestWait = 5 * time.Second
	stopTime    = 30 * time.Second // for the private Postgres to stop in good order
)

// A database is the store, opened, and the private Postgres below it if there
// is one.
type database struct {
	*store.Store

	Intake *store.Intake

	log     *slog.Logger
	set     settings
	options pgembed.Options
	cluster *pgembed.Cluster // nil unless embedded
	private *store.DSN       // where the private Postgres is, once it is migrated
	silent  atomic.Bool      // it did not answer when the service began to stop
}

func newDatabase(log *slog.Logger, set settings) *database {
	return &database{log: log, set: set, options: pgembed.Options{Dir: set.DataDir, Durable: true, Log: log}}
}

// Lines that are logged once for each cause.
const (
	waitingForDatabase = "waiting for the database; deliveries are answered 503 until it is there"
	doesNotStart       = "the private Postgres does not start; it is tried again until it does"
)

// open opens the database that the settings name, and migrates it if it is our
// own. It waits for as long as that takes, tells state why, and logs each change
// of the cause. It fails only for what waiting does not mend, or when ctx ends.
func (db *database) open(ctx context.Context, state *readiness) error {
	said := ""
	for attempt := 1; ; attempt++ {
		err := db.try(ctx)
		switch {
		case err == nil:
			if said != "" {
				db.log.InfoContext(ctx, "the database answers")
			}

			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case isFinal(err):
			return err
		}

		state.wait(err)
		if cause := causeOf(err); cause != said {
			db.log.WarnContext(ctx, waitingForDatabase, slog.Any("error", err))
			said = cause
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(drain.Backoff(attempt, firstWait, longestWait, 0)):
		}
	}
}

// causeOf returns a word for what keeps the database away, so that it is said
// once. What a Postgres says of a full disk is another thing at each try.
func causeOf(err error) string {
	if errors.Is(err, pgembed.ErrDiskFull) {
		return "disk full"
	}

	return store.Kind(err)
}

// isFinal reports whether trying again would not mend it: a schema that is too
// old, a database in another encoding, and what is wrong with the place of a
// private Postgres. A disk that is
// full may have room again.
func isFinal(err error) bool {
	switch {
	case errors.Is(err, store.ErrNotMigrated), errors.Is(err, store.ErrEncoding):
		return true
	case errors.Is(err, pgembed.ErrDiskFull):
		return false
	}
	_, ours := errors.AsType[*clusterError](err)

	return ours
}

// A clusterError says why the private Postgres does not start.
type clusterError struct{ err error }

func (e *clusterError) Error() string { return e.err.Error() }
func (e *clusterError) Unwrap() error { return e.err }

// try goes on where the last try has failed.
func (db *database) try(ctx context.Context) error {
	dsn := db.set.dsn
	if db.set.Embedded {
		if err := db.startEmbedded(ctx); err != nil {
			return err
		}
		dsn = db.private
	}

	limited, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	s, err := dsn.Open(limited)
	if err != nil {
		return err
	}
	err = s.Ready(limited)
	if err == nil {
		db.Intake, err = dsn.OpenIntake(limited, store.IntakeOptions{
			Conns: writers, Statement: statement, CreateUsers: db.set.CreateUsers, Owing: owingOf(db.set),
		})
	}
	if err != nil {
		s.Close()
		return err
	}
	db.Store = s

	return nil
}

// startEmbedded starts the private Postgres, and migrates it, without a limit
// of time: a large one may have much to recover, or to change.
func (db *database) startEmbedded(ctx context.Context) error {
	if db.cluster != nil {
		select {
		case <-db.cluster.Done():
			db.cluster = nil
		default:
		}
	}
	if db.cluster == nil {
		cluster, err := pgembed.Start(ctx, db.options)
		if err != nil {
			return &clusterError{err}
		}
		db.cluster = cluster
	}
	if db.private != nil {
		return nil
	}

	dsn, err := store.ParseDSN(db.cluster.URL(), store.DSNOptions{})
	if err != nil {
		return &clusterError{err}
	}
	before, err := dsn.Migrate(ctx)
	if err != nil {
		return err
	}
	db.private = dsn
	if before.Version < before.Latest {
		db.log.InfoContext(ctx, "migrated the database", slog.Int("from", before.Version), slog.Int("to", before.Latest))
	}

	return nil
}

func (db *database) backlog(ctx context.Context) (int64, map[string]int64, time.Duration, error) {
	b, err := db.Backlog(ctx)

	return b.Pending, b.Parked, b.Oldest, err
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

// restart starts it for as long as it takes, and logs each change of the cause.
func (db *database) restart(ctx context.Context, log *slog.Logger) {
	said := ""
	for attempt := 1; ctx.Err() == nil; attempt++ {
		cluster, err := pgembed.Start(ctx, db.options)
		if err == nil {
			db.cluster = cluster
			log.InfoContext(ctx, "the private Postgres runs again")

			return
		}
		if cause := causeOf(err); cause != said && ctx.Err() == nil {
			log.ErrorContext(ctx, doesNotStart, slog.Any("error", err))
			said = cause
		}
		select {
		case <-ctx.Done():
		case <-time.After(drain.Backoff(attempt, firstWait, longestWait, 0)):
		}
	}
}

// leave finds out, when the service stops, whether the database still answers:
// one that does not is not waited for.
func (db *database) leave(ctx context.Context) {
	if db.Store == nil {
		return
	}
	limited, cancel := context.WithTimeout(ctx, lastTime/2)
	defer cancel()
	db.silent.Store(db.Ping(limited) != nil)
}

// patience returns how long last words to others may take: little, if they
// have to be agreed on with a database that is silent.
func (db *database) patience(usual time.Duration) time.Duration {
	if db.silent.Load() {
		return lastTime / 2
	}

	return usual
}

// close ends everything that open has opened, in the opposite order.
func (db *database) close(ctx context.Context) {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		db.disconnect()
	}()
	select {
	case <-closed:
	case <-time.After(db.patience(2 * lastTime)):
		db.log.WarnContext(ctx, "the database does not answer: leaving without a good-bye to it")
	}
	if db.cluster == nil {
		return
	}

	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	if err := db.cluster.Stop(ctx); err != nil && !errors.Is(err, context.Canceled) {
		db.log.ErrorContext(ctx, "stop the private Postgres", slog.Any("error", fmt.Errorf("%s: %w", db.options.Dir, err)))
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
