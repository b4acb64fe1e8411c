package main

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"trivia/internal/customerio"
)

func TestThePublicListenerServesNothingElse(t *testing.T) {
	t.Parallel()

	p := start(t, on(newPostgres(t).url))
	tests := []struct {
		method, path string
		status       int
	}{
		{"GET", "/healthz", 200},
		{"HEAD", "/healthz", 200},
		{"GET", "/readyz", 200},
		{"POST", "/healthz", 404},
		{"GET", customerio.PathWin, 405},
		{"PUT", customerio.PathEvent, 405},
		{"OPTIONS", customerio.PathEvent, 405},
		{"POST", customerio.PathWin + "/", 404},
		{"POST", "/" + customerio.PathWin, 404},
		{"GET", "/", 404},
		{"GET", "/metrics", 404},
		{"GET", "/refused", 404},
		{"GET", "/debug/pprof/", 404},
		{"GET", "/debug/pprof/heap", 404},
		{"GET", "/debug/vars", 404},
	}
	for _, tt := range tests {
		if status, text := fetch(t, tt.method, p.public+tt.path); status != tt.status {
			t.Errorf("%s %s = %d %q, want %d", tt.method, tt.path, status, text, tt.status)
		}
	}
}

func TestThePrivateListenerShowsTheInside(t *testing.T) {
	t.Parallel()

	p := start(t, on(newPostgres(t).url))
	pages := map[string]string{ // and something that is on them
		"/": "pprof", "/healthz": "ok", "/readyz": "ok", "/metrics": "# HELP", "/refused": "[]",
		"/debug/pprof/": "goroutine", "/debug/pprof/goroutine?debug=1": "receiver.(*Intake).Run", "/debug/pprof/heap?debug=1": "heap profile",
	}
	for path, want := range pages {
		if status, text := get(t, p.private+path); status != http.StatusOK || !strings.Contains(text, want) {
			t.Errorf("GET %s = %d, without %q: %.200q", path, status, want, text)
		}
	}
	for _, path := range []string{customerio.PathWin, customerio.PathEvent} {
		if status, _ := fetch(t, http.MethodPost, p.private+path); status != http.StatusNotFound && status != http.StatusMethodNotAllowed {
			t.Errorf("POST %s on the private listener = %d, want it to be unknown", path, status)
		}
	}
}

