package ctl

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"trivia/internal/operator"
	"trivia/internal/signature"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// A hook is a server that answers as a test says.
type hook struct {
	*httptest.Server

	mu       sync.Mutex
	requests []*http.Request
	bodies   []string
}

func newHook(t *testing.T, answer func(n int, w http.ResponseWriter, r *http.Request)) *hook {
	t.Helper()

	h := &hook{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		h.mu.Lock()
		h.requests = append(h.requests, r)
		h.bodies = append(h.bodies, string(body))
		n := len(h.requests)
		h.mu.Unlock()
		answer(n, w, r)
	}))
	t.Cleanup(h.Close)

	return h
}

func accepted(n int, w http.ResponseWriter, r *http.Request) {
	status := "accepted"
	if n > 1 && r.Header.Get("X-CIO-Idempotency-Key") == "same" {
		status = "duplicate"
	}
	_, _ = fmt.Fprintf(w, `{"status":%q,"outcome":"awarded","key":%q}`, status, r.Header.Get("X-CIO-Idempotency-Key"))
}

var aWin = []string{"send", "win", "--user", "demo-1", "--trivia", "capitals", "--item", "<mug>"}

func TestSendWinSignsAndShowsTheAnswer(t *testing.T) {
	t.Parallel()

	h := newHook(t, accepted)
	st := newStage(t)
	st.env["TRIVIA_LISTEN"] = strings.TrimPrefix(h.URL, "http://")
	st.want(t, append(aWin, "--key", "k 1"), 0, "200 accepted: awarded, key k 1, in 0.0 ms\n", "")

	r := h.requests[0]
	if want := `{"user_id":"demo-1","trivia_id":"capitals","item":"<mug>"}`; h.bodies[0] != want {
		t.Errorf("sent %s, want %s", h.bodies[0], want)
	}
	if r.Method != http.MethodPost || r.URL.Path != "/bet_service/cio/trivia_win" || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("sent %s %s as %s", r.Method, r.URL.Path, r.Header.Get("Content-Type"))
	}
	key, _ := signature.NewKey("action-key")
	verifier := signature.Verifier{Keys: []signature.Key{key}, Tolerance: time.Second}
	if _, err := verifier.Verify(noon, r.Header.Get(signature.HeaderTimestamp), []byte(h.bodies[0]), r.Header.Get(signature.HeaderSignature)); err != nil {
		t.Errorf("the first key of the route has not signed it: %v", err)
	}
}

func TestEachWinIsADeliveryOfItsOwnUnlessAKeyIsGiven(t *testing.T) {
	t.Parallel()

	h := newHook(t, accepted)
	st := newStage(t)
	if code := st.call(t, append(aWin, "--url", h.URL, "--repeat", "30", "--concurrency", "4")...); code != 0 {
		t.Fatalf("exit %d: %s", code, st.err.String())
	}
	keys := map[string]bool{}
	for _, r := range h.requests {
		keys[r.Header.Get("X-CIO-Idempotency-Key")] = true
	}
	if len(keys) != 30 {
		t.Errorf("30 deliveries went under %d keys", len(keys))
	}
	if got, want := st.out.String(), "30 answers in 0.00 s, 30000 per second, under 30 keys\n       30  200 accepted: awarded\nlatency: p50 0.0 ms, p99 0.0 ms, most 0.0 ms\n"; got != want {
		t.Errorf("printed %q, want %q", got, want)
	}

	h = newHook(t, accepted)
	st.call(t, append(aWin, "--url", h.URL, "--repeat", "3", "--key", "same")...)
	if got, want := st.out.String(), "under 1 key\n        1  200 accepted: awarded\n        2  200 duplicate: awarded\n"; !strings.Contains(got, want) {
		t.Errorf("printed %q, want %q", got, want)
	}
}

func TestSendFileSendsTheBytesAsTheyAre(t *testing.T) {
	t.Parallel()

	h := newHook(t, accepted)
	st := newStage(t)
	st.Stdin = strings.NewReader("\xff not JSON\n")
	if code := st.call(t, "send", "file", "-", "--route", "event", "--url", h.URL); code != 0 {
		t.Fatalf("exit %d: %s", code, st.err.String())
	}
	r := h.requests[0]
	if h.bodies[0] != "\xff not JSON\n" || r.URL.Path != "/webhooks/customerio" || r.Header.Get("X-CIO-Idempotency-Key") != "" {
		t.Errorf("sent %q to %s with %v", h.bodies[0], r.URL.Path, r.Header)
	}
	key, _ := signature.NewKey("event-key")
	if want := signature.Sign(key, "1777896000", []byte(h.bodies[0])); r.Header.Get(signature.HeaderSignature) != want {
		t.Error("the event key has not signed it")
	}
}

