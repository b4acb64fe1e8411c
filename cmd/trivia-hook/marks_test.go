package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"trivia/internal/config"
	"trivia/internal/customerio"
	"trivia/internal/signature"
)

// stampedAt sends a win as one whose clock is off would.
func (s *sender) stampedAt(base string, w win, at time.Time) answer {
	body := w.body()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, base+customerio.PathWin, bytes.NewReader(body))
	if err != nil {
		return answer{err: err}
	}
	stamp := strconv.FormatInt(at.Unix(), 10)
	req.Header.Set(signature.HeaderTimestamp, stamp)
	req.Header.Set(signature.HeaderSignature, signature.Sign(s.action, stamp, body))
	req.Header.Set(customerio.HeaderIdempotencyKey, w.key)

	return s.do(req)
}

// Clocks that are off, ours or the sender's, hold nothing up.
func TestTimestampsThatAreFarAreTakenAndMarked(t *testing.T) {
	t.Parallel()

	db := newPostgres(t)
	p := start(t, on(db.url))
	s := newSender(t, 1)
	for n, off := range []time.Duration{-24 * time.Hour, -10 * time.Minute, -time.Minute, 0, time.Minute, 10 * time.Minute, 24 * time.Hour} {
		w := win{fmt.Sprint("k", n), fmt.Sprint("user-", n+1), "clocks", "mug"}
		if a := s.stampedAt(p.public, w, time.Now().Add(off)); a.err != nil || a.status != 200 || a.Outcome != "awarded" {
			t.Errorf("stamped %v from now, a win was answered %+v, want an award", off, a)
		}
	}
	db.want(t, `SELECT string_agg(key, ' ' ORDER BY key) FROM deliveries WHERE marks = '{late}'`, "k0 k1 k5 k6")
	db.want(t, `SELECT count(*)::text FROM prizes`, "7")
	if _, metrics := get(t, p.private+"/metrics"); !strings.Contains(metrics, "trivia_marked_total{kind=\"win\",mark=\"late\"} 4\n") ||
		!strings.Contains(metrics, "trivia_stamp_distance_seconds_count{route=\"win\"} 7\n") {
		t.Error(ours(metrics))
	}
}

func TestAToleranceThatIsSetRefuses(t *testing.T) {
	t.Parallel()

	db := newPostgres(t)
	p := start(t, on(db.url).with(env{config.SignatureTolerance: "5m"}))
	if a := newSender(t, 1).stampedAt(p.public, nthWin(1), time.Now().Add(-10*time.Minute)); a.status != 401 {
		t.Errorf("what is too old was answered %+v, want 401", a)
	}
	if said := p.logged(t, "signed requests are refused when clocks differ, and hold back all behind them"); len(said) != 1 {
		t.Errorf("the start says of it %q, want one line", said)
	}
}

// What names a win is in no signed byte.
func TestTwoPeopleUnderOneKeyBothWin(t *testing.T) {
	t.Parallel()

	db := newPostgres(t)
	e := on(db.url)
	p := start(t, e)
	s := newSender(t, 1)
	for _, key := range []string{"one-key", "unsent", "00000000-0000-0000-0000-000000000000"} {
		for _, user := range []string{"user-1", "user-2", "user-3"} {
			for _, status := range []string{"accepted", "duplicate"} {
				if a := s.win(p.public, win{key, user, "under " + key[:4], "mug"}); a.status != 200 || a.Status != status || a.Outcome != "awarded" {
					t.Errorf("under %s the win of %s was answered %+v, want it %s and awarded", key, user, a, status)
				}
			}
		}
	}
	db.want(t, `SELECT count(*)::text FROM prizes`, "9")
	db.want(t, `SELECT count(*)::text FROM deliveries WHERE marks = '{reused_key}' AND reuses = 'one-key'`, "2")

	code, out, said := operate(t.Context(), t, e, "deliveries", "show", "one-key", "--no-body", "--output", "json")
	if code != 0 || strings.Count(out, `"outcome":"awarded"`) != 3 || strings.Count(out, `"marks":"reused_key","reuses":"one-key"`) != 2 {
		t.Errorf("deliveries show: exit %d\n%s%s", code, out, said)
	}
	if code, out, said = operate(t.Context(), t, e, "audit"); code != 0 {
		t.Errorf("audit: exit %d\n%s%s", code, out, said)
	}
}
