package pushback_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"
	"golang.org/x/time/rate"

	"trivia/internal/config"
	"trivia/internal/customerio"
	"trivia/internal/diag"
	"trivia/internal/pgtest"
	"trivia/internal/pushback"
	"trivia/internal/store"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// noon is when everything in these tests came to be true, unless it says how
// much later.
const noon = `'2026-05-04 12:00Z'::timestamptz`

// A bench is a migrated database, a twin of Customer.io, and a stage whose
// clock the test sets forward.
type bench struct {
	*pushback.Stage

	url   string
	twin  *twin
	db    *pgx.Conn
	ahead atomic.Int64 // of the real clock, in nanoseconds
	log   *logbook
	opts  pushback.Options
}

func newBench(tb testing.TB) *bench {
	tb.Helper()

	url := pgtest.Schema(tb)
	if _, err := store.Migrate(tb.Context(), url); err != nil {
		tb.Fatal(err)
	}
	b := &bench{url: url, db: connect(tb, url), twin: newTwin(tb), log: &logbook{}}
	b.Stage = b.newStage(tb, 10*time.Second)

	return b
}

func connect(tb testing.TB, url string) *pgx.Conn {
	tb.Helper()

	db, err := pgx.Connect(tb.Context(), url)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close(context.Background()) })

	return db
}

// newStage returns a stage with connections of its own, as another process
// would have, that gives up a call after timeout.
func (b *bench) newStage(tb testing.TB, timeout time.Duration) *pushback.Stage {
	tb.Helper()

	s, err := store.Open(tb.Context(), b.url)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Close)
	now := func() time.Time { return time.Now().Add(time.Duration(b.ahead.Load())) }
	b.opts = pushback.Options{
		Store: s,
		Client: customerio.NewClient(customerio.ClientOptions{
			URL: b.twin.URL, SiteID: "site", APIKey: config.NewSecret("swordfish"), Timeout: timeout, Now: now,
		}),
		Rate: rate.NewLimiter(rate.Inf, 1), Metrics: diag.New(), Log: slog.New(slog.NewTextHandler(b.log, nil)),
		Now: now, Jitter: func() float64 { return 0 },
	}
	st := pushback.New(b.opts)
	tb.Cleanup(func() { _ = st.Wait() })

	return st
}

func (b *bench) exec(tb testing.TB, sql string, args ...any) {
	tb.Helper()
	if _, err := b.db.Exec(tb.Context(), sql, args...); err != nil {
		tb.Fatalf("%s: %v", sql, err)
	}
}

// owe writes a push of attributes that came to be true at noon plus later.
func (b *bench) owe(tb testing.TB, person, kind, later, attributes string) {
	tb.Helper()
	b.exec(tb, `
		INSERT INTO pushes (person, kind, cause, cause_id, attributes, occurred_at, state)
		VALUES ($1, $2, 'event', 'e', nullif($3, '')::jsonb, `+noon+` + $4::text::interval, 'pending')`, person, kind, attributes, later)
}

// win writes a win, and the push that tells of it.
func (b *bench) win(tb testing.TB, person, id, item, later string) {
	tb.Helper()
	b.exec(tb, `INSERT INTO users (user_id) VALUES ($1) ON CONFLICT DO NOTHING`, person)
	b.exec(tb, `
		WITH won AS (
			INSERT INTO trivia_wins (user_id, trivia_id, item, delivery_key, won_at)
			VALUES ($1, $2, $3, 'k', `+noon+` + $4::text::interval)
			RETURNING user_id, trivia_id, won_at)
		INSERT INTO pushes (person, kind, cause, cause_id, occurred_at, state)
		SELECT user_id, 'event', 'win', trivia_id, won_at, 'pending' FROM won`, person, id, item, later)
}

// want fails t unless sql, which selects one text, answers want.
func (b *bench) want(t *testing.T, sql string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, b.rows(t, sql), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", sql, diff)
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

// step lets a stage take one step and waits until nobody is in hand.
func step(tb testing.TB, st *pushback.Stage) int {
	tb.Helper()
	n, err := st.Step(tb.Context())
	if err != nil {
		tb.Fatalf("Step = %d, %v", n, err)
	}
	if err := st.Wait(); err != nil {
		tb.Fatalf("Wait = %v", err)
	}

	return n
}

// send lets the stage send all that it can send now.
func (b *bench) send(tb testing.TB) {
	tb.Helper()
	for step(tb, b.Stage) > 0 {
	}
}

// later lets the time pass that people rest and that sending is paused.
func (b *bench) later(tb testing.TB) {
	tb.Helper()
	b.ahead.Add(int64(2 * time.Minute))
	b.exec(tb, `UPDATE push_people SET leased_until = now() WHERE leased_until > now()`)
}

// sendAll sends until nothing is pending, however often that fails.
func (b *bench) sendAll(tb testing.TB, stages ...*pushback.Stage) {
	tb.Helper()
	for range 1000 {
		for _, st := range stages {
			step(tb, st)
		}
		if b.rows(tb, `SELECT count(*)::text FROM pushes WHERE state = 'pending'`)[0] == "0" {
			return
		}
		b.later(tb)
	}
	tb.Fatalf("after many steps these are pending: %q", b.rows(tb, pushes))
}

// sawTaken fails t unless the twin took just these requests for a person, in
// that order; for all people if the person is empty.
func (b *bench) sawTaken(t *testing.T, person string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, b.twin.taken(person), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("Customer.io took for %q (-want +got):\n%s", person, diff)
	}
}

// pushes are what the tests ask the table.
const pushes = `
	SELECT concat_ws(' ', person, kind, state, attempts, status, '(' || reason || ')')
	FROM pushes ORDER BY id`

// scraped fails t unless /metrics has the line.
func (b *bench) scraped(t *testing.T, line string) {
	t.Helper()
	w := httptest.NewRecorder()
	diag.Handler(b.opts.Metrics, &diag.Refusals{}).ServeHTTP(w,
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

func person(n int) string { return fmt.Sprintf("p%03d", n) }

func itoa(n int) string { return strconv.Itoa(n) }
