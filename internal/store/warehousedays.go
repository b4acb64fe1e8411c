package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// A WarehouseDay counts the rows of one day, as the database has them.
type WarehouseDay struct {
	Day     string // in UTC, as in 2026-11-22
	Rows    int
	Waiting int // of them, those that are not sent yet
	Refused int // of the others, those that the warehouse refused
}

const (
	countEventDays = `
	SELECT to_char(e.received_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day, count(*),
		count(*) FILTER (WHERE u.unsent), count(*) FILTER (WHERE NOT u.unsent AND r.key IS NOT NULL)
	FROM events AS e
	LEFT JOIN warehouse_positions AS p ON p.sink = @sink AND p.what = 'customerio_events'
	LEFT JOIN warehouse_refused AS r ON r.sink = @sink AND r.what = 'customerio_events' AND r.key = e.event_id AND r.key2 = ''
	CROSS JOIN LATERAL (SELECT p.sink IS NULL OR ` + eventUnsentTo + ` AS unsent) AS u
	WHERE e.received_at >= @since AND e.received_at < @until
	GROUP BY day
	ORDER BY day`

	countWinDays = `
	SELECT to_char(w.won_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day, count(*),
		count(*) FILTER (WHERE u.unsent), count(*) FILTER (WHERE NOT u.unsent AND r.key IS NOT NULL)
	FROM trivia_wins AS w
	LEFT JOIN warehouse_positions AS p ON p.sink = @sink AND p.what = 'trivia_wins'
	LEFT JOIN warehouse_refused AS r ON r.sink = @sink AND r.what = 'trivia_wins' AND r.key = w.user_id AND r.key2 = w.trivia_id
	CROSS JOIN LATERAL (SELECT p.sink IS NULL OR ` + winUnsentTo + ` AS unsent) AS u
	WHERE w.won_at >= @since AND w.won_at < @until
	GROUP BY day
	ORDER BY day`
)

// WarehouseDays counts what a warehouse should have of each day, from since to
// before until. It looks at each row.
func (s *Store) WarehouseDays(ctx context.Context, sink string, table WarehouseTable, since, until time.Time) ([]WarehouseDay, error) {
	sql := countEventDays
	if table == WarehouseWins {
		sql = countWinDays
	}
	rows, err := s.pool.Query(ctx, sql, pgx.NamedArgs{"sink": sink, "since": since, "until": until})
	if err != nil {
		return nil, fmt.Errorf("count days of %s: %w", table, err)
	}
	days, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (d WarehouseDay, err error) {
		err = row.Scan(&d.Day, &d.Rows, &d.Waiting, &d.Refused)

		return d, err
	})
	if err != nil {
		return nil, fmt.Errorf("count days of %s: %w", table, err)
	}

	return days, nil
}
