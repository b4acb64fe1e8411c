package main

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"trivia/internal/pgembed"
	"trivia/internal/pgtest"
	"trivia/internal/store"
)

// users is how many there are in a database of these tests: user-0 and so on.
const users = 100

// A postgres is what a test looks at to see what the service has done.
type postgres struct{ url string }

// newPostgres returns a migrated database with users.
func newPostgres(t *testing.T) postgres {
	t.Helper()

	return prepare(t, pgtest.Schema(t))
}

// prepare migrates the database at base and puts users into it. Its URL holds
// a password, which nobody asks for.
func prepare(t *testing.T, base string) postgres {
	t.Helper()

	if _, err := store.Migrate(t.Context(), base); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(u.User.Username(), password)
	db := postgres{u.String()}
	db.furnish(t)

	return db
}

// The table that prizes is could not hold a prize that was granted twice. This
// one can.
const furnishing = `
	INSERT INTO users (user_id) SELECT 'user-' || n FROM generate_series(0, %d) AS n;
	CREATE TABLE granted (user_id text, trivia_id text, item text);
	CREATE OR REPLACE FUNCTION grant_prize(user_id text, item text, trivia_id text) RETURNS void
	LANGUAGE sql AS $$
		INSERT INTO prizes (user_id, trivia_id, item) VALUES ($1, $3, $2);
		INSERT INTO granted (user_id, trivia_id, item) VALUES ($1, $3, $2);
	$$`

// furnish puts users into a migrated database, and a second place for prizes.
func (db postgres) furnish(t *testing.T) {
	t.Helper()
	db.exec(t, fmt.Sprintf(furnishing, users-1))
}

func (db postgres) connect(t *testing.T) *pgx.Conn {
	t.Helper()

	conn, err := pgx.Connect(t.Context(), db.url)
	if err != nil {
		t.Fatalf("connect to the database: %v", err)
	}

	return conn
}

// exec runs statements, on a connection of their own: the test may stop the
// server at any time.
func (db postgres) exec(t *testing.T, statements string) {
	t.Helper()

	conn := db.connect(t)
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.PgConn().Exec(t.Context(), statements).ReadAll(); err != nil {
		t.Fatalf("%s: %v", statements, err)
	}
}

// column returns the rows of a query with one column.
func (db postgres) column(t *testing.T, query string, args ...any) []string {
	t.Helper()

	conn := db.connect(t)
	defer func() { _ = conn.Close(context.Background()) }()
	rows, err := conn.Query(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	words, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}

	return words
}

// want fails unless a query with one column returns these rows.
func (db postgres) want(t *testing.T, query string, want ...string) {
	t.Helper()

	if diff := cmp.Diff(want, db.column(t, query)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", query, diff)
	}
}

// waitSettled waits until nothing is pending.
func (db postgres) waitSettled(t *testing.T) {
	t.Helper()

	wait(t, "nothing is pending", func() bool {
		return db.column(t, `SELECT count(*)::text FROM deliveries WHERE state = 'pending'`)[0] == "0"
	})
}

// endLeases makes it late: what a process had in hand when it or the database
// broke is its own for half a minute.
func (db postgres) endLeases(t *testing.T) {
	t.Helper()
	db.exec(t, `UPDATE deliveries SET due_at = now() WHERE state = 'pending' AND attempts > 0`)
}

// checkPrizes fails unless every win that was answered 200 has its prize, and
// none has two.
func (db postgres) checkPrizes(t *testing.T, all []sent) {
	t.Helper()

	db.waitSettled(t)
	prizes := map[string]int{}
	for _, name := range db.column(t, `SELECT user_id || ' ' || trivia_id FROM granted`) {
		prizes[name]++
	}
	acknowledged := map[string]bool{}
	for _, s := range all {
		if s.taken() {
			acknowledged[s.user+" "+s.trivia] = true
		}
	}

	for name := range acknowledged {
		if prizes[name] == 0 {
			t.Errorf("%s was acknowledged and has no prize", name)
		}
	}
	for name, n := range prizes {
		if n > 1 {
			t.Errorf("%s has %d prizes", name, n)
		}
	}
	for _, table := range []string{"trivia_wins", "prizes"} {
		db.want(t, `SELECT count(*)::text FROM `+table, fmt.Sprint(len(prizes)))
	}
	if len(acknowledged) == 0 {
		t.Error("nothing was acknowledged, so nothing was tested")
	}
	t.Logf("%d wins acknowledged, %d prizes", len(acknowledged), len(prizes))
}

// checkKeptOnce fails unless every delivery has one row.
func (db postgres) checkKeptOnce(t *testing.T, all []sent) {
	t.Helper()

	keys := map[string]bool{}
	for _, s := range all {
		if s.taken() {
			keys[s.key] = true
		}
	}
	got := db.column(t, `SELECT key FROM deliveries WHERE key = ANY($1)`, slices.Collect(maps.Keys(keys)))
	if len(got) != len(keys) {
		t.Errorf("%d deliveries are kept in %d rows", len(keys), len(got))
	}
}

// lock keeps everybody away from the deliveries, as a careless migration
// would, until what it returns is called.
func (db postgres) lock(t *testing.T) (unlock func()) {
	t.Helper()

	conn := db.connect(t)
	if _, err := conn.PgConn().Exec(t.Context(), `BEGIN; LOCK TABLE deliveries`).ReadAll(); err != nil {
		t.Fatal(err)
	}
	unlock = sync.OnceFunc(func() { _ = conn.Close(context.Background()) })
	t.Cleanup(unlock)

	return unlock
}

func stopServer(t *testing.T, c *pgembed.Cluster) {
	t.Helper()

	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// killServer is kill -9.
func killServer(t *testing.T, pid int) {
	t.Helper()

	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatalf("kill the database: %v", err)
	}
}

// freeze makes a server hang: it holds its connections and answers none. What
// it returns lets it go on.
func freeze(t *testing.T, c *pgembed.Cluster) (thaw func()) {
	t.Helper()

	conn := postgres{c.URL()}.connect(t)
	send := func(pid int, sig syscall.Signal) {
		if err := syscall.Kill(pid, sig); err != nil {
			t.Logf("send %v to %d: %v", sig, pid, err) // a session that has ended meanwhile
		}
	}

	// The one that would start others goes first, and the one that we ask last.
	send(c.PID(), syscall.SIGSTOP)
	rows, err := conn.Query(t.Context(), `SELECT pid FROM pg_stat_activity ORDER BY pid = pg_backend_pid()`)
	if err != nil {
		t.Fatal(err)
	}
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		t.Fatal(err)
	}
	for _, pid := range pids {
		send(pid, syscall.SIGSTOP)
	}

	thaw = sync.OnceFunc(func() {
		for _, pid := range append(pids, c.PID()) {
			send(pid, syscall.SIGCONT)
		}
		_ = conn.Close(context.Background())
	})
	t.Cleanup(thaw)

	return thaw
}
