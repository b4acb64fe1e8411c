package diag_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"trivia/internal/diag"
)

// get asks h for path and returns the status and the body.
func get(tb testing.TB, h http.Handler, path string) (status int, body string) {
	tb.Helper()

	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(tb.Context(), http.MethodGet, path, http.NoBody))

	return w.Code, w.Body.String()
}

// scrape returns the lines of /metrics that begin with prefix.
func scrape(tb testing.TB, m *diag.Metrics, prefix string) []string {
	tb.Helper()

	status, body := get(tb, diag.Handler(m, &diag.Refusals{}), "/metrics")
	if status != http.StatusOK {
		tb.Fatalf("GET /metrics = %d %s", status, body)
	}

	return slices.DeleteFunc(linesOf(body), func(line string) bool {
		return !strings.HasPrefix(line, prefix)
	})
}

func linesOf(text string) []string { return strings.Split(text, "\n") }

// checkLines fails t unless want are lines of /metrics.
func checkLines(t *testing.T, m *diag.Metrics, want ...string) {
	t.Helper()

	lines := scrape(t, m, "trivia_")
	for _, line := range want {
		if !slices.Contains(lines, line) {
			t.Errorf("/metrics has no line %q:\n%s", line, strings.Join(lines, "\n"))
		}
	}
}

func TestAScrapeShowsWhatWasCounted(t *testing.T) {
	t.Parallel()

	m := diag.New()
	m.Request("win", "200", 3*time.Millisecond)
	m.Request("win", "200", 5*time.Second)
	m.Request("event", "401", 100*time.Microsecond)
	m.Refused("mismatch")
	m.Batch(1, 200*time.Microsecond)
	m.Batch(64, 3*time.Millisecond)
	m.Delivery("win", "awarded", 60)
	m.Delivery("win", "awarded", 4)
	m.Delivery("win", "", 3)
	m.Delivery("event", "duplicate", 1)
	m.Delivery("event", "recorded", 0)
	m.Delivery("event", "recorded", -1)
	m.Fallback("timeout")
	m.Settled("awarded")
	m.Settled("")
	m.Queue(func() int { return 7 })

	checkLines(t, m,
		`trivia_requests_total{answer="200",route="win"} 2`,
		`trivia_requests_total{answer="401",route="event"} 1`,
		`trivia_request_seconds_bucket{route="win",le="0.002"} 0`,
		`trivia_request_seconds_bucket{route="win",le="0.004"} 1`,
		`trivia_request_seconds_bucket{route="win",le="4.096"} 1`,
		`trivia_request_seconds_bucket{route="win",le="+Inf"} 2`,
		`trivia_request_seconds_bucket{route="event",le="0.00025"} 1`,
		`trivia_request_seconds_sum{route="win"} 5.003`,
		`trivia_refused_total{reason="mismatch"} 1`,
		`trivia_batch_size_bucket{le="1"} 1`,
		`trivia_batch_size_bucket{le="32"} 1`,
		`trivia_batch_size_bucket{le="64"} 2`,
		`trivia_batch_size_bucket{le="1024"} 2`,
		`trivia_batch_size_sum 65`,
		`trivia_commit_seconds_bucket{le="0.00025"} 1`,
		`trivia_commit_seconds_count 2`,
		`trivia_deliveries_total{kind="win",outcome="awarded"} 64`,
		`trivia_deliveries_total{kind="win",outcome="pending"} 3`,
		`trivia_deliveries_total{kind="event",outcome="duplicate"} 1`,
		`trivia_award_fallbacks_total{reason="timeout"} 1`,
		`trivia_settled_total{outcome="awarded"} 1`,
		`trivia_settled_total{outcome="pending"} 1`,
		`trivia_queue_length 7`,
	)

	for _, absent := range []string{`trivia_deliveries_total{kind="event",outcome="recorded"}`, "trivia_backlog_up", "trivia_pending"} {
		if lines := scrape(t, m, absent); len(lines) != 0 {
			t.Errorf("/metrics has %q, want nothing that was not counted", lines)
		}
	}
	for _, present := range []string{"go_goroutines", "process_start_time_seconds"} {
		if lines := scrape(t, m, present); len(lines) != 1 {
			t.Errorf("/metrics has no %s", present)
		}
	}
}

func TestTwoRegistriesDoNotMeet(t *testing.T) {
	t.Parallel()

	a, b := diag.New(), diag.New()
	a.Refused("stale")

	if lines := scrape(t, b, "trivia_refused_total"); len(lines) != 0 {
		t.Errorf("what one counted, the other shows: %q", lines)
	}
}

func TestEveryoneMayCountAtOnce(t *testing.T) {
	t.Parallel()

	m := diag.New()

	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for _, reason := range []string{"a", "b", "c", "d", "e"} {
				for range 100 {
					m.Refused(reason)
				}
			}
		})
	}
	all.Wait()

	checkLines(t, m, `trivia_refused_total{reason="a"} 800`, `trivia_refused_total{reason="e"} 800`)
}

func TestTheBacklogIsReadAtAScrape(t *testing.T) {
	t.Parallel()

	m := diag.New()
	m.Backlog(func(context.Context) (int64, map[string]int64, time.Duration, error) {
		return 12, map[string]int64{"malformed": 2, "key_conflict": 1}, 90 * time.Second, nil
	})

	checkLines(t, m,
		`trivia_backlog_up 1`,
		`trivia_pending 12`,
		`trivia_parked{outcome="malformed"} 2`,
		`trivia_parked{outcome="key_conflict"} 1`,
		`trivia_oldest_pending_seconds 90`,
	)
}

