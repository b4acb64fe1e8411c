package receiver_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/customerio"
	"trivia/internal/diag"
	"trivia/internal/signature"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

func TestEveryOutcomeIsAnswered(t *testing.T) {
	t.Parallel()

	states := map[trivia.Outcome]trivia.State{
		trivia.Unsettled: trivia.StatePending, trivia.Awarded: trivia.StateDone, trivia.AlreadyWon: trivia.StateDone,
		trivia.PrizeConflict: trivia.StateParked, trivia.KeyConflict: trivia.StateParked,
		trivia.UnknownUser: trivia.StatePending, trivia.TriviaClosed: trivia.StateParked,
		trivia.Malformed: trivia.StateParked, trivia.Recorded: trivia.StateDone,
	}
	for _, outcome := range append(trivia.Outcomes(), trivia.Unsettled) {
		for duplicate, status := range map[bool]string{false: "accepted", true: "duplicate"} {
			t.Run(fmt.Sprint(outcome, " ", status), func(t *testing.T) {
				t.Parallel()

				state, word := states[outcome], string(outcome)
				if state == "" {
					t.Fatalf("this test does not know outcome %q", outcome)
				}
				if outcome == trivia.Unsettled {
					word = "pending"
				}
				e := newEdge(t, setup{inbox: &inbox{take: func(context.Context, []store.Arrival) ([]store.Receipt, error) {
					return []store.Receipt{{Duplicate: duplicate, State: state, Outcome: outcome, Reason: "because"}}, nil
				}}})

				got := e.send(signed(customerio.PathWin, goodWin, customerio.HeaderIdempotencyKey, "k1"))
				want := fmt.Sprintf(`{"status":%q,"outcome":%q,"key":"k1"}`+"\n", status, word)
				if got.Code != http.StatusOK || got.Body.String() != want {
					t.Errorf("answer = %d %s, want 200 %s", got.Code, got.Body, want)
				}
				if got := got.Header().Get("Content-Type"); got != "application/json" {
					t.Errorf("Content-Type = %q, want JSON", got)
				}

				lines := e.log.lines(`"msg":"delivery parked"`, `"key":"k1"`, `"reason":"because"`, `"caller":"192.0.2.1"`)
				if parked := state == trivia.StateParked && !duplicate; parked != (len(lines) == 1) || len(e.log.lines()) != len(lines) {
					t.Errorf("the log is %q, want one line if it is parked now", e.log.lines())
				}
				if refused := e.refusals.Newest(); len(refused) != 0 {
					t.Errorf("refused are %v, want none", refused)
				}
				if duplicate {
					word = "duplicate"
				}
				e.counted(t, `trivia_requests_total{answer="200",route="win"} 1`)
				e.counted(t, fmt.Sprintf(`trivia_deliveries_total{kind="win",outcome=%q} 1`, word))
			})
		}
	}
}

