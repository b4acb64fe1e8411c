package store

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// TestWhatOperatorsAskForIsFoundThroughIndexes does for the operators' further
// listings what the test of the common ones does.
func TestWhatOperatorsAskForIsFoundThroughIndexes(t *testing.T) {
	t.Parallel()

	s := newFilled(t, append(slices.Clone(manyRows),
		`INSERT INTO prizes (user_id, trivia_id, item, granted_at, revoked_at)
			SELECT user_id, trivia_id, item, won_at, CASE WHEN random() < 0.01 THEN now() END FROM trivia_wins`,
		`INSERT INTO audit_log (at, actor, verb, target, detail)
			SELECT '2026-05-04'::timestamptz + i * interval '1 s', 'ann@desk', 'push hold', '1 push', jsonb_build_object('pushes', jsonb_build_array(i))
			FROM generate_series(1, 20000) AS i`,
		`INSERT INTO trivias (trivia_id, closed_at) SELECT 'closed-' || i, now() FROM generate_series(1, 2000) AS i`,
		`ANALYZE prizes, audit_log, trivias`)...)

	var (
		at    = time.Date(2026, 5, 4, 3, 0, 0, 0, time.UTC)
		deed  = DeedRow{ID: "6f0e1b5e-6a9c-4f0e-9d5a-2b1c3d4e5f60", At: at}.Cursor()
		prize = PrizeRow{User: "user-77", Trivia: "trivia-7", place: at}.Cursor()
	)
	for _, tt := range []struct {
		name  string
		query func(Cursor) (*query, error)
		after Cursor
		index string
		sorts bool
	}{
		{"newest acts", DeedFilter{}.query, "", "audit_log_newest", false},
		{"the next page of acts", DeedFilter{}.query, deed, "audit_log_newest", false},
		{"acts on something", DeedFilter{Target: "somebody"}.query, deed, "audit_log_by_target", true},
		{"newest prizes", PrizeFilter{}.query, "", "trivia_wins_newest", false},
		{"the next page of prizes", PrizeFilter{}.query, prize, "trivia_wins_newest", false},
		{"a trivia's prizes", PrizeFilter{Trivia: "trivia-7"}.query, prize, "trivia_wins_by_trivia", true},
		{"a user's prizes", PrizeFilter{User: "user-77"}.query, "", "trivia_wins_pkey", true},
		{"revoked prizes", PrizeFilter{Revoked: true}.query, prize, "prizes_revoked", true},
		{"trivias", triviasBehind, "", "trivia_wins_by_trivia", true},
		{"the next page of trivias", triviasBehind, TriviaRow{ID: "trivia-7"}.Cursor(), "trivias_pkey", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			plan := s.plan(t, tt.query, tt.after)
			if !strings.Contains(plan, tt.index) || strings.Contains(plan, "Seq Scan") {
				t.Errorf("the plan does not use %s, or reads a whole table:\n%s", tt.index, plan)
			}
			if !tt.sorts && strings.Contains(strings.ReplaceAll(plan, "Incremental Sort", ""), "  Sort  (") {
				t.Errorf("the plan sorts what the index has in order:\n%s", plan)
			}
		})
	}

	subject := deedSubject{User: "user-77", Trivia: "trivia-7", Keys: []string{"key-77", "key-78"}, Pushes: []int64{77, 78}}
	named := pgx.NamedArgs{"user": "user-77", "trivia": "trivia-7", "keys": []string{"key-77"}, "limit": 100}
	for _, tt := range []struct {
		name, sql string
		args      pgx.NamedArgs
		pages     int
	}{
		{"a page of trivias", listTrivias, pgx.NamedArgs{"after_trivia": "trivia-3", "limit": 30}, 1500},
		{"acts about a chain", deedsAbout, subject.args(100), 300},
		{"a chain's ends", chainEnds, named, 300},
		{"a chain's deliveries", chainDeliveries, named, 300},
		{"a chain's answers", chainAnswers, named, 300},
		{"a chain's pushes", chainPushes, named, 300},
		{"a chain's standing", chainStanding, named, 300},
		{"what is known of a trivia", findTrivia, named, 300},
		{"an earlier revocation", revokedBefore, named, 300},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			plan := s.explain(t, tt.sql, []any{tt.args})
			if strings.Contains(plan, "Seq Scan on audit_log") || strings.Contains(plan, "Seq Scan on deliveries") || strings.Contains(plan, "Seq Scan on pushes") {
				t.Errorf("the plan reads a whole table:\n%s", plan)
			}
			if n := touched(t, plan); n > tt.pages {
				t.Errorf("%d pages were touched, want at most %d:\n%s", n, tt.pages, plan)
			}
		})
	}
	t.Run("checks of a day", func(t *testing.T) {
		t.Parallel()
		s.checksOfADay(t)
	})
}

// checksOfADay makes sure that checks of a span look up what they compare with,
// instead of reading all of it, where the span is short.
func (s *Store) checksOfADay(t *testing.T) {
	t.Helper()

	c := Checks{Since: time.Date(2026, 5, 4, 5, 33, 0, 0, time.UTC), PendingFor: time.Minute, WinsPushed: true, Rows: 3}
	err := s.look(t.Context(), time.Minute, func(tx pgx.Tx) error {
		if err := c.prepare(t.Context(), tx); err != nil {
			return err
		}
		scope, err := c.scope(t.Context(), tx)
		if err != nil {
			return err
		}
		for _, one := range checks() {
			if one.time == "" {
				continue
			}
			if err := scope.join(t.Context(), tx, one); err != nil {
				return err
			}
			plan := explainCheck(t.Context(), t, tx, scope, one)
			for _, table := range []string{"deliveries", "trivia_wins", "prizes", "pushes", "events"} {
				if strings.Contains(plan, "Seq Scan on "+table) {
					t.Errorf("%s reads all of %s:\n%s", one.name, table, plan)
				}
			}
		}

		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func explainCheck(ctx context.Context, t *testing.T, tx pgx.Tx, scope checkScope, c check) string {
	t.Helper()

	sql := "SELECT " + c.row + scope.where(c) + " AND " + c.bad
	lines, err := all(ctx, tx, "EXPLAIN "+sql, scope.args, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}

	return strings.Join(lines, "\n")
}
