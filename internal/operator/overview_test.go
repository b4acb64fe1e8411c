package operator_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/diag"
	"trivia/internal/operator"
)

func TestAHookTellsWhatNoDatabaseKnows(t *testing.T) {
	t.Parallel()

	m, refusals := diag.New(), &diag.Refusals{}
	server := httptest.NewServer(diag.Handler(m, refusals))
	t.Cleanup(server.Close)
	ask := operator.Listener{URL: server.URL, Agent: "test"}.Ask

	m.Queue(func() int { return 7 })
	got, err := ask(t.Context())
	if diff := cmp.Diff(operator.Hook{Refused: map[string]int64{}, Waiting: 7, Refusals: []diag.Refusal{}}, got, cmp.Comparer(samePaused)); err != nil || diff != "" {
		t.Errorf("a hook that has seen nothing, %v (-want +got):\n%s", err, diff)
	}

	m.Refused("mismatch")
	m.Refused("mismatch")
	m.Refused("stale")
	m.Delivery("win", "duplicate", 3)
	m.Delivery("event", "duplicate", 1)
	m.Delivery("event", "recorded", 5)
	m.Fallback("slow")
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	refusals.Add(diag.Refusal{Time: at, Status: 401, Reason: "mismatch", Caller: "192.0.2.1"})
	refusals.Add(diag.Refusal{Time: at, Status: 401, Reason: "stale", Caller: "192.0.2.2"})
	got, err = ask(t.Context())
	want := operator.Hook{
		Refused: map[string]int64{"mismatch": 2, "stale": 1}, Duplicates: 4, Fallbacks: 1, Waiting: 7,
		Refusals: []diag.Refusal{
			{Time: at, Status: 401, Reason: "stale", Caller: "192.0.2.2"}, {Time: at, Status: 401, Reason: "mismatch", Caller: "192.0.2.1"},
		},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(samePaused)); err != nil || diff != "" {
		t.Errorf("a hook that has refused some, %v (-want +got):\n%s", err, diff)
	}
	if n := got.AllRefused(); n != 3 {
		t.Errorf("AllRefused() = %d, want 3", n)
	}
}

// samePaused holds no reason and none for the same.
func samePaused(a, b []string) bool { return strings.Join(a, " ") == strings.Join(b, " ") }

func TestAHookSaysWhyItSendsNothing(t *testing.T) {
	t.Parallel()

	server := httptest.NewServer(saying(map[string]string{
		"/metrics": "# HELP trivia_queue_length n\ntrivia_queue_length 0\ntrivia_push_paused{reason=\"rate\"} 0\n" +
			"trivia_push_paused{reason=\"down\"} 1\ntrivia_push_paused{reason=\"credentials\"} 1\n",
		"/refused": "[]", "/readyz": "ok\n",
	}))
	t.Cleanup(server.Close)
	got, err := operator.Listener{URL: server.URL}.Ask(t.Context())
	if want := []string{"credentials", "down"}; err != nil || !cmp.Equal(want, got.Paused) {
		t.Errorf("Paused = %q, %v; want %q", got.Paused, err, want)
	}
}

func TestSomebodyElsesListenerIsNoHook(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct {
		name string
		says map[string]string
		want string
	}{
		{"not there", nil, "/metrics answers 404"},
		{"others' metrics", map[string]string{"/metrics": "go_goroutines 7\n", "/refused": "[]"}, "/metrics is not that of a trivia-hook"},
		{"no refusals", map[string]string{"/metrics": "trivia_queue_length 0\n"}, "/refused answers 404"},
		{"odd refusals", map[string]string{"/metrics": "trivia_queue_length 0\n", "/refused": "<html>"}, "read http"},
		{"noise", map[string]string{"/metrics": "trivia_refused_total{reason=\"}{ 1\n}\n{\n\x00", "/refused": "[]"}, "not that of a trivia-hook"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			server := httptest.NewServer(saying(tt.says))
			t.Cleanup(server.Close)
			if got, err := (operator.Listener{URL: server.URL}).Ask(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Ask = %+v, %v; want an error with %q", got, err, tt.want)
			}
		})
	}

	gone := httptest.NewServer(nil)
	gone.Close()
	if _, err := (operator.Listener{URL: gone.URL}).Ask(t.Context()); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("Ask of nobody = %v, want that it does not answer", err)
	}
}

// saying answers with these texts by path.
func saying(texts map[string]string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := texts[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, text)
	})
}

func TestAHookSaysWhyItIsNotReady(t *testing.T) {
	t.Parallel()

	m := diag.New()
	m.Queue(func() int { return 0 })
	server := httptest.NewServer(diag.Handler(m, &diag.Refusals{}, func(context.Context) error { return errors.New("the disk is full") }))
	t.Cleanup(server.Close)
	got, err := operator.Listener{URL: server.URL}.Ask(t.Context())
	if want := "not ready: the disk is full"; err != nil || got.Unready != want {
		t.Errorf("Unready = %q, %v; want %q", got.Unready, err, want)
	}
}
