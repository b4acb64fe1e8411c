package store

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"trivia/internal/trivia"
)

// TestCommonListingsReadAPageThroughAnIndex holds the indexes of the
// migrations against the statements: a page must not cost more because there
// are more rows behind it.
func TestCommonListingsReadAPageThroughAnIndex(t *testing.T) {
	t.Parallel()

	s := newFilled(t, manyRows...)

	var (
		at        = time.Date(2026, 5, 4, 3, 0, 0, 0, time.UTC)
		win       = WinRow{Win: trivia.Win{User: "user-77", Trivia: "trivia-7"}, At: at}.Cursor()
		delivery  = DeliveryRow{Key: "key-77", Kind: trivia.KindWin, ReceivedAt: at}.Cursor()
		event     = EventRow{ID: "event-77", ReceivedAt: at}.Cursor()
		answer    = ResponseRow{User: "user-77", Trivia: "trivia-7", EventID: "event-77", At: at}.Cursor()
		push      = PushRow{ID: 15000}.Cursor()
		walkFrom  = DeliveryRow{Key: "key-77", Kind: trivia.KindWin, ReceivedAt: at}.Place()
		walkEnds  = DeliveryRow{Key: "key-99", Kind: trivia.KindWin, ReceivedAt: at.Add(time.Hour)}.Place()
		malformed = DeliveryFilter{State: trivia.StateParked, Outcome: trivia.Malformed}
		oldest    = WinRow{Win: trivia.Win{User: "user-77", Trivia: "trivia-7"}, At: at}.Place()
	)
	tests := []struct {
		name  string
		query func(Cursor) (*query, error)
		after Cursor
		index string
		sorts bool // the rows found are few enough to be sorted
	}{
		{"newest deliveries", DeliveryFilter{}.query, "", "deliveries_newest", false},
		{"the next page", DeliveryFilter{}.query, delivery, "deliveries_newest", false},
		{"deliveries of an hour", DeliveryFilter{Since: at, Until: at.Add(time.Hour)}.query, delivery, "deliveries_newest", false},
		{"wins among deliveries", DeliveryFilter{Kind: trivia.KindWin}.query, delivery, "deliveries_newest", false},
		{"what was awarded", DeliveryFilter{Outcome: trivia.Awarded}.query, delivery, "deliveries_newest", false},
		{"a user's deliveries", DeliveryFilter{User: "user-77"}.query, "", "deliveries_by_user", true},
		{"a key's deliveries", DeliveryFilter{Key: "key-77"}.query, "", "deliveries_pkey", true},
		{"what is pending", DeliveryFilter{State: trivia.StatePending}.query, "", "deliveries_due", true},
		{"what is parked", DeliveryFilter{State: trivia.StateParked}.query, "", "deliveries_parked", true},
		{"what is parked and why", DeliveryFilter{State: trivia.StateParked, Outcome: trivia.Malformed}.query, delivery, "deliveries_parked", true},
		{"newest wins", WinFilter{}.query, "", "trivia_wins_newest", false},
		{"the next page of wins", WinFilter{}.query, win, "trivia_wins_newest", false},
		{"a user's wins", WinFilter{User: "user-77"}.query, "", "trivia_wins_pkey", true},
		{"a trivia's wins", WinFilter{Trivia: "trivia-7"}.query, "", "trivia_wins_by_trivia", true},
		{"the next page of a trivia's wins", WinFilter{Trivia: "trivia-7"}.query, win, "trivia_wins_by_trivia", true},
		{"users", UserFilter{}.query, "", "users_pkey", false},
		{"newest events", EventFilter{}.query, "", "events_newest", false},
		{"the next page of events", EventFilter{}.query, event, "events_newest", false},
		{"a person's events", EventFilter{Person: "user-77"}.query, event, "events_by_person", true},
		{"events of a metric", EventFilter{ObjectType: "email", Metric: "rare"}.query, "", "events_by_metric", true},
		{"the next page of a metric's events", EventFilter{ObjectType: "email", Metric: "rare"}.query, event, "events_by_metric", true},
		{"a rare metric of any object", EventFilter{Metric: "rare"}.query, "", "events_by_metric", true},
		{"a campaign's events", EventFilter{Campaign: "campaign-7"}.query, event, "events_by_campaign", true},
		{"newest responses", ResponseFilter{}.query, "", "responses_newest", false},
		{"the next page of responses", ResponseFilter{}.query, answer, "responses_newest", false},
		{"a user's responses", ResponseFilter{User: "user-77"}.query, "", "responses_pkey", true},
		{"a trivia's responses", ResponseFilter{Trivia: "trivia-7"}.query, answer, "responses_by_trivia", true},
		{"newest pushes", pushesBy(PushFilter{}, idSpan{}).query, "", "pushes_pkey", false},
		{"the next page of pushes", pushesBy(PushFilter{}, idSpan{}).query, push, "pushes_pkey", false},
		{"a person's pushes, waiting", pushesBy(PushFilter{Person: "user-77"}, idSpan{}).query, "", "pushes_pending", true},
		{"a person's pushes, the rest", pushesBy(PushFilter{Person: "user-77"}, idSpan{}).query, "", "pushes_settled", true},
		{"a person's pending pushes", pushesBy(PushFilter{Person: "user-77", State: trivia.PushPending}, idSpan{}).query, push, "pushes_pending", true},
		{"a person's sent pushes", pushesBy(PushFilter{Person: "user-77", State: trivia.PushSent}, idSpan{}).query, push, "pushes_settled", true},
		{"parked pushes", pushesBy(PushFilter{State: trivia.PushParked}, idSpan{}).query, push, "pushes_stuck", false},
		{"held pushes", pushesBy(PushFilter{State: trivia.PushHeld}, idSpan{}).query, "", "pushes_stuck", false},
		{"pushes of a span", pushesBy(PushFilter{}, idSpan{10000, 10100}).query, "", "pushes_pkey", false},
		{"a walk through what is pending", PushSet{State: trivia.PushPending}.walk(PushPlace{"user-77", 9}), "", "pushes_pending", false},
		{"a walk through what is parked", PushSet{State: trivia.PushParked}.walk(PushPlace{"user-77", 9000}), "", "pushes_stuck", false},
		{"a walk through a person's", PushSet{Person: "user-77"}.walk(PushPlace{"user-77", 9}), "", "pushes_settled", true},
		{"wins to push", WinSpan{Since: at}.query, "", "trivia_wins_newest", false},
		{"the next page of wins to push", WinSpan{Since: at}.query, oldest, "trivia_wins_newest", false},
		{"a trivia's wins to push", WinSpan{Trivia: "trivia-7", Since: at}.query, oldest, "trivia_wins_by_trivia", true},
		{"oldest deliveries", DeliveryWalk{}.query, "", "deliveries_newest", false},
		{"a walk through deliveries", DeliveryWalk{Through: walkEnds}.query, walkFrom, "deliveries_newest", false},
		{"a walk through what is parked and why", DeliveryWalk{Filter: malformed, Through: walkEnds}.query, walkFrom, "deliveries_parked", true},
		{"a walk through an outcome", DeliveryWalk{Filter: DeliveryFilter{Outcome: trivia.Malformed}}.query, walkFrom, "deliveries_odd", true},
		{"a walk through a trivia's deliveries", DeliveryWalk{Filter: DeliveryFilter{Trivia: "trivia-7", State: trivia.StateParked}}.query, "", "deliveries_parked", true},
		{"what is parked of a trivia", DeliveryFilter{State: trivia.StateParked, Trivia: "trivia-7"}.query, delivery, "deliveries_parked_newest", true},
		{"parked events", DeliveryFilter{State: trivia.StateParked, Kind: trivia.KindEvent}.query, "", "deliveries_parked_newest", true},
		{"odd deliveries of a trivia", DeliveryFilter{Outcome: trivia.Malformed, Trivia: "trivia-7"}.query, "", "deliveries_odd", true},
		{"deliveries of a rare item", DeliveryFilter{Item: "car"}.query, delivery, "deliveries_items", true},
		{"wins of a rare item", WinFilter{Item: "car"}.query, win, "trivia_wins_items", true},
		{"deliveries of a usual item", DeliveryFilter{Item: "hat"}.query, "", "deliveries_newest", false},
		{"events of a rare object", EventFilter{ObjectType: "pigeon"}.query, event, "events_objects", true},
		{"the next page of users", UserFilter{}.query, newCursor("users", "user-77"), "users_pkey", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			plan := s.plan(t, tt.query, tt.after)
			if !strings.Contains(plan, tt.index) {
				t.Errorf("the plan does not use %s:\n%s", tt.index, plan)
			}
			if strings.Contains(plan, "Seq Scan") {
				t.Errorf("the plan reads a whole table:\n%s", plan)
			}
			// Rows of the very same time are put in order as they come, few at once.
			if !tt.sorts && strings.Contains(strings.ReplaceAll(plan, "Incremental Sort", ""), "  Sort  (") {
				t.Errorf("the plan sorts what the index has in order:\n%s", plan)
			}
		})
	}
}