func TestEveryRefusalHasItsStatus(t *testing.T) {
	t.Parallel()

	const limit = 1000
	method := func(method, path string) func(*testing.T) *http.Request {
		return func(t *testing.T) *http.Request {
			t.Helper()
			return httptest.NewRequestWithContext(t.Context(), method, path, untouched{t})
		}
	}
	long := strings.Repeat(" ", limit)
	tests := []struct {
		name    string
		request func(*testing.T) *http.Request
		status  int
		said    string
		reason  string
		route   string
		caller  string
	}{
		{"another path", method("POST", "/"), 404, "no such route", "no_route", "other", ""},
		{"a path with more", method("POST", customerio.PathWin+"/"), 404, "no such route", "no_route", "other", ""},
		{"a path in capitals", method("POST", strings.ToUpper(customerio.PathWin)), 404, "no such route", "no_route", "other", ""},
		{"what is private", method("GET", "/metrics"), 404, "no such route", "no_route", "other", ""},
		{"health, told", method("POST", "/healthz"), 404, "no such route", "no_route", "other", ""},
		{"readiness, told", method("PUT", "/readyz"), 404, "no such route", "no_route", "other", ""},
		{"GET", method("GET", customerio.PathWin), 405, "only POST is allowed", "method", "win", ""},
		{"HEAD", method("HEAD", customerio.PathEvent), 405, "only POST is allowed", "method", "event", ""},
		{"PUT", method("PUT", customerio.PathEvent), 405, "only POST is allowed", "method", "event", ""},
		{"OPTIONS", method("OPTIONS", customerio.PathWin), 405, "only POST is allowed", "method", "win", ""},
		{
			"a stranger", func(t *testing.T) *http.Request {
				t.Helper()
				r := method("POST", customerio.PathWin)(t)
				r.RemoteAddr = "203.0.113.7:4321"
				return r
			},
			403, "this address may not call", "not_listed", "win", "203.0.113.7",
		},
		{
			"nobody that we can read", func(t *testing.T) *http.Request {
				t.Helper()
				r := method("POST", customerio.PathEvent)(t)
				r.RemoteAddr = "@"
				return r
			},
			403, "this address may not call", "unreadable_peer", "event", "",
		},
		{
			"announced too large", func(t *testing.T) *http.Request {
				t.Helper()
				r := method("POST", customerio.PathWin)(t)
				r.ContentLength = limit + 1
				return r
			},
			413, "body is too large", "too_large", "win", "",
		},
		{
			"too large without saying so", func(t *testing.T) *http.Request {
				t.Helper()
				r := signed(customerio.PathEvent, long+"x")
				r.ContentLength = -1
				return r
			},
			413, "body is too large", "too_large", "event", peer,
		},
		{
			"shorter than announced", func(t *testing.T) *http.Request {
				t.Helper()
				r := signed(customerio.PathWin, goodWin)
				r.ContentLength++
				return r
			},
			503, "body did not arrive in time; send it again", "unread_body", "win", peer,
		},
		{
			"not signed", func(t *testing.T) *http.Request {
				t.Helper()
				return unsigned(customerio.PathWin, goodWin)
			},
			401, "request is not signed by a known key", "no_timestamp", "win", peer,
		},
		{
			"a fault of ours", func(t *testing.T) *http.Request {
				t.Helper()
				return httptest.NewRequestWithContext(t.Context(), http.MethodPost, customerio.PathWin, faulty{})
			},
			503, "not kept; send it again", "panic", "win", peer,
		},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			in := &inbox{}
			e := newEdge(t, setup{inbox: in, maxBody: limit})
			r := tt.request(t)
			got := e.send(r)

			if want := fmt.Sprintf(`{"status":"refused","error":%q}`+"\n", tt.said); got.Code != tt.status || got.Body.String() != want {
				t.Errorf("answer = %d %s, want %d %s", got.Code, got.Body, tt.status, want)
			}
			want := http.Header{"Content-Type": {"application/json"}}
			switch tt.status {
			case http.StatusMethodNotAllowed:
				want.Set("Allow", "POST")
			case http.StatusServiceUnavailable:
				want.Set("Retry-After", "2")
			}
			got.Header().Del("Connection") // the body's reader may ask for its end
			if diff := cmp.Diff(want, got.Header()); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
			if calls := in.seen(); len(calls) != 0 {
				t.Errorf("what was refused went to the inbox: %q", calls)
			}

			lines := e.log.lines(`"msg":"request refused"`, fmt.Sprintf(`"status":%d,"reason":%q,"route":%q,"method":%q,"path":%q`,
				tt.status, tt.reason, tt.route, r.Method, r.URL.Path), fmt.Sprintf(`"peer":%q,"caller":%q`, r.RemoteAddr, tt.caller))
			if all := e.log.lines(`"msg":"request refused"`); len(lines) != 1 || len(all) != 1 {
				t.Errorf("the log is %q, want one line that says what was refused", all)
			}
			refused := []diag.Refusal{{
				Time: noon, Status: tt.status, Reason: tt.reason, Route: tt.route, Caller: tt.caller, Peer: r.RemoteAddr,
			}}
			if diff := cmp.Diff(refused, e.refusals.Newest()); diff != "" {
				t.Errorf("refused (-want +got):\n%s", diff)
			}
			e.counted(t, fmt.Sprintf(`trivia_refused_total{reason=%q} 1`, tt.reason))
			e.counted(t, fmt.Sprintf(`trivia_requests_total{answer="%d",route=%q} 1`, tt.status, tt.route))

			// And the next one is received.
			if next := e.send(signed(customerio.PathWin, goodWin)); next.Code != http.StatusOK {
				t.Errorf("the next request = %d %s, want 200", next.Code, next.Body)
			}
		})
	}
}

