package store

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"
)

// A WarehouseRefused is a row that a warehouse has refused, as it is kept.
type WarehouseRefused struct {
	Sink      string
	Table     WarehouseTable
	Key, Key2 string // the event, or the user and the trivia
	Reason    string // in the warehouse's words
	At        time.Time
}

// Cursor names the row in a listing of refused rows.
func (r WarehouseRefused) Cursor() Cursor {
	return newCursor("refused", instant(r.At), string(r.Table), r.Key, r.Key2, r.Sink)
}

// A WarehouseRefusedFilter chooses refused rows: those that fit all of its
// fields. A zero field fits everything.
type WarehouseRefusedFilter struct {
	Sink         string
	Table        WarehouseTable
	Since, Until time.Time // Since ≤ refused < Until
}

const (
	listWarehouseRefused = `
	SELECT sink, what, key, key2, reason, at
	FROM warehouse_refused`

	newestWarehouseRefused = `
	ORDER BY at DESC, what DESC, key DESC, key2 DESC, sink DESC`
)

// WarehouseRefusals yields rows that warehouses have refused, newest first.
// After an error it yields nothing more.
func (s *Store) WarehouseRefusals(ctx context.Context, f WarehouseRefusedFilter, page Page) iter.Seq2[WarehouseRefused, error] {
	l := listing[WarehouseRefused]{
		what: "refused rows", query: f.query, cursor: WarehouseRefused.Cursor,
		scan: func(row pgx.CollectableRow) (r WarehouseRefused, err error) {
			err = row.Scan(&r.Sink, &r.Table, &r.Key, &r.Key2, &r.Reason, &r.At)

			return r, err
		},
	}

	return l.rows(ctx, s.pool, page)
}

func (f WarehouseRefusedFilter) query(after Cursor) (*query, error) {
	q := newQuery(listWarehouseRefused, newestWarehouseRefused)
	if f.Sink != "" {
		q.where("sink = @sink", "sink", f.Sink)
	}
	if f.Table != "" {
		q.where("what = @what", "what", f.Table)
	}
	q.during("at", f.Since, f.Until)
	if after == "" {
		return q, nil
	}

	place, err := after.place("refused", 5)
	if err != nil {
		return nil, err
	}
	at, err := parseInstant(after, place[0])
	if err != nil {
		return nil, err
	}
	q.where("(at, what, key, key2, sink) < (@after_at, @after_what, @after_key, @after_key2, @after_sink)", "after_at", at,
		"after_what", place[1], "after_key", place[2], "after_key2", place[3], "after_sink", place[4])

	return q, nil
}

const acceptWarehouse = `
	DELETE FROM warehouse_refused AS r
	USING unnest(@keys::text[], @keys2::text[]) AS k (key, key2)
	WHERE r.sink = @sink AND r.what = @what AND r.key = k.key AND r.key2 = k.key2`

// ResentWarehouse writes down what came of rows that were sent once more, to
// which places name them: those that are not refused any more are no longer
// kept as such.
func (s *Store) ResentWarehouse(ctx context.Context, sink string, table WarehouseTable, rows []WarehousePlace, refused []WarehouseRefusal) error {
	var keys, keys2, refusedKeys, refusedKeys2, reasons []string
	for _, r := range rows {
		keys, keys2 = append(keys, r.Key), append(keys2, r.Key2)
	}
	for _, r := range refused {
		refusedKeys, refusedKeys2, reasons = append(refusedKeys, r.Key), append(refusedKeys2, r.Key2), append(reasons, clean(r.Reason))
	}

	err := s.commit(ctx, func(tx pgx.Tx) error {
		args := pgx.NamedArgs{"sink": sink, "what": table, "keys": keys, "keys2": keys2}
		if _, err := tx.Exec(ctx, acceptWarehouse, args); err != nil || len(refused) == 0 {
			return err
		}
		args["keys"], args["keys2"], args["reasons"] = refusedKeys, refusedKeys2, reasons
		_, err := tx.Exec(ctx, refuseWarehouse, args)

		return err
	})
	if err != nil {
		return fmt.Errorf("note what of %s was sent again to %s: %w", table, sink, err)
	}

	return nil
}
