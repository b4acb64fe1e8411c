package store_test

import (
	"context"
	"net/url"
	"testing"
	"time"

	"trivia/internal/store"
	"trivia/internal/waiting"
)

func TestAnAwardThatWasGivenUpHoldsNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, store.IntakeOptions{})
	b.exec(t, `CREATE OR REPLACE FUNCTION grant_prize(user_id text, item text, trivia_id text) RETURNS void
		LANGUAGE sql AS 'SELECT pg_sleep(600)'`)
	batch := []store.Arrival{win("k1", "u1", "capitals", "mug"), event("e1", "email", "opened")}

	// We give up before the server does.
	ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
	defer cancel()
	if _, err := b.Take(ctx, batch); err == nil || !store.TooSlow(err) {
		t.Errorf("Take = %v, want a time-out", err)
	}

	// Its rows and its only connection are free again: nothing goes on behind our back.
	if got, err := b.Keep(waiting.Context(t), batch); err != nil || got[0].Duplicate || got[1].Duplicate {
		t.Errorf("Keep = %+v, %v; want both kept for the first time", got, err)
	}
	b.want(t, allDeliveries, "e1 pending - 1 0", "k1 pending - 1 0")
	b.want(t, `SELECT item FROM trivia_wins`)
}

func TestALostConnectionIsReplaced(t *testing.T) {
	t.Parallel()
	b := newBench(t, store.IntakeOptions{})
	name := b.rows(t, `SELECT current_schema()`)[0]
	in := intakeAt(t, changed(t, b.url, func(u *url.URL) { u.RawQuery += "&application_name=" + name }), store.IntakeOptions{})
	take := func(key string) error {
		_, err := in.Take(t.Context(), []store.Arrival{win(key, "u1", key, "mug")})
		return err
	}
	if err := take("k1"); err != nil {
		t.Fatalf("Take: %v", err)
	}

	b.want(t, `SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE application_name = '`+name+`'`, "true")
	if err := take("k2"); err != nil && !store.Passing(err) {
		t.Errorf("Take over a lost connection = %v, want an error that passes, if any", err)
	}
	if err := take("k3"); err != nil {
		t.Errorf("Take = %v", err)
	}
	b.want(t, `SELECT delivery_key FROM trivia_wins WHERE delivery_key <> 'k2' ORDER BY delivery_key`, "k1", "k3")
	checkInvariants(t, b)
}

func TestOnlyADatabaseWithoutUsersIsSeeded(t *testing.T) {
	t.Parallel()
	p := newPlot(t)
	p.migrate(t)
	s := p.open(t)

	for _, names := range [][]string{{"ann", "bob", "ann"}, {"cid"}} {
		if err := s.SeedUsers(t.Context(), names); err != nil {
			t.Errorf("SeedUsers = %v", err)
		}
	}
	p.want(t, `SELECT user_id FROM users ORDER BY user_id`, "ann", "bob")
}
