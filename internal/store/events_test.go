package store_test

import (
	"errors"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

// fillEvents writes n events of n people, ten of them at each instant, and an
// answer for each.
func (s shelf) fillEvents(t *testing.T, n int) {
	t.Helper()
	s.exec(t, `
		INSERT INTO events (event_id, object_type, metric, received_at, person, campaign_id)
		SELECT 'event-' || i, 'email', 'opened', $2::timestamptz + i / 10 * interval '1 second', 'user-' || i, 'c' || i % 7
		FROM generate_series(1, $1) AS i`, n, noon)
	s.exec(t, `
		INSERT INTO responses (user_id, trivia_id, event_id, answer, answered_at)
		SELECT 'user-' || i, 'trivia-' || i % 7, 'event-' || i, 'Paris', $2::timestamptz + i / 10 * interval '1 second'
		FROM generate_series(1, $1) AS i`, n, noon)
}

func TestListingsOfEventsPassTheEndOfAPage(t *testing.T) {
	t.Parallel()

	s := newShelf(t)
	const n = 1234
	s.fillEvents(t, n)
	t.Run("events", func(t *testing.T) {
		t.Parallel()
		checkPaging(t, n, func(p store.Page) iter.Seq2[store.EventRow, error] {
			return s.Events(t.Context(), store.EventFilter{}, p)
		}, func(e store.EventRow) string { return e.ReceivedAt.UTC().Format(time.RFC3339) + " " + e.ID }, true)
	})
	t.Run("responses", func(t *testing.T) {
		t.Parallel()
		checkPaging(t, n, func(p store.Page) iter.Seq2[store.ResponseRow, error] {
			return s.Responses(t.Context(), store.ResponseFilter{}, p)
		}, func(r store.ResponseRow) string { return r.At.UTC().Format(time.RFC3339) + " " + string(r.User) }, true)
	})
}

func TestEventFilterChooses(t *testing.T) {
	t.Parallel()

	s := newShelf(t)
	s.exec(t, `
		INSERT INTO events (event_id, object_type, metric, received_at, person, campaign_id)
		SELECT id, object, metric, $1::timestamptz + minute * interval '1 minute', person, campaign
		FROM (VALUES
			(1, 'a', 'email',  'opened',  'ann', '7'),
			(2, 'b', 'email',  'bounced', 'bob', '7'),
			(3, 'c', 'in_app', 'opened',  'ann', NULL),
			(4, 'd', 'sms',    'sent',    NULL,  '8')
		) AS v (minute, id, object, metric, person, campaign)`, noon)

	tests := []struct {
		name   string
		filter store.EventFilter
		want   string
	}{
		{"everything, newest first", store.EventFilter{}, "[d c b a]"},
		{"person", store.EventFilter{Person: "ann"}, "[c a]"},
		{"object type", store.EventFilter{ObjectType: "email"}, "[b a]"},
		{"metric", store.EventFilter{Metric: "opened"}, "[c a]"},
		{"metric of an object type", store.EventFilter{Metric: "opened", ObjectType: "in_app"}, "[c]"},
		{"campaign", store.EventFilter{Campaign: "7"}, "[b a]"},
		{"since is in, until is out", store.EventFilter{Since: noon.Add(2 * time.Minute), Until: noon.Add(4 * time.Minute)}, "[c b]"},
		{"none", store.EventFilter{Person: `' OR true --`}, "[]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ids := []string{}
			for _, e := range collect(t, s.Events(t.Context(), tt.filter, store.Page{})) {
				ids = append(ids, e.ID)
			}
			if got := fmt.Sprint(ids); got != tt.want {
				t.Errorf("Events(%+v) = %s, want %s", tt.filter, got, tt.want)
			}
		})
	}

	counts, err := s.EventCounts(t.Context(), store.EventFilter{Person: "ann"})
	want := []store.EventCount{
		{ObjectType: "email", Metric: "opened", Count: 1, First: noon.Add(time.Minute), Last: noon.Add(time.Minute)},
		{ObjectType: "in_app", Metric: "opened", Count: 1, First: noon.Add(3 * time.Minute), Last: noon.Add(3 * time.Minute)},
	}
	if diff := cmp.Diff(want, counts); err != nil || diff != "" {
		t.Errorf("EventCounts: %v (-want +got):\n%s", err, diff)
	}
}

