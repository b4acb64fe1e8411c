package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// A Backlog is what waits.
type Backlog struct {
	Pending int64            // deliveries that the service settles by itself
	Oldest  time.Duration    // since the oldest of them was received; 0 if there is none
	Parked  map[string]int64 // deliveries that wait for a person, by outcome
}

const countPending = `
	SELECT count(*), coalesce(now() - min(received_at), '0'::interval)
	FROM deliveries
	WHERE state = 'pending'`

const countParked = `
	SELECT coalesce(outcome, 'refused'), count(*)
	FROM deliveries
	WHERE state = 'parked'
	GROUP BY outcome`

// Backlog counts what waits. It costs as much as there is parked.
func (s *Store) Backlog(ctx context.Context) (Backlog, error) {
	b := Backlog{Parked: make(map[string]int64)}
	if err := s.pool.QueryRow(ctx, countPending).Scan(&b.Pending, &b.Oldest); err != nil {
		return Backlog{}, fmt.Errorf("count pending deliveries: %w", err)
	}

	rows, err := s.pool.Query(ctx, countParked)
	if err != nil {
		return Backlog{}, fmt.Errorf("count parked deliveries: %w", err)
	}
	type count struct {
		Outcome string
		N       int64
	}
	counts, err := pgx.CollectRows(rows, pgx.RowToStructByPos[count])
	if err != nil {
		return Backlog{}, fmt.Errorf("count parked deliveries: %w", err)
	}
	for _, c := range counts {
		b.Parked[c.Outcome] = c.N
	}

	return b, nil
}

const countAllParked = `
	SELECT count(*)
	FROM deliveries
	WHERE state = 'parked'`

// CountParked counts the deliveries that wait for a person. It costs as much as
// there is parked.
func (s *Store) CountParked(ctx context.Context) (n int64, err error) {
	if err := s.pool.QueryRow(ctx, countAllParked).Scan(&n); err != nil {
		return 0, fmt.Errorf("count parked deliveries: %w", err)
	}

	return n, nil
}
