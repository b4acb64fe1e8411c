package main

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

// waiting are wins of users who were not there when they came, and are now.
const waiting = `
	INSERT INTO users (user_id) SELECT 'user-' || i FROM generate_series(1, 150) AS i;
	INSERT INTO deliveries (key, kind, body, body_sha256, state, outcome, reason, user_id, trivia_id, item, received_at, last_seen_at, settled_at, caller, signed_by)
	SELECT 'key-' || i, 'win', body::bytea, sha256(body::bytea), 'parked', 'unknown_user', 'no such user',
		'user-' || i, 'capitals', 'mug', now() - i * interval '1 s', now() - i * interval '1 s', now(), '35.188.196.183', 'ab12cd34'
	FROM generate_series(1, 150) AS i, LATERAL (SELECT format('{"user_id":"user-%s","trivia_id":"capitals","item":"mug"}', i)) AS b (body);
	INSERT INTO deliveries (key, kind, body, body_sha256, state, outcome, received_at, last_seen_at, settled_at)
	VALUES ('an-event', 'event', '{}', sha256('{}'), 'done', 'recorded', now(), now(), now())`

// withWaiting returns a database that has such wins, and a connection to it.
func withWaiting(t *testing.T) (string, parkedDatabase) {
	t.Helper()

	url := migrated(t)
	db, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close(context.Background()) })
	if _, err := db.Exec(t.Context(), waiting); err != nil {
		t.Fatal(err)
	}

	return url, parkedDatabase{url, db}
}

// back presses esc, and waits until what it leads to is to be seen.
func (s *typed) back(to ...string) {
	s.t.Helper()
	s.press("esc")
	s.waitFor(to...)
}

func TestASessionFromTheListToTheDatabase(t *testing.T) {
	t.Parallel()

	url, db := withWaiting(t)
	s := terminal{env: []string{"TRIVIA_ENV=staging", "NO_COLOR=1"}}.start(t, url, "tui")
	s.waitFor("[1 Overview]", "! 150 parked")
	s.press("3")
	s.waitFor("[3 Deliveries]", "an-event")
	s.press("/")
	s.press("--state parked --user user-7")
	s.press("enter")
	s.waitForNo("an-event")
	s.waitFor("1 of 1")
	s.press("enter")
	s.waitFor("delivery key-7", "[Explained]", "verdict", "signed by key ab12cd34")
	s.press("right")
	s.waitFor("[Body]", `  "user_id": "user-7",`, "b: indented")
	s.press("b", "b")
	s.waitFor(`7b 22 75 73`, "b: hex")
	s.press("w")
	s.waitFor("win user-7, capitals", "has not won")
	s.back("[Body]", "b: hex")
	s.press("x")
	s.waitFor("What to do with 1 delivery", "▸ replay")
	s.press("enter")
	s.waitFor("why, for the audit log")
	s.press("users were imported", "enter")
	s.waitFor("1 delivery: 1 would be awarded", "replay 1 delivery, in staging (", "Enter to confirm")
	s.press("y")
	s.waitFor("clipboard")
	if got, want := s.copied(), "triviactl replay --reason='users were imported' --yes key-7"; got != want {
		t.Errorf("copied %q, want %q", got, want)
	}
	if got := db.lines(t, `SELECT user_id FROM trivia_wins`); len(got) > 0 {
		t.Errorf("before it is confirmed there are wins of %q", got)
	}
	s.press("enter")
	s.waitFor("Type yes and Enter to go on:")
	s.press("yes", "enter")
	s.waitFor("✓ done", "1 delivery replayed", "1 awarded")
	s.press("enter")
	s.waitFor("delivery key-7", "! 149 parked")
	s.press("left")
	s.waitFor("[Explained]", "has won mug")
	s.press("G")
	s.waitFor("users were imported")
	s.back("--user user-7")
	s.press("q")
	s.waitExit(0)

	want := []string{"user-7|capitals|mug|key-7", "awarded|done", "replay|key-7|users were imported"}
	got := db.lines(t, `
		SELECT concat_ws('|', user_id, trivia_id, item, delivery_key) FROM trivia_wins
		UNION ALL SELECT concat_ws('|', outcome, state) FROM deliveries WHERE key = 'key-7'
		UNION ALL SELECT concat_ws('|', verb, target, reason) FROM audit_log WHERE actor LIKE 'ann%'`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("in the database (-want +got):\n%s", diff)
	}
}

func TestASessionOverAllThatMatchTypesTheirNumber(t *testing.T) {
	t.Parallel()

	url, db := withWaiting(t)
	s := terminal{cols: 120, rows: 40, env: []string{"TRIVIA_ENV=production", "NO_COLOR=1"}}.start(t, url, "tui")
	s.waitFor("! 150 parked", "PRODUCTION")
	s.press("!")
	s.waitFor("[3 Deliveries]", "key-1")
	s.press("A")
	s.waitFor("all 150 selected")
	s.press("x")
	s.waitFor("What to do with all deliveries that match --state=parked")
	s.press("enter", "enter")
	s.waitFor("replay 150 deliveries, in PRODUCTION", "--limit=150 --yes")
	s.press("enter")
	s.waitFor("Type 150 and Enter to go on:")
	s.press("yes", "enter")
	s.waitFor(`nothing was done: "yes" is not 150`)
	if got := db.lines(t, `SELECT user_id FROM trivia_wins`); len(got) > 0 {
		t.Errorf("yes has won for %q", got)
	}
	s.press("150", "enter")
	s.waitFor("✓ done", "150 deliveries replayed", "150 awarded")
	s.press("enter")
	s.waitFor("! 0 parked")
	s.press("ctrl+c")
	s.waitExit(0)
	if got := db.lines(t, `SELECT count(*)::text || ' ' || (SELECT count(*) FROM audit_log) FROM trivia_wins`); got[0] != "150 150" {
		t.Errorf("wins and lines in the audit log: %s, want 150 of each", got[0])
	}
}

func TestASessionThatIsReadOnlyHasNothingToActWith(t *testing.T) {
	t.Parallel()

	url, _ := withWaiting(t)
	s := startScreens(t, url, "--read-only")
	s.waitFor("READ-ONLY", "! 150 parked")
	s.press("!")
	s.waitFor("user-16", "loaded")
	s.press("x", "enter")
	s.waitFor("[Explained]", "verdict")
	s.press("x", "?")
	s.waitFor("Everywhere")
	if screen := s.screen(); strings.Contains(screen, "What to do") || strings.Contains(screen, " act") {
		t.Errorf("there is something to act with:\n%s", screen)
	}
	s.back("[Explained]")
	s.press("q")
	s.waitExit(0)
}
