package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// A Walk says how far the service has gone through what it prunes by itself.
type Walk struct {
	Until   time.Time // it has looked at all that came before this; zero if it never has
	As      string    // under these settings
	WholeAt time.Time // when it last began at the very first
}

// ErrNotDue says that it is not time to prune, or that another process has it
// in hand.
var ErrNotDue = errors.New("retention is not due")

const (
	// The first process of all finds it due.
	bookRetention = `INSERT INTO retention (due_at) VALUES (now()) ON CONFLICT (single) DO NOTHING`

	claimRetention = `
	UPDATE retention SET due_at = now() + @lease::interval
	WHERE due_at <= now()
	RETURNING due_at`

	keepRetention = `
	UPDATE retention SET due_at = now() + @lease::interval
	WHERE due_at = @due
	RETURNING due_at`
)

// A RetentionLease is the right to prune what is past its use, which one
// process has at a time.
type RetentionLease struct {
	due time.Time
}

// ClaimRetention takes the right to prune for as long as lease, or returns
// [ErrNotDue].
func (s *Store) ClaimRetention(ctx context.Context, lease time.Duration) (*RetentionLease, error) {
	if _, err := s.pool.Exec(ctx, bookRetention); err != nil {
		return nil, fmt.Errorf("claim retention: %w", err)
	}

	l := &RetentionLease{}
	err := s.pool.QueryRow(ctx, claimRetention, pgx.NamedArgs{"lease": lease}).Scan(&l.due)
	if errors.Is(err, pgx.ErrNoRows) {
		err = ErrNotDue
	}
	if err != nil {
		return nil, fmt.Errorf("claim retention: %w", err)
	}

	return l, nil
}

// KeepRetention makes the act fail with [ErrNotDue] if the lease was lost. Else
// it lasts until so long after the act.
func (a *Act) KeepRetention(ctx context.Context, l *RetentionLease, lease time.Duration) (kept RetentionLease, err error) {
	err = a.tx.QueryRow(ctx, keepRetention, pgx.NamedArgs{"lease": lease, "due": l.due}).Scan(&kept.due)
	if errors.Is(err, pgx.ErrNoRows) {
		err = ErrNotDue
	}
	if err != nil {
		return kept, fmt.Errorf("keep retention: %w", err)
	}

	return kept, nil
}

// EndRetention gives the lease back: the next process may claim it after pause.
func (s *Store) EndRetention(ctx context.Context, l *RetentionLease, pause time.Duration) error {
	if _, err := s.pool.Exec(ctx, keepRetention, pgx.NamedArgs{"lease": pause, "due": l.due}); err != nil {
		return fmt.Errorf("end retention: %w", err)
	}

	return nil
}

const (
	findWalk = `SELECT coalesce(walked, '0001-01-01Z'), coalesce(walked_as, ''), coalesce(whole_at, '0001-01-01Z') FROM pruned WHERE what = @what`

	noteWalk = `
	INSERT INTO pruned AS p (what, before, walked, walked_as, whole_at) VALUES (@what, @until, @until, @as, @whole_at)
	ON CONFLICT (what) DO UPDATE
	SET before = greatest(p.before, excluded.before), walked = excluded.walked, walked_as = excluded.walked_as,
		whole_at = excluded.whole_at`
)

// Walk returns how far the service has gone through a part.
func (s *Store) Walk(ctx context.Context, what Prunable) (w Walk, err error) {
	err = s.pool.QueryRow(ctx, findWalk, pgx.NamedArgs{"what": what}).Scan(&w.Until, &w.As, &w.WholeAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return Walk{}, nil
	}
	if err != nil {
		return Walk{}, fmt.Errorf("find how far %s are pruned: %w", what, err)
	}

	return w, nil
}

// NoteWalk notes that the service has gone through a part.
func (s *Store) NoteWalk(ctx context.Context, what Prunable, w Walk) error {
	_, err := s.pool.Exec(ctx, noteWalk, pgx.NamedArgs{"what": what, "until": w.Until, "as": w.As, "whole_at": w.WholeAt})
	if err != nil {
		return fmt.Errorf("note how far %s are pruned: %w", what, err)
	}

	return nil
}
