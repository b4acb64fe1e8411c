package store

import (
	"context"
	"encoding/hex"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"

	"trivia/internal/trivia"
)

// A DeliveryWalk is many deliveries, gone through from the oldest to the newest.
type DeliveryWalk struct {
	Filter  DeliveryFilter
	Through Cursor // not beyond this one; empty: to the end
}

const oldestDeliveries = `
	ORDER BY received_at, key, kind, rival`

// walkName tells cursors of a walk from those of the listing, which goes the
// other way.
const walkName = "delivery walk"

// Place names the row in a walk.
func (d DeliveryRow) Place() Cursor {
	return newCursor(walkName, instant(d.ReceivedAt), d.Key, string(d.Kind), hex.EncodeToString(d.Rival))
}

// OldestDeliveries yields deliveries without their bodies, oldest first. After
// an error it yields nothing more.
func (s *Store) OldestDeliveries(ctx context.Context, w DeliveryWalk, page Page) iter.Seq2[DeliveryRow, error] {
	return walked(w).rows(ctx, s.pool, page)
}

func walked(w DeliveryWalk) listing[DeliveryRow] {
	return listing[DeliveryRow]{
		what: "deliveries", query: w.query, cursor: DeliveryRow.Place,
		scan: func(row pgx.CollectableRow) (DeliveryRow, error) { return scanDelivery(row) },
	}
}

func (w DeliveryWalk) query(after Cursor) (*query, error) {
	q := newQuery(listDeliveries, oldestDeliveries)

	return q, w.limit(q, after)
}

// limit adds the conditions to q.
func (w DeliveryWalk) limit(q *query, after Cursor) error {
	w.Filter.words(q)
	q.during("received_at", w.Filter.Since, w.Filter.Until)
	if err := walkEnd(q, ">", "after", after); err != nil {
		return err
	}

	return walkEnd(q, "<=", "through", w.Through)
}

func walkEnd(q *query, is, name string, end Cursor) error {
	if end == "" {
		return nil
	}

	place, err := end.place(walkName, 4)
	if err != nil {
		return err
	}
	at, err := parseInstant(end, place[0])
	if err != nil {
		return err
	}
	rival, err := hex.DecodeString(place[3])
	if err != nil {
		return fmt.Errorf("%q: %w", string(end), ErrCursor)
	}
	q.where(fmt.Sprintf("(received_at, key, kind, rival) %s (@%[2]s_at, @%[2]s_key, @%[2]s_kind, @%[2]s_rival)", is, name),
		name+"_at", at, name+"_key", place[1], name+"_kind", place[2], name+"_rival", rival)

	return nil
}

const countDeliveries = `
	SELECT count(*)
	FROM deliveries`

// CountDeliveries returns how many deliveries of a walk come behind after.
func (s *Store) CountDeliveries(ctx context.Context, w DeliveryWalk, after Cursor) (n int, err error) {
	q := newQuery(countDeliveries, "")
	if err := w.limit(q, after); err != nil {
		return 0, fmt.Errorf("count deliveries: %w", err)
	}
	sql, args := q.text(1)
	if err := s.pool.QueryRow(ctx, sql, args).Scan(&n); err != nil {
		return 0, fmt.Errorf("count deliveries: %w", err)
	}

	return n, nil
}

// What namesOf sends.
const namedDeliveries = `
	FROM unnest($1::text[], $2::text[], $3::bytea[]) WITH ORDINALITY AS a (key, kind, rival, n)
	JOIN deliveries AS d ON d.key = a.key AND d.kind = a.kind AND d.rival = a.rival
	WHERE d.key = ANY($1::text[])`

func namesOf(rows []DeliveryRow) []any {
	keys, kinds, rivals := make(words, len(rows)), make(words, len(rows)), make(blobs, len(rows))
	for i, d := range rows {
		keys[i], kinds[i], rivals[i] = d.Key, string(d.Kind), d.Rival
		if d.Rival == nil {
			rivals[i] = []byte{}
		}
	}

	return []any{keys, kinds, rivals}
}

const readBodies = `SELECT a.n, d.body` + namedDeliveries

// ReadBodies reads the bodies of rows into them. One that is gone has none.
func (s *Store) ReadBodies(ctx context.Context, rows []DeliveryRow) error {
	if len(rows) == 0 {
		return nil
	}

	found, err := s.pool.Query(ctx, readBodies, namesOf(rows)...) //nolint:rowserrcheck // ForEachRow checks it
	if err != nil {
		return fmt.Errorf("read %d bodies: %w", len(rows), err)
	}
	var (
		n    int
		body []byte
	)
	_, err = pgx.ForEachRow(found, []any{&n, &body}, func() error {
		rows[n-1].Body = body
		body = nil

		return nil
	})
	if err != nil {
		return fmt.Errorf("read %d bodies: %w", len(rows), err)
	}

	return nil
}

const rereadDelivery = deliveryColumns + `
	FROM deliveries
	WHERE key = @key AND kind = @kind AND rival = @rival`

// Reread returns how a delivery stands now, without its body, or [ErrNotFound].
func (s *Store) Reread(ctx context.Context, d DeliveryRow) (DeliveryRow, error) {
	rival := d.Rival
	if rival == nil {
		rival = []byte{}
	}
	rows, err := s.pool.Query(ctx, rereadDelivery, pgx.NamedArgs{"key": d.Key, "kind": d.Kind, "rival": rival})
	if err != nil {
		return DeliveryRow{}, fmt.Errorf("read delivery %s again: %w", d.Key, err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (DeliveryRow, error) { return scanDelivery(row) })
	if err == nil && len(found) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return DeliveryRow{}, fmt.Errorf("read delivery %s again: %w", d.Key, err)
	}

	return found[0], nil
}

const findHeld = `
	SELECT a.n
	FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS a (user_id, trivia_id, n)
	WHERE (SELECT true FROM trivia_wins AS w WHERE w.user_id = a.user_id AND w.trivia_id = a.trivia_id)`

// Held tells of each win whether its user has won its trivia, whatever item.
func (s *Store) Held(ctx context.Context, wins []trivia.Win) ([]bool, error) {
	held := make([]bool, len(wins))
	if len(wins) == 0 {
		return held, nil
	}

	users, trivias := make(words, len(wins)), make(words, len(wins))
	for i, w := range wins {
		users[i], trivias[i] = string(w.User), string(w.Trivia)
	}
	rows, err := s.pool.Query(ctx, findHeld, users, trivias)
	if err != nil {
		return nil, fmt.Errorf("look for %d wins: %w", len(wins), err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		return nil, fmt.Errorf("look for %d wins: %w", len(wins), err)
	}
	for _, n := range found {
		held[n-1] = true
	}

	return held, nil
}
