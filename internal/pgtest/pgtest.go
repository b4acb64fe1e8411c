// Package pgtest gives tests a real Postgres: one cluster for each test
// binary, started when the first test asks for it, without the durability that
// no test needs but those that take [Durable].
//
// A package that uses it has
//
//	func TestMain(m *testing.M) { pgtest.Main(m) }
package pgtest

import (
	"context"
	"fmt"
	"log"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"trivia/internal/pgembed"

	"github.com/jackc/pgx/v5"
)

// most bounds every step, so that a hanging server fails a test by name.
const most = 3 * time.Minute

// shared is the cluster of this test binary.
var shared struct {
	once    sync.Once
	dir     string
	cluster *pgembed.Cluster
	err     error
	names   atomic.Int64
}

// Main runs the tests of m and stops the cluster that they have used. The test
// binary's own main exits with what they came to.
func Main(m *testing.M) { M{m}.Run() }

// An M is a [testing.M] that stops the cluster when its tests have run, for a
// TestMain that hands it on instead of calling [Main].
type M struct{ *testing.M }

// Run runs the tests, stops the cluster, and returns the tests' exit code.
func (m M) Run() int {
	defer stop()

	return m.M.Run()
}

func stop() {
	if shared.cluster != nil {
		ctx, cancel := context.WithTimeout(context.Background(), most)
		defer cancel()

		if err := shared.cluster.Stop(ctx); err != nil {
			log.Panicf("pgtest: %v", err)
		}
	}
	if err := removeDir(shared.dir); err != nil {
		log.Panicf("pgtest: %v", err)
	}
}

// cluster starts the shared cluster, once. That there are no binaries fails
// the test: a green run must not mean that nothing ran.
func cluster(tb testing.TB) *pgembed.Cluster {
	tb.Helper()

	shared.once.Do(func() {
		shared.dir, shared.err = newDir()
		if shared.err != nil {
			return
		}
		if shared.err = sweep(shared.dir); shared.err != nil {
			return
		}
		// On a busy machine this takes long, and ends when the server answers or ends.
		shared.cluster, shared.err = pgembed.Start(context.Background(), pgembed.Options{Dir: shared.dir, Template: os.TempDir()})
	})
	if shared.err != nil {
		tb.Fatalf("pgtest: %v", shared.err)
	}

	return shared.cluster
}

// Schema returns the URL of an empty schema that is the test's own. Every connection
// has it as its search path. It goes with the cluster: to drop it would wait for
// connections that the test has left open.
func Schema(tb testing.TB) string {
	tb.Helper()

	base := cluster(tb).URL()
	name := newName(tb)
	execute(tb, base, "CREATE SCHEMA "+name)

	return with(tb, base, func(u *url.URL) {
		query := u.Query()
		query.Set("options", "-c search_path="+name)
		u.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20") // libpq knows no plus sign
	})
}

// Database returns the URL of an empty database that is the test's own and is dropped
// after it, with whoever is still connected. It costs several times what
// [Schema] costs.
func Database(tb testing.TB) string {
	tb.Helper()

	base := cluster(tb).URL()
	name := newName(tb)
	execute(tb, base, "CREATE DATABASE "+name+" TEMPLATE template0")
	tb.Cleanup(func() { execute(tb, base, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })

	return with(tb, base, func(u *url.URL) { u.Path = "/" + name })
}

// newName returns a name that is used once in this process, and says by whom.
func newName(tb testing.TB) string {
	tb.Helper()

	plain := strings.Map(func(r rune) rune {
		if (r >= 'a' && r <= 'z') || (r >= '0' && r <= '9') {
			return r
		}

		return '_'
	}, strings.ToLower(tb.Name()))
	name := fmt.Sprintf("t%d_%s", shared.names.Add(1), plain)

	return name[:min(len(name), 63)] // Postgres cuts longer names
}

func with(tb testing.TB, base string, change func(*url.URL)) string {
	tb.Helper()

	u, err := url.Parse(base)
	if err != nil {
		tb.Fatalf("pgtest: parse %s: %v", base, err)
	}
	change(u)

	return u.String()
}

// execute uses a connection of its own: a pool would outlive the test, and the
// test may look for what does.
func execute(tb testing.TB, base, statement string) {
	tb.Helper()

	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()

	conn, err := pgx.Connect(ctx, base)
	if err != nil {
		tb.Fatalf("pgtest: connect: %v", err)
	}
	defer func() { _ = conn.Close(ctx) }()

	if _, err := conn.Exec(ctx, statement); err != nil {
		tb.Fatalf("pgtest: %s: %v", statement, err)
	}
}
