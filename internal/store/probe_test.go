package store_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"trivia/internal/pgtest"
	"trivia/internal/store"
)

// A way in which intake fails. Its statements may say DB, the database, and
// HOOK, the role that intake connects as.
type breakage struct {
	spoil, mend string // statements
	query       string // of the URL, from the start; a URL is not mended
	pooled      bool   // through a pooler that knows no parameters
	lasting     bool   // only what waits for the disk, or writes, shows it
	hold        string // a statement of a transaction that stays open meanwhile
}

func breakages() map[string]breakage {
	return map[string]breakage{
		"a pooler that refuses parameters": {pooled: true, query: "options=-c%20work_mem%3D4MB"},
		"a path to nowhere":                {query: "search_path=nowhere"},
		"a role of the URL without rights": {query: "options=-c%20role%3Dpg_monitor"},
		"read-only by the URL":             {query: "default_transaction_read_only=on"},
		"no such parameter":                {query: "no_such_thing=1"},
		"a read-only database": {
			spoil: `ALTER DATABASE DB SET default_transaction_read_only = on; ` + endSessions,
			mend:  `SET default_transaction_read_only = off; ALTER DATABASE DB RESET default_transaction_read_only; ` + endSessions,
		},
		"a read-only role": {
			spoil: `ALTER ROLE HOOK SET default_transaction_read_only = on; ` + endSessions,
			mend:  `ALTER ROLE HOOK RESET default_transaction_read_only; ` + endSessions,
		},
		"an old primary among the hosts": {
			query: "target_session_attrs=read-write",
			spoil: `ALTER DATABASE DB SET default_transaction_read_only = on; ` + endSessions,
			mend:  `SET default_transaction_read_only = off; ALTER DATABASE DB RESET default_transaction_read_only; ` + endSessions,
		},
		"a role without a right": {
			spoil: `REVOKE INSERT ON deliveries FROM HOOK`, mend: `GRANT INSERT ON deliveries TO HOOK`,
		},
		"a role that may only insert": {
			spoil: `REVOKE UPDATE ON deliveries FROM HOOK`, mend: `GRANT UPDATE ON deliveries TO HOOK`,
		},
		"a role that may no longer log in": {
			spoil: `ALTER ROLE HOOK NOLOGIN; ` + endSessions, mend: `ALTER ROLE HOOK LOGIN`,
		},
		"the limit of connections": {
			spoil: `ALTER ROLE HOOK CONNECTION LIMIT 0; ` + endSessions, mend: `ALTER ROLE HOOK CONNECTION LIMIT -1`,
		},
		"a table that was renamed": {
			spoil: `ALTER TABLE deliveries RENAME TO elsewhere`, mend: `ALTER TABLE elsewhere RENAME TO deliveries`,
		},
		"a full disk": {
			lasting: true,
			spoil: `CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
				RAISE 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
				CREATE TRIGGER full_disk BEFORE INSERT ON deliveries FOR EACH ROW EXECUTE FUNCTION full_disk()`,
			mend: `DROP TRIGGER full_disk ON deliveries`,
		},
		"a table that somebody holds": {hold: `LOCK TABLE deliveries IN ACCESS EXCLUSIVE MODE`},
	}
}

const endSessions = `SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE usename = 'HOOK'`

// Readiness follows, for every way in which intake can fail: it goes the same
// way, and its answer is the same.
func TestAProbeFailsWhereKeepingFails(t *testing.T) {
	t.Parallel()

	for name, broken := range breakages() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := plotAt(t, pgtest.Database(t))
			p.migrate(t)
			database := p.databaseName(t)
			role := "hook_of_" + database[:min(len(database), 40)]
			p.exec(t, `CREATE ROLE `+role+` LOGIN`)
			p.exec(t, `GRANT ALL ON ALL TABLES IN SCHEMA public TO `+role)
			filled := func(sql string) string {
				return strings.NewReplacer("DB", database, "HOOK", role).Replace(sql)
			}
			at := changed(t, withUser(t, p.url, role), func(u *url.URL) {
				if broken.query != "" && !broken.pooled {
					u.RawQuery += "&" + broken.query
				}
			})
			if broken.pooled {
				at = pgtest.StartPooler(t, p.url, pgtest.PoolerOptions{Mode: "transaction", MaxPrepared: -1}).URL + "&" + broken.query
			}
			in := intakeAt(t, at, store.IntakeOptions{Conns: 2})
			mendable := broken.mend != "" || broken.hold != ""
			if mendable {
				answers(t, in, "before", true, true)
			}

			if broken.spoil != "" {
				for _, sql := range split(filled(broken.spoil)) {
					p.exec(t, sql)
				}
			}
			if broken.hold != "" {
				p.exec(t, `BEGIN`)
				p.exec(t, broken.hold)
			}
			answers(t, in, "while it lasts", false, broken.lasting)

			if broken.hold != "" {
				p.exec(t, `ROLLBACK`)
			}
			for _, sql := range split(filled(broken.mend)) {
				p.exec(t, sql)
			}
			if mendable {
				answers(t, in, "afterwards", true, true)
			}
			p.want(t, `SELECT count(*) FROM deliveries WHERE key LIKE 'readiness%'`, "0")
		})
	}
}

// split cuts statements at the semicolons between them, but not within $$.
func split(sql string) (all []string) {
	inside := false
	for part := range strings.SplitSeq(sql, ";") {
		if inside {
			all[len(all)-1] += ";" + part
		} else if strings.TrimSpace(part) != "" {
			all = append(all, part)
		}
		if strings.Count(part, "$$")%2 == 1 {
			inside = !inside
		}
	}

	return all
}

// answers wants a thorough probe to say what Keep says, and a quick one too,
// unless it is known to be fooled.
func answers(t *testing.T, in *store.Intake, when string, works, quickIsFooled bool) {
	t.Helper()
	patient := func() (context.Context, context.CancelFunc) {
		if works {
			return context.WithTimeout(t.Context(), time.Minute)
		}

		return context.WithTimeout(t.Context(), time.Second)
	}
	for n := range 2 { // not only the first connection
		ctx, cancel := patient()
		_, err := in.Keep(ctx, []store.Arrival{win(fmt.Sprint(when, n), "u1", "capitals", "mug")})
		cancel()
		if (err == nil) != works {
			t.Errorf("%s: Keep = %v", when, err)
		}
		for _, thorough := range []bool{true, false} {
			ctx, cancel := patient()
			err := in.Probe(ctx, thorough)
			cancel()
			if (err == nil) != works && (thorough || !quickIsFooled) {
				t.Errorf("%s: Probe(thorough %v) = %v", when, thorough, err)
			}
		}
	}
}

func TestAProbeWaitsForTheStandbyAsKeepingDoes(t *testing.T) {
	t.Parallel()
	b := newDurable(t)
	answers(t, b.Intake, "before", true, true)
	b.awaitStandby(t, "nobody")
	answers(t, b.Intake, "while it is away", false, true)
	b.awaitStandby(t, "")
	answers(t, b.Intake, "afterwards", true, true)
}