// A faulty body stands for any mistake of ours.
type faulty struct{}

func (faulty) Read([]byte) (int, error) { panic("index out of range") }

func TestNoForgerLearnsHowNearItWas(t *testing.T) {
	t.Parallel()

	stamp := stampOf(noon)
	right := signature.Sign(keyOf(actionKey), stamp, []byte(goodWin))
	tests := []struct {
		name       string
		stamp, sig string
		reason     string
	}{
		{"nothing", "", "", "no_timestamp"},
		{"no stamp", "", right, "no_timestamp"},
		{"no signature", stamp, "", "no_signature"},
		{"another's signature", stamp, signature.Sign(keyOf("guess"), stamp, []byte(goodWin)), "mismatch"},
		{"of the other route", stamp, signature.Sign(keyOf(eventKey), stamp, []byte(goodWin)), "mismatch"},
		{"of another body", stamp, signature.Sign(keyOf(actionKey), stamp, []byte(goodEvent)), "mismatch"},
		{"of another stamp", stamp, signature.Sign(keyOf(actionKey), "0"+stamp, []byte(goodWin)), "mismatch"},
		{"of the stamp as a number", "0" + stamp, right, "mismatch"},
		{"one digit off", stamp, right[:63] + string("0123456789abcdef"[(strings.IndexByte("0123456789abcdef", right[63])+1)%16]), "mismatch"},
		{"half of it", stamp, right[:32], "bad_signature"},
		{"with a prefix", stamp, "v0=" + right, "bad_signature"},
		{"no hex", stamp, strings.Repeat("z", 64), "bad_signature"},
		{"a moved border", stamp + ":x", right, "bad_timestamp"},
		{"too old", stampOf(noon.Add(-301e9)), "", "stale"},
		{"too new", stampOf(noon.Add(301e9)), "", "stale"},
		{"no number, but signed", "noon", "", "bad_timestamp"},
	}

	var first string
	for _, tt := range tests { // one after the other, to be compared
		e := newEdge(t, setup{})
		if tt.sig == "" && tt.reason != "no_signature" && tt.reason != "no_timestamp" {
			tt.sig = signature.Sign(keyOf(actionKey), tt.stamp, []byte(goodWin))
		}
		r := unsigned(customerio.PathWin, goodWin, signature.HeaderTimestamp, tt.stamp, signature.HeaderSignature, tt.sig)
		w := e.send(r)

		answer := fmt.Sprintln(w.Code, w.Header(), w.Body)
		if first == "" {
			first = answer
		}
		if w.Code != http.StatusUnauthorized || answer != first {
			t.Errorf("%s is answered %s, want %s", tt.name, answer, first)
		}
		if lines := e.log.lines(fmt.Sprintf(`"reason":%q`, tt.reason)); len(lines) != 1 {
			t.Errorf("%s is logged as %q, want the reason %s", tt.name, e.log.lines(), tt.reason)
		}
		e.counted(t, fmt.Sprintf(`trivia_refused_total{reason=%q} 1`, tt.reason))
	}

	w := newEdge(t, setup{}).send(unsigned(customerio.PathEvent, goodEvent))
	if answer := fmt.Sprintln(w.Code, w.Header(), w.Body); answer != first {
		t.Errorf("the other route answers %s, want %s", answer, first)
	}
}
