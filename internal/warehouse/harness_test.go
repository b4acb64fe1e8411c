package warehouse_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"

	"trivia/internal/config"
	"trivia/internal/diag"
	"trivia/internal/parquetfile"
	"trivia/internal/pgtest"
	"trivia/internal/store"
	"trivia/internal/waiting"
	"trivia/internal/warehouse"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// A bench is a migrated database, and stages whose clock the test sets forward.
type bench struct {
	url     string
	db      *pgx.Conn
	ahead   atomic.Int64 // of the real clock, in nanoseconds
	log     *logbook
	metrics *diag.Metrics
}

func newBench(tb testing.TB) *bench {
	tb.Helper()

	url := pgtest.Schema(tb)
	if _, err := store.Migrate(tb.Context(), url); err != nil {
		tb.Fatal(err)
	}
	b := &bench{url: url, log: &logbook{}, metrics: diag.New()}
	b.db = b.connect(tb)

	return b
}

func (b *bench) connect(tb testing.TB) *pgx.Conn {
	tb.Helper()

	db, err := pgx.Connect(tb.Context(), b.url)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close(context.Background()) })

	return db
}

func (b *bench) now() time.Time { return time.Now().Add(time.Duration(b.ahead.Load())) }

// pass lets time pass.
func (b *bench) pass(d time.Duration) { b.ahead.Add(int64(d)) }

func (b *bench) openStore(tb testing.TB) *store.Store {
	tb.Helper()

	s, err := store.Open(tb.Context(), b.url)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Close)

	return s
}

// stage returns a stage with connections of its own, as another process would
// have.
func (b *bench) stage(tb testing.TB, sink warehouse.Sink) *warehouse.Stage {
	tb.Helper()

	return warehouse.NewStage(warehouse.Options{
		Store: b.openStore(tb), Sink: sink, Metrics: b.metrics,
		Log: slog.New(slog.NewTextHandler(b.log, nil)), Now: b.now, Jitter: func() float64 { return 0 },
		Lease: 10 * time.Minute, // a test ends it when it says so
	})
}

// step lets a stage take one step.
func step(tb testing.TB, st *warehouse.Stage) int {
	tb.Helper()

	n, err := st.Step(tb.Context())
	if err != nil {
		tb.Fatalf("Step = %d, %v", n, err)
	}

	return n
}

// settle waits until nothing is under way that began before the newest rows: of
// what other tests do at this moment.
func (b *bench) settle(tb testing.TB) {
	tb.Helper()

	const over = `
	SELECT bool_and(written < pg_snapshot_xmin(pg_current_snapshot()))::text
	FROM (
		SELECT written FROM events UNION ALL SELECT written FROM trivia_wins UNION ALL SELECT '0'
	) AS w
	WHERE written < pg_snapshot_xmax(pg_current_snapshot())`
	waiting.For(tb, "the transactions of other tests", func() bool { return b.rows(tb, over)[0] == "true" })
}

// send lets a stage take all that there is to the sink, for good.
func (b *bench) send(tb testing.TB, st *warehouse.Stage) {
	tb.Helper()

	b.settle(tb)
	for step(tb, st) > 0 {
	}
	if err := st.Flush(tb.Context()); err != nil {
		tb.Fatalf("Flush = %v", err)
	}
}

// trySend is send where the sink may fail.
func (b *bench) trySend(tb testing.TB, st *warehouse.Stage) {
	tb.Helper()

	for step(tb, st) > 0 {
	}
	_ = st.Flush(tb.Context())
}

// endLeases makes it late: who had something in hand has it no more.
func (b *bench) endLeases(tb testing.TB) {
	tb.Helper()
	b.exec(tb, `UPDATE warehouse_positions SET leased_until = now()`)
}

func (b *bench) exec(tb testing.TB, sql string, args ...any) {
	tb.Helper()
	if _, err := b.db.Exec(tb.Context(), sql, args...); err != nil {
		tb.Fatalf("%s: %v", sql, err)
	}
}

func (b *bench) rows(tb testing.TB, sql string) []string {
	tb.Helper()
	rows, err := b.db.Query(tb.Context(), sql)
	if err != nil {
		tb.Fatalf("%s: %v", sql, err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		tb.Fatalf("%s: %v", sql, err)
	}

	return got
}

func (b *bench) want(t *testing.T, sql string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, b.rows(t, sql), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", sql, diff)
	}
}

