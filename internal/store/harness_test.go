package store_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"

	"trivia/internal/pgtest"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// noon is when everything in these tests arrives.
var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// A bench is a migrated database with an intake on it.
type bench struct {
	*store.Store
	*store.Intake

	url string
	db  *pgx.Conn
}

func newBench(t *testing.T, opts store.IntakeOptions) bench {
	t.Helper()

	url := pgtest.Schema(t)
	if _, err := store.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	in := intakeAt(t, url, opts)
	db, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close(context.Background()) })

	b := bench{s, in, url, db}
	b.exec(t, `INSERT INTO users (user_id) SELECT 'u' || n FROM generate_series(1, 50) AS n`)

	return b
}

// intakeAt opens an intake that has time, unless opts say otherwise.
func intakeAt(t *testing.T, url string, opts store.IntakeOptions) *store.Intake {
	t.Helper()

	if opts.Statement == 0 {
		opts.Statement = time.Minute
	}
	in, err := store.OpenIntake(t.Context(), url, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(in.Close)

	return in
}

func (b bench) exec(t *testing.T, sql string) {
	t.Helper()
	if _, err := b.db.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// query returns what sql answers, a row as its values in one text.
func (b bench) query(sql string) ([]string, error) {
	rows, err := b.db.Query(context.Background(), sql)
	if err != nil {
		return nil, err
	}

	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
		values, err := row.Values()
		words := make([]string, len(values))
		for i, v := range values {
			words[i] = fmt.Sprint(v)
		}

		return strings.Join(words, " "), err
	})
}

func (b bench) rows(t *testing.T, sql string) []string {
	t.Helper()
	got, err := b.query(sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}

	return got
}

func (b bench) want(t *testing.T, sql string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, b.rows(t, sql), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", sql, diff)
	}
}

func (b bench) take(t *testing.T, arrivals ...store.Arrival) []store.Receipt {
	t.Helper()
	got, err := b.Take(t.Context(), arrivals)
	if err != nil {
		t.Fatalf("Take: %v", err)
	}

	return got
}

// win is an action that came at noon.
func win(key, user, id, item string) store.Arrival {
	body := fmt.Sprintf(`{"user_id":%q,"trivia_id":%q,"item":%q}`, user, id, item)

	return store.Arrival{
		Kind: trivia.KindWin, Key: key, Body: []byte(body), SHA256: sha256.Sum256([]byte(body)),
		Win: trivia.Win{User: trivia.UserID(user), Trivia: trivia.ID(id), Item: trivia.Item(item)},
		At:  noon, Caller: "127.0.0.1", SignedBy: "ab12cd34", Stamp: "1777896000",
	}
}

func unusable(key, body string) store.Arrival {
	return store.Arrival{
		Kind: trivia.KindWin, Key: key, Body: []byte(body), SHA256: sha256.Sum256([]byte(body)),
		Unusable: "body is empty", At: noon,
	}
}

func event(id, object, metric string) store.Arrival {
	body := fmt.Sprintf(`{"event_id":%q,"object_type":%q,"metric":%q}`, id, object, metric)

	return store.Arrival{
		Kind: trivia.KindEvent, Key: id, Body: []byte(body), SHA256: sha256.Sum256([]byte(body)),
		Event: trivia.Event{ObjectType: object, Metric: metric, At: noon.Add(-time.Minute)}, At: noon,
	}
}

// checkInvariants holds what must be true of the tables whatever has happened,
// as long as nobody else wrote to them.
func checkInvariants(t failer, b bench) {
	t.Helper()
	for _, broken := range []struct{ what, sql string }{
		{"a win without its prize, or the other way round", `
			SELECT user_id, trivia_id FROM trivia_wins AS w FULL JOIN prizes AS p USING (user_id, trivia_id)
			WHERE w.item IS DISTINCT FROM p.item`},
		{"an awarded delivery without its win", `
			SELECT key FROM deliveries AS d WHERE outcome = 'awarded' AND NOT EXISTS (
				SELECT FROM trivia_wins AS w WHERE (w.delivery_key, w.user_id, w.trivia_id, w.item) = (d.key, d.user_id, d.trivia_id, d.item))`},
		{"a win without its awarded delivery", `
			SELECT w.delivery_key FROM trivia_wins AS w WHERE NOT EXISTS (
				SELECT FROM deliveries AS d WHERE d.key = w.delivery_key AND d.kind = 'win' AND d.rival = '' AND d.outcome = 'awarded')`},
		{"an event that was recorded and is not there, or the other way round", `
			SELECT key, event_id FROM (SELECT key FROM deliveries WHERE outcome = 'recorded') AS d
			FULL JOIN events AS e ON e.event_id = d.key WHERE key IS NULL OR event_id IS NULL`},
		{"owed twice for one cause", `
			SELECT cause, cause_id, person FROM pushes GROUP BY cause, cause_id, person HAVING count(*) > 1`},
		{"owed for a win that is not there", `
			SELECT person, cause_id FROM pushes AS p WHERE cause = 'win' AND NOT EXISTS (
				SELECT FROM trivia_wins AS w WHERE w.user_id = p.person AND w.trivia_id = p.cause_id)`},
		{"an event that owes a push that is not there, or the other way round", `
			SELECT e.event_id, p.cause_id FROM (SELECT * FROM events WHERE owed <> 'nobody') AS e
			FULL JOIN (SELECT * FROM pushes WHERE cause = 'event') AS p ON p.cause_id = e.event_id
			WHERE (p.kind, p.person) IS DISTINCT FROM (e.owed, e.person)`},
		{"an answer without its event", `
			SELECT r.event_id FROM responses AS r WHERE NOT EXISTS (SELECT FROM events AS e WHERE e.event_id = r.event_id)`},
		{"an outcome in the wrong state", `
			SELECT key, state, outcome FROM deliveries WHERE CASE
				WHEN outcome IN ('awarded', 'already_won', 'recorded') THEN state <> 'done'
				WHEN outcome IN ('prize_conflict', 'key_conflict', 'trivia_closed', 'malformed') THEN state <> 'parked'
				ELSE state = 'done' END`},
		{"a parked delivery without a reason", `SELECT key FROM deliveries WHERE state = 'parked' AND reason IS NULL`},
		{"a pending delivery that was settled, or the other way round", `
			SELECT key FROM deliveries WHERE (state = 'pending') <> (settled_at IS NULL)`},
		{"a second body under an event's identifier that is not parked for it", `
			SELECT key FROM deliveries WHERE (rival <> '') <> (outcome IS NOT DISTINCT FROM 'key_conflict') OR rival NOT IN ('', body_sha256)
				OR rival <> '' AND kind = 'win'`},
		{"a second body under a win's key without a key of its own, or the other way round", `
			SELECT key FROM deliveries WHERE (reuses IS NULL) <> (key NOT LIKE '%#body-' || encode(body_sha256, 'hex'))
				OR (reuses IS NOT NULL) <> coalesce('reused_key' = ANY (marks), false)
				OR reuses IS NOT NULL AND NOT EXISTS (SELECT FROM deliveries AS f
					WHERE f.key = deliveries.reuses AND f.kind = 'win' AND f.body_sha256 <> deliveries.body_sha256)`},
	} {
		if got, err := b.query(broken.sql); err != nil || len(got) > 0 {
			t.Errorf("%s: %q, %v", broken.what, got, err)
		}
	}
}

// A failer is a testing.T or a rapid.T.
type failer interface {
	Helper()
	Errorf(format string, args ...any)
}
