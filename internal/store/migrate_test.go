package store_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"trivia/internal/pgtest"
	"trivia/internal/store"
)

// A plot is a schema that is not migrated, or not by newBench.
type plot struct {
	url string
	db  *pgx.Conn
}

func newPlot(t *testing.T) plot {
	t.Helper()

	return plotAt(t, pgtest.Schema(t))
}

func plotAt(t *testing.T, url string) plot {
	t.Helper()

	db, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close(context.Background()) })

	return plot{url, db}
}

func (p plot) exec(t *testing.T, sql string) {
	t.Helper()
	bench{db: p.db}.exec(t, sql)
}

func (p plot) want(t *testing.T, sql string, want ...string) {
	t.Helper()
	bench{db: p.db}.want(t, sql, want...)
}

func (p plot) migrate(t *testing.T) store.Schema {
	t.Helper()
	before, err := store.Migrate(t.Context(), p.url)
	if err != nil {
		t.Fatalf("Migrate: %v", err)
	}

	return before
}

func (p plot) open(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), p.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)

	return s
}

// Everything that stands in the schema; composite types of tables left out.
const everyTable = `
	SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'v')
	ORDER BY relname COLLATE "C"`

func TestAFreshDatabaseIsMigratedOnce(t *testing.T) {
	t.Parallel()

	p := newPlot(t)
	s := p.open(t)
	if err := s.Ready(t.Context()); !errors.Is(err, store.ErrNotMigrated) || !strings.Contains(err.Error(), "triviactl migrate") {
		t.Errorf("Ready before migrating = %v, want ErrNotMigrated and the command", err)
	}

	before := p.migrate(t)
	if before.Version != 0 || before.Latest < 4 || len(before.Names) != before.Latest {
		t.Errorf("Migrate was at %+v, want version 0 of at least 4", before)
	}
	p.want(t, everyTable, "audit_log", "deliveries", "events", "forget_key", "forgotten", "key_uses", "prizes", "pruned", "push_people", "pushes", "responses", "retention", "source_lists",
		"trivia_schema_version", "trivia_wins", "trivias", "users", "warehouse_positions", "warehouse_refused")

	after, err := s.Schema(t.Context())
	if err != nil || after.Version != before.Latest || after.Latest != before.Latest {
		t.Errorf("Schema = %+v, %v; want version %d", after, err, before.Latest)
	}
	if err := s.Ready(t.Context()); err != nil {
		t.Errorf("Ready = %v", err)
	}

	p.exec(t, `INSERT INTO users (user_id) VALUES ('ann')`)
	if again := p.migrate(t); again.Version != before.Latest {
		t.Errorf("Migrate was at %d the second time, want %d", again.Version, before.Latest)
	}
	p.want(t, `SELECT user_id FROM users`, "ann")
}

func TestManyProcessesMayMigrateAtOnce(t *testing.T) {
	t.Parallel()

	p := newPlot(t)
	var group errgroup.Group
	for range 8 {
		group.Go(func() error {
			_, err := store.Migrate(t.Context(), p.url)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Errorf("Migrate = %v", err)
	}
	if err := p.open(t).Ready(t.Context()); err != nil {
		t.Errorf("Ready = %v", err)
	}
}

// A session's lock would stay with the server's connection, and be asked for on
// another one.
func TestMigratingGoesThroughAPooler(t *testing.T) {
	t.Parallel()

	for _, mode := range []string{"transaction", "session"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()

			p := plotAt(t, pgtest.Database(t))
			pooler := pgtest.StartPooler(t, p.url, pgtest.PoolerOptions{Mode: mode, MaxPrepared: -1, Size: 4})
			var group errgroup.Group
			for range 4 {
				group.Go(func() error {
					_, err := store.Migrate(t.Context(), pooler.URL)
					return err
				})
			}
			if err := group.Wait(); err != nil {
				t.Fatalf("Migrate = %v", err)
			}
			if err := p.open(t).Ready(t.Context()); err != nil {
				t.Errorf("Ready = %v", err)
			}
			p.want(t, `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`, "0")
		})
	}
}

func TestMigratingMindsNoSettingsOfDatabaseOrRole(t *testing.T) {
	t.Parallel()

	p := newPlot(t)
	role := schemaOf(t, p) + "_odd"
	p.exec(t, `CREATE ROLE `+role+` SUPERUSER LOGIN`)
	for _, setting := range []string{
		"default_transaction_read_only = on", "default_transaction_isolation = serializable", "statement_timeout = 500", "lock_timeout = 1",
		"idle_in_transaction_session_timeout = 500", "standard_conforming_strings = off", "DateStyle = 'SQL, DMY'", "client_encoding = LATIN1",
		"TimeZone = 'Asia/Kathmandu'", "bytea_output = escape", "synchronous_commit = off", "row_security = off",
	} {
		p.exec(t, `ALTER ROLE `+role+` SET `+setting)
	}
	if _, err := store.Migrate(t.Context(), withUser(t, p.url, role)); err != nil {
		t.Fatalf("Migrate = %v", err)
	}
	if err := p.open(t).Ready(t.Context()); err != nil {
		t.Errorf("Ready = %v", err)
	}
}

