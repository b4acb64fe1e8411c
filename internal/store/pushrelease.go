package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"trivia/internal/trivia"
)

const releaseHeld = `
	WITH freed AS MATERIALIZED (
		SELECT id, person FROM pushes
		WHERE state = 'held' AND reason = $3 AND id > $1
		ORDER BY id
		LIMIT $2
		FOR UPDATE SKIP LOCKED
	)` + release

const releaseRefused = `
	WITH freed AS MATERIALIZED (
		SELECT id, person FROM pushes
		WHERE state = 'parked' AND status = $3 AND id > $1
		ORDER BY id
		LIMIT $2
		FOR UPDATE SKIP LOCKED
	)` + release

const release = `, released AS (
		UPDATE pushes AS p
		SET state = 'pending', reason = NULL, settled_at = NULL
		FROM freed AS f
		WHERE p.id = f.id AND p.person = f.person
		RETURNING p.id
	)
	SELECT count(*), coalesce(max(id), $1) FROM released`

// ReleaseHeld makes up to limit pushes pending that were held since there were
// no credentials, those with an id above after. It returns how many, and the
// highest id of them.
func (s *Store) ReleaseHeld(ctx context.Context, after int64, limit int) (n int, last int64, err error) {
	return s.release(ctx, releaseHeld, after, limit, trivia.HeldForCredentials)
}

// ReleaseRefused is [Store.ReleaseHeld] for pushes that were parked since
// Customer.io answered them with status.
func (s *Store) ReleaseRefused(ctx context.Context, after int64, limit, status int) (n int, last int64, err error) {
	return s.release(ctx, releaseRefused, after, limit, status)
}

func (s *Store) release(ctx context.Context, sql string, after int64, limit int, what any) (n int, last int64, err error) {
	var q pgx.Batch
	q.Queue(quick)
	q.Queue(sql, after, limit, what).QueryRow(func(row pgx.Row) error { return row.Scan(&n, &last) })
	if err := s.pool.SendBatch(ctx, &q).Close(); err != nil {
		return 0, after, fmt.Errorf("make pushes pending: %w", err)
	}

	return n, last, nil
}

const anyRefused = `SELECT EXISTS (SELECT FROM pushes WHERE state = 'parked' AND status = $1)`

// AnyRefused reports whether pushes are parked since Customer.io answered them
// with status.
func (s *Store) AnyRefused(ctx context.Context, status int) (any bool, err error) {
	var q pgx.Batch
	q.Queue(quick)
	q.Queue(anyRefused, status).QueryRow(func(row pgx.Row) error { return row.Scan(&any) })
	if err := s.pool.SendBatch(ctx, &q).Close(); err != nil {
		return false, fmt.Errorf("look for refused pushes: %w", err)
	}

	return any, nil
}

// MostCounted is where [Store.PushBacklog] stops to count.
const MostCounted = 100_000

const countPushes = `
	SELECT
		(SELECT count(*) FROM (SELECT FROM pushes WHERE state = 'pending' LIMIT $1) AS p),
		(SELECT count(*) FROM (SELECT FROM pushes WHERE state = 'held' LIMIT $1) AS h),
		(SELECT count(*) FROM (SELECT FROM pushes WHERE state = 'parked' LIMIT $1) AS k)`

// PushBacklog counts the pushes that are not sent, up to [MostCounted] in each
// state.
func (s *Store) PushBacklog(ctx context.Context) (pending, held, parked int64, err error) {
	var q pgx.Batch
	q.Queue(quick)
	q.Queue(countPushes, MostCounted).QueryRow(func(row pgx.Row) error { return row.Scan(&pending, &held, &parked) })
	if err := s.pool.SendBatch(ctx, &q).Close(); err != nil {
		return 0, 0, 0, fmt.Errorf("count pushes: %w", err)
	}

	return pending, held, parked, nil
}
