package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"trivia/internal/trivia"
)

// A PushRow is a push as it is kept.
type PushRow struct {
	ID         int64
	Person     string // by whom the Track API finds them
	Kind       trivia.PushKind
	Cause      trivia.PushCause
	CauseID    string          // the trivia that was won, the event, or the operator
	Attributes json.RawMessage // an object; nil for those that are read when it is sent
	OccurredAt time.Time       // when what it tells came to be true
	State      trivia.PushState
	Attempts   int
	Status     int // of Customer.io's last answer; 0 if there was none
	Reason     string
	CreatedAt  time.Time
	SettledAt  time.Time // zero unless sent or parked
}

// Cursor names the row in a listing of pushes.
func (p PushRow) Cursor() Cursor { return newCursor("pushes", strconv.FormatInt(p.ID, 10)) }

// A PushFilter chooses pushes: those that fit all of its fields. A zero field
// fits everything.
type PushFilter struct {
	Person       string
	State        trivia.PushState
	Kind         trivia.PushKind
	Cause        trivia.PushCause
	CauseID      string
	Text         string    // a part of the person, or of the trivia, the event or the operator that asked for it, as it is written
	Since, Until time.Time // Since ≤ created < Until
}

const (
	selectPush = `
	SELECT id, person, kind, cause, cause_id, attributes, occurred_at, state, attempts,
		coalesce(status, 0), coalesce(reason, ''), created_at, settled_at`

	listPushes = selectPush + `
	FROM pushes`

	newestPushes = `
	ORDER BY id DESC`
)

// Pushes yields pushes, newest first. After an error it yields nothing more.
func (s *Store) Pushes(ctx context.Context, f PushFilter, page Page) iter.Seq2[PushRow, error] {
	return func(yield func(PushRow, error) bool) {
		span, err := s.pushSpan(ctx, f.Since, f.Until)
		if err != nil {
			yield(PushRow{}, err)
			return
		}
		for row, err := range pushesBy(f, span).rows(ctx, s.pool, page) {
			if !yield(row, err) {
				return
			}
		}
	}
}

func pushesBy(f PushFilter, span idSpan) listing[PushRow] {
	return listing[PushRow]{
		what: "pushes", scan: scanPush, cursor: PushRow.Cursor,
		query: func(after Cursor) (*query, error) { return f.query(span, after) },
	}
}

func (f PushFilter) query(span idSpan, after Cursor) (*query, error) {
	q := newQuery(listPushes, newestPushes)
	f.words(q)
	q.during("created_at", f.Since, f.Until)
	span.limit(q)
	if after == "" {
		return q, nil
	}

	place, err := after.place("pushes", 1)
	if err != nil {
		return nil, err
	}
	id, err := strconv.ParseInt(place[0], 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", string(after), ErrCursor)
	}
	q.after("id", "@after_id", "after_id", id)

	return q, nil
}

// words adds the conditions on columns of words.
func (f PushFilter) words(q *query) {
	whereState(q, f.State)
	if f.Person != "" {
		wherePerson(q, f.Person, f.State)
	}
	if f.Kind != "" {
		q.where("kind = @kind", "kind", f.Kind)
	}
	if f.Cause != "" {
		q.where("cause = @cause", "cause", f.Cause)
	}
	if f.CauseID != "" {
		q.where("cause_id = @cause_id", "cause_id", f.CauseID)
	}
	q.find(f.Text, "person", "cause_id")
}

// whereState writes the state into the text, so that any plan can use the
// indexes over one state.
func whereState(q *query, state trivia.PushState) {
	switch state {
	case trivia.PushPending:
		q.where("state = 'pending'")
	case trivia.PushHeld:
		q.where("state = 'held'")
	case trivia.PushSent:
		q.where("state = 'sent'")
	case trivia.PushParked:
		q.where("state = 'parked'")
	}
}

// wherePerson names both halves of what a person has, since each half has an
// index of its own.
func wherePerson(q *query, person string, state trivia.PushState) {
	if state != "" {
		q.where("person = @person", "person", person)
		return
	}
	q.where("(person = @person AND state = 'pending' OR person = @person AND state <> 'pending')", "person", person)
}

func scanPush(row pgx.CollectableRow) (PushRow, error) { return scanPushAnd(row) }

// scanPushAnd reads selectPush, and into more what follows.
func scanPushAnd(row pgx.CollectableRow, more ...any) (p PushRow, err error) {
	var (
		attributes []byte
		settled    *time.Time
	)
	err = row.Scan(append([]any{
		&p.ID, &p.Person, &p.Kind, &p.Cause, &p.CauseID, &attributes, &p.OccurredAt, &p.State, &p.Attempts,
		&p.Status, &p.Reason, &p.CreatedAt, &settled,
	}, more...)...)
	p.Attributes = attributes
	if settled != nil {
		p.SettledAt = *settled
	}

	return p, err
}

const findPush = selectPush + `
	FROM pushes
	WHERE id = @id`

// Push returns one push, or [ErrNotFound].
func (s *Store) Push(ctx context.Context, id int64) (PushRow, error) {
	rows, err := s.pool.Query(ctx, findPush, pgx.NamedArgs{"id": id})
	if err != nil {
		return PushRow{}, fmt.Errorf("find push %d: %w", id, err)
	}
	p, err := pgx.CollectExactlyOneRow(rows, scanPush)
	if errors.Is(err, pgx.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return PushRow{}, fmt.Errorf("find push %d: %w", id, err)
	}

	return p, nil
}

// A PushPerson is what is known of a person who was pushed for.
type PushPerson struct {
	LeasedUntil time.Time            // until then somebody has them in hand, or they rest after a failure
	Failures    int                  // in a row
	Told        map[string]time.Time // attribute → since when that was true
	ToldAt      time.Time            // zero if nothing was told
}

const findPushPerson = `
	SELECT leased_until, failures, told, told_at FROM push_people WHERE person = @person`

// PushPerson returns what is known of a person, or [ErrNotFound] if nobody has
// tried to push for them.
func (s *Store) PushPerson(ctx context.Context, person string) (p PushPerson, err error) {
	var (
		told map[string]int64
		at   *time.Time
	)
	err = s.pool.QueryRow(ctx, findPushPerson, pgx.NamedArgs{"person": person}).Scan(&p.LeasedUntil, &p.Failures, &told, &at)
	if errors.Is(err, pgx.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return PushPerson{}, fmt.Errorf("find what person %s was told: %w", person, err)
	}

	p.Told = make(map[string]time.Time, len(told))
	for name, since := range told {
		p.Told[name] = time.UnixMicro(since).UTC()
	}
	if at != nil {
		p.ToldAt = *at
	}

	return p, nil
}
