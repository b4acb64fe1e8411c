package store

import (
	"context"
	"fmt"
	"time"
)

const askVitals = `SELECT current_setting('server_version'), clock_timestamp()`

// Vitals returns what the server is, and what time it thinks it is.
func (s *Store) Vitals(ctx context.Context) (version string, clock time.Time, err error) {
	if err := s.pool.QueryRow(ctx, askVitals).Scan(&version, &clock); err != nil {
		return "", time.Time{}, fmt.Errorf("ask the database: %w", err)
	}

	return version, clock, nil
}
