package store

import (
	"context"
	"encoding/hex"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"trivia/internal/trivia"
)

// A DeliveryRow is a delivery as it is kept.
type DeliveryRow struct {
	Key        string
	Kind       trivia.Kind
	Rival      []byte     // empty for the first body under a key, else this body's SHA-256
	Win        trivia.Win // what the body of a win says; zero where it is unusable
	State      trivia.State
	Outcome    trivia.Outcome
	Reason     string
	SHA256     []byte
	Body       []byte // only from [Store.Delivery]; listings leave it out
	Size       int    // of the body, in bytes
	ReceivedAt time.Time
	Seen       int
	LastSeenAt time.Time
	Caller     string
	SignedBy   string
	Stamp      string
	Attempts   int
	DueAt      time.Time // zero unless pending
	SettledAt  time.Time // zero while pending
	Repairs    string    // key and SHA-256 of the delivery that this is a repaired copy of, as key@hex
	RepairedBy string    // key of the repaired copy that stands for this one; then it is never settled again
	Marks      []trivia.Mark
	Reuses     string // the key that a win came under, if another body had it already
}

// Cursor names the row in a listing of deliveries.
func (d DeliveryRow) Cursor() Cursor {
	return newCursor("deliveries", instant(d.ReceivedAt), d.Key, string(d.Kind), hex.EncodeToString(d.Rival))
}

// A DeliveryFilter chooses deliveries: those that fit all of its fields. A
// zero field fits everything.
type DeliveryFilter struct {
	Key          string // as it is, or as it came
	Kind         trivia.Kind
	State        trivia.State
	Outcome      trivia.Outcome
	Mark         trivia.Mark
	User         trivia.UserID
	Trivia       trivia.ID
	Item         trivia.Item
	Text         string    // a part of the user, the trivia or the key, as it is written
	Since, Until time.Time // Since ≤ received < Until
}

const (
	deliveryColumns = `
	SELECT key, kind, rival, coalesce(user_id, ''), coalesce(trivia_id, ''), coalesce(item, ''),
		state, coalesce(outcome, ''), coalesce(reason, ''), body_sha256, length(body),
		received_at, seen, last_seen_at, caller, signed_by, stamp, attempts, due_at, settled_at,
		coalesce(repairs, ''), coalesce(repaired_by, ''), marks, coalesce(reuses, '')`

	listDeliveries = deliveryColumns + `
	FROM deliveries`

	newestDeliveries = `
	ORDER BY received_at DESC, key DESC, kind DESC, rival DESC`
)

// Deliveries yields deliveries without their bodies, newest first. After an
// error it yields nothing more.
func (s *Store) Deliveries(ctx context.Context, f DeliveryFilter, page Page) iter.Seq2[DeliveryRow, error] {
	return deliveriesBy(f).rows(ctx, s.pool, page)
}

func deliveriesBy(f DeliveryFilter) listing[DeliveryRow] {
	return listing[DeliveryRow]{
		what: "deliveries", query: f.query, cursor: DeliveryRow.Cursor,
		scan: func(row pgx.CollectableRow) (DeliveryRow, error) { return scanDelivery(row) },
	}
}

func (f DeliveryFilter) query(after Cursor) (*query, error) {
	q := newQuery(listDeliveries, newestDeliveries)
	f.words(q)
	q.during("received_at", f.Since, f.Until)
	if after == "" {
		return q, nil
	}

	place, err := after.place("deliveries", 4)
	if err != nil {
		return nil, err
	}
	at, err := parseInstant(after, place[0])
	if err != nil {
		return nil, err
	}
	rival, err := hex.DecodeString(place[3])
	if err != nil {
		return nil, fmt.Errorf("%q: %w", string(after), ErrCursor)
	}
	q.after("(received_at, key, kind, rival)", "(@after_at, @after_key, @after_kind, @after_rival)",
		"after_at", at, "after_key", place[1], "after_kind", place[2], "after_rival", rival)

	return q, nil
}

// words adds the conditions on columns of words. States stand in the text:
// that lets even a plan made for any arguments use the indexes over one state.
func (f DeliveryFilter) words(q *query) {
	switch f.State {
	case trivia.StatePending:
		q.where("state = 'pending'")
	case trivia.StateDone:
		q.where("state = 'done'")
	case trivia.StateParked:
		q.where("state = 'parked'")
	}
	if f.Outcome != trivia.Unsettled {
		q.where("outcome = @outcome", "outcome", f.Outcome)
	}
	if f.Mark != "" {
		q.where("marks IS NOT NULL AND @mark = ANY (marks)", "mark", f.Mark)
	}
	if f.Key != "" {
		q.where("(key = @key OR reuses = @key)", "key", f.Key)
	}
	if f.Kind != "" {
		q.where("kind = @kind", "kind", f.Kind)
	}
	if f.User != "" {
		q.where("user_id = @user", "user", f.User)
	}
	if f.Trivia != "" {
		q.where("trivia_id = @trivia", "trivia", f.Trivia)
	}
	if f.Item != "" {
		q.where("item = @item", "item", f.Item)
	}
	q.find(f.Text, "user_id", "trivia_id", "key")
}

const findDelivery = deliveryColumns + `, body
	FROM deliveries
	WHERE key = @key OR reuses = @key
	ORDER BY kind DESC, reuses IS NOT NULL, rival, received_at, key` // wins before events, and the first body before others

// Delivery returns all that came under key: mostly one row, more if the key
// came with several bodies or by both routes. It is an [ErrNotFound] if
// nothing did.
func (s *Store) Delivery(ctx context.Context, key string) ([]DeliveryRow, error) {
	rows, err := s.pool.Query(ctx, findDelivery, pgx.NamedArgs{"key": key})
	if err != nil {
		return nil, fmt.Errorf("find delivery %s: %w", key, err)
	}

	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (DeliveryRow, error) {
		var body []byte
		d, err := scanDelivery(row, &body)
		d.Body = body

		return d, err
	})
	if err == nil && len(found) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("find delivery %s: %w", key, err)
	}

	return found, nil
}

// scanDelivery reads deliveryColumns, and into more what follows them.
func scanDelivery(row pgx.CollectableRow, more ...any) (d DeliveryRow, err error) {
	var due, settled *time.Time
	err = row.Scan(append([]any{
		&d.Key, &d.Kind, &d.Rival, &d.Win.User, &d.Win.Trivia, &d.Win.Item,
		&d.State, &d.Outcome, &d.Reason, &d.SHA256, &d.Size,
		&d.ReceivedAt, &d.Seen, &d.LastSeenAt, &d.Caller, &d.SignedBy, &d.Stamp, &d.Attempts, &due, &settled,
		&d.Repairs, &d.RepairedBy, &d.Marks, &d.Reuses,
	}, more...)...)
	if due != nil {
		d.DueAt = *due
	}
	if settled != nil {
		d.SettledAt = *settled
	}

	return d, err
}
