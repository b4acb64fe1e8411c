package store

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// TestProvingALoadReadsNothingButItsRows holds the indexes against the
// statements that prove and remove what a load has written: they can do without
// reading a whole table, which is what they would rather do with one so small.
func TestProvingALoadReadsNothingButItsRows(t *testing.T) {
	t.Parallel()

	s := newFilled(t, manyRows...)

	some := func(name string, n int) []string {
		words := make([]string, n)
		for i := range words {
			words[i] = fmt.Sprint(name, i)
		}

		return words
	}
	args := pgx.NamedArgs{"keys": some("key-", 20), "users": some("user-", 20), "trivia": "", "prefix": "user-"}
	for name, sql := range map[string]string{
		"prove wins": proveWins, "prove events": proveEvents, "count what was awarded": countAwarded,
		"count what is pending": countPendingOf, "count what is kept": countKept,
		"remove deliveries": removeDeliveries, "remove events": removeEvents, "remove responses": removeResponses,
		"remove pushes": removePushes, "remove wins": removeWins, "remove users": removeUsers,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			tx, err := s.pool.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = tx.Rollback(t.Context()) }()
			if _, err := tx.Exec(t.Context(), `SET LOCAL enable_seqscan = off`); err != nil {
				t.Fatal(err)
			}
			rows, err := tx.Query(t.Context(), "EXPLAIN "+sql, args)
			if err != nil {
				t.Fatal(err)
			}
			lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil {
				t.Fatal(err)
			}
			if plan := strings.Join(lines, "\n"); strings.Contains(plan, "Seq Scan") {
				t.Errorf("the plan reads a whole table:\n%s", plan)
			}
		})
	}
}
