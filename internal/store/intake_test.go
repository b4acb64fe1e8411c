package store_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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

	db *pgx.Conn
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
	if opts.Statement == 0 {
		opts.Statement = time.Minute
	}
	in, err := store.OpenIntake(t.Context(), url, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(in.Close)
	db, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close(context.Background()) })

	b := bench{s, in, db}
	b.exec(t, `INSERT INTO users (user_id) SELECT 'u' || n FROM generate_series(1, 50) AS n`)

	return b
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
	if diff := cmp.Diff(want, b.rows(t, sql)); diff != "" {
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

const allDeliveries = `
	SELECT key, state, coalesce(outcome, '-'), seen, length(rival) FROM deliveries ORDER BY key, rival`

func TestOneBatchReachesEveryOutcome(t *testing.T) {
	t.Parallel()
	b := newBench(t, store.IntakeOptions{})
	b.exec(t, `INSERT INTO trivias (trivia_id, closed_at) VALUES ('old', now())`)
	b.take(t, win("k0", "u1", "capitals", "mug"))

	got := b.take(t,
		win("k1", "u2", "capitals", "mug"),
		win("k2", "u1", "capitals", "mug"),
		win("k3", "u1", "capitals", "car"),
		win("k4", "nobody", "capitals", "mug"),
		win("k5", "u3", "old", "mug"),
		unusable("k6", ""),
		event("e1", "email", "opened"),
		win("k1", "u2", "capitals", "mug"),
		win("k1", "u3", "capitals", "mug"),
		win("k0", "u4", "capitals", "mug"),
		win("k0", "u1", "capitals", "mug"),
	)

	want := []store.Receipt{
		{State: trivia.StateDone, Outcome: trivia.Awarded},
		{State: trivia.StateDone, Outcome: trivia.AlreadyWon},
		{State: trivia.StateParked, Outcome: trivia.PrizeConflict, Reason: "the user has won mug with this trivia already"},
		{State: trivia.StatePending, Outcome: trivia.UnknownUser, Reason: "no such user"},
		{State: trivia.StateParked, Outcome: trivia.TriviaClosed, Reason: "the trivia is closed"},
		{State: trivia.StateParked, Outcome: trivia.Malformed, Reason: "body is empty"},
		{State: trivia.StateDone, Outcome: trivia.Recorded},
		{State: trivia.StateDone, Outcome: trivia.Awarded, Duplicate: true},
		{State: trivia.StateParked, Outcome: trivia.KeyConflict, Reason: "this key came before with another body"},
		{State: trivia.StateParked, Outcome: trivia.KeyConflict, Reason: "this key came before with another body"},
		{State: trivia.StateDone, Outcome: trivia.Awarded, Duplicate: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Take (-want +got):\n%s", diff)
	}

	b.want(t, allDeliveries,
		"e1 done recorded 1 0",
		"k0 done awarded 2 0",
		"k0 parked key_conflict 1 32",
		"k1 done awarded 2 0",
		"k1 parked key_conflict 1 32",
		"k2 done already_won 1 0",
		"k3 parked prize_conflict 1 0",
		"k4 pending unknown_user 1 0",
		"k5 parked trivia_closed 1 0",
		"k6 parked malformed 1 0",
	)
	b.want(t, `SELECT user_id, trivia_id, item, delivery_key FROM trivia_wins ORDER BY user_id`,
		"u1 capitals mug k0", "u2 capitals mug k1")
	b.want(t, `SELECT user_id, trivia_id, item FROM prizes ORDER BY user_id`, "u1 capitals mug", "u2 capitals mug")
	b.want(t, `SELECT event_id, object_type, metric, received_at - occurred_at FROM events`, "e1 email opened {60000000 0 0 true}")
	b.want(t, `SELECT due_at - now() BETWEEN '4s' AND '6s' FROM deliveries WHERE key = 'k4'`, "true")
}
