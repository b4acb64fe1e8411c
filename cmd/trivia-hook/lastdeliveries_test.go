package main

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

// A restart is no silence, and what makes no sense of time is kept and no lag.
func TestTheLastDeliveryIsKnownAfterARestart(t *testing.T) {
	t.Parallel()

	db := newPostgres(t)
	p := start(t, on(db.url))
	s := newSender(t, 1)
	for _, body := range []string{
		`{"event_id":"e1","metric":"sent","timestamp":1}`, `{"event_id":"e2","metric":"sent","timestamp":253402300799}`,
		`{"event_id":"e3","metric":"sent"}`,
		`{"event_id":"e4","metric":"sent","timestamp":` + strconv.FormatInt(time.Now().Add(-2*time.Hour).Unix(), 10) + `}`,
	} {
		if a := s.tell(p.public, []byte(body)); a.Outcome != "recorded" {
			t.Fatalf("%s was answered %+v, want recorded", body, a)
		}
	}
	last := func(p *program) (line string) {
		_, metrics := get(t, p.private+"/metrics")
		for l := range strings.Lines(metrics) {
			if strings.HasPrefix(l, `trivia_last_delivery_timestamp_seconds{route="event"} `) {
				line = l
			}
		}
		if !strings.Contains(metrics, "trivia_ready 1\n") {
			t.Errorf("/metrics does not say that it is ready:\n%s", ours(metrics))
		}

		return line
	}
	if _, metrics := get(t, p.private+"/metrics"); !strings.Contains(metrics, "trivia_event_lag_seconds_count 1\n") {
		t.Errorf("/metrics does not count one lag:\n%s", ours(metrics))
	}
	before := last(p)
	p.kill(t)

	p = start(t, on(db.url))
	if after := last(p); before == "" || after != before {
		t.Errorf("after a restart the last delivery is %q, want %q", after, before)
	}
}