func TestWhatIsNotAcceptedFails(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name, out, err string
		answer         func(w http.ResponseWriter)
	}{
		{
			"401", "401 refused: request is not signed by a known key, in 0.0 ms\n",
			"the delivery was not accepted: 401 Unauthorized\ntriviactl: hint: the hook verifies with other keys than this environment has, or its clock is off\n",
			func(w http.ResponseWriter) {
				w.WriteHeader(http.StatusUnauthorized)
				_, _ = io.WriteString(w, `{"status":"refused","error":"request is not signed by a known key"}`)
			},
		},
		{
			"403", "403 refused: this address may not call, in 0.0 ms\n",
			"the delivery was not accepted: 403 Forbidden\ntriviactl: hint: the hook takes requests only from TRIVIA_SOURCES\n",
			func(w http.ResponseWriter) {
				w.WriteHeader(http.StatusForbidden)
				_, _ = io.WriteString(w, `{"status":"refused","error":"this address may not call"}`)
			},
		},
		{
			"404 of somebody else", "404 : Not here⟨U+001B⟩[31m, in 0.0 ms\n",
			"the delivery was not accepted: 404 Not Found\ntriviactl: hint: is it a trivia-hook that listens there?\n",
			func(w http.ResponseWriter) {
				w.WriteHeader(http.StatusNotFound)
				_, _ = io.WriteString(w, "Not here\x1b[31m\nsecond line")
			},
		},
		{
			"302", "302, in 0.0 ms\n",
			"the delivery was not accepted: 302 Found\ntriviactl: hint: redirects are not followed; give the final --url\n",
			func(w http.ResponseWriter) {
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(http.StatusFound)
			},
		},
		{
			"503", "503 refused: busy; send it again, in 0.0 ms\n",
			"the delivery was not accepted: 503 Service Unavailable\n",
			func(w http.ResponseWriter) {
				w.WriteHeader(http.StatusServiceUnavailable)
				_, _ = io.WriteString(w, `{"status":"refused","error":"busy; send it again"}`)
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			h := newHook(t, func(_ int, w http.ResponseWriter, _ *http.Request) { tt.answer(w) })
			st := newStage(t)
			st.want(t, append(aWin, "--url", h.URL), 1, tt.out, "triviactl: "+tt.err)
			if len(h.requests) != 1 {
				t.Errorf("%d requests were made, want 1", len(h.requests))
			}
		})
	}
}

func TestSomeRefusalsAmongManyAreCounted(t *testing.T) {
	t.Parallel()

	h := newHook(t, func(n int, w http.ResponseWriter, r *http.Request) {
		if n == 2 {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, `{"status":"refused","error":"busy"}`)

			return
		}
		accepted(n, w, r)
	})
	st := newStage(t)
	code := st.call(t, append(aWin, "--url", h.URL, "--repeat", "4")...)
	if !strings.Contains(st.out.String(), "\n        3  200 accepted: awarded\n        1  503 refused: busy\n") {
		t.Errorf("printed %q", st.out.String())
	}
	if want := "triviactl: 1 of 4 were not accepted\n"; code != 1 || st.err.String() != want {
		t.Errorf("exit %d, %q, want 1, %q", code, st.err.String(), want)
	}
}

func TestNobodyListensIsSaidPlainly(t *testing.T) {
	t.Parallel()

	h := newHook(t, accepted)
	h.Close()
	for _, repeat := range []string{"1", "100"} {
		st := newStage(t)
		code := st.call(t, append(aWin, "--url", h.URL, "--repeat", repeat)...)
		said := st.err.String()
		if code != 1 || !strings.HasPrefix(said, "triviactl: nothing listens at "+strings.TrimPrefix(h.URL, "http://")) ||
			!strings.HasSuffix(said, "triviactl: hint: start it with make run, or say where it is with --url\n") {
			t.Errorf("exit %d, %q", code, said)
		}
	}
}

