package receiver_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/customerio"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

func TestEachRouteHasItsOwnKeys(t *testing.T) {
	t.Parallel()

	tests := []struct {
		path, key string
		want      int
	}{
		{customerio.PathWin, actionKey, 200},
		{customerio.PathWin, newKey, 200}, // while it is rotated
		{customerio.PathWin, eventKey, 401},
		{customerio.PathEvent, eventKey, 200},
		{customerio.PathEvent, actionKey, 401},
		{customerio.PathEvent, newKey, 401},
	}
	for _, tt := range tests {
		in := &inbox{}
		e := newEdge(t, setup{inbox: in})
		r := unsigned(tt.path, goodEvent)
		sign(r, tt.key, stampOf(noon), goodEvent)
		if got := e.send(r); got.Code != tt.want {
			t.Errorf("%s signed with %s = %d, want %d", tt.path, tt.key, got.Code, tt.want)
		}
		if tt.want == http.StatusOK && in.only(t).SignedBy != keyOf(tt.key).Fingerprint() {
			t.Errorf("signed by %q, want the fingerprint of %s", in.only(t).SignedBy, tt.key)
		}
	}
}

func TestTheStampIsTakenAsItCame(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name      string
		stamp     string
		tolerance time.Duration
		want      int
		kept      string
		late      bool
	}{
		{"plain", stampOf(noon), 0, 200, stampOf(noon), false},
		{"with a zero in front", "0" + stampOf(noon), 0, 200, "0" + stampOf(noon), false},
		{"just in time", stampOf(noon.Add(-5 * time.Minute)), 0, 200, stampOf(noon.Add(-5 * time.Minute)), false},
		{"a little ahead", stampOf(noon.Add(5 * time.Minute)), 0, 200, stampOf(noon.Add(5 * time.Minute)), false},
		{"too late", stampOf(noon.Add(-5*time.Minute - time.Second)), 0, 401, "", false},
		{"late, and within the tolerance", stampOf(noon.Add(-time.Hour)), 2 * time.Hour, 200, stampOf(noon.Add(-time.Hour)), true},
		{"late", stampOf(noon.Add(-5*time.Minute - time.Second)), -1, 200, stampOf(noon.Add(-5*time.Minute - time.Second)), true},
		{"early", stampOf(noon.Add(5*time.Minute + time.Second)), -1, 200, stampOf(noon.Add(5*time.Minute + time.Second)), true},
		{"any age will do", "1", -1, 200, "1", true},
		{"nor need it be a number", "noon", -1, 200, "noon", true},
		{"nor text", "noon\xff", -1, 200, "noon?", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := &inbox{}
			e := newEdge(t, setup{inbox: in, tolerance: tt.tolerance})
			r := unsigned(customerio.PathWin, goodWin)
			sign(r, actionKey, tt.stamp, goodWin)
			if got := e.send(r); got.Code != tt.want {
				t.Fatalf("answer = %d %s, want %d", got.Code, got.Body, tt.want)
			}
			if tt.want == http.StatusOK && in.only(t).Stamp != tt.kept {
				t.Errorf("the stamp is kept as %q, want %q", in.only(t).Stamp, tt.kept)
			}
			if tt.want == http.StatusOK && slices.Contains(in.only(t).Marks, trivia.MarkLate) != tt.late {
				t.Errorf("the marks are %q, want late: %v", in.only(t).Marks, tt.late)
			}
			if said := len(e.log.lines("the timestamp is far from our clock")); (said == 1) != tt.late {
				t.Errorf("the log says %d times that the timestamp is far, late: %v", said, tt.late)
			}
			if tt.late {
				e.counted(t, `trivia_marked_total{kind="win",mark="late"} 1`)
			}
		})
	}
}

