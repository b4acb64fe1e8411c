package main

import (
	"fmt"
	"net/http"
	"testing"

	"trivia/internal/pgtest"
)

// Awards of user-3 take longer than intake waits, so that deliveries are
// pending at every moment of a load.
const slowForOne = `
	ALTER FUNCTION grant_prize RENAME TO grant_ordinary_prize;
	CREATE FUNCTION grant_prize(user_id text, item text, trivia_id text) RETURNS void
	LANGUAGE plpgsql AS $$
	BEGIN
		IF user_id = 'user-3' THEN
			PERFORM pg_sleep(1.5);
		END IF;
		PERFORM grant_ordinary_prize(user_id, item, trivia_id);
	END
	$$`

func TestWhatWasAcknowledgedSurvivesKill9(t *testing.T) {
	t.Parallel()

	db := prepare(t, pgtest.Durable(t).URL())
	db.exec(t, slowForOne)
	p := start(t, on(db.url))
	load := startLoad(t, p.public)

	for range 2 {
		load.await(t, "wins are only kept", func(s sent) bool { return s.taken() && s.Outcome == "pending" })
		p.kill(t)
		p = start(t, on(db.url))
		load.aim(p.public)
		load.await(t, "wins are taken again", sent.taken)
	}

	all := load.end()
	db.endLeases(t)
	db.checkPrizes(t, all)
	db.checkKeptOnce(t, all)
}

// One service sees its database break in every way, and is never restarted.
func TestADatabaseMayGoAndComeBack(t *testing.T) {
	t.Parallel()

	c := pgtest.Durable(t)
	db := prepare(t, c.URL())
	p := start(t, on(db.url))
	load := startLoad(t, p.public)

	var mend func()
	for _, b := range []struct {
		name         string
		broken, well func()
		ready        int // what /readyz says meanwhile
	}{
		{"stopped", func() { stopServer(t, c) }, func() { c = pgtest.Restart(t, c) }, 503},
		{"killed", func() { killServer(t, c.PID()) }, func() { c = pgtest.Restart(t, c) }, 503},
		{"hung", func() { mend = freeze(t, c) }, func() { mend() }, 503},
		{"locked", func() { mend = db.lock(t) }, func() { mend() }, 503},
	} {
		load.await(t, "wins are awarded, before the database is "+b.name, awarded)
		mark := len(load.since(0))
		b.broken()
		load.await(t, "wins are refused, since the database is "+b.name, sent.refused)
		checkHealth(t, p, b.ready)
		b.well()
		load.await(t, "wins are awarded, after the database was "+b.name, awarded)
		// The first question may still meet a connection that broke.
		wait(t, "the service is ready", func() bool { return readyz(t, p.public) == 200 && readyz(t, p.private) == 200 })
		checkRefusals(t, load.since(mark))
	}

	all := load.end()
	db.endLeases(t)
	db.checkPrizes(t, all)
	db.checkKeptOnce(t, all)
}

func awarded(s sent) bool { return s.taken() && s.Outcome == "awarded" }

// checkHealth fails unless the process says that it is up, and of its
// readiness what is wanted.
func checkHealth(t *testing.T, p *program, ready int) {
	t.Helper()

	for _, base := range []string{p.public, p.private} {
		if status, _ := get(t, base+"/healthz"); status != http.StatusOK {
			t.Errorf("GET %s/healthz = %d, want 200", base, status)
		}
		// It has taken note of what was refused within two seconds.
		wait(t, fmt.Sprintf("GET %s/readyz = %d", base, ready), func() bool { return readyz(t, base) == ready })
	}
}

func readyz(t *testing.T, base string) int {
	t.Helper()

	status, _ := get(t, base+"/readyz")

	return status
}
