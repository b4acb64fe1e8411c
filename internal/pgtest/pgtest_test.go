package pgtest_test

import (
	"context"
	"testing"

	"trivia/internal/pgtest"

	"github.com/jackc/pgx/v5"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()

	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatalf("connect to %s: %v", url, err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })

	return conn
}

func TestSchemasAreSeparate(t *testing.T) {
	t.Parallel()

	for range 2 {
		conn := connect(t, pgtest.Schema(t))
		if _, err := conn.Exec(t.Context(), "CREATE TABLE users (user_id text)"); err != nil {
			t.Fatalf("create the same table in another schema: %v", err)
		}
	}
}

func TestDatabasesAreSeparate(t *testing.T) {
	t.Parallel()

	for range 2 {
		conn := connect(t, pgtest.Database(t))
		if _, err := conn.Exec(t.Context(), "CREATE TABLE public.users (user_id text)"); err != nil {
			t.Fatalf("create the same table in another database: %v", err)
		}
	}
}

func TestADurableClusterComesBackWithItsData(t *testing.T) {
	t.Parallel()

	c := pgtest.Durable(t)
	if _, err := connect(t, c.URL()).Exec(t.Context(), "CREATE TABLE kept AS SELECT 1 AS one"); err != nil {
		t.Fatalf("write: %v", err)
	}
	if err := c.Stop(t.Context()); err != nil {
		t.Fatalf("stop: %v", err)
	}

	again := pgtest.Restart(t, c)
	if again.URL() != c.URL() {
		t.Errorf("URL after a restart = %s, want %s", again.URL(), c.URL())
	}
	var one int
	if err := connect(t, again.URL()).QueryRow(t.Context(), "SELECT one FROM kept").Scan(&one); err != nil || one != 1 {
		t.Errorf("kept row = %d, %v; want 1", one, err)
	}
}
