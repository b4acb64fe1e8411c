package store_test

import (
	"net/url"
	"strings"
	"testing"

	"trivia/internal/pgtest"
	"trivia/internal/store"
)

// A 200 promises that the commit is on disk, so intake's sessions say so
// whatever the database was told. A standby may be left out: that is its
// owner's decision.
func TestIntakeWaitsForTheDiskWhateverTheDatabaseIsTold(t *testing.T) {
	t.Parallel()

	p := plotAt(t, pgtest.Database(t))
	p.migrate(t)
	p.exec(t, `INSERT INTO users (user_id) VALUES ('u1')`)
	p.exec(t, `CREATE OR REPLACE FUNCTION grant_prize(user_id text, item text, trivia_id text) RETURNS void LANGUAGE sql AS
		'INSERT INTO prizes VALUES (user_id, trivia_id, current_setting(''synchronous_commit''))'`)
	database := p.databaseName(t)
	inURL := func(value string) string {
		return changed(t, p.url, func(u *url.URL) {
			query := u.Query()
			query.Set("options", "-c synchronous_commit="+value)
			u.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20")
		})
	}

	check := func(name, url, want string) {
		t.Helper()
		in := intakeAt(t, url, store.IntakeOptions{})
		if _, err := in.Take(t.Context(), []store.Arrival{win(name, "u1", name, "mug")}); err != nil {
			t.Fatalf("Take: %v", err)
		}
		p.want(t, `SELECT item FROM prizes WHERE trivia_id = '`+name+`'`, want)
	}

	check("cluster", p.url, "on") // the tests' cluster is told off

	p.exec(t, `ALTER DATABASE `+database+` SET synchronous_commit = off`)
	check("database", p.url, "on")
	p.exec(t, `ALTER DATABASE `+database+` SET synchronous_commit = local`)
	check("database with a standby left out", p.url, "local")

	role := database + "_writer"
	p.exec(t, `CREATE ROLE `+role+` LOGIN SUPERUSER`)
	p.exec(t, `ALTER ROLE `+role+` SET synchronous_commit = off`)
	check("role", withUser(t, p.url, role), "on")

	check("url", inURL("off"), "on")
	check("url with more", inURL("remote_apply"), "remote_apply")
}

func (p plot) databaseName(t *testing.T) string {
	t.Helper()
	return bench{db: p.db}.rows(t, `SELECT current_database()`)[0]
}