func TestAnEventComesWithAllOfItAndItsPayload(t *testing.T) {
	t.Parallel()

	s := newShelf(t)
	s.exec(t, `
		INSERT INTO events VALUES ('e1', 'in_app', 'clicked', $1, $2, 'ann', 'ann', 'a@example.com', 'c1', 'd1', '1', '2', '3',
			'4', '5', '6', '7', 'https://example.com', 'trivia/capitals/Paris', 'no', true, true, true, true, 'nobody')`,
		noon, noon.Add(time.Second))
	s.exec(t, `
		INSERT INTO deliveries (key, kind, body, body_sha256, state, outcome, received_at, last_seen_at, settled_at)
		VALUES ('e1', 'event', '{"a": 1}', '', 'done', 'recorded', $1, $1, $1)`, noon)
	s.exec(t, `INSERT INTO events (event_id, object_type, metric, received_at) VALUES ('e2', 'sms', 'sent', $1)`, noon)

	want := store.EventRow{ID: "e1", ReceivedAt: noon.Add(time.Second), Owed: trivia.Nobody, Event: trivia.Event{
		ObjectType: "in_app", Metric: "clicked", At: noon, Person: "ann", CustomerID: "ann", Email: "a@example.com", CioID: "c1",
		DeliveryID: "d1", Campaign: "1", Broadcast: "2", Newsletter: "3", Action: "4", Transactional: "5", Template: "6",
		Link: "7", Href: "https://example.com", Response: "trivia/capitals/Paris", Failure: "no",
		Machine: true, Prefetched: true, Proxied: true, Synthetic: true,
	}}
	got, payload, err := s.Event(t.Context(), "e1")
	if diff := cmp.Diff(want, got); err != nil || diff != "" || string(payload) != `{"a": 1}` {
		t.Errorf("Event(e1): payload %s, error %v (-want +got):\n%s", payload, err, diff)
	}
	if e, payload, err := s.Event(t.Context(), "e2"); err != nil || payload != nil || !e.At.IsZero() || e.Person != "" {
		t.Errorf("Event(e2) = %+v, %q, %v, want the bare minimum", e, payload, err)
	}
	if _, _, err := s.Event(t.Context(), "e3"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Event(e3): error %v, want ErrNotFound", err)
	}
}

func TestAResponseIsRightOnceTheUserHasWon(t *testing.T) {
	t.Parallel()

	s := newShelf(t)
	s.exec(t, `INSERT INTO users (user_id) VALUES ('ann')`)
	s.exec(t, `INSERT INTO trivia_wins (user_id, trivia_id, item, delivery_key) VALUES ('ann', 'capitals', 'hat', 'k')`)
	s.exec(t, `
		INSERT INTO responses (user_id, trivia_id, event_id, answer, answered_at) VALUES
			('ann', 'capitals', 'e1', 'Paris', $1), ('ann', 'rivers', 'e2', 'Nile', $2), ('bob', 'capitals', 'e3', 'Rome', $3)`,
		noon, noon.Add(time.Minute), noon.Add(2*time.Minute))

	tests := []struct {
		name   string
		filter store.ResponseFilter
		want   string
	}{
		{"everything", store.ResponseFilter{}, "bob capitals Rome false; ann rivers Nile false; ann capitals Paris true; "},
		{"user", store.ResponseFilter{User: "ann"}, "ann rivers Nile false; ann capitals Paris true; "},
		{"trivia", store.ResponseFilter{Trivia: "capitals"}, "bob capitals Rome false; ann capitals Paris true; "},
		{"span", store.ResponseFilter{Since: noon.Add(time.Minute), Until: noon.Add(2 * time.Minute)}, "ann rivers Nile false; "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := ""
			for _, r := range collect(t, s.Responses(t.Context(), tt.filter, store.Page{})) {
				got += fmt.Sprintf("%s %s %s %v; ", r.User, r.Trivia, r.Answer, r.Right)
			}
			if got != tt.want {
				t.Errorf("Responses(%+v) = %s, want %s", tt.filter, got, tt.want)
			}
		})
	}
}
