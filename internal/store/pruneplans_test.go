package store

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// TestPruningAndForgettingReadThroughAnIndex holds the indexes against the
// statements: a batch must not cost more because there is more behind it, nor
// one person because there are others.
func TestPruningAndForgettingReadThroughAnIndex(t *testing.T) {
	t.Parallel()

	s := newFilled(t, append(slices.Clone(manyRows),
		`UPDATE pushes SET settled_at = created_at WHERE state IN ('sent', 'parked')`,
		`INSERT INTO trivias (trivia_id, closed_at, sealed_at) VALUES ('trivia-7', now(), now())`,
		`INSERT INTO forget_key (key) VALUES ('\x0102')`,
		`INSERT INTO forgotten (hash) SELECT sha256(i::text::bytea) FROM generate_series(1, 20000) AS i`,
		`VACUUM ANALYZE pushes, forgotten`,
	)...)

	var (
		at     = time.Date(2026, 5, 4, 3, 0, 0, 0, time.UTC)
		before = at.Add(time.Hour)
		walk   = pgx.NamedArgs{
			"before": before, "parked": true, "limit": 100, "at": at, "key": "key-77", "kind": "win", "rival": []byte{},
			"after_id": 9000, "to_id": 12000, "trivia": "trivia-7", "user": "user-77",
		}
		who = pgx.NamedArgs{
			"user": "user-77", "name": "user-77", "names": []string{"user-77", "cio_1"}, "limit": 100,
			"events": []string{"event-76", "event-5076"}, "person": "user-77",
		}
	)
	tests := []struct {
		name, sql string
		args      pgx.NamedArgs
		pages     int // that may be touched
	}{
		{"prune deliveries", pruneDeliveries(deliveryEnded+" AND "+eventIsGone, deleteDeliveries), walk, 3000},
		{"blank bodies", pruneDeliveries(bodyUsed, blankBodies), walk, 4000},
		{"prune events", pruneEvents, walk, 1500},
		{"prune pushes", prunePushes, walk, 1500},
		{"prune wins", pruneWins, walk, 1500},
		{"find names", findNames, who, 200},
		{"hash wins", hashWins, who, 300},
		{"blank wins", blankWins, who, 400},
		{"find events", findTheirEvents, who, 100},
		{"blank event deliveries", blankEventDeliveries, who, 200},
		{"blank events", blankEvents, who, 200},
		{"forget responses", forgetResponses, who, 200},
		{"forget pushes", forgetPushes, who, 300},
		{"forget people", forgetPeople, who, 100},
		{"forget prizes", forgetPrizes, who, 100},
		{"forget wins", forgetWins, who, 200},
		{"look for a suppression", suppressionWaits, who, 100},
	}
	for _, tt := range tests {
		plan := s.explain(t, tt.sql, []any{tt.args})
		// The key is one row, and the audit log is of people.
		read := strings.ReplaceAll(plan, "Seq Scan on forget_key", "")
		if strings.Contains(read, "Seq Scan") {
			t.Errorf("%s reads a whole table:\n%s", tt.name, plan)
		}
		if n := touched(t, plan); n > tt.pages {
			t.Errorf("%s: %d pages were touched, want at most %d:\n%s", tt.name, n, tt.pages, plan)
		}
	}
}

// TestForgettingCostsAnAwardNothingWhereNobodyWasForgotten looks at the plan
// that intake runs.
func TestForgettingCostsAnAwardNothingWhereNobodyWasForgotten(t *testing.T) {
	t.Parallel()

	s := newFilled(t, `INSERT INTO users SELECT 'u' || i FROM generate_series(1, 100) AS i`)

	const asked = `
		SELECT count(*) FROM (SELECT 'u' || i, 't' FROM generate_series(1, 100) AS i) AS a (user_id, trivia_id) WHERE NOT ` + wonForgotten
	never := func() bool {
		return strings.Contains(s.explain(t, asked, nil), "(never executed)")
	}
	if !never() {
		t.Error("each win is looked for among the forgotten, though there are none")
	}
	if _, err := s.pool.Exec(t.Context(), `INSERT INTO forget_key (key) VALUES ('\x0102')`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.pool.Exec(t.Context(), `INSERT INTO forgotten (hash) SELECT forgotten_hash('\x0102', 'u7', 't')`); err != nil {
		t.Fatal(err)
	}
	plan := s.explain(t, asked, nil)
	if strings.Contains(plan, "never executed") || !strings.Contains(plan, "forgotten_pkey") {
		t.Errorf("the forgotten are not looked for through an index:\n%s", plan)
	}
	var n int
	if err := s.pool.QueryRow(t.Context(), asked).Scan(&n); err != nil || n != 99 {
		t.Errorf("%d of 100 were never won, %v, want 99", n, err)
	}
}
