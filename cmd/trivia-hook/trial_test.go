package main

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"trivia/internal/config"
	"trivia/internal/ctl"
)

// operate runs triviactl beside a service, with the same settings.
func operate(ctx context.Context, t *testing.T, e env, args ...string) (code int, stdout, stderr string) {
	t.Helper()

	var out, err bytes.Buffer
	code = ctl.Run(ctx, args, ctl.Env{
		Getenv: func(name string) string { return e[name] },
		Stdin:  strings.NewReader(""), Stdout: &out, Stderr: &err,
		Host: "desk", Now: time.Now,
	})
	if said := out.String() + err.String(); strings.Contains(said, hidden) {
		t.Errorf("triviactl %q has printed a secret: %s", args, said)
	}

	return code, out.String(), err.String()
}

// aBench is what a bench says of itself.
type aBench struct {
	Requests, Sent, Accepted, Kept, Awarded, Settled, Double, Lost int
	Answers                                                        map[string]int
}

func TestEveryScenarioEndsAsExpected(t *testing.T) {
	t.Parallel()

	db := newPostgres(t)
	e := on(db.url)
	p := start(t, e)
	code, out, said := operate(t.Context(), t, e, "send", "scenario", "all", "--url", p.public, "--output", "json")
	var rows []struct{ Scenario, Result string }
	if err := json.Unmarshal([]byte(out), &rows); err != nil || code != 0 || len(rows) != 15 {
		t.Fatalf("exit %d, %d scenarios:\n%s%s", code, len(rows), out, said)
	}
	for _, r := range rows {
		if r.Result != "ok" {
			t.Errorf("scenario %s: %s", r.Scenario, r.Result)
		}
	}
	db.want(t, `SELECT count(*)::text FROM granted`, "5")

	code, out, said = operate(t.Context(), t, e,
		"send", "scenario", "duplicate-storm", "malformed-set", "unknown-event", "--url", p.public, "--cleanup")
	if code != 0 || !strings.Contains(said, "17 rows of scenario-") { // of which 5 are of the one win
		t.Errorf("exit %d:\n%s%s", code, out, said)
	}
	db.want(t, `SELECT count(*)::text FROM users WHERE user_id LIKE 'scenario-%'`, "1")
}

// A scenario that expects what a hook does not do fails: here it refuses
// what is old.
func TestAScenarioFindsWhatDiffers(t *testing.T) {
	t.Parallel()

	e := on(newPostgres(t).url)
	p := start(t, e.with(env{config.SignatureTolerance: "5m"}))
	code, out, said := operate(t.Context(), t, e, "send", "scenario", "stale", "wrong-key", "--url", p.public, "--user", "user-1")
	if code != 1 || !strings.Contains(said, "stale: expected awarded with 1 kept, 1 win, 1 prize, seen 401 with 0 kept, 0 wins, 0 prizes\n") {
		t.Errorf("exit %d:\n%s%s", code, out, said)
	}
}

func TestABenchProvesThatNothingIsLost(t *testing.T) {
	t.Parallel()

	db := newPostgres(t)
	e := on(db.url)
	p := start(t, e)
	for _, flags := range [][]string{
		{"--connections", "8", "--duplicates", "20%", "--users", "30", "--trivias", "1000"},
		{"--rate", "100", "--duplicates", "20%", "--users", "30", "--trivias", "2"},
		{"--rate", "100", "--kind", "event", "--cleanup"},
	} {
		args := append([]string{"bench", "--url", p.public, "--duration", "1s", "--output", "json"}, flags...)
		code, out, said := operate(t.Context(), t, e, args...)
		var got aBench
		if err := json.Unmarshal([]byte(out), &got); err != nil || code != 0 {
			t.Fatalf("triviactl %q exits with %d, %v:\n%s%s", args, code, err, out, said)
		}
		if got.Sent == 0 || got.Requests < got.Sent || got.Accepted > got.Sent || got.Kept != got.Accepted ||
			got.Settled != got.Accepted || got.Double != 0 || got.Lost != 0 {
			t.Errorf("triviactl %q: %+v", args, got)
		}
	}
	db.want(t, `SELECT (count(*) = count(DISTINCT (user_id, trivia_id)))::text FROM granted`, "true")
	db.want(t, `SELECT count(*)::text FROM events`, "0")
}

// What was acknowledged, and is gone or granted a second time, is found.
func TestABenchFindsWhatIsLostAndWhatIsDouble(t *testing.T) {
	t.Parallel()

	db := newPostgres(t)
	e := on(db.url)
	p := start(t, e)
	db.exec(t, `
		CREATE FUNCTION forge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			DELETE FROM deliveries WHERE key LIKE 'bench-%-7' AND received_at < now() - interval '200 ms';
			UPDATE deliveries SET user_id = regexp_replace(user_id, '-u.*', '-u0')
			WHERE key LIKE 'bench-%-8' AND received_at < now() - interval '200 ms';
			RETURN NULL;
		END $$;
		CREATE TRIGGER forge AFTER INSERT OR UPDATE ON deliveries FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION forge()`)
	code, out, said := operate(t.Context(), t, e, "bench", "--url", p.public, "--duration", "1s", "--rate", "50", "--output", "json")
	var got aBench
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 1 || got.Lost != 1 || got.Double != 1 {
		t.Errorf("exit %d, %d lost, %d double, want 1 of each:\n%s%s", code, got.Lost, got.Double, out, said)
	}
	if !strings.Contains(said, "triviactl: 1 lost, 1 double\n") {
		t.Errorf("said %q", said)
	}
}

// A service that is killed and comes back loses nothing that it has
// acknowledged, and the bench says so.
func TestABenchOutlivesAServiceThatIsKilled(t *testing.T) {
	t.Parallel()

	db := newPostgres(t)
	e := on(db.url)
	p := start(t, e)
	e[config.Listen] = strings.TrimPrefix(p.public, "http://") // the next one takes its place
	type end struct {
		code      int
		out, said string
	}
	ended := make(chan end, 1)
	go func() {
		code, out, said := operate(t.Context(), t, e,
			"bench", "--url", p.public, "--duration", "3s", "--rate", "200", "--users", "50", "--output", "json")
		ended <- end{code, out, said}
	}()
	wait(t, "wins come in", func() bool {
		return db.column(t, `SELECT (count(*) > 50)::text FROM trivia_wins`)[0] == "true"
	})
	p.kill(t)
	start(t, e)
	db.endLeases(t)

	last := <-ended
	var got aBench
	if err := json.Unmarshal([]byte(last.out), &got); err != nil || last.code != 0 || got.Lost+got.Double > 0 || got.Accepted < 50 {
		t.Errorf("exit %d:\n%s%s", last.code, last.out, last.said)
	}
	t.Logf("%+v", got)
}
