package store

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// TestPushingCostsTheSameHoweverMuchWaits holds the indexes against the
// statements of the queue, right after a flood, when the statistics are old,
// and later. Half of all are one person's.
func TestPushingCostsTheSameHoweverMuchWaits(t *testing.T) {
	t.Parallel()

	s := newFilled(t,
		`ANALYZE pushes, push_people, trivia_wins`,
		`INSERT INTO pushes (person, kind, cause, cause_id, occurred_at, state, status)
		SELECT CASE WHEN n % 2 = 0 THEN 'busy' ELSE 'p' || n END, 'event', 'win', 't' || n % 50, now(),
			CASE n % 8 WHEN 0 THEN 'pending' WHEN 1 THEN 'pending' WHEN 2 THEN 'parked' WHEN 3 THEN 'held' ELSE 'sent' END,
			CASE WHEN n % 8 = 2 THEN 401 END
		FROM generate_series(1, 80000) AS n`,
		`INSERT INTO push_people (person, leased_until)
		SELECT 'p' || n, now() + CASE WHEN n < 100 THEN interval '1 hour' ELSE '-1 hour' END FROM generate_series(1, 80000) AS n`,
		`INSERT INTO users (user_id) VALUES ('busy')`,
		`INSERT INTO trivia_wins (user_id, trivia_id, item, delivery_key) SELECT 'busy', 't' || n, 'mug', 'k' FROM generate_series(1, 50) AS n`,
	)

	after := "p4"
	people := []string{"busy", "p1", "p9", "p17"}
	tests := []struct {
		name, sql string
		args      []any
		index     string
		pages     int // that may be touched
	}{
		{"claim", claimTurns, []any{(*string)(nil), 64, maxLooked, time.Minute}, "pushes_pending", 3000},
		{"claim behind somebody", claimTurns, []any{&after, 64, maxLooked, time.Minute}, "pushes_pending", 3000},
		{"read", readPushes, []any{people, 100}, "pushes_pending", 1500},
		{"read wins", readWins, []any{people}, "trivia_wins_pkey", 300},
		{"end pushes", endPushes, []any{
			[]string{"busy", "p1"}, []int64{8, 1}, []string{"sent", "sent"}, []int{200, 200}, []string{"", ""}, []int{1, 1},
		}, "pushes_p", 300},
		{"end turns", endTurns, []any{
			[]string{"p1", "p9"}, []time.Time{{}, {}}, []float64{0, 0}, []int{0, 0}, []string{"{}", "{}"}, []*time.Time{nil, nil},
		}, "push_people_pkey", 100},
		{"release held", releaseHeld, []any{int64(0), 100, "no credentials"}, "pushes_stuck", 30000},
		{"release refused", releaseRefused, []any{int64(0), 100, 401}, "pushes_stuck", 4000},
	}
	for _, analyzed := range []bool{false, true} {
		if analyzed {
			s.do(t, `ANALYZE pushes, push_people, trivia_wins`)
		}
		for _, tt := range tests {
			plan := s.explain(t, tt.sql, tt.args)
			if !strings.Contains(plan, tt.index) || strings.Contains(plan, "Seq Scan") {
				t.Errorf("%s, analyzed %v: the plan does not use %s, or reads a whole table:\n%s", tt.name, analyzed, tt.index, plan)
			}
			if n := touched(t, plan); n > tt.pages {
				t.Errorf("%s, analyzed %v: %d pages were touched, want at most %d:\n%s", tt.name, analyzed, n, tt.pages, plan)
			}
		}
	}
}

// explain runs a statement as the queue does, takes back what it has done, and
// returns its plan.
func (s *Store) explain(t *testing.T, sql string, args []any) string {
	t.Helper()

	return s.explainIn(t, quick, sql, args)
}

// explainIn is explain in a transaction that begins with another statement.
func (s *Store) explainIn(t *testing.T, begin, sql string, args []any) string {
	t.Helper()

	var lines []string
	tx, err := s.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	if _, err := tx.Exec(t.Context(), begin); err != nil {
		t.Fatal(err)
	}
	rows, err := tx.Query(t.Context(), "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, COSTS OFF) "+sql, args...)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	if lines, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}

	return strings.Join(lines, "\n")
}

var hits = regexp.MustCompile(`Buffers: shared hit=(\d+)`)

// touched returns how many pages the root of a plan has touched.
func touched(t *testing.T, plan string) int {
	t.Helper()

	most := 0
	for _, found := range hits.FindAllStringSubmatch(plan, -1) {
		n, err := strconv.Atoi(found[1])
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, n)
	}

	return most
}