// manyRows are 20,000 wins and deliveries, of which few are not done.
var manyRows = []string{
	`INSERT INTO users (user_id) SELECT 'user-' || i FROM generate_series(1, 5000) AS i`,
	`INSERT INTO trivia_wins (user_id, trivia_id, item, delivery_key, won_at)
		SELECT 'user-' || i % 5000 + 1, 'trivia-' || i % 63, 'hat', 'key-' || i, '2026-05-04'::timestamptz + i * interval '1 s'
		FROM generate_series(1, 20000) AS i`,
	`INSERT INTO deliveries (key, kind, body, body_sha256, state, outcome, user_id, trivia_id, item,
			received_at, last_seen_at, due_at)
		SELECT 'key-' || i, 'win', '{}', '', state,
			CASE state WHEN 'done' THEN 'awarded' WHEN 'parked' THEN 'malformed' END,
			'user-' || i % 5000 + 1, 'trivia-' || i % 63, 'hat',
			'2026-05-04'::timestamptz + i * interval '1 s', now(), CASE state WHEN 'pending' THEN now() END
		FROM generate_series(1, 20000) AS i,
			LATERAL (SELECT CASE WHEN i % 500 = 1 THEN 'pending' WHEN i % 200 = 2 THEN 'parked' ELSE 'done' END) AS s (state)`,
	`INSERT INTO events (event_id, object_type, metric, received_at, person, campaign_id)
		SELECT 'event-' || i, CASE WHEN i % 3 = 0 THEN 'in_app' ELSE 'email' END,
			CASE WHEN i % 700 = 0 THEN 'rare' WHEN i % 11 = 0 THEN 'bounced' ELSE 'opened' END,
			'2026-05-04'::timestamptz + i * interval '1 s',
			CASE WHEN i % 5 > 0 THEN 'user-' || i % 5000 + 1 END, CASE WHEN i % 2 = 0 THEN 'campaign-' || i % 1000 END
		FROM generate_series(1, 20000) AS i`,
	`INSERT INTO responses (user_id, trivia_id, event_id, answer, answered_at)
		SELECT 'user-' || i % 5000 + 1, 'trivia-' || i % 63, 'event-' || i, 'Paris', '2026-05-04'::timestamptz + i * interval '1 s'
		FROM generate_series(1, 20000) AS i`,
	`INSERT INTO pushes (person, kind, cause, cause_id, occurred_at, state, created_at)
		SELECT 'user-' || i % 5000 + 1, 'event', 'win', 'trivia-' || i % 63, now(), state,
			'2026-05-04'::timestamptz + i * interval '1 s'
		FROM generate_series(1, 20000) AS i,
			LATERAL (SELECT CASE WHEN i % 5 = 1 THEN 'pending' WHEN i % 200 = 2 THEN 'parked' WHEN i % 100 = 3 THEN 'held' ELSE 'sent' END) AS s (state)`,
	`ANALYZE users, trivia_wins, deliveries, events, responses, pushes`,
}

// walk is what a walk through a set asks for, behind a place.
func (s PushSet) walk(after PushPlace) func(Cursor) (*query, error) {
	return func(Cursor) (*query, error) { return s.query(after, 20000), nil }
}

func (s *Store) plan(t *testing.T, build func(Cursor) (*query, error), after Cursor) string {
	t.Helper()

	q, err := build(after)
	if err != nil {
		t.Fatal(err)
	}
	sql, args := q.text(50)
	rows, err := s.pool.Query(t.Context(), "EXPLAIN "+sql, args)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}

	return strings.Join(lines, "\n")
}
