package store

import (
	"context"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"
)

// bodyPage is how many deliveries are read at once with their bodies, which may
// be as long as TRIVIA_MAX_BODY.
const bodyPage = 100

const listBodies = deliveryColumns + `, body
	FROM deliveries`

// DeliveriesWithBodies is [Store.Deliveries] with the bodies.
func (s *Store) DeliveriesWithBodies(ctx context.Context, f DeliveryFilter, page Page) iter.Seq2[DeliveryRow, error] {
	l := deliveriesBy(f)
	l.size = bodyPage
	l.query = func(after Cursor) (*query, error) {
		q, err := f.query(after)
		if err != nil {
			return nil, err
		}
		q.head = listBodies

		return q, nil
	}
	l.scan = func(row pgx.CollectableRow) (DeliveryRow, error) {
		var body []byte
		d, err := scanDelivery(row, &body)
		d.Body = body

		return d, err
	}

	return l.rows(ctx, s.pool, page)
}

const (
	countWinRows      = `SELECT count(*) FROM trivia_wins`
	countEventRows    = `SELECT count(*) FROM events AS e`
	countDeliveryRows = `SELECT count(*) FROM deliveries`
)

// TallyWins counts the wins that f chooses. It looks at each.
func (s *Store) TallyWins(ctx context.Context, f WinFilter) (int64, error) {
	return s.tally(ctx, countWinRows, f.query)
}

// TallyEvents counts the events that f chooses. It looks at each.
func (s *Store) TallyEvents(ctx context.Context, f EventFilter) (int64, error) {
	return s.tally(ctx, countEventRows, f.query)
}

// TallyDeliveries counts the deliveries that f chooses. It looks at each.
func (s *Store) TallyDeliveries(ctx context.Context, f DeliveryFilter) (int64, error) {
	return s.tally(ctx, countDeliveryRows, f.query)
}

func (s *Store) tally(ctx context.Context, count string, filter func(Cursor) (*query, error)) (n int64, err error) {
	q, err := filter("")
	if err != nil {
		return 0, err
	}
	q.head, q.tail = count, ""
	sql, args := q.text(1)
	if err := s.pool.QueryRow(ctx, sql, args).Scan(&n); err != nil {
		return 0, fmt.Errorf("count rows: %w", err)
	}

	return n, nil
}
