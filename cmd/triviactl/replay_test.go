package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"trivia/internal/pgtest"
	"trivia/internal/store"
)

// parkedWins are n wins of n users who were not there when they came, and a
// second delivery of each, for every other user with another item. Granted could
// hold a prize that was granted twice.
const parkedWins = `
	CREATE TABLE granted (user_id text, trivia_id text, item text);
	CREATE OR REPLACE FUNCTION grant_prize(user_id text, item text, trivia_id text) RETURNS void LANGUAGE sql AS $$
		INSERT INTO prizes (user_id, trivia_id, item) VALUES ($1, $3, $2);
		INSERT INTO granted (user_id, trivia_id, item) VALUES ($1, $3, $2);
	$$;
	INSERT INTO users (user_id) SELECT 'user-' || i FROM generate_series(1, %[1]d) AS i WHERE i %% 10 > 0;
	INSERT INTO deliveries (key, kind, body, body_sha256, state, outcome, reason, user_id, trivia_id, item, received_at, last_seen_at, settled_at)
	SELECT 'key-' || i || '-' || j, 'win', body::bytea, sha256(body::bytea), 'parked', 'unknown_user', 'no such user',
		'user-' || i, 't1', item, '2026-05-04 12:00Z'::timestamptz + (j * 100000 + i) / 10 * interval '1 s', now(), now()
	FROM generate_series(1, %[1]d) AS i, generate_series(1, 2) AS j,
		LATERAL (SELECT CASE WHEN j = 2 AND i %% 2 = 0 THEN 'hat' ELSE 'mug' END) AS p (item),
		LATERAL (SELECT format('{"user_id":"user-%%s","trivia_id":"t1","item":"%%s"}', i, item)) AS b (body)`

// A parkedDatabase has such wins.
type parkedDatabase struct {
	url string
	db  *pgx.Conn
}

func newParked(t *testing.T, n int) parkedDatabase {
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
	if _, err := db.Exec(t.Context(), fmt.Sprintf(parkedWins, n)); err != nil {
		t.Fatal(err)
	}

	return parkedDatabase{url, db}
}

func (p parkedDatabase) lines(t *testing.T, sql string) []string {
	t.Helper()
	rows, err := p.db.Query(t.Context(), sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}

	return lines
}

// triviactl is a process that replays.
func (p parkedDatabase) triviactl(t *testing.T, words ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()

	said := &bytes.Buffer{}
	cmd := exec.CommandContext(t.Context(), name, append([]string{"replay", "--outcome", "unknown_user", "--yes"}, words...)...)
	cmd.Env = append(os.Environ(), "DATABASE_URL="+p.url, "USER=ann", "TRIVIA_DATA_DIR="+t.TempDir())
	cmd.Stdout, cmd.Stderr = said, said

	return cmd, said
}

// begun waits until the replay of cmd has awarded some.
func (p parkedDatabase) begun(t *testing.T, some int) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		var n int
		if err := p.db.QueryRow(t.Context(), `SELECT count(*) FROM granted`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n >= some {
			return
		}
	}
	t.Fatal("nothing is awarded")
}

func TestAReplayThatIsKilledEndsAsACleanOne(t *testing.T) {
	t.Parallel()

	const n = 400
	clean, killed := newParked(t, n), newParked(t, n)
	cmd, said := clean.triviactl(t, "--rate", "0")
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}

	for i, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGINT, syscall.SIGKILL} {
		cmd, said := killed.triviactl(t, "--rate", "300")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		killed.begun(t, 50*(i+1))
		if err := cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err == nil {
			t.Fatalf("the replay has ended before %v: %s", sig, said)
		}
		if sig == syscall.SIGINT && !bytes.Contains(said.Bytes(), []byte("triviactl: interrupted\ntriviactl: hint: go on with: triviactl replay --outcome=unknown_user --rate=300 --after=")) {
			t.Errorf("interrupted, it says %s", said)
		}
	}
	cmd, said = killed.triviactl(t, "--rate", "0")
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}

	for _, query := range []string{
		`SELECT concat_ws(' ', user_id, trivia_id, item) FROM granted ORDER BY 1`,
		`SELECT concat_ws(' ', user_id, trivia_id, item) FROM prizes ORDER BY 1`,
		`SELECT concat_ws(' ', user_id, trivia_id, item, delivery_key) FROM trivia_wins ORDER BY 1`,
		`SELECT concat_ws(' ', person, cause, cause_id, state) FROM pushes ORDER BY 1`,
		`SELECT concat_ws(' ', key, state, outcome, reason) FROM deliveries ORDER BY 1`,
		`SELECT concat_ws(' ', split_part(actor, '@', 1), verb, target, reason, detail) FROM audit_log ORDER BY 1`,
	} {
		want := clean.lines(t, query)
		if diff := cmp.Diff(want, killed.lines(t, query)); diff != "" || len(want) == 0 {
			t.Errorf("%s (-clean +killed):\n%s", query, diff)
		}
	}
	if got := killed.lines(t, `SELECT count(*)::text FROM granted`); got[0] != fmt.Sprint(n-n/10) {
		t.Errorf("%s prizes, want one for each user who is there: %d", got, n-n/10)
	}
}
