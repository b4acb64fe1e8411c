package pushback_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"trivia/internal/config"
	"trivia/internal/customerio"
	"trivia/internal/diag"
	"trivia/internal/drain"
	"trivia/internal/pgtest"
	"trivia/internal/pushback"
	"trivia/internal/store"
)

// BenchmarkPushes sends pushes of as many people to a stand-in in the same
// process, at 2000 calls a second at most, while a million other people wait.
// It tells how many go out in a second, and the most memory in use meanwhile.
//
//	go test -run '^$' -bench Pushes -benchtime 20000x ./internal/pushback
func BenchmarkPushes(b *testing.B) {
	for _, waiting := range []int{0, 1_000_000} {
		b.Run(map[bool]string{false: "few", true: "million waiting"}[waiting > 0], func(b *testing.B) {
			benchmarkPushes(b, waiting)
		})
	}
}

func benchmarkPushes(b *testing.B, waiting int) {
	b.Helper()

	url := pgtest.Schema(b)
	if _, err := store.Migrate(b.Context(), url); err != nil {
		b.Fatal(err)
	}
	s, err := store.Open(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.Close)
	bench := &bench{db: connect(b, url)}
	bench.exec(b, `
		INSERT INTO pushes (person, kind, cause, cause_id, attributes, occurred_at, state)
		SELECT md5(n::text), 'attributes', 'event', 'e', '{"last_email_metric":"opened","last_email_engaged_at":1777896000}', now(), 'pending'
		FROM generate_series(1, $1::int) AS n`, b.N+waiting)
	bench.exec(b, `ANALYZE pushes`)

	var taken atomic.Int64
	ctx, stop := context.WithCancel(b.Context())
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if taken.Add(1) >= int64(b.N) {
			stop()
		}
		_, _ = io.WriteString(w, "{}")
	}))
	b.Cleanup(api.Close)
	log := slog.New(slog.DiscardHandler)
	st := pushback.New(pushback.Options{
		Store: s, Rate: rate.NewLimiter(2000, 100), Metrics: diag.New(), Log: log, Now: time.Now, Jitter: func() float64 { return 0 },
		Client: customerio.NewClient(customerio.ClientOptions{URL: api.URL, SiteID: "site", APIKey: config.NewSecret("swordfish"), Now: time.Now}),
	})

	most := make(chan uint64)
	go func() { most <- mostHeap(ctx) }()
	b.ResetTimer()
	drain.Loop(ctx, log, time.Second, st.Wake(), st.Step)
	b.StopTimer()
	if err := st.Wait(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(taken.Load())/b.Elapsed().Seconds(), "pushes/s")
	b.ReportMetric(float64(<-most)/(1<<20), "MiB")
}

// mostHeap returns the most memory that was in use until ctx ends.
func mostHeap(ctx context.Context) (most uint64) {
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for ctx.Err() == nil {
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		most = max(most, stats.HeapAlloc)
		select {
		case <-ctx.Done():
		case <-look.C:
		}
	}

	return most
}
