package settle_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"trivia/internal/diag"
	"trivia/internal/pgtest"
	"trivia/internal/store"
)

func TestAnAwardThatEndsItsSessionIsParkedAfterAFewTries(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.grant(t, `
		INSERT INTO prizes VALUES (grant_prize.user_id, grant_prize.trivia_id, grant_prize.item);
		IF grant_prize.user_id = 'u2' THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;`)
	b.keep(t, win("k1", "u1", "capitals", "mug"), win("k2", "u2", "capitals", "mug"), win("k3", "u3", "capitals", "mug"))

	for range 4 {
		b.wait(t)
		if _, err := b.Step(t.Context()); err != nil {
			t.Logf("Step = %v", err) // the next one gets on
		}
	}
	b.want(t, `SELECT concat_ws(' ', key, state, outcome, attempts) FROM deliveries ORDER BY key`,
		"k1 done awarded 1", "k2 parked 3", "k3 done awarded 1")
	b.want(t, `SELECT left(reason, 52) FROM deliveries WHERE key = 'k2'`, "its award ended the database's session again and aga")
	counts(t, b.Stage, "broken", 1)
	if lines := b.log.lines("key=k2 "); len(lines) != 3 || !strings.Contains(lines[2], "parked") {
		t.Errorf("the log says of k2 %q, want two tries and that it is parked", lines)
	}
}

// As when the kernel kills a process of the server: all others end with it,
// and the server recovers. The tries count all the same.
func TestAnAwardThatKillsTheServerIsParkedAfterAFewTries(t *testing.T) {
	t.Parallel()
	c := pgtest.Durable(t)
	if _, err := store.Migrate(t.Context(), c.URL()); err != nil {
		t.Fatal(err)
	}
	b := &bench{url: c.URL(), log: &logbook{}}
	st := b.newStage(t)
	st.Log, st.Metrics = slog.New(slog.NewTextHandler(b.log, nil)), diag.New()
	exec(t, c.URL(), `CREATE EXTENSION IF NOT EXISTS plpgsql; INSERT INTO users (user_id) SELECT 'u' || n FROM generate_series(1, 9) AS n`)
	exec(t, c.URL(), `
		CREATE OR REPLACE FUNCTION grant_prize(user_id text, item text, trivia_id text) RETURNS void LANGUAGE plpgsql AS $$
		BEGIN
			INSERT INTO prizes VALUES ($1, $3, $2);
			IF $1 = 'u2' THEN
				EXECUTE format('COPY (SELECT 1) TO PROGRAM %L', 'kill -9 ' || pg_backend_pid());
				PERFORM pg_sleep(60);
			END IF;
		END $$`)
	in := b.newIntake(t, store.IntakeOptions{Statement: time.Minute})
	if _, err := in.Keep(t.Context(), []store.Arrival{
		decoded(win("k1", "u1", "capitals", "mug")), decoded(win("k2", "u2", "capitals", "mug")), decoded(win("k3", "u3", "capitals", "mug")),
	}); err != nil {
		t.Fatal(err)
	}

	for pending := "3"; pending != "0"; {
		exec(t, c.URL(), `UPDATE deliveries SET due_at = now() WHERE state = 'pending'`)
		if _, err := st.Step(t.Context()); err != nil {
			t.Logf("Step = %v", err)
		}
		pending = text(t, c.URL(), `SELECT count(*)::text FROM deliveries WHERE state = 'pending'`)
	}
	got := text(t, c.URL(), `SELECT string_agg(concat_ws(' ', key, state, outcome), ', ' ORDER BY key) FROM deliveries`)
	if want := "k1 done awarded, k2 parked, k3 done awarded"; got != want {
		t.Errorf("deliveries are %q, want %q", got, want)
	}
	if got := text(t, c.URL(), `SELECT (attempts >= 3)::text FROM deliveries WHERE key = 'k2'`); got != "true" {
		t.Error("the tries of k2 went with the server")
	}
}

// exec runs sql, as soon as the server takes it.
func exec(t *testing.T, url, sql string) {
	t.Helper()
	_ = text(t, url, sql)
}

// text returns the one text that sql selects, if any, as soon as the server
// answers.
func text(t *testing.T, url, sql string) (word string) {
	t.Helper()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	var err error
	for range 1200 {
		if word, err = ask(t.Context(), url, sql); err == nil {
			return word
		}
		<-again.C
	}
	t.Fatalf("%s: %v", sql, err)

	return ""
}

func ask(ctx context.Context, url, sql string) (string, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close(ctx) }()
	results, err := conn.PgConn().Exec(ctx, sql).ReadAll()
	if err != nil {
		return "", err
	}
	if last := results[len(results)-1]; len(last.Rows) > 0 {
		return string(last.Rows[0][0]), nil
	}

	return "", nil
}
