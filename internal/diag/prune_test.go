package diag_test

import (
	"testing"

	"trivia/internal/diag"
)

func TestPrunedRowsAreCountedByTable(t *testing.T) {
	t.Parallel()

	m := diag.New()
	m.Pruned("events", 5000)
	m.Pruned("events", 7)
	m.Pruned("bodies", 0)
	checkLines(t, m, `trivia_pruned_total{table="events"} 5007`)
}
