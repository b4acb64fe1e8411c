package store

import (
	"strings"
	"testing"
	"time"

	"trivia/internal/stream"
)

// TestAnOverviewReadsOnlyWhatItTellsOf is the plans test of the statements that
// a screen asks every second.
func TestAnOverviewReadsOnlyWhatItTellsOf(t *testing.T) {
	t.Parallel()

	s := newFilled(t, manyRows...)

	at := time.Date(2026, 5, 4, 3, 0, 0, 0, time.UTC)
	minute := []any{at, at.Add(time.Minute)}
	for _, tt := range []struct {
		name, sql string
		args      []any
		indexes   string
		most      int // pages
	}{
		{"the latest", overviewLatest, nil, "deliveries_newest trivia_wins_newest", 20},
		{"how the latest came", streamsLatest, nil, "deliveries_newest events_newest trivia_wins_newest", 120},
		{"how late they are", streamsLag, []any{stream.SampleGap, stream.MostLag, stream.MostAhead}, "events_newest", 120},
		{"pauses of events", pausesOfEvents, []any{at.Add(-time.Hour), at, pauseSpan}, "events_newest", 120},
		{"pauses of wins", pausesOfWins, []any{at.Add(-time.Hour), at, pauseSpan}, "trivia_wins_newest", 120},
		{"what is pending", overviewPending, nil, "deliveries_due", 120},
		{"what is parked", overviewParked, nil, "deliveries_parked", 200},
		{"a minute of deliveries", minutesOfDeliveries, minute, "deliveries_newest", 120},
		{"a minute of wins", minutesOfWins, minute, "trivia_wins_newest", 120},
		{"wins of a few trivias", countWinsOf, []any{[]string{"trivia-7", "trivia-8"}, MostWinsCounted}, "trivia_wins_by_trivia", 700},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			plan, _, _ := strings.Cut(s.explain(t, tt.sql, tt.args), "Planning:")
			for index := range strings.FieldsSeq(tt.indexes) {
				if !strings.Contains(plan, index) {
					t.Errorf("the plan does not use %s:\n%s", index, plan)
				}
			}
			if strings.Contains(plan, "Sort") && strings.Contains(tt.sql, "GROUP BY at") {
				t.Errorf("the plan sorts all rows:\n%s", plan)
			}
			if n := touched(t, plan); n > tt.most || strings.Contains(plan, "Seq Scan") {
				t.Errorf("the plan touches %d pages, want at most %d and no whole table:\n%s", n, tt.most, plan)
			}
		})
	}
}
