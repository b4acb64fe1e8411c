package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// A Reader lets a person look at one kind of rows while more of them arrive.
type Reader[F, T any] interface {
	// Look returns a part of a listing: at most page.Limit rows, and fewer where it
	// looks for text, so that it takes a moment however few there are.
	Look(ctx context.Context, f F, page Page) (Found[T], error)
	// Arrived goes on counting what came since a mark.
	Arrived(ctx context.Context, f F, since Mark) (Mark, error)
	// Tally counts all that f chooses. It looks at each.
	Tally(ctx context.Context, f F) (int64, error)
	// Again reads rows as they are now, in no order. Those that are gone are missing.
	Again(ctx context.Context, rows []T) ([]T, error)
}

// A WinReader looks at wins.
type WinReader = Reader[WinFilter, WinRow]

// A DeliveryReader looks at deliveries, without their bodies.
type DeliveryReader = Reader[DeliveryFilter, DeliveryRow]

// An EventReader looks at events.
type EventReader = Reader[EventFilter, EventRow]

// A PushReader looks at pushes.
type PushReader = Reader[PushFilter, PushRow]

// A DeedReader looks at the audit log.
type DeedReader = Reader[DeedFilter, DeedRow]

// A reader is a [Reader] of one table.
type reader[F, T any] struct {
	db      querier
	listing func(context.Context, F) (listing[T], error)
	count   string                                        // the head of a statement that counts
	place   string                                        // the column that new rows are at the end of
	placeAt func(context.Context, time.Time) (any, error) // nil: it is a time
	again   func(context.Context, []T) ([]T, error)       // nil: rows stay as they were written
	most    int                                           // rows that are counted at once; 0 means mostArrivals
}

// Look is part of [Reader].
func (r reader[F, T]) Look(ctx context.Context, f F, page Page) (found Found[T], err error) {
	l, err := r.listing(ctx, f)
	if err != nil {
		return found, err
	}
	settled, err := r.settled(ctx)
	if err == nil {
		found, err = l.look(ctx, r.db, page)
	}
	if err != nil {
		return found, fmt.Errorf("list %s: %w", l.what, err)
	}
	found.Since = Mark{passed: settled}

	return found, nil
}

// Tally is part of [Reader].
func (r reader[F, T]) Tally(ctx context.Context, f F) (n int64, err error) {
	l, err := r.listing(ctx, f)
	if err != nil {
		return 0, err
	}
	q, err := l.query("")
	if err != nil {
		return 0, err
	}
	q.head, q.tail = r.count, ""
	sql, args := q.text(1)
	if err := r.db.QueryRow(ctx, sql, args).Scan(&n); err != nil {
		return 0, fmt.Errorf("count %s: %w", l.what, err)
	}

	return n, nil
}

// Again is part of [Reader].
func (r reader[F, T]) Again(ctx context.Context, rows []T) ([]T, error) {
	if r.again == nil || len(rows) == 0 {
		return rows, nil
	}

	return r.again(ctx, rows)
}

// listingBy is for listings that need nothing to be found out first.
func listingBy[F, T any](by func(F) listing[T]) func(context.Context, F) (listing[T], error) {
	return func(_ context.Context, f F) (listing[T], error) { return by(f), nil }
}

// ReadWins returns the reader of wins.
func (s *Store) ReadWins() WinReader {
	return reader[WinFilter, WinRow]{
		db: s.pool, listing: listingBy(winsBy), count: countWinRows, place: "won_at",
	}
}

// ReadDeliveries returns the reader of deliveries.
func (s *Store) ReadDeliveries() DeliveryReader {
	return reader[DeliveryFilter, DeliveryRow]{
		db: s.pool, listing: listingBy(deliveriesBy), count: countDeliveryRows,
		place: "received_at", again: s.deliveriesAgain,
	}
}

// ReadEvents returns the reader of events.
func (s *Store) ReadEvents() EventReader {
	return reader[EventFilter, EventRow]{
		db: s.pool, listing: listingBy(eventsBy), count: countEventRows, place: "e.received_at",
	}
}

// ReadPushes returns the reader of pushes.
func (s *Store) ReadPushes() PushReader {
	return reader[PushFilter, PushRow]{
		db: s.pool, count: `SELECT count(*) FROM pushes`, place: "id",
		listing: func(ctx context.Context, f PushFilter) (listing[PushRow], error) {
			span, err := s.pushSpan(ctx, f.Since, f.Until)

			return pushesBy(f, span), err
		},
		again:   s.pushesAgain,
		placeAt: func(ctx context.Context, at time.Time) (any, error) { return pushSince(ctx, s.pool, at) },
	}
}

// ReadDeeds returns the reader of the audit log.
func (s *Store) ReadDeeds() DeedReader {
	return reader[DeedFilter, DeedRow]{
		db: s.pool, listing: listingBy(deedsBy), count: `SELECT count(*) FROM audit_log`, place: "at",
	}
}

const deliveriesOf = deliveryColumns + `
	FROM deliveries
	WHERE key = ANY($1::text[])
	  AND (key, kind, rival) IN (SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[]))`

func (s *Store) deliveriesAgain(ctx context.Context, rows []DeliveryRow) ([]DeliveryRow, error) {
	found, err := s.pool.Query(ctx, deliveriesOf, namesOf(rows)...)
	if err != nil {
		return nil, fmt.Errorf("read %d deliveries again: %w", len(rows), err)
	}
	now, err := pgx.CollectRows(found, func(row pgx.CollectableRow) (DeliveryRow, error) { return scanDelivery(row) })
	if err != nil {
		return nil, fmt.Errorf("read %d deliveries again: %w", len(rows), err)
	}

	return now, nil
}

const pushesOf = selectPush + `
	FROM pushes
	WHERE id = ANY($1)`

func (s *Store) pushesAgain(ctx context.Context, rows []PushRow) ([]PushRow, error) {
	ids := make([]int64, len(rows))
	for i, p := range rows {
		ids[i] = p.ID
	}
	found, err := s.pool.Query(ctx, pushesOf, ids)
	if err != nil {
		return nil, fmt.Errorf("read %d pushes again: %w", len(rows), err)
	}
	now, err := pgx.CollectRows(found, scanPush)
	if err != nil {
		return nil, fmt.Errorf("read %d pushes again: %w", len(rows), err)
	}

	return now, nil
}
