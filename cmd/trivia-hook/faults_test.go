package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/config"
	"trivia/internal/faultpoint"
)

// Every third award of one user in ten meets somebody else's, so that some wins
// are settled at once and others by the stage behind intake.
const flakyAwards = `
	CREATE SEQUENCE tries;
	ALTER FUNCTION grant_prize RENAME TO grant_ordinary_prize;
	CREATE FUNCTION grant_prize(user_id text, item text, trivia_id text) RETURNS void
	LANGUAGE plpgsql AS $$
	BEGIN
		IF user_id LIKE '%3' AND nextval('tries') % 3 = 1 THEN
			RAISE 'somebody else awards' USING ERRCODE = 'serialization_failure';
		END IF;
		PERFORM grant_ordinary_prize(user_id, item, trivia_id);
	END
	$$`

// oldWins are past their use.
const oldWins = `
	INSERT INTO deliveries (key, kind, body, body_sha256, state, outcome, received_at, last_seen_at, settled_at)
	SELECT 'old-' || i, 'win', '{}', '\x00', 'done', 'already_won', t, t, t
	FROM generate_series(1, 100) AS i, LATERAL (SELECT now() - interval '100 days' + i * interval '1 s') AS x (t)`

// passesOf are those of a place at which one service after the other is killed.
func passesOf(place faultpoint.Name) []int {
	rare := map[faultpoint.Name][]int{
		faultpoint.Pruned:   {1, 1},                               // there is little to prune, and once a day
		faultpoint.CopySent: {1, 2}, faultpoint.CopySaved: {1, 2}, // there is one each second
	}
	if passes, ok := rare[place]; ok {
		return passes
	}

	return []int{1, 2, 5}
}

// The service is killed at every place, several times, and each time another one
// goes on.
func TestWhereverTheServiceIsKilledNothingIsLostAndNobodyWinsTwice(t *testing.T) {
	t.Parallel()

	for _, place := range faultpoint.Names() {
		t.Run(string(place), func(t *testing.T) {
			t.Parallel()

			db, api, dir := newPostgres(t), newTrackAPI(t), filepath.Join(t.TempDir(), "warehouse")
			db.exec(t, flakyAwards+";"+oldWins)
			e := on(db.url).with(api.telling()).with(env{
				config.OnBounce:    "attributes",
				config.WarehouseTo: "files:" + dir, config.WarehouseEvery: "1s",
				config.KeepDeliveries: "90d", // so that there is something to prune
			})
			tr := startTraffic(t, "http://127.0.0.1:1") // where nobody is

			for _, pass := range passesOf(place) {
				fault := faultpoint.Fault{At: place, Do: faultpoint.Kill, Pass: pass}
				p := launchFile(t, buildFaulty(t), "", e.with(env{faultpoint.Setting: fault.String()}))
				wait(t, "the service is ready", func() bool { return len(p.logged(t, "ready")) > 0 || p.gone() })
				if ready := p.logged(t, "ready"); len(ready) > 0 {
					tr.aim("http://" + ready[0].text("public"))
				}
				if code := p.exit(t); code != -1 {
					t.Fatalf("exit code %d, want that it was killed at %s", code, fault)
				}
				db.letGo(t)
			}

			p := launchFile(t, buildFaulty(t), "", e)
			p.waitReady(t)
			tr.aim(p.public)
			tr.await(t, "what was sent before is acknowledged, and more")
			tr.checkKept(t, db)
			api.checkTold(t, db, tr)
			db.checkCopied(t, dir)
			db.checkAudit(t)
		})
	}
}

// letGo ends what a process that is gone would have in hand for some seconds more.
func (db postgres) letGo(t *testing.T) {
	t.Helper()

	db.endLeases(t)
	db.exec(t, `
		UPDATE push_people SET leased_until = now();
		UPDATE warehouse_positions SET leased_until = now();
		UPDATE retention SET due_at = now()`)
}

// checkAudit fails unless triviactl finds that all belongs together.
func (db postgres) checkAudit(t *testing.T) {
	t.Helper()

	cmd := exec.CommandContext(t.Context(), filepath.Join(build(t), "bin", "triviactl"), "audit")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), config.DatabaseURL + "=" + db.url}
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("triviactl audit: %v\n%s", err, said)
	}
}

// checkCopied fails unless every event and win comes to be in the files below dir,
// and once. What is written while another test of the same server has a
// transaction open is copied when that has ended.
func (db postgres) checkCopied(t *testing.T, dir string) {
	t.Helper()

	events, wins := db.column(t, `SELECT event_id FROM events`), db.column(t, `SELECT user_id || '/' || trivia_id FROM trivia_wins`)
	slices.Sort(events)
	slices.Sort(wins)
	var gotEvents, gotWins []string
	wait(t, "all is copied", func() bool {
		gotEvents = inFiles(t, dir, "customerio_events", func(e *fileEvent) string {
			if !strings.Contains(e.Payload, `"event_id":"`+e.ID+`"`) {
				t.Errorf("event %s has the payload %q", e.ID, e.Payload)
			}

			return e.ID
		})
		gotWins = inFiles(t, dir, "trivia_wins", func(w *fileWin) string { return w.ID })

		return len(gotEvents) >= len(events) && len(gotWins) >= len(wins)
	})
	if diff := cmp.Diff(events, gotEvents); diff != "" {
		t.Errorf("events in the files (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(wins, gotWins); diff != "" {
		t.Errorf("wins in the files (-want +got):\n%s", diff)
	}
}

func TestNothingOfTheFaultsIsInTheProgramsThatPeopleRun(t *testing.T) {
	t.Parallel()

	words := []string{faultpoint.Setting}
	for _, name := range faultpoint.Names() {
		if strings.Contains(string(name), "-") { // others are words of any program
			words = append(words, string(name))
		}
	}
	found := func(path string) (all []string) {
		program, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range words {
			if bytes.Contains(program, []byte(word)) {
				all = append(all, word)
			}
		}

		return all
	}
	for _, name := range []string{"trivia-hook", "triviactl"} {
		if got := found(filepath.Join(build(t), "bin", name)); len(got) > 0 {
			t.Errorf("%s contains %q", name, got)
		}
	}
	if got := found(buildFaulty(t)); len(got) != len(words) {
		t.Errorf("the program with faults contains %q, want %q: it is looked for the wrong way", got, words)
	}
}
