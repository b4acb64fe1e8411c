package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// A WarehouseState says how far one table of one warehouse is.
type WarehouseState struct {
	Sink  string
	Table WarehouseTable

	Begun      time.Time // with the very first row
	Sent       int64     // rows since then, with those that were refused
	Refused    int64     // of them
	LastRow    time.Time // when the last row that was sent was received or won; zero if there is none
	LastSent   time.Time // when it was sent
	Error      string    // why nothing is sent; empty if it is
	ErrorSince time.Time
	Held       bool // a process has it in hand

	Waiting int64     // rows that are not sent yet, counted up to a hundred thousand
	Oldest  time.Time // when the one that is next was received or won; zero if there is none
}

const mostWaiting = 100_000

const listWarehouses = `
	SELECT p.sink, p.what, p.begun_at, p.sent, p.refused, p.at, coalesce(p.sent_at, '0001-01-01 00:00:00+00'),
		coalesce(p.error, ''), coalesce(p.error_since, '0001-01-01 00:00:00+00'), p.leased_until > now(), w.n, w.oldest
	FROM warehouse_positions AS p
	CROSS JOIN LATERAL (
		SELECT least(count(*), @most) AS n, coalesce((array_agg(at))[1], '0001-01-01 00:00:00+00') AS oldest
		FROM (
			(SELECT e.received_at AS at FROM events AS e
			WHERE p.what = 'customerio_events' AND ` + eventBehind + ` AND e.written < ` + yetToCount + `
			ORDER BY e.written, e.received_at, e.event_id LIMIT @most)
			UNION ALL
			(SELECT e.received_at FROM events AS e
			WHERE p.what = 'customerio_events' AND (e.written, e.received_at, e.event_id) > ` + aheadOf + `)
			ORDER BY e.written, e.received_at, e.event_id LIMIT @most)
			UNION ALL
			(SELECT w.won_at FROM trivia_wins AS w
			WHERE p.what = 'trivia_wins' AND ` + winBehind + ` AND w.written < ` + yetToCount + `
			ORDER BY w.written, w.won_at, w.user_id, w.trivia_id LIMIT @most)
			UNION ALL
			(SELECT w.won_at FROM trivia_wins AS w
			WHERE p.what = 'trivia_wins' AND (w.written, w.won_at, w.user_id, w.trivia_id) > ` + aheadOf + `,
				CASE WHEN ` + aheadCounted + ` THEN '' ELSE p.ahead_key2 END)
			ORDER BY w.written, w.won_at, w.user_id, w.trivia_id LIMIT @most)) AS u) AS w
	ORDER BY p.sink, p.what`

// Warehouses says how far each warehouse is that rows were ever sent to, by name
// and table.
func (s *Store) Warehouses(ctx context.Context) ([]WarehouseState, error) {
	return s.warehouses(ctx, mostWaiting)
}

// WarehouseLag is [Store.Warehouses] without counting: Waiting is 1 if any row
// waits.
func (s *Store) WarehouseLag(ctx context.Context) ([]WarehouseState, error) {
	return s.warehouses(ctx, 1)
}

func (s *Store) warehouses(ctx context.Context, most int) (all []WarehouseState, err error) {
	var q pgx.Batch
	q.Queue(inOrder)
	q.Queue(listWarehouses, pgx.NamedArgs{"most": most}).Query(func(rows pgx.Rows) error {
		all, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (st WarehouseState, err error) {
			err = row.Scan(&st.Sink, &st.Table, &st.Begun, &st.Sent, &st.Refused, &st.LastRow, &st.LastSent,
				&st.Error, &st.ErrorSince, &st.Held, &st.Waiting, &st.Oldest)

			return st, err
		})

		return err
	})
	if err := s.pool.SendBatch(ctx, &q).Close(); err != nil {
		return nil, fmt.Errorf("ask how far warehouses are: %w", err)
	}

	return all, nil
}

const listSinks = `SELECT DISTINCT sink FROM warehouse_positions WHERE sent > 0 ORDER BY sink`

// WarehousesSent returns the names of warehouses that rows were sent to: what is
// deleted here is still there.
func (s *Store) WarehousesSent(ctx context.Context) ([]string, error) {
	rows, err := s.pool.Query(ctx, listSinks)
	if err != nil {
		return nil, fmt.Errorf("list warehouses: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("list warehouses: %w", err)
	}

	return names, nil
}

// Where those begin that a warehouse p has not been sent yet, of what was
// restored here and this server has not counted up to. The index is entered
// there.
const (
	aheadCounted = `p.ahead_written < ` + yetToCount
	aheadOf      = `(CASE WHEN ` + aheadCounted + ` THEN ` + yetToCount + ` ELSE p.ahead_written END,
				CASE WHEN ` + aheadCounted + ` THEN '-infinity' ELSE p.ahead_at END, CASE WHEN ` + aheadCounted + ` THEN '' ELSE p.ahead_key END`
)

// What a warehouse p has not been sent yet.
const (
	eventBehind = `(e.written, e.received_at, e.event_id) > (p.written, p.at, p.key)`
	winBehind   = `(w.written, w.won_at, w.user_id, w.trivia_id) > (p.written, p.at, p.key, p.key2)`

	eventUnsentTo = `(` + eventBehind + ` AND NOT (e.written >= ` + yetToCount + `
		AND (e.written, e.received_at, e.event_id) <= (p.ahead_written, p.ahead_at, p.ahead_key)))`
	winUnsentTo = `(` + winBehind + ` AND NOT (w.written >= ` + yetToCount + `
		AND (w.written, w.won_at, w.user_id, w.trivia_id) <= (p.ahead_written, p.ahead_at, p.ahead_key, p.ahead_key2)))`

	eventIsUnsent = `EXISTS (SELECT FROM warehouse_positions AS p WHERE p.what = 'customerio_events' AND ` + eventUnsentTo + `)`
	winIsUnsent   = `EXISTS (SELECT FROM warehouse_positions AS p WHERE p.what = 'trivia_wins' AND ` + winUnsentTo + `)`
)

// A Writer is a transaction under way that has written something.
type Writer struct {
	PID   int
	Name  string // of the application
	Since time.Time
}

const oldestWriter = `
	SELECT pid, coalesce(application_name, ''), xact_start
	FROM pg_stat_activity
	WHERE backend_xid IS NOT NULL AND xact_start IS NOT NULL
	ORDER BY xact_start
	LIMIT 1`

// OldestWriter returns the transaction that has been writing for longest, in
// any database of the server: what was written since it began is not sent to
// warehouses before it is over. It is [ErrNotFound] if there is none.
func (s *Store) OldestWriter(ctx context.Context) (w Writer, err error) {
	rows, err := s.pool.Query(ctx, oldestWriter)
	if err != nil {
		return w, fmt.Errorf("look for transactions under way: %w", err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (w Writer, err error) {
		err = row.Scan(&w.PID, &w.Name, &w.Since)

		return w, err
	})
	switch {
	case err != nil:
		return w, fmt.Errorf("look for transactions under way: %w", err)
	case len(found) == 0:
		return w, ErrNotFound
	}

	return found[0], nil
}
