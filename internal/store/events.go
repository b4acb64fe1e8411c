package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"trivia/internal/trivia"
)

// An EventRow is an event as it is recorded.
type EventRow struct {
	trivia.Event

	ID         string // the key of its delivery
	ReceivedAt time.Time
	Owed       trivia.PushKind // empty if it asked for no push
}

// Cursor names the row in a listing of events.
func (e EventRow) Cursor() Cursor { return newCursor("events", instant(e.ReceivedAt), e.ID) }

// An EventFilter chooses events: those that fit all of its fields. A zero
// field fits everything.
type EventFilter struct {
	Person       string // by whom the Track API finds them
	ObjectType   string
	Metric       string
	Campaign     string
	Text         string    // a part of who the person is, of the answer (so of its trivia) or of the identifier, as it is written
	Since, Until time.Time // Since ≤ received < Until
}

const (
	selectEvent = `
	SELECT e.event_id, e.object_type, e.metric, e.occurred_at, e.received_at,
		coalesce(e.person, ''), coalesce(e.customer_id, ''), coalesce(e.email, ''), coalesce(e.cio_id, ''),
		coalesce(e.delivery_id, ''), coalesce(e.campaign_id, ''), coalesce(e.broadcast_id, ''),
		coalesce(e.newsletter_id, ''), coalesce(e.action_id, ''), coalesce(e.transactional_id, ''),
		coalesce(e.template_id, ''), coalesce(e.link_id, ''), coalesce(e.href, ''),
		coalesce(e.tracked_response, ''), coalesce(e.failure_message, ''),
		e.machine, e.prefetched, e.proxied, e.synthetic, coalesce(e.owed, '')`

	listEvents = selectEvent + `
	FROM events AS e`

	newestEvents = `
	ORDER BY e.received_at DESC, e.event_id DESC`
)

// Events yields events, newest first. After an error it yields nothing more.
func (s *Store) Events(ctx context.Context, f EventFilter, page Page) iter.Seq2[EventRow, error] {
	return eventsBy(f).rows(ctx, s.pool, page)
}

func eventsBy(f EventFilter) listing[EventRow] {
	return listing[EventRow]{
		what: "events", query: f.query, cursor: EventRow.Cursor,
		scan: func(row pgx.CollectableRow) (EventRow, error) { return scanEvent(row) },
	}
}

func (f EventFilter) query(after Cursor) (*query, error) {
	q := newQuery(listEvents, newestEvents)
	f.words(q)
	if after == "" {
		return q, nil
	}

	place, err := after.place("events", 2)
	if err != nil {
		return nil, err
	}
	at, err := parseInstant(after, place[0])
	if err != nil {
		return nil, err
	}
	q.after("(e.received_at, e.event_id)", "(@after_at, @after_id)", "after_at", at, "after_id", place[1])

	return q, nil
}

func (f EventFilter) words(q *query) {
	if f.Person != "" {
		q.where("e.person = @person", "person", f.Person)
	}
	if f.ObjectType != "" {
		q.where("e.object_type = @object", "object", f.ObjectType)
	}
	if f.Metric != "" {
		q.where("e.metric = @metric", "metric", f.Metric)
	}
	if f.Campaign != "" {
		q.where("e.campaign_id = @campaign", "campaign", f.Campaign)
	}
	q.during("e.received_at", f.Since, f.Until)
	q.find(f.Text, "e.person", "e.customer_id", "e.email", "e.tracked_response", "e.event_id")
}

const findEvent = selectEvent + `, e.payload
	FROM events AS e
	WHERE e.event_id = @id`

// Event returns one event and what came, byte for byte, or [ErrNotFound]. The
// payload is nil if its delivery is gone.
func (s *Store) Event(ctx context.Context, id string) (e EventRow, payload []byte, err error) {
	rows, err := s.pool.Query(ctx, findEvent, pgx.NamedArgs{"id": id})
	if err != nil {
		return EventRow{}, nil, fmt.Errorf("find event %s: %w", id, err)
	}
	e, err = pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (EventRow, error) {
		return scanEvent(row, &payload)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return EventRow{}, nil, fmt.Errorf("find event %s: %w", id, err)
	}

	return e, payload, nil
}

// scanEvent reads selectEvent, and into more what follows them.
func scanEvent(row pgx.CollectableRow, more ...any) (e EventRow, err error) {
	var at *time.Time
	err = row.Scan(append([]any{
		&e.ID, &e.ObjectType, &e.Metric, &at, &e.ReceivedAt,
		&e.Person, &e.CustomerID, &e.Email, &e.CioID,
		&e.DeliveryID, &e.Campaign, &e.Broadcast,
		&e.Newsletter, &e.Action, &e.Transactional,
		&e.Template, &e.Link, &e.Href,
		&e.Response, &e.Failure,
		&e.Machine, &e.Prefetched, &e.Proxied, &e.Synthetic, &e.Owed,
	}, more...)...)
	if at != nil {
		e.At = *at
	}

	return e, err
}

// An EventCount says how often something happened to a kind of object.
type EventCount struct {
	ObjectType, Metric string
	Count              int
	First, Last        time.Time // received
}

const (
	countEvents = `
	SELECT e.object_type, e.metric, count(*), min(e.received_at), max(e.received_at)
	FROM events AS e`

	byObjectAndMetric = `
	GROUP BY e.object_type, e.metric
	ORDER BY e.object_type, e.metric`
)

// mostCounts bounds what [Store.EventCounts] returns; whoever may sign may
// also invent metrics.
const mostCounts = 10_000

// EventCounts counts the events that f chooses by object type and metric, in
// that order.
func (s *Store) EventCounts(ctx context.Context, f EventFilter) ([]EventCount, error) {
	q := newQuery(countEvents, byObjectAndMetric)
	f.words(q)
	sql, args := q.text(mostCounts)
	rows, err := s.pool.Query(ctx, sql, args)
	if err != nil {
		return nil, fmt.Errorf("count events: %w", err)
	}
	counts, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c EventCount, err error) {
		err = row.Scan(&c.ObjectType, &c.Metric, &c.Count, &c.First, &c.Last)

		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("count events: %w", err)
	}

	return counts, nil
}
