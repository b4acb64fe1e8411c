package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"trivia/internal/pgtest"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// newDurable returns a bench on a server of its own, which it may configure.
func newDurable(t *testing.T) bench {
	t.Helper()

	url := pgtest.Durable(t).URL()
	if _, err := store.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	db, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close(context.Background()) })
	b := bench{s, intakeAt(t, url, store.IntakeOptions{}), url, db}
	b.exec(t, `INSERT INTO users (user_id) SELECT 'u' || n FROM generate_series(1, 50) AS n`)

	return b
}

// awaitStandby makes the server wait for a standby of that name, none if it is
// empty.
func (b bench) awaitStandby(t *testing.T, name string) {
	t.Helper()
	b.exec(t, `SET synchronous_commit = local`) // this very session does not wait
	b.exec(t, `ALTER SYSTEM SET synchronous_standby_names = '`+name+`'`)
	b.exec(t, `SELECT pg_reload_conf()`)
	for b.rows(t, `SELECT current_setting('synchronous_standby_names')`)[0] != name {
		t.Log("the server has not read its configuration yet")
	}
}

func TestNothingIsAcknowledgedThatTheStandbyHasNotConfirmed(t *testing.T) {
	t.Parallel()
	b := newDurable(t)
	b.take(t, win("before", "u1", "before", "mug"))
	b.awaitStandby(t, "nobody")

	commits := map[string]func(context.Context, []store.Arrival) ([]store.Receipt, error){
		"Take": b.Take, "Keep": b.Keep,
	}
	for name, commit := range commits {
		for range 3 { // it is there from the first time on, and no more confirmed
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			_, err := commit(ctx, []store.Arrival{win(name, "u1", name, "mug"), event("e"+name, "email", "opened")})
			cancel()
			if err == nil {
				t.Errorf("%s = nil while nobody has confirmed anything", name)
			}
		}
	}

	b.awaitStandby(t, "")
	for name, commit := range commits {
		got, err := commit(t.Context(), []store.Arrival{win(name, "u1", name, "mug"), event("e"+name, "email", "opened")})
		if err != nil {
			t.Errorf("%s when the server waits no longer = %+v, %v", name, got, err)
		}
	}
	b.want(t, `SELECT count(*), count(DISTINCT key) FROM deliveries`, "5 5")
	b.want(t, `SELECT user_id FROM prizes WHERE trivia_id = 'Take'`, "u1")
	checkInvariants(t, b)
}

func TestAnActSaysThatTheStandbyHasNotConfirmedIt(t *testing.T) {
	t.Parallel()
	b := newDurable(t)
	b.awaitStandby(t, "nobody")

	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	err := b.Act(ctx, func(a *store.Act) (store.Deed, error) {
		return store.Deed{Actor: "ann", Verb: "test", Target: "x", Reason: "y"}, nil
	})
	if !errors.Is(err, store.ErrUnconfirmed) {
		t.Errorf("Act = %v, want %v", err, store.ErrUnconfirmed)
	}
	b.want(t, `SELECT verb FROM audit_log WHERE verb = 'test'`, "test")
}

func TestWhatIsSettledSaysThatTheStandbyHasNotConfirmedIt(t *testing.T) {
	t.Parallel()
	b := newDurable(t)
	if _, err := b.Keep(t.Context(), []store.Arrival{win("k1", "u1", "capitals", "mug")}); err != nil {
		t.Fatal(err)
	}
	p, err := b.Claim(t.Context(), store.Ref{Kind: trivia.KindWin, Key: "k1"}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	b.awaitStandby(t, "nobody")

	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	_, err = b.Settle(ctx, p, win("k1", "u1", "capitals", "mug"), store.SettleOptions{Statement: time.Minute})
	if !errors.Is(err, store.ErrUnconfirmed) {
		t.Errorf("Settle = %v, want %v", err, store.ErrUnconfirmed)
	}
}
