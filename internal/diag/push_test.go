package diag_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"trivia/internal/diag"
)

func TestAScrapeShowsWhatWasPushed(t *testing.T) {
	t.Parallel()

	m := diag.New()
	m.PushCall("attributes", "200", 3*time.Millisecond)
	m.PushCall("attributes", "429", 30*time.Millisecond)
	m.PushCall("event", "none", 10*time.Second)
	m.PushSettled("sent")
	m.PushSettled("sent")
	m.PushSettled("parked")
	checkLines(t, m,
		`trivia_push_calls_total{answer="200",call="attributes"} 1`,
		`trivia_push_calls_total{answer="429",call="attributes"} 1`,
		`trivia_push_calls_total{answer="none",call="event"} 1`,
		`trivia_push_seconds_count{call="attributes"} 2`,
		`trivia_push_seconds_bucket{call="event",le="16.384"} 1`,
		`trivia_pushes_settled_total{state="sent"} 2`,
		`trivia_pushes_settled_total{state="parked"} 1`,
	)
}

func TestSendingIsPausedForOneReason(t *testing.T) {
	t.Parallel()

	m := diag.New()
	for _, reason := range []string{"down", "rate", "", "credentials"} {
		m.PushPaused(reason)
		var want []string
		if reason != "" {
			want = []string{`trivia_push_paused{reason="` + reason + `"} 1`}
		}
		if got := scrape(t, m, "trivia_push_paused"); !slices.Equal(got, want) {
			t.Errorf("/metrics shows %q, want %q", got, want)
		}
	}
}

func TestPushesThatWaitAreReadAtAScrape(t *testing.T) {
	t.Parallel()

	m := diag.New()
	var fault error
	m.PushBacklog(func(ctx context.Context) (pending, held, parked int64, err error) {
		if _, bounded := ctx.Deadline(); !bounded {
			t.Error("there is no end to it")
		}

		return 7, 5, 3, fault
	})
	checkLines(t, m, "trivia_pushes_waiting 7", "trivia_pushes_held 5", "trivia_pushes_parked 3")

	fault = errors.New("no database")
	if lines := scrape(t, m, "trivia_pushes_"); slices.Contains(lines, "trivia_pushes_waiting 7") {
		t.Errorf("/metrics shows an old number: %q", lines)
	}
}