func TestAnArrivalIsWhatCame(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name string
		r    *http.Request
		want store.Arrival
	}{
		{
			"a win", signed(customerio.PathWin, goodWin, customerio.HeaderIdempotencyKey, "k1"),
			store.Arrival{
				Kind: trivia.KindWin, Key: "k1", Body: []byte(goodWin), SignedBy: keyOf(actionKey).Fingerprint(),
				Win: trivia.Win{User: "u1", Trivia: "capitals", Item: "mug"},
			},
		},
		{
			"an event", signed(customerio.PathEvent, goodEvent, customerio.HeaderIdempotencyKey, "k1"),
			store.Arrival{
				Kind: trivia.KindEvent, Key: "e1", Body: []byte(goodEvent), SignedBy: keyOf(eventKey).Fingerprint(),
				Event: trivia.Event{ObjectType: "email", Metric: "opened", At: time.Unix(1777895940, 0).UTC()},
			},
		},
		{
			"no body", signed(customerio.PathWin, "", customerio.HeaderDeliveryID, "d1"),
			store.Arrival{
				Kind: trivia.KindWin, Key: "d1", Body: []byte{}, SignedBy: keyOf(actionKey).Fingerprint(),
				Unusable: "body is empty",
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := &inbox{}
			e := newEdge(t, setup{inbox: in})
			if got := e.send(tt.r); got.Code != http.StatusOK {
				t.Fatalf("answer = %d %s", got.Code, got.Body)
			}

			tt.want.SHA256, tt.want.At = sha256.Sum256(tt.want.Body), noon
			tt.want.Caller, tt.want.Stamp = peer, stampOf(noon)
			if diff := cmp.Diff(tt.want, in.only(t)); diff != "" {
				t.Errorf("arrival (-want +got):\n%s", diff)
			}
		})
	}
}

func TestADeliveryIsFoundByTheFirstNameThatItHas(t *testing.T) {
	t.Parallel()

	sum := func(text string) string {
		s := sha256.Sum256([]byte(text))
		return hex.EncodeToString(s[:])
	}
	const (
		idempotency = customerio.HeaderIdempotencyKey
		delivery    = customerio.HeaderDeliveryID
		nameless    = `{"metric":"opened"}`
	)
	long := strings.Repeat("k", 256)
	tests := []struct {
		name    string
		path    string
		body    string
		headers []string
		want    string
	}{
		{"the idempotency key", customerio.PathWin, goodWin, []string{delivery, "d1", idempotency, "k1"}, "k1"},
		{"the delivery", customerio.PathWin, goodWin, []string{delivery, "d1", idempotency, ""}, "d1"},
		{"the body", customerio.PathWin, goodWin, nil, sum(goodWin)},
		{"the body, unusable", customerio.PathWin, "junk", nil, sum("junk")},
		{"as long as fits", customerio.PathWin, goodWin, []string{idempotency, long[1:]}, long[1:]},
		{"longer than fits", customerio.PathWin, goodWin, []string{idempotency, long, delivery, "d1"}, "sha256:" + sum(long)},
		{"no text", customerio.PathWin, goodWin, []string{idempotency, "\xff"}, "sha256:" + sum("\xff")},
		{"letters of the world", customerio.PathWin, goodWin, []string{idempotency, "clé-🔑"}, "clé-🔑"},
		{"the event", customerio.PathEvent, goodEvent, []string{idempotency, "k1", delivery, "d1"}, "e1"},
		{"a number", customerio.PathEvent, `{"event_id":17,"metric":"opened"}`, nil, "17"},
		{"an event without a name", customerio.PathEvent, nameless, []string{idempotency, "k1"}, sum(nameless)},
		{"an event that says nothing else", customerio.PathEvent, `{"event_id":"e1"}`, nil, "e1"},
		{"no event at all", customerio.PathEvent, "junk", nil, sum("junk")},
		{"a long event", customerio.PathEvent, `{"event_id":"` + long + `","metric":"opened"}`, nil, "sha256:" + sum(long)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := &inbox{}
			e := newEdge(t, setup{inbox: in})
			got := e.send(signed(tt.path, tt.body, tt.headers...))
			if key := in.only(t).Key; key != tt.want {
				t.Errorf("key = %q, want %q", key, tt.want)
			}
			if !strings.Contains(got.Body.String(), fmt.Sprintf(`"key":%q}`, tt.want)) {
				t.Errorf("answer = %s, want key %q in it", got.Body, tt.want)
			}
		})
	}
}

