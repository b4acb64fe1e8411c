// Package store holds every statement that the programs run, and the schema's
// migrations. A statement stands above the one method that runs it.
package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ErrNotFound says that no row has the given name.
var ErrNotFound = errors.New("not found")

// A querier is what both a pool and a transaction can do.
type querier interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// plannedNow makes the server plan a statement anew each time: a plan that was
// made while the tables were small is not kept until it hurts. The statements
// that run for every batch are the exception, see [OpenIntake].
const plannedNow = pgx.QueryExecModeCacheDescribe

// A Store is the database, opened. It is safe for concurrent use.
type Store struct {
	pool *pgxpool.Pool
}

// Open connects to the database at text, as [ParseDSN] reads it. It fails if
// the database does not answer before ctx ends. Close it after use.
func Open(ctx context.Context, text string) (*Store, error) {
	d, err := ParseDSN(text, DSNOptions{})
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}

	return d.Open(ctx)
}

// Open connects to the database. It fails if that does not answer before ctx
// ends. Close it after use.
func (d *DSN) Open(ctx context.Context) (*Store, error) {
	cfg := d.config()
	cfg.ConnConfig.DefaultQueryExecMode = plannedNow

	s := &Store{}
	dropWhenLost(cfg, func() { s.pool.Reset() })
	var err error
	s.pool, err = d.newPool(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	if err := s.Ping(ctx); err != nil {
		s.pool.Close()
		return nil, err
	}

	return s, nil
}

// cancelFirst makes a context that ends cancel the running statement at the
// server, and gives up the connection only if that does not help: a statement
// that went on behind a closed connection would hold its locks.
func cancelFirst(conn *pgconn.PgConn) ctxwatch.Handler {
	return &pgconn.CancelRequestContextWatcherHandler{
		Conn:               conn,
		CancelRequestDelay: 0,
		DeadlineDelay:      200 * time.Millisecond,
	}
}

// Close waits for what is under way and closes all connections.
func (s *Store) Close() { s.pool.Close() }

// Ping returns nil if the database answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.pool.Ping(ctx); err != nil {
		return fmt.Errorf("ask the database: %w", plainly(err))
	}

	return nil
}

// Schema returns how far the database is migrated.
func (s *Store) Schema(ctx context.Context) (Schema, error) {
	return schemaOf(ctx, s.pool)
}

// Ready returns nil if the database answers and its schema is the one that
// this program needs.
func (s *Store) Ready(ctx context.Context) error {
	schema, err := s.Schema(ctx)
	if err != nil {
		return err
	}

	return schema.Check()
}
