package store

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// TestAPieceForTheWarehouseCostsTheSameHoweverMuchThereIs holds the indexes
// against the statements, with old statistics, too.
func TestAPieceForTheWarehouseCostsTheSameHoweverMuchThereIs(t *testing.T) {
	t.Parallel()

	s := newFilled(t, slices.Concat([]string{`ANALYZE events, trivia_wins, deliveries`}, manyRows[:len(manyRows)-1], []string{
		`INSERT INTO deliveries (key, kind, body, body_sha256, state, outcome, received_at, last_seen_at)
			SELECT event_id, 'event', '{}', '', 'done', 'recorded', received_at, received_at FROM events`,
		`INSERT INTO warehouse_positions (sink, what, cluster, written, at, key)
			SELECT 'w', 'customerio_events', '', written, received_at, event_id FROM events WHERE event_id = 'event-19000'`,
		`INSERT INTO warehouse_positions (sink, what, cluster, written, at, key, key2)
			SELECT 'w', 'trivia_wins', '', written, won_at, user_id, trivia_id FROM trivia_wins ORDER BY won_at DESC LIMIT 1`,
	})...)

	var written uint64
	if err := s.pool.QueryRow(t.Context(), `SELECT written FROM events LIMIT 1`).Scan(&written); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 5, 4, 3, 0, 0, 0, time.UTC)
	tests := []struct {
		name, sql, index string
		args             []any
		pages            int // that may be touched
	}{
		{"events", writtenEvents, "events_by_written", []any{written, at, "event-77", 100}, 1000},
		{"the first events", writtenEvents, "events_by_written", []any{uint64(0), time.Time{}, "", 100}, 1000},
		{"events ahead", aheadEvents, "events_by_written", []any{uint64(0), time.Time{}, "", 100}, 20},
		{"events by when they came", receivedEvents, "events_newest", []any{at, "event-77", at.Add(time.Hour), 100}, 1000},
		{"wins", writtenWins, "trivia_wins_by_written", []any{written, at, "user-77", "trivia-7", 100}, 200},
		{"wins ahead", aheadWins, "trivia_wins_by_written", []any{uint64(0), time.Time{}, "", "", 100}, 20},
		{"wins by when they were won", wonWins, "trivia_wins_newest", []any{at, "user-77", "trivia-7", at.Add(time.Hour), 100}, 400},
		{"how far it is", listWarehouses, "events_by_written", []any{pgx.NamedArgs{"most": 1}}, 100},
	}
	for _, tt := range tests {
		for _, analyzed := range []bool{false, true} {
			if analyzed {
				if _, err := s.pool.Exec(t.Context(), `ANALYZE events, trivia_wins, deliveries, warehouse_positions`); err != nil {
					t.Fatal(err)
				}
			}
			plan := s.explainIn(t, inOrder, tt.sql, tt.args)
			if !strings.Contains(plan, tt.index) || strings.Contains(plan, "Seq Scan on events") || strings.Contains(plan, "Seq Scan on trivia_wins") {
				t.Errorf("%s, analyzed %t: the plan does not use %s, or reads a whole table:\n%s", tt.name, analyzed, tt.index, plan)
			}
			run, _, _ := strings.Cut(plan, "Planning:")
			if n := touched(t, run); n > tt.pages {
				t.Errorf("%s, analyzed %t: %d pages were touched, want at most %d:\n%s", tt.name, analyzed, n, tt.pages, plan)
			}
		}
	}
}
