package diag

import (
	"context"
	"io"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const readyDeadline = time.Second

const index = `<!doctype html>
<title>trivia-hook</title>
<h1>trivia-hook</h1>
<ul>
<li><a href="/metrics">/metrics</a> for Prometheus
<li><a href="/refused">/refused</a> the last hundred requests that were refused
<li><a href="/debug/pprof/">/debug/pprof/</a> profiles
<li><a href="/healthz">/healthz</a> is the process up
<li><a href="/readyz">/readyz</a> can it keep deliveries
</ul>
`

// Handler serves m as /metrics, refusals as /refused, profiles below
// /debug/pprof/, /healthz, which is fine as long as the process answers, and
// /readyz, which is fine as long as every one of ready is (nil is), as m tells,
// too. It is for a private listener: profiles show memory.
func Handler(m *Metrics, refusals *Refusals, ready ...func(context.Context) error) http.Handler {
	mux := http.NewServeMux()
	check := all(ready)
	m.live.ready.Store(&check)

	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	mux.Handle("GET /refused", refusals)

	// Mounted by hand: the package mounts itself on the default mux only, which
	// nobody here serves.
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("POST /debug/pprof/symbol", pprof.Symbol) // go tool pprof posts its addresses

	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		say(w, http.StatusOK, "text/plain; charset=utf-8", "ok\n")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyDeadline)
		defer cancel()

		if err := check(ctx); err != nil {
			say(w, http.StatusServiceUnavailable, "text/plain; charset=utf-8", "not ready: "+err.Error()+"\n")

			return
		}
		say(w, http.StatusOK, "text/plain; charset=utf-8", "ok\n")
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		say(w, http.StatusOK, "text/html; charset=utf-8", index)
	})

	return mux
}

// all makes one check of many: the first that fails tells why. Nil is none.
func all(checks []func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		for _, check := range checks {
			if check == nil {
				continue
			}
			if err := check(ctx); err != nil {
				return err
			}
		}

		return nil
	}
}

// say answers with text. If the caller is gone, there is nobody to tell.
func say(w http.ResponseWriter, status int, contentType, text string) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}