// Events and wins, one second after the other.
const (
	writeEvents = `
	WITH n AS (SELECT i, $1::timestamptz + i * interval '1 s' AS at, $4 || i AS id FROM generate_series($2::int, $3::int) AS i),
	d AS (
		INSERT INTO deliveries (key, kind, body, body_sha256, state, outcome, received_at, last_seen_at, settled_at)
		SELECT id, 'event', convert_to('{"event_id":"' || id || '","metric":"clicked"}', 'UTF8'), '', 'done', 'recorded', at, at, at FROM n)
	INSERT INTO events (event_id, object_type, metric, occurred_at, received_at, customer_id, person, email, campaign_id, href)
	SELECT id, 'email', 'clicked', at, at, 'c' || i, 'c' || i, 'c' || i || '@example.com', CASE WHEN i % 2 = 0 THEN 'k7' END, 'https://example.com/' FROM n`

	writeWins = `
	WITH n AS (SELECT i, $1::timestamptz + i * interval '1 s' AS at, 'w' || i AS id FROM generate_series($2::int, $3::int) AS i),
	u AS (INSERT INTO users (user_id) SELECT id FROM n ON CONFLICT DO NOTHING)
	INSERT INTO trivia_wins (user_id, trivia_id, item, delivery_key, won_at) SELECT id, 'capitals', 'mug', 'k' || i, at FROM n`
)

// noon is when the rows of these tests begin to come.
const noon = "2026-05-04 12:00Z"

// events writes events from to to, in one transaction.
func (b *bench) events(tb testing.TB, from, to int) {
	tb.Helper()
	b.exec(tb, writeEvents, noon, from, to, "e")
}

// wins writes so many wins, in one transaction.
func (b *bench) wins(tb testing.TB, n int) {
	tb.Helper()
	b.exec(tb, writeWins, noon, 1, n)
}

// logged returns how often the log has a text.
func (b *bench) logged(text string) int { return b.log.count(text) }

// scraped fails t unless /metrics has the line.
func (b *bench) scraped(t *testing.T, line string) {
	t.Helper()
	w := httptest.NewRecorder()
	diag.Handler(b.metrics, &diag.Refusals{}).ServeHTTP(w,
		httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody))
	if !strings.Contains(w.Body.String(), line+"\n") {
		t.Errorf("/metrics has no line %q", line)
	}
}

// A logbook is a log that may be read while it is written.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()

	return l.text.Write(p)
}

func (l *logbook) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()

	return strings.Count(l.text.String(), text)
}

// openFiles returns the sink of a directory.
func openFiles(tb testing.TB, dir, format string) warehouse.Sink {
	tb.Helper()

	sink, err := warehouse.Open(tb.Context(), config.Warehouse{Kind: config.FilesWarehouse, Dir: dir, Format: format})
	if err != nil {
		tb.Fatal(err)
	}

	return sink
}

// files returns the files of a table, without those that are not finished.
func files(tb testing.TB, dir, table string) (names []string) {
	tb.Helper()

	found, err := filepath.Glob(filepath.Join(dir, table, "day=*", "*"))
	if err != nil {
		tb.Fatal(err)
	}
	for _, at := range found {
		name, err := filepath.Rel(dir, at)
		if err != nil {
			tb.Fatal(err)
		}
		names = append(names, name)
	}

	return names
}

type eventID struct {
	ID string `parquet:"event_id"`
}

type winID struct {
	ID string `parquet:"win_id"`
}

// inParquet returns the identifiers in all files of a table, sorted.
func inParquet(tb testing.TB, dir, table string) (ids []string) {
	tb.Helper()

	for _, name := range files(tb, dir, table) {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			tb.Fatal(err)
		}
		if table == string(warehouse.Events) {
			err = parquetfile.Read(bytes.NewReader(text), int64(len(text)), func(r *eventID) error { ids = append(ids, r.ID); return nil })
		} else {
			err = parquetfile.Read(bytes.NewReader(text), int64(len(text)), func(r *winID) error { ids = append(ids, r.ID); return nil })
		}
		if err != nil {
			tb.Fatalf("%s: %v", name, err)
		}
	}
	slices.Sort(ids)

	return ids
}

// numbered returns the names from to to, sorted as text.
func numbered(name string, from, to int) (ids []string) {
	for i := from; i <= to; i++ {
		ids = append(ids, fmt.Sprintf(name, i))
	}
	slices.Sort(ids)

	return ids
}

func wantIDs(t *testing.T, what string, got, want []string) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
