package receiver_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"trivia/internal/diag"
	"trivia/internal/receiver"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// BenchmarkCountingABatch is what the metrics of deliveries cost in all, for a
// batch of 64.
func BenchmarkCountingABatch(b *testing.B) {
	now := time.Now()
	arrivals, receipts := make([]store.Arrival, 64), make([]store.Receipt, 64)
	for i := range arrivals {
		arrivals[i] = store.Arrival{
			Kind: trivia.KindEvent, Key: fmt.Sprint(i), At: now, Event: trivia.Event{At: now.Add(-time.Duration(i) * time.Second)},
		}
		receipts[i] = store.Receipt{State: trivia.StateDone, Outcome: trivia.Recorded}
	}
	in := receiver.NewIntake(nil, diag.New(), nil, time.Now, nil)

	b.ReportAllocs()
	for b.Loop() {
		in.Count(arrivals, receipts)
	}
}

func TestABatchTellsHowLateItsEventsAreAndWhenTheLastOneCame(t *testing.T) {
	t.Parallel()

	noon := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	m := diag.New()
	in := receiver.NewIntake(nil, m, nil, time.Now, nil)
	event := func(at, occurred time.Time) store.Arrival {
		return store.Arrival{Kind: trivia.KindEvent, At: at, Event: trivia.Event{At: occurred}}
	}
	arrivals := []store.Arrival{
		event(noon, noon.Add(-time.Hour)), event(noon.Add(time.Second), noon.Add(-time.Hour)), event(noon, noon.Add(time.Minute)),
		event(noon, time.Time{}), event(noon, time.Unix(0, 0)), event(noon, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)),
		{Kind: trivia.KindWin, At: noon.Add(-time.Minute)},
	}
	in.Count(arrivals, make([]store.Receipt, len(arrivals)))

	w := httptest.NewRecorder()
	diag.Handler(m, &diag.Refusals{}).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody))
	lines := strings.Split(w.Body.String(), "\n")
	for _, want := range []string{
		"trivia_event_lag_seconds_count 3", "trivia_event_lag_seconds_sum 7201", `trivia_event_lag_seconds_bucket{le="1"} 1`,
		`trivia_last_delivery_timestamp_seconds{route="event"} 1.777896001e+09`, `trivia_last_delivery_timestamp_seconds{route="win"} 1.77789594e+09`,
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("/metrics has no line %q", want)
		}
	}
}