func TestWaitShowsTheOutcomeInTheDatabase(t *testing.T) {
	t.Parallel()

	h := newHook(t, accepted)
	st := newStage(t)
	asked := 0
	st.fake.found = func(kind trivia.Kind, key string, body []byte) (store.DeliveryRow, error) {
		asked++
		d := store.DeliveryRow{Key: key, Kind: kind, State: trivia.StatePending}
		if asked > 1 {
			d.State, d.Outcome, d.Reason = trivia.StateParked, trivia.PrizeConflict, "the user has won a hat"
		}
		if key != "k" || !strings.Contains(string(body), "demo-1") {
			t.Errorf("asked for %s %q", key, body)
		}

		return d, nil
	}
	st.want(t, append(aWin, "--url", h.URL, "--key", "k", "--wait"), 0,
		"200 accepted: awarded, key k, in 0.0 ms\nparked: prize_conflict, the user has won a hat\n", "")

	st.fake.found = func(_ trivia.Kind, key string, _ []byte) (store.DeliveryRow, error) {
		return store.DeliveryRow{Key: key, State: trivia.StateDone, Outcome: trivia.AlreadyWon}, nil
	}
	st.call(t, append(aWin, "--url", h.URL, "--repeat", "5", "--wait")...)
	if want := "in the database:\n        5  done: already_won\n"; !strings.HasSuffix(st.out.String(), want) {
		t.Errorf("printed %q, want %q at the end", st.out.String(), want)
	}
}

func TestWaitSaysWhyItGaveUp(t *testing.T) {
	t.Parallel()

	h := newHook(t, accepted)
	words := slices.Concat(aWin, []string{"--url", h.URL, "--key", "k", "--wait", "--timeout", "1ms"})
	tests := []struct {
		outcome trivia.Outcome
		err     error
		want    string
	}{
		{
			trivia.UnknownUser, nil,
			"triviactl: k is still pending after 1ms: unknown_user\ntriviactl: hint: it is tried again by itself for an hour; add the user with: triviactl users add USER\n",
		},
		{
			trivia.Unsettled, nil,
			"triviactl: k is still pending after 1ms: not settled yet\ntriviactl: hint: is trivia-hook running? it settles what is pending\n",
		},
		{
			trivia.Unsettled, operator.ErrNotFound,
			"triviactl: the hook accepted it, but it is not in this database\ntriviactl: hint: the hook works on another one: compare its DATABASE_URL with yours\n",
		},
	}
	for _, tt := range tests {
		st := newStage(t)
		st.fake.found = func(_ trivia.Kind, key string, _ []byte) (store.DeliveryRow, error) {
			return store.DeliveryRow{Key: key, State: trivia.StatePending, Outcome: tt.outcome}, tt.err
		}
		if code := st.call(t, words...); code != 1 || st.err.String() != tt.want {
			t.Errorf("exit %d, %q, want 1, %q", code, st.err.String(), tt.want)
		}
	}
}

func TestTheURLMayLeaveOutThePath(t *testing.T) {
	t.Parallel()

	r := route{path: "/win"}
	tests := []struct{ given, listen, want string }{
		{"", "127.0.0.1:8080", "http://127.0.0.1:8080/win"},
		{"", ":8080", "http://127.0.0.1:8080/win"},
		{"", "0.0.0.0:8080", "http://127.0.0.1:8080/win"},
		{"", "[::]:8080", "http://127.0.0.1:8080/win"},
		{"", "[::1]:8080", "http://[::1]:8080/win"},
		{"https://a.example", "x", "https://a.example/win"},
		{"https://a.example/", "x", "https://a.example/win"},
		{"https://a.example/other", "x", "https://a.example/other"},
	}
	for _, tt := range tests {
		if got, err := r.at(tt.given, tt.listen); err != nil || got != tt.want {
			t.Errorf("at(%q, %q) = %q, %v, want %q", tt.given, tt.listen, got, err, tt.want)
		}
	}
}

func TestPercentile(t *testing.T) {
	t.Parallel()

	took := make([]time.Duration, 200)
	for i := range took {
		took[i] = time.Duration(i + 1)
	}
	tests := []struct {
		took []time.Duration
		p    int
		want time.Duration
	}{{nil, 50, 0}, {took[:1], 50, 1}, {took[:1], 99, 1}, {took, 50, 100}, {took, 99, 198}}
	for _, tt := range tests {
		if got := percentile(tt.took, tt.p); got != tt.want {
			t.Errorf("percentile of %d, %d = %d, want %d", len(tt.took), tt.p, got, tt.want)
		}
	}
}
