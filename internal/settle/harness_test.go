package settle_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"

	"trivia/internal/customerio"
	"trivia/internal/diag"
	"trivia/internal/pgtest"
	"trivia/internal/settle"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// noon is when everything in these tests arrives.
var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// A bench is a migrated database with users u1 … u9, an intake, and a stage
// whose clock the test sets.
type bench struct {
	*settle.Stage

	url    string
	intake *store.Intake
	db     *pgx.Conn
	age    time.Duration // of what arrived at noon, by the stage's clock
	log    *logbook
}

func newBench(t *testing.T) *bench {
	t.Helper()

	url := pgtest.Schema(t)
	if _, err := store.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	db, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close(context.Background()) })

	b := &bench{url: url, db: db, log: &logbook{}}
	b.Stage, b.intake = b.newStage(t), b.newIntake(t, store.IntakeOptions{Statement: time.Minute})
	b.exec(t, `INSERT INTO users (user_id) SELECT 'u' || n FROM generate_series(1, 9) AS n`)

	return b
}

// newStage returns a stage with connections of its own, as another process
// would have.
func (b *bench) newStage(t *testing.T) *settle.Stage {
	t.Helper()

	s, err := store.Open(t.Context(), b.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)

	return &settle.Stage{
		Store: s, Metrics: diag.New(), Log: slog.New(slog.NewTextHandler(b.log, nil)),
		Now:    func() time.Time { return noon.Add(b.age) },
		Jitter: func() float64 { return 0 },
	}
}

func (b *bench) newIntake(t *testing.T, opts store.IntakeOptions) *store.Intake {
	t.Helper()

	in, err := store.OpenIntake(t.Context(), b.url, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(in.Close)

	return in
}

func (b *bench) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	if _, err := b.db.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// want fails t unless sql, which selects one text, answers want.
func (b *bench) want(t *testing.T, sql string, want ...string) {
	t.Helper()
	rows, err := b.db.Query(t.Context(), sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", sql, diff)
	}
}

func (b *bench) keep(t *testing.T, arrivals ...store.Arrival) {
	t.Helper()
	if _, err := b.intake.Keep(t.Context(), arrivals); err != nil {
		t.Fatalf("Keep: %v", err)
	}
}

// take takes wins in as the edge does.
func (b *bench) take(t *testing.T, wins ...store.Arrival) {
	t.Helper()
	for i := range wins {
		wins[i] = decoded(wins[i])
	}
	if _, err := b.intake.Take(t.Context(), wins); err != nil {
		t.Fatalf("Take: %v", err)
	}
}

func (b *bench) claim(t *testing.T, key string) store.Pending {
	t.Helper()
	p, err := b.Store.Claim(t.Context(), store.Ref{Kind: trivia.KindWin, Key: key}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}

	return p
}

// step lets the stage take one step, and wants it to have n in hand.
func (b *bench) step(t *testing.T, n int) {
	t.Helper()
	got, err := b.Step(t.Context())
	if err != nil || got != n {
		t.Errorf("Step = %d, %v; want %d", got, err, n)
	}
}

// wait makes everything that is pending due now, whatever it waits for.
func (b *bench) wait(t *testing.T) {
	t.Helper()
	b.exec(t, `UPDATE deliveries SET due_at = now() WHERE state = 'pending'`)
}

// What the tests ask the tables.
const (
	deliveries = `
		SELECT concat_ws(' ', key, state, coalesce(outcome, '-'), attempts, '(' || reason || ')')
		FROM deliveries ORDER BY key, rival`
	wins = `SELECT concat_ws(' ', user_id, trivia_id, item, delivery_key) FROM trivia_wins ORDER BY user_id, trivia_id`
	// A prize that is no win's, or the other way round, shows.
	prizes = `
		SELECT concat_ws(' ', p.user_id, p.trivia_id, p.item, CASE WHEN w.item IS DISTINCT FROM p.item THEN 'won ' || w.item END)
		FROM prizes AS p FULL JOIN trivia_wins AS w USING (user_id, trivia_id) ORDER BY p.user_id, p.trivia_id`
)

// win is an action that came at noon.
func win(key, user, id, item string) store.Arrival {
	return arrival(trivia.KindWin, key, fmt.Sprintf(`{"user_id":%q,"trivia_id":%q,"item":%q}`, user, id, item))
}

// arrival is anything that came at noon and has still to be looked into.
func arrival(kind trivia.Kind, key, body string) store.Arrival {
	return store.Arrival{Kind: kind, Key: key, Body: []byte(body), SHA256: sha256.Sum256([]byte(body)), At: noon}
}

// decoded is an action as the edge hands it on.
func decoded(a store.Arrival) store.Arrival {
	a.Win, _ = customerio.DecodeAction(a.Body) // an unusable body is no win

	return a
}

// A gate is a grant_prize that takes as long as the test wants: it waits for a
// lock that the test holds.
type gate struct{ db *pgx.Conn }

func (b *bench) shutGate(t *testing.T) gate {
	t.Helper()
	b.exec(t, `SELECT pg_advisory_lock(hashtext(current_schema()))`)
	b.exec(t, `
		CREATE OR REPLACE FUNCTION grant_prize(user_id text, item text, trivia_id text) RETURNS void LANGUAGE plpgsql AS $$
		BEGIN
			PERFORM pg_advisory_xact_lock(hashtext(current_schema()));
			INSERT INTO prizes (user_id, trivia_id, item)
			VALUES (grant_prize.user_id, grant_prize.trivia_id, grant_prize.item);
		END $$`)

	return gate{b.db}
}

// waitedAt returns when somebody waits at the gate.
func (g gate) waitedAt(t *testing.T) {
	t.Helper()
	for waiting := false; !waiting; {
		err := g.db.QueryRow(t.Context(), `
			SELECT EXISTS (
				SELECT FROM pg_locks
				WHERE locktype = 'advisory' AND NOT granted AND objid = (hashtext(current_schema())::bigint & 4294967295)::oid)`).
			Scan(&waiting)
		if err != nil {
			t.Fatalf("look at the gate: %v", err)
		}
	}
}

func (g gate) open(t *testing.T) {
	t.Helper()
	if _, err := g.db.Exec(t.Context(), `SELECT pg_advisory_unlock(hashtext(current_schema()))`); err != nil {
		t.Fatalf("open the gate: %v", err)
	}
}

// counts fails t unless the stage's metrics say that settling came to outcome
// n times.
func counts(t *testing.T, st *settle.Stage, outcome string, n int) {
	t.Helper()
	if want := fmt.Sprintf("trivia_settled_total{outcome=%q} %d\n", outcome, n); !strings.Contains(metricsOf(t, st.Metrics), want) {
		t.Errorf("/metrics has no line %q", want)
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

// lines returns the lines with text in them.
func (l *logbook) lines(text string) (found []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.text.String()) {
		if strings.Contains(line, text) {
			found = append(found, line)
		}
	}

	return found
}