// One request of every kind, and what the metrics, the log and the list of
// refusals make of them.
func TestEverythingThatHappensIsCounted(t *testing.T) {
	t.Parallel()

	db := newPostgres(t)
	p := start(t, on(db.url))
	s := newSender(t, 1)

	event := []byte(`{"event_id":"e-1","object_type":"email","metric":"opened","timestamp":1700000000,"data":{"note":"` + bodySecret + `"}}`)
	stranger := keyOf(t, "another-"+hidden)
	requests := []struct {
		what    string
		answer  answer
		status  int
		outcome string
	}{
		{"a win", s.win(p.public, nthWin(1)), 200, "awarded"},
		{"its repeat", s.win(p.public, nthWin(1)), 200, "awarded"},
		{"the same win under another key", s.win(p.public, win{"k-2", "user-1", "trivia-0", "mug"}), 200, "already_won"},
		{"another prize for it", s.win(p.public, win{"k-3", "user-1", "trivia-0", "hat"}), 200, "prize_conflict"},
		{"another body under its key", s.win(p.public, win{"load-1", "user-2", "trivia-0", "mug"}), 200, "awarded"},
		{"the win of nobody", s.win(p.public, win{"k-4", "nobody", "trivia-0", "mug"}), 200, "unknown_user"},
		{"no win", s.post(p.public+customerio.PathWin, s.action, []byte(`{"note":"`+bodySecret+`"}`), nil), 200, "malformed"},
		{"an event", s.post(p.public+customerio.PathEvent, s.event, event, nil), 200, "recorded"},
		{"another body under its identifier", s.post(p.public+customerio.PathEvent, s.event, append(event, '\n'), nil), 200, "key_conflict"},
		{"a win signed by a stranger", s.post(p.public+customerio.PathWin, stranger, nthWin(5).body(), nil), 401, ""},
		{"a win signed as events are", s.post(p.public+customerio.PathWin, s.event, nthWin(5).body(), nil), 401, ""},
		{"an event signed as wins are", s.post(p.public+customerio.PathEvent, s.action, event, nil), 401, ""},
		{"another route", s.post(p.public+"/"+hidden[:4]+"/fish", s.event, event, nil), 404, ""},
		{"more than a megabyte", s.post(p.public+customerio.PathWin, s.action, make([]byte, 1<<20+1), nil), 413, ""},
	}
	for _, r := range requests {
		if a := r.answer; a.err != nil || a.status != r.status || (r.status == 200 && a.Outcome != r.outcome) {
			t.Errorf("%s was answered %+v, want %d %s", r.what, a, r.status, r.outcome)
		}
	}

	_, metrics := get(t, p.private+"/metrics")
	for _, want := range []string{
		`trivia_requests_total{answer="200",route="win"} 7`, `trivia_requests_total{answer="200",route="event"} 2`,
		`trivia_requests_total{answer="401",route="win"} 2`, `trivia_requests_total{answer="401",route="event"} 1`,
		`trivia_requests_total{answer="404",route="other"} 1`, `trivia_requests_total{answer="413",route="win"} 1`,
		`trivia_request_seconds_count{route="win"} 10`,
		`trivia_refused_total{reason="mismatch"} 3`, `trivia_refused_total{reason="too_large"} 1`, `trivia_refused_total{reason="no_route"} 1`,
		`trivia_deliveries_total{kind="win",outcome="awarded"} 2`, `trivia_deliveries_total{kind="win",outcome="duplicate"} 1`,
		`trivia_deliveries_total{kind="win",outcome="already_won"} 1`, `trivia_deliveries_total{kind="win",outcome="prize_conflict"} 1`,
		`trivia_deliveries_total{kind="event",outcome="key_conflict"} 1`, `trivia_marked_total{kind="win",mark="reused_key"} 1`, `trivia_deliveries_total{kind="win",outcome="malformed"} 1`,
		`trivia_deliveries_total{kind="win",outcome="unknown_user"} 1`, `trivia_deliveries_total{kind="event",outcome="recorded"} 1`,
		`trivia_batch_size_count 9`, `trivia_commit_seconds_count 9`, `trivia_queue_length 0`,
		`trivia_backlog_up 1`, `trivia_pending 1`, `trivia_parked{outcome="malformed"} 1`, `trivia_parked{outcome="key_conflict"} 1`,
		`trivia_parked{outcome="prize_conflict"} 1`,
	} {
		if !strings.Contains(metrics, want+"\n") {
			t.Errorf("/metrics does not say %s", want)
		}
	}
	for _, want := range []string{`trivia_oldest_pending_seconds [0-9.e-]*[1-9]`, `process_cpu_seconds_total `, `go_goroutines `} {
		if !regexp.MustCompile(`(?m)^` + want).MatchString(metrics) {
			t.Errorf("/metrics has no %s", want)
		}
	}
	if t.Failed() {
		t.Log(ours(metrics))
	}

	if got := p.logged(t, "request refused"); len(got) != 5 {
		t.Errorf("%d lines about 5 refused requests", len(got))
	}
	if got := p.logged(t, "delivery parked"); len(got) != 3 {
		t.Errorf("%d lines about 3 parked deliveries", len(got))
	}
	if got := len(p.records(t)); got != 12 {
		t.Errorf("%d lines in the log, want four at the start, and one for each that was refused or parked:\n%s", got, p.stderr)
	}
	if _, refused := get(t, p.private+"/refused"); strings.Count(refused, `"status"`) != 5 || strings.Contains(refused, hidden) {
		t.Errorf("/refused = %s, want 5 and no secret", refused)
	}
}

// ours leaves out the metrics of Go and of the process, and all buckets.
func ours(metrics string) string {
	var found strings.Builder
	for line := range strings.Lines(metrics) {
		if strings.HasPrefix(line, "trivia_") && !strings.Contains(line, "_bucket") {
			_, _ = found.WriteString(line)
		}
	}

	return found.String()
}
