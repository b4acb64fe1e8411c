package store

import (
	"context"
	"fmt"
	"time"
)

const askVitals = `SELECT current_setting('server_version'), clock_timestamp()`

// Stamps say how far timestamps of requests are from the clocks of the hooks
// that took them.
type Stamps struct {
	Requests int           // that were looked at: the newest of the last day
	Middle   time.Duration // how long before it came one was stamped, in the middle; below zero if after
	Far      int           // how many are marked late
}

const askStamps = `
	SELECT count(*), coalesce(percentile_disc(0.5) WITHIN GROUP (ORDER BY off), 0), count(*) FILTER (WHERE late)
	FROM (
		SELECT (extract(epoch FROM received_at) * 1000)::bigint - CASE WHEN stamp ~ '^[0-9]{1,11}$' THEN stamp::bigint END * 1000 AS off,
			coalesce('late' = ANY (marks), false) AS late
		FROM deliveries
		WHERE received_at > now() - interval '1 day' AND stamp <> ''
		ORDER BY received_at DESC
		LIMIT 1000
	) AS newest`

// StampDistance returns how far the timestamps of the newest requests are.
func (s *Store) StampDistance(ctx context.Context) (d Stamps, err error) {
	var millis int64
	if err := s.pool.QueryRow(ctx, askStamps).Scan(&d.Requests, &millis, &d.Far); err != nil {
		return Stamps{}, fmt.Errorf("look at timestamps: %w", err)
	}
	d.Middle = time.Duration(millis) * time.Millisecond

	return d, nil
}

// Vitals returns what the server is, and what time it thinks it is.
func (s *Store) Vitals(ctx context.Context) (version string, clock time.Time, err error) {
	if err := s.pool.QueryRow(ctx, askVitals).Scan(&version, &clock); err != nil {
		return "", time.Time{}, fmt.Errorf("ask the database: %w", err)
	}

	return version, clock, nil
}
