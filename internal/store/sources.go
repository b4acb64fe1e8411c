package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// A SourceList is what Customer.io said of the addresses that one region's
// webhooks come from.
type SourceList struct {
	Region    string // us or eu
	Addresses []string
	CheckedAt time.Time // when Customer.io last said so
	ChangedAt time.Time // when it first did
}

const (
	findSources = `
	SELECT region, addresses, checked_at, changed_at FROM source_lists
	WHERE region = @region`

	lockSources = findSources + ` FOR UPDATE`
)

// Sources returns the list of a region, or an [ErrNotFound] if Customer.io has
// never said anything about it.
func (s *Store) Sources(ctx context.Context, region string) (SourceList, error) {
	return sources(ctx, s.pool, findSources, region)
}

func sources(ctx context.Context, db querier, statement, region string) (SourceList, error) {
	var l SourceList
	err := db.QueryRow(ctx, statement, pgx.NamedArgs{"region": region}).
		Scan(&l.Region, &l.Addresses, &l.CheckedAt, &l.ChangedAt)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return SourceList{}, fmt.Errorf("list of sources %s: %w", region, ErrNotFound)
	case err != nil:
		return SourceList{}, fmt.Errorf("read the list of sources %s: %w", region, err)
	}

	return l, nil
}

const (
	// Whoever comes second waits here until the first has committed.
	addSources = `
	INSERT INTO source_lists (region, addresses, checked_at, changed_at)
	VALUES (@region, @addresses, @at, @at)
	ON CONFLICT (region) DO NOTHING`

	setSources = `
	UPDATE source_lists
	SET addresses = @addresses, checked_at = greatest(checked_at, @at),
		changed_at = CASE WHEN addresses = @addresses THEN changed_at ELSE @at END
	WHERE region = @region`
)

// KeepSources keeps what Customer.io said of a region at a time. It returns
// what it had said before, which is zero if that was nothing.
func (a *Act) KeepSources(ctx context.Context, region string, addresses []string, at time.Time) (SourceList, error) {
	args := pgx.NamedArgs{"region": region, "addresses": addresses, "at": at}
	added, err := a.tx.Exec(ctx, addSources, args)
	if err != nil {
		return SourceList{}, fmt.Errorf("keep the list of sources %s: %w", region, err)
	}
	if added.RowsAffected() == 1 {
		return SourceList{}, nil
	}

	before, err := sources(ctx, a.tx, lockSources, region)
	if err != nil {
		return SourceList{}, err
	}
	if _, err := a.tx.Exec(ctx, setSources, args); err != nil {
		return SourceList{}, fmt.Errorf("keep the list of sources %s: %w", region, err)
	}

	return before, nil
}