func TestACallerIsSeenThroughOurProxies(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name      string
		peer      string
		forwarded []string
		status    int
		caller    string
		reason    string
	}{
		{"straight", "192.0.2.1:1234", nil, 200, "192.0.2.1", ""},
		{"over IPv6", "[2001:db8::1]:1234", nil, 200, "2001:db8::1", ""},
		{"IPv4 in IPv6", "[::ffff:192.0.2.1]:1234", nil, 200, "192.0.2.1", ""},
		{"through one", "10.0.0.1:1234", []string{"192.0.2.1"}, 200, "192.0.2.1 via 10.0.0.1", ""},
		{"through two", "10.0.0.1:1234", []string{"192.0.2.1, 10.9.9.9"}, 200, "192.0.2.1 via 10.9.9.9", ""},
		{"in several headers", "10.0.0.1:1234", []string{"203.0.113.7", "192.0.2.1:99", "10.9.9.9"}, 200, "192.0.2.1 via 10.9.9.9", ""},
		{"with what it claims itself", "10.0.0.1:1234", []string{"nonsense, 203.0.113.7, 192.0.2.1"}, 200, "192.0.2.1 via 10.0.0.1", ""},
		{"a stranger through one", "10.0.0.1:1234", []string{"192.0.2.1, 203.0.113.7"}, 403, "203.0.113.7", "not_listed"},
		{"a stranger who claims to be a proxy", "203.0.113.7:1234", []string{"192.0.2.1"}, 403, "203.0.113.7", "not_listed"},
		{"a proxy for itself", "10.0.0.1:1234", nil, 403, "10.0.0.1", "not_listed"},
		{"an unreadable hop", "10.0.0.1:1234", []string{"192.0.2.1, unknown"}, 403, "", "unreadable_hop"},
		{"an empty hop", "10.0.0.1:1234", []string{"192.0.2.1", ""}, 403, "", "unreadable_hop"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := &inbox{}
			e := newEdge(t, setup{inbox: in, allowed: []string{"192.0.2.0/24", "2001:db8::/32"}, trusted: []string{"10.0.0.0/8"}})
			r := signed(customerio.PathWin, goodWin)
			r.RemoteAddr = tt.peer
			for _, value := range tt.forwarded {
				r.Header.Add("X-Forwarded-For", value)
			}

			if got := e.send(r); got.Code != tt.status {
				t.Fatalf("answer = %d %s, want %d", got.Code, got.Body, tt.status)
			}
			if tt.status == http.StatusOK {
				if got := in.only(t).Caller; got != tt.caller {
					t.Errorf("caller = %q, want %q", got, tt.caller)
				}

				return
			}
			if got := e.refusals.Newest()[0]; got.Caller != tt.caller || got.Reason != tt.reason || got.Peer != tt.peer {
				t.Errorf("refused = %+v, want caller %q for %s", got, tt.caller, tt.reason)
			}
		})
	}
}

func TestAStrangerMayCallWhileSourcesAreObserved(t *testing.T) {
	t.Parallel()

	in := &inbox{}
	e := newEdge(t, setup{inbox: in, observe: true})
	r := signed(customerio.PathWin, goodWin)
	r.RemoteAddr = "203.0.113.7:1234"
	if got := e.send(r); got.Code != http.StatusOK || in.only(t).Caller != "203.0.113.7" {
		t.Errorf("answer = %d %s to %q", got.Code, got.Body, in.only(t).Caller)
	}
	e.counted(t, `trivia_refused_total{reason="observed_not_listed"} 1`)
	if lines := e.log.lines(`"caller":"203.0.113.7"`, `"reason":"not_listed"`); len(lines) != 1 {
		t.Errorf("the log is %q, want one line about the stranger", e.log.lines())
	}
	if refused := e.refusals.Newest(); len(refused) != 0 {
		t.Errorf("refused are %v, want none: it was let in", refused)
	}

	r = unsigned(customerio.PathWin, goodWin)
	r.RemoteAddr = "203.0.113.7:1234"
	if got := e.send(r); got.Code != http.StatusUnauthorized {
		t.Errorf("a stranger without a signature = %d, want 401", got.Code)
	}
}

func TestABodyMayComeInPiecesAndUpToTheLimit(t *testing.T) {
	t.Parallel()

	const limit = 100
	exact := goodWin + strings.Repeat(" ", limit-len(goodWin))
	for _, tt := range []struct {
		name   string
		body   string
		length int64
		want   int
	}{
		{"announced", exact, limit, 200},
		{"in pieces", exact, -1, 200},
		{"nothing, in pieces", "", -1, 200},
		{"announced, too large", exact + " ", limit + 1, 413},
		{"in pieces, too large", exact + " ", -1, 413},
		{"longer than announced", goodWin + "}", int64(len(goodWin)), 401}, // net/http ends it there
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := &inbox{}
			e := newEdge(t, setup{inbox: in, maxBody: limit})
			r := signed(customerio.PathWin, tt.body)
			r.Body = io.NopCloser(&trickle{strings.NewReader(tt.body)})
			r.ContentLength = tt.length
			if got := e.send(r); got.Code != tt.want {
				t.Errorf("answer = %d %s, want %d", got.Code, got.Body, tt.want)
			}
			if tt.want == http.StatusOK && string(in.only(t).Body) != tt.body {
				t.Errorf("body = %q, want %q", in.only(t).Body, tt.body)
			}
		})
	}
}

// A trickle gives away one byte at a time.
type trickle struct{ io.Reader }

func (t *trickle) Read(p []byte) (int, error) { return t.Reader.Read(p[:min(len(p), 1)]) }
