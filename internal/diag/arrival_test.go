package diag_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"trivia/internal/diag"
)

func TestLagsFallIntoBucketsFromASecondToAWeek(t *testing.T) {
	t.Parallel()

	m := diag.New()
	for _, lag := range []time.Duration{0, time.Second, 90 * time.Minute, 6 * 24 * time.Hour, 20 * 24 * time.Hour} {
		m.EventLag(lag)
	}
	checkLines(t, m,
		`trivia_event_lag_seconds_bucket{le="1"} 2`, `trivia_event_lag_seconds_bucket{le="3600"} 2`,
		`trivia_event_lag_seconds_bucket{le="7200"} 3`, `trivia_event_lag_seconds_bucket{le="604800"} 4`,
		`trivia_event_lag_seconds_count 5`)
}

func TestTheLastDeliveryIsThatOfTheProcessOrOfTheOneBefore(t *testing.T) {
	t.Parallel()

	m := diag.New()
	if lines := scrape(t, m, "trivia_last_delivery"); len(lines) != 0 {
		t.Errorf("before anything is known, /metrics has %q", lines)
	}

	asked, fault := 0, errors.New("no database yet")
	m.LastDeliveries(func(ctx context.Context) (map[string]time.Time, error) {
		if _, bounded := ctx.Deadline(); !bounded {
			t.Error("there is no end to it")
		}
		asked++

		return map[string]time.Time{"event": time.Unix(1000, 0), "win": time.Unix(2000, 0), "never": {}}, fault
	})
	m.Kept("win", time.Unix(1500, 0))
	checkLines(t, m, `trivia_last_delivery_timestamp_seconds{route="win"} 1500`)

	fault = nil
	checkLines(t, m, `trivia_last_delivery_timestamp_seconds{route="win"} 2000`, `trivia_last_delivery_timestamp_seconds{route="event"} 1000`)
	if lines := scrape(t, m, `trivia_last_delivery_timestamp_seconds{route="never"}`); len(lines) != 0 {
		t.Errorf("of what never came, /metrics has %q", lines)
	}

	m.Kept("event", time.Unix(3000, 500_000_000))
	m.Kept("event", time.Unix(2999, 0)) // a batch that came before, and was slower
	checkLines(t, m, `trivia_last_delivery_timestamp_seconds{route="event"} 3000.5`)
	if asked != 2 {
		t.Errorf("the database was asked %d times, want until it has answered", asked)
	}
}

func TestReadinessIsAMetric(t *testing.T) {
	t.Parallel()

	m, fault := diag.New(), error(nil)
	h := diag.Handler(m, &diag.Refusals{}, nil, func(context.Context) error { return fault })
	for want, err := range map[string]error{"trivia_ready 1": nil, "trivia_ready 0": errors.New("no database")} {
		fault = err
		if _, body := get(t, h, "/metrics"); !slices.Contains(linesOf(body), want) {
			t.Errorf("while %v, /metrics has no %q", err, want)
		}
	}
}