func TestANewerSchemaIsWorkedOnAndLeftAlone(t *testing.T) {
	t.Parallel()

	p := newPlot(t)
	p.migrate(t)
	p.exec(t, `UPDATE trivia_schema_version SET version = 99`)

	if before, err := store.Migrate(t.Context(), p.url); err != nil || !before.Newer() {
		t.Errorf("Migrate = %+v, %v; want that it is newer", before, err)
	}
	if err := p.open(t).Ready(t.Context()); err != nil {
		t.Errorf("Ready = %v", err)
	}
	p.want(t, `SELECT version FROM trivia_schema_version`, "99")
}

func TestAnOlderSchemaIsToldSo(t *testing.T) {
	t.Parallel()

	p := newPlot(t)
	p.migrate(t)
	p.exec(t, `UPDATE trivia_schema_version SET version = 2`)

	if err := p.open(t).Ready(t.Context()); !errors.Is(err, store.ErrNotMigrated) {
		t.Errorf("Ready = %v, want ErrNotMigrated", err)
	}
}

func TestMigratingNeedsASchema(t *testing.T) {
	t.Parallel()

	url := withSearchPath(t, newPlot(t).url, "nowhere_at_all")
	if _, err := store.Migrate(t.Context(), url); err == nil || !strings.Contains(err.Error(), "search_path names no schema") {
		t.Errorf("Migrate = %v, want what is wrong with search_path", err)
	}
}

func TestARoleThatMayOnlyReadSeesTheSchema(t *testing.T) {
	t.Parallel()

	for _, migrated := range []bool{false, true} {
		t.Run(fmt.Sprintf("migrated=%v", migrated), func(t *testing.T) {
			t.Parallel()

			p := newPlot(t)
			if migrated {
				p.migrate(t)
			}
			schema := schemaOf(t, p)
			reader := schema + "_reader"
			p.exec(t, `CREATE ROLE `+reader+` LOGIN`)
			p.exec(t, `GRANT USAGE ON SCHEMA `+schema+` TO `+reader)
			p.exec(t, `GRANT SELECT ON ALL TABLES IN SCHEMA `+schema+` TO `+reader)

			read := plot{url: withUser(t, p.url, reader)}.open(t)
			got, err := read.Schema(t.Context())
			if err != nil {
				t.Fatalf("Schema = %v", err)
			}
			if want := map[bool]int{false: 0, true: got.Latest}[migrated]; got.Version != want {
				t.Errorf("Schema = %+v, want version %d", got, want)
			}
			if err := read.Ready(t.Context()); migrated != (err == nil) {
				t.Errorf("Ready = %v", err)
			}
			if !migrated {
				p.want(t, everyTable)
			}
		})
	}
}

func TestAnUnusableURLIsNotRepeated(t *testing.T) {
	t.Parallel()

	for _, open := range []func(context.Context, string) error{
		func(ctx context.Context, url string) error { _, err := store.Open(ctx, url); return err },
		func(ctx context.Context, url string) error {
			_, err := store.OpenIntake(ctx, url, store.IntakeOptions{})
			return err
		},
		func(ctx context.Context, url string) error { _, err := store.Migrate(ctx, url); return err },
	} {
		err := open(t.Context(), "postgres://trivia:hunter2@[db/trivia?sslmode=perhaps")
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("an unusable URL = %v, want an error without the password", err)
		}
	}
}

func schemaOf(t *testing.T, p plot) string {
	t.Helper()
	return bench{db: p.db}.rows(t, `SELECT current_schema()`)[0]
}

func withSearchPath(t *testing.T, base, path string) string {
	t.Helper()
	return changed(t, base, func(u *url.URL) {
		query := u.Query()
		query.Set("options", "-c search_path="+path)
		u.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20")
	})
}

func withUser(t *testing.T, base, user string) string {
	t.Helper()
	return changed(t, base, func(u *url.URL) {
		query := u.Query()
		query.Del("user")
		u.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20")
		u.User = url.User(user)
	})
}

func changed(t *testing.T, base string, change func(*url.URL)) string {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	change(u)

	return u.String()
}
