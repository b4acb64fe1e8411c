package customerio_test

import (
	"regexp"
	"testing"
	"time"

	"trivia/internal/customerio"
)

func TestEventID(t *testing.T) {
	t.Parallel()

	// The time is the one of the example in the ULID specification.
	at := time.UnixMilli(1469918176385)
	id := customerio.EventID(at, "trivia_prize_awarded", "u1", "t1")
	if !regexp.MustCompile(`^01ARYZ6S41[0-9A-HJKMNP-TV-Z]{16}$`).MatchString(id) {
		t.Errorf("EventID = %q, want a ULID that begins with 01ARYZ6S41", id)
	}
	if again := customerio.EventID(at.In(time.FixedZone("", 3600)).Add(time.Microsecond), "trivia_prize_awarded", "u1", "t1"); again != id {
		t.Errorf("EventID of the same = %q, want %q", again, id)
	}

	for name, other := range map[string]string{
		"another word":        customerio.EventID(at, "trivia_prize_awarded", "u1", "t2"),
		"another split":       customerio.EventID(at, "trivia_prize_awarded", "u1t", "1"),
		"another order":       customerio.EventID(at, "trivia_prize_awarded", "t1", "u1"),
		"a millisecond later": customerio.EventID(at.Add(time.Millisecond), "trivia_prize_awarded", "u1", "t1"),
	} {
		if other == id {
			t.Errorf("EventID of %s is the same", name)
		}
	}

	if first, last := customerio.EventID(time.Time{}), customerio.EventID(time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)); first[:10] != "0000000000" || last <= id {
		t.Errorf("EventID of the zero time = %q, of the year 9999 = %q, of 2016 = %q: want them in order", first, last, id)
	}
}
