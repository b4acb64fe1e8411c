package store_test

import (
	"strings"
	"testing"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

// The product's own table: neither made nor changed by us.
const (
	productUsers = `
		CREATE TABLE users (
			id serial PRIMARY KEY, user_id varchar(80) NOT NULL UNIQUE, email text NOT NULL DEFAULT 'x@example.com',
			joined date NOT NULL DEFAULT '2026-01-01')`
	columnsOfUsers = `
		SELECT attname || ' ' || format_type(atttypid, atttypmod) FROM pg_attribute
		WHERE attrelid = 'users'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`
)

func TestTheProductsUsersAreLeftAlone(t *testing.T) {
	t.Parallel()

	p := newPlot(t)
	p.exec(t, productUsers)
	p.exec(t, `INSERT INTO users (user_id, email) VALUES ('ann', 'ann@example.com')`)
	p.migrate(t)

	p.want(t, columnsOfUsers, "id integer", "user_id character varying(80)", "email text", "joined date")
	p.want(t, `SELECT id, user_id, email FROM users`, "1 ann ann@example.com")

	in := intakeAt(t, p.url, store.IntakeOptions{CreateUsers: true})
	got, err := in.Take(t.Context(), []store.Arrival{
		win("k1", "ann", "capitals", "mug"), win("k2", "bob", "capitals", "mug"),
	})
	if err != nil || got[0].Outcome != trivia.Awarded || got[1].Outcome != trivia.Awarded {
		t.Errorf("Take = %+v, %v; want both awarded", got, err)
	}
	p.want(t, `SELECT user_id, email FROM users ORDER BY id`, "ann ann@example.com", "bob x@example.com")
	p.want(t, `SELECT user_id, item FROM prizes ORDER BY user_id`, "ann mug", "bob mug")
}

func TestTheProductsUsersMayStandInAnotherSchema(t *testing.T) {
	t.Parallel()

	product, ours := newPlot(t), newPlot(t)
	product.exec(t, `CREATE TABLE users (user_id text PRIMARY KEY, name text)`)
	product.exec(t, `INSERT INTO users (user_id) VALUES ('ann')`)

	both := plotAt(t, withSearchPath(t, ours.url, schemaOf(t, ours)+","+schemaOf(t, product)))
	both.migrate(t)

	both.want(t, everyTable, "audit_log", "deliveries", "events", "forget_key", "forgotten", "key_uses", "prizes", "pruned", "push_people", "pushes", "responses", "retention", "source_lists",
		"trivia_schema_version", "trivia_wins", "trivias", "warehouse_positions", "warehouse_refused")
	product.want(t, everyTable, "users")
	got, err := intakeAt(t, both.url, store.IntakeOptions{}).Take(t.Context(),
		[]store.Arrival{win("k1", "ann", "capitals", "mug"), win("k2", "bob", "capitals", "mug")})
	if err != nil || got[0].Outcome != trivia.Awarded || got[1].Outcome != trivia.UnknownUser {
		t.Errorf("Take = %+v, %v; want ann awarded and bob unknown", got, err)
	}
}

func TestUsersThatWinsCannotReferToAreRefusedWithAHint(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name, table string
		problem     string
		hint        string
	}{
		{
			"another name for the key", `CREATE TABLE users (id text PRIMARY KEY)`,
			"table users has no column user_id", "Add that column",
		},
		{
			"a number", `CREATE TABLE users (user_id bigint PRIMARY KEY)`,
			"users.user_id has type bigint", "search_path",
		},
		{
			"a uuid", `CREATE TABLE users (user_id uuid PRIMARY KEY)`,
			"users.user_id has type uuid", "search_path",
		},
		{
			"no key at all", `CREATE TABLE users (user_id text)`,
			"users.user_id is not unique", "Run: ALTER TABLE users ADD UNIQUE (user_id)",
		},
		{
			"unique together only", `CREATE TABLE users (user_id text, tenant text, PRIMARY KEY (user_id, tenant))`,
			"users.user_id is not unique", "ADD UNIQUE",
		},
		{
			"unique among some", `CREATE TABLE users (user_id text, gone bool); CREATE UNIQUE INDEX ON users (user_id) WHERE NOT gone`,
			"users.user_id is not unique", "ADD UNIQUE",
		},
		{
			"unique in lower case", `CREATE TABLE users (user_id text); CREATE UNIQUE INDEX ON users (lower(user_id))`,
			"users.user_id is not unique", "ADD UNIQUE",
		},
		{
			"unique at commit", `CREATE TABLE users (user_id text UNIQUE DEFERRABLE)`,
			"users.user_id is not unique", "ADD UNIQUE",
		},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			p := newPlot(t)
			p.exec(t, tt.table)
			_, err := store.Migrate(t.Context(), p.url)
			if err == nil {
				t.Fatal("Migrate succeeded")
			}

			problem, hint, _ := strings.Cut(err.Error(), "\n")
			if !strings.Contains(problem, tt.problem) || !strings.Contains(hint, tt.hint) {
				t.Errorf("Migrate = %q with hint %q, want %q with %q", problem, hint, tt.problem, tt.hint)
			}
			p.want(t, everyTable, "users") // what was begun is undone as a whole
		})
	}
}

func TestTheHintHelps(t *testing.T) {
	t.Parallel()

	p := newPlot(t)
	p.exec(t, `CREATE TABLE users (user_id text)`)
	_, err := store.Migrate(t.Context(), p.url)
	if err == nil {
		t.Fatal("Migrate succeeded")
	}

	_, advice, found := strings.Cut(err.Error(), "Run: ")
	if !found {
		t.Fatalf("Migrate = %v, want a statement to run", err)
	}
	p.exec(t, advice)
	p.migrate(t)
	if err := p.open(t).Ready(t.Context()); err != nil {
		t.Errorf("Ready = %v", err)
	}
}
