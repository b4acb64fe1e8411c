package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// An idSpan limits pushes to From ≤ id < To. Zero is no limit.
type idSpan struct {
	from, to int64
}

func (s idSpan) limit(q *query) {
	if s.from > 0 {
		q.where("id >= @from_id", "from_id", s.from)
	}
	if s.to > 0 {
		q.where("id < @to_id", "to_id", s.to)
	}
}

// idSlack is more than any commit lasts that writes pushes. Within it, the
// order of their identifiers need not be that of their times.
const idSlack = time.Hour

// Nothing sorts pushes by their time but, about, the identifier. So the time is
// looked for as in a book: open it in the middle, go on with one half.
const firstPushSince = `
	WITH RECURSIVE search AS (
		SELECT min(id) AS low, max(id) + 1 AS high FROM pushes
		UNION ALL
		SELECT
			CASE WHEN p.created_at < @at THEN p.id + 1 ELSE s.low END,
			CASE WHEN p.created_at < @at THEN s.high ELSE (s.low + s.high) / 2 END
		FROM search AS s, LATERAL (
			SELECT id, created_at FROM pushes WHERE id >= (s.low + s.high) / 2 ORDER BY id LIMIT 1
		) AS p
		WHERE s.low < s.high
	)
	SELECT low FROM search WHERE low >= high LIMIT 1`

// pushSpan returns where to look for pushes that were created in a span.
func (s *Store) pushSpan(ctx context.Context, since, until time.Time) (span idSpan, err error) {
	if !since.IsZero() {
		if span.from, err = pushSince(ctx, s.pool, since.Add(-idSlack)); err != nil {
			return span, err
		}
	}
	if !until.IsZero() {
		span.to, err = pushSince(ctx, s.pool, until.Add(idSlack))
	}

	return span, err
}

// pushSince returns the identifier of about the first push since at, or 0 if
// there are none at all.
func pushSince(ctx context.Context, db querier, at time.Time) (id int64, err error) {
	err = db.QueryRow(ctx, firstPushSince, pgx.NamedArgs{"at": at}).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("find pushes by time: %w", err)
	}

	return id, nil
}