func TestABacklogThatCannotBeReadIsNotMadeUp(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		m := diag.New()
		m.Backlog(func(ctx context.Context) (int64, map[string]int64, time.Duration, error) {
			<-ctx.Done() // a database that does not answer

			return 12, nil, 0, ctx.Err()
		})

		start := time.Now()
		checkLines(t, m, `trivia_backlog_up 0`)
		if took := time.Since(start); took != time.Second {
			t.Errorf("the scrape took %v, want the deadline of 1s", took)
		}
		for _, absent := range []string{"trivia_pending", "trivia_oldest_pending_seconds"} {
			if lines := scrape(t, m, absent); len(lines) != 0 {
				t.Errorf("/metrics shows %q of a backlog that could not be read", lines)
			}
		}
	})
}

func TestManyScrapersShareOneReading(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		var (
			m      = diag.New()
			failed = errors.New("no database")
			reads  int
		)
		m.Backlog(func(context.Context) (int64, map[string]int64, time.Duration, error) {
			reads++
			if reads == 1 {
				return 0, nil, 0, failed
			}

			return int64(reads), nil, 0, nil
		})

		var all sync.WaitGroup
		for range 10 {
			all.Go(func() { checkLines(t, m, "trivia_backlog_up 0") })
		}
		all.Wait()
		time.Sleep(900 * time.Millisecond)
		checkLines(t, m, "trivia_backlog_up 0")
		if reads != 1 {
			t.Errorf("read %d times within a second, want once", reads)
		}

		time.Sleep(101 * time.Millisecond)
		checkLines(t, m, "trivia_backlog_up 1", "trivia_pending 2")
		time.Sleep(time.Second)
	})
}

// AllocsPerRun measures the whole process, so this test runs alone.
func TestCountingDoesNotAllocate(t *testing.T) { //nolint:paralleltest // see above
	m := diag.New()
	calls := map[string]func(){
		"Request":  func() { m.Request("win", "200", time.Millisecond) },
		"Refused":  func() { m.Refused("mismatch") },
		"Batch":    func() { m.Batch(17, time.Millisecond) },
		"Delivery": func() { m.Delivery("win", "awarded", 17) },
		"Fallback": func() { m.Fallback("timeout") },
		"Settled":  func() { m.Settled("") },
	}

	for name, call := range calls {
		if n := testing.AllocsPerRun(100, call); n != 0 {
			t.Errorf("%s allocates %v times, want none", name, n)
		}
	}
}

func TestTheHandlerServesWhatItSays(t *testing.T) {
	t.Parallel()

	h := diag.Handler(diag.New(), &diag.Refusals{})

	tests := []struct {
		path   string
		status int
		text   string // somewhere in the body
	}{
		{"/", http.StatusOK, `href="/metrics"`},
		{"/", http.StatusOK, `href="/refused"`},
		{"/metrics", http.StatusOK, "go_goroutines"},
		{"/refused", http.StatusOK, "[]"},
		{"/healthz", http.StatusOK, "ok"},
		{"/readyz", http.StatusOK, "ok"},
		{"/debug/pprof/", http.StatusOK, "goroutine"},
		{"/debug/pprof/goroutine?debug=1", http.StatusOK, "goroutine profile"},
		{"/debug/pprof/heap?debug=1", http.StatusOK, "heap profile"},
		{"/debug/pprof/cmdline", http.StatusOK, "diag"},
		{"/debug/pprof/symbol", http.StatusOK, "num_symbols"},
		{"/debug/pprof/none", http.StatusNotFound, ""},
		{"/bet_service/cio/trivia_win", http.StatusNotFound, ""},
		{"/none", http.StatusNotFound, ""},
	}

	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			t.Parallel()

			if status, body := get(t, h, tt.path); status != tt.status || !strings.Contains(body, tt.text) {
				t.Errorf("GET %s = %d %q, want %d and %q in it", tt.path, status, body, tt.status, tt.text)
			}
		})
	}
}

func TestReadyzAsksEveryone(t *testing.T) {
	t.Parallel()

	fine := func(context.Context) error { return nil }
	broken := func(context.Context) error { return errors.New("schema 3 is needed, 2 is there") }

	tests := []struct {
		name   string
		ready  []func(context.Context) error
		status int
		body   string
	}{
		{"nobody", nil, http.StatusOK, "ok\n"},
		{"nil", []func(context.Context) error{nil}, http.StatusOK, "ok\n"},
		{"all are fine", []func(context.Context) error{fine, fine}, http.StatusOK, "ok\n"},
		{
			"one is not",
			[]func(context.Context) error{fine, broken},
			http.StatusServiceUnavailable, "not ready: schema 3 is needed, 2 is there\n",
		},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			h := diag.Handler(diag.New(), &diag.Refusals{}, tt.ready...)
			if status, body := get(t, h, "/readyz"); status != tt.status || body != tt.body {
				t.Errorf("GET /readyz = %d %q, want %d %q", status, body, tt.status, tt.body)
			}
			if status, _ := get(t, h, "/healthz"); status != http.StatusOK {
				t.Errorf("GET /healthz = %d, want 200 whatever is not ready", status)
			}
		})
	}
}

func TestReadyzGivesUpAfterASecond(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		hung := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

		status, _ := get(t, diag.Handler(diag.New(), &diag.Refusals{}, hung), "/readyz")
		if took := time.Since(start); status != http.StatusServiceUnavailable || took != time.Second {
			t.Errorf("GET /readyz = %d after %v, want 503 after 1s", status, took)
		}
	})
}

func BenchmarkRequest(b *testing.B) {
	m := diag.New()

	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			m.Request("win", "200", time.Millisecond)
		}
	})
}
