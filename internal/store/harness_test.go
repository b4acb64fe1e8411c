package store_test

import (
	"context"
	"crypto/sha256"
	"fmt"
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

func (b bench) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	if _, err := b.db.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// rows returns what a query answers, a row as its values in one text.
func (b bench) rows(t *testing.T, sql string, args ...any) []string {
	t.Helper()
	rows, err := b.db.Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	got, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
		values, err := row.Values()
		line := ""
		for i, v := range values {
			if i > 0 {
				line += " "
			}
			line += fmt.Sprint(v)
		}

		return line, err
	})
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
