package operator_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// parked puts deliveries into the database that were parked, each for its own
// reason, and others that were not.
const parked = `
	INSERT INTO users (user_id) VALUES ('ann'), ('bob'), ('cid'), ('dan');
	INSERT INTO trivia_wins (user_id, trivia_id, item, delivery_key) VALUES ('ann', 't1', 'mug', 'done');
	INSERT INTO prizes (user_id, trivia_id, item) VALUES ('ann', 't1', 'mug');
	INSERT INTO trivias (trivia_id, closed_at) VALUES ('shut', now());
	INSERT INTO deliveries (key, kind, rival, body, body_sha256, state, outcome, reason, user_id, trivia_id, item, received_at, last_seen_at, due_at, settled_at)
	SELECT key, kind, CASE WHEN outcome = 'key_conflict' AND key <> 'own' THEN sha256(body::bytea) ELSE '' END, body::bytea, sha256(body::bytea),
		state, nullif(outcome, ''), reason,
		CASE kind WHEN 'win' THEN substring(body FROM '"user_id":"([^"]*)"') END,
		CASE kind WHEN 'win' THEN substring(body FROM '"trivia_id":"([^"]*)"') END,
		CASE kind WHEN 'win' THEN substring(body FROM '"item":"([^"]*)"') END,
		'2026-05-04 12:00Z'::timestamptz + n * interval '1 s', now(),
		CASE state WHEN 'pending' THEN now() + interval '1 h' END, CASE WHEN state <> 'pending' THEN '2026-05-04 13:00Z'::timestamptz END
	FROM (VALUES
		(1,  'done',      'win',   'done',    'awarded',        NULL,         '{"user_id":"ann","trivia_id":"t1","item":"mug"}'),
		(2,  'same',      'win',   'done',    'already_won',    NULL,         '{"user_id":"ann","trivia_id":"t1","item":"mug"}'),
		(3,  'gone',      'win',   'done',    'already_won',    NULL,         '{"user_id":"ann","trivia_id":"t2","item":"mug"}'),
		(4,  'other',     'win',   'parked',  'prize_conflict', 'the user has won mug with this trivia already', '{"user_id":"ann","trivia_id":"t1","item":"hat"}'),
		(5,  'late',      'win',   'parked',  'unknown_user',   'no such user', '{"user_id":"bob","trivia_id":"t1","item":"mug"}'),
		(6,  'later',     'win',   'parked',  'unknown_user',   'no such user', '{"user_id":"bob","trivia_id":"t1","item":"mug"}'),
		(7,  'latest',    'win',   'parked',  'unknown_user',   'no such user', '{"user_id":"bob","trivia_id":"t1","item":"hat"}'),
		(8,  'nobody',    'win',   'parked',  'unknown_user',   'no such user', '{"user_id":"eve","trivia_id":"t1","item":"mug"}'),
		(9,  'opened',    'win',   'parked',  'trivia_closed',  'the trivia is closed', '{"user_id":"cid","trivia_id":"t1","item":"mug"}'),
		(10, 'shut',      'win',   'parked',  'trivia_closed',  'the trivia is closed', '{"user_id":"cid","trivia_id":"shut","item":"mug"}'),
		(11, 'broken',    'win',   'parked',  'malformed',      'body is empty', '{'),
		(12, 'readable',  'win',   'parked',  'malformed',      'an older program could not read it', '{"user_id":"dan","trivia_id":"t1","item":"mug"}'),
		(13, 'refused',   'win',   'parked',  '',               'no mugs left', '{"user_id":"dan","trivia_id":"t2","item":"mug"}'),
		(14, 'done',      'win',   'parked',  'key_conflict',   'this key came before with another body', '{"user_id":"cid","trivia_id":"t9","item":"mug"}'),
		(15, 'waiting',   'win',   'pending', 'unknown_user',   'no such user', '{"user_id":"eve","trivia_id":"t2","item":"mug"}'),
		(16, 'ready',     'win',   'pending', '',               NULL,         '{"user_id":"cid","trivia_id":"t2","item":"mug"}'),
		(17, 'event',     'event', 'parked',  'malformed',      'an older program could not read it', '{"event_id":"event","object_type":"email","metric":"bounced","data":{"identifiers":{"id":"bob"}}}'),
		(18, 'own',       'win',   'parked',  'key_conflict',   'this key came before with another body', '{"user_id":"ann","trivia_id":"t1","item":"mug"}')
	) AS d (n, key, kind, state, outcome, reason, body)`

// standings tells how deliveries stand.
const standings = `
	SELECT concat_ws(' ', key, state, coalesce(outcome, '-'), '(' || reason || ')', CASE WHEN rival <> '' THEN 'rival' END)
	FROM deliveries ORDER BY received_at, key`

// kept is all that a replay may change.
const kept = `
	SELECT md5(concat(
		(SELECT string_agg(d::text, '|' ORDER BY d.key, d.kind, d.rival) FROM deliveries AS d),
		(SELECT string_agg(w::text, '|' ORDER BY w.user_id, w.trivia_id) FROM trivia_wins AS w),
		(SELECT string_agg(p::text, '|' ORDER BY p.user_id, p.trivia_id) FROM prizes AS p),
		(SELECT string_agg(p::text, '|' ORDER BY p.id) FROM pushes AS p),
		(SELECT string_agg(e::text, '|' ORDER BY e.event_id) FROM events AS e),
		(SELECT string_agg(a::text, '|' ORDER BY a.id) FROM audit_log AS a)))`

func (d desk) exec(t *testing.T, sql string) {
	t.Helper()
	if _, err := d.db.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// allOfIt is a replay of all that there is.
func allOfIt() operator.Replay {
	return operator.Replay{Reason: "again", Now: time.Now, Owing: store.Owing{Policy: trivia.DefaultPolicy()}}
}

// told is what a replay says of each delivery.
func told(r operator.Replayed) (lines []string) {
	for _, row := range r.First {
		line := fmt.Sprintf("%s: %s → %s", row.Key, operator.Standing{State: row.State, Outcome: row.Outcome}, row.After)
		lines = append(lines, line)
	}

	return lines
}

func TestAReplaySettlesWhatIsParkedAndNothingElse(t *testing.T) {
	t.Parallel()

	d := newDesk(t)
	d.exec(t, parked)
	before := d.lines(t, kept)
	want := []string{
		"done: awarded → awarded", "same: already_won → already_won", "gone: already_won → awarded",
		"other: prize_conflict → prize_conflict", "late: unknown_user → awarded", "later: unknown_user → already_won",
		"latest: unknown_user → prize_conflict", "nobody: unknown_user → unknown_user", "opened: trivia_closed → awarded",
		"shut: trivia_closed → trivia_closed", "broken: malformed → malformed", "readable: malformed → awarded",
		"refused: refused → awarded", "done: key_conflict → key_conflict", "waiting: unknown_user (pending) → unknown_user (pending)",
		"ready: pending → awarded", "event: malformed → recorded", "own: key_conflict → already_won",
	}

	preview, err := d.PreviewReplay(t.Context(), allOfIt())
	if err != nil || preview.Deliveries != 18 || preview.Awarded() != 6 || preview.Changed() != 10 || preview.Left != 0 {
		t.Errorf("PreviewReplay = %+v, %v", preview, err)
	}
	if diff := cmp.Diff(want, told(preview)); diff != "" {
		t.Errorf("PreviewReplay (-want +got):\n%s", diff)
	}
	if after := d.lines(t, kept); after[0] != before[0] {
		t.Error("a preview has changed something")
	}

	r, err := d.Replay(t.Context(), allOfIt())
	if err != nil || r.Awarded() != 6 {
		t.Errorf("Replay = %+v, %v", r, err)
	}
	if diff := cmp.Diff(want, told(r)); diff != "" {
		t.Errorf("Replay (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{
		"done done awarded", "same done already_won", "gone done awarded",
		"other parked prize_conflict (the user has won mug with this trivia already)", "late done awarded", "later done already_won",
		"latest parked prize_conflict (the user has won mug with this trivia already)", "nobody parked unknown_user (no such user)",
		"opened done awarded", "shut parked trivia_closed (the trivia is closed)", "broken parked malformed (body is empty)",
		"readable done awarded", "refused done awarded", "done parked key_conflict (this key came before with another body) rival",
		"waiting pending unknown_user (no such user)", "ready done awarded", "event done recorded", "own done already_won",
	}, d.lines(t, standings)); diff != "" {
		t.Errorf("deliveries (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{
		"ann t1 mug", "ann t2 mug gone", "bob t1 mug late", "cid t1 mug opened", "cid t2 mug ready", "dan t1 mug readable", "dan t2 mug refused",
	}, d.lines(t, `
		SELECT concat_ws(' ', user_id, trivia_id, p.item, nullif(w.delivery_key, 'done')) FROM prizes AS p JOIN trivia_wins AS w USING (user_id, trivia_id) ORDER BY 1`)); diff != "" {
		t.Errorf("prizes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{
		"ann win t2 pending", "bob event event pending", "bob win t1 pending", "cid win t1 pending", "cid win t2 pending", "dan win t1 pending", "dan win t2 pending",
	}, d.lines(t, `SELECT concat_ws(' ', person, cause, cause_id, state) FROM pushes ORDER BY 1`)); diff != "" {
		t.Errorf("pushes (-want +got):\n%s", diff)
	}
	deeds := d.lines(t, `SELECT concat_ws('|', actor, verb, target, reason, detail->>'before', detail->>'after') FROM audit_log ORDER BY target`)
	if len(deeds) != 10 || deeds[0] != "ann@desk|replay|event|again|malformed|recorded" || deeds[2] != "ann@desk|replay|late|again|unknown_user|awarded" {
		t.Errorf("audit log = %q, want a line for each that has changed", deeds)
	}

	before = d.lines(t, kept)
	r, err = d.Replay(t.Context(), allOfIt())
	if err != nil || r.Deliveries != 18 || r.Changed() != 0 {
		t.Errorf("Replay once more = %+v, %v, want that nothing changes", r, err)
	}
	if after := d.lines(t, kept); after[0] != before[0] {
		t.Error("a second replay has changed something")
	}
}

func TestAReplayTakesWhatItIsAskedFor(t *testing.T) {
	t.Parallel()

	d := newDesk(t)
	d.exec(t, parked)
	r := allOfIt()
	r.Set.Walk.Filter = store.DeliveryFilter{State: trivia.StateParked, Outcome: trivia.UnknownUser, Trivia: "t1"}
	r.Set.Limit = 2
	first, err := d.PreviewReplay(t.Context(), r)
	if diff := cmp.Diff([]string{"late: unknown_user → awarded", "later: unknown_user → already_won"}, told(first)); diff != "" || err != nil {
		t.Errorf("PreviewReplay of two: %v (-want +got):\n%s", err, diff)
	}

	r.Set.After, r.Set.Limit = first.Last, 0
	rest, err := d.PreviewReplay(t.Context(), r)
	if diff := cmp.Diff([]string{"latest: unknown_user → awarded", "nobody: unknown_user → unknown_user"}, told(rest)); diff != "" || err != nil {
		t.Errorf("PreviewReplay of the rest: %v (-want +got):\n%s", err, diff)
	}

	r.Set.After, r.Set.Walk.Through = "", first.Last
	if n, err := d.CountReplay(t.Context(), r.Set); n != 2 || err != nil {
		t.Errorf("CountReplay up to there = %d, %v, want 2", n, err)
	}
	r.Set.After = store.DeliveryRow{Key: "x"}.Cursor()
	if _, err := d.Replay(t.Context(), r); !errors.Is(err, store.ErrCursor) {
		t.Errorf("Replay behind a cursor of a listing: error %v, want ErrCursor", err)
	}

	rows, err := d.ShowDelivery(t.Context(), "later")
	if err != nil {
		t.Fatal(err)
	}
	r.Set = operator.ReplaySet{Rows: rows}
	one, err := d.Replay(t.Context(), r)
	if diff := cmp.Diff([]string{"later: unknown_user → awarded"}, told(one)); diff != "" || err != nil {
		t.Errorf("Replay of one: %v (-want +got):\n%s", err, diff)
	}
}

// inWaiting are n wins of n users, two deliveries for each: of the even ones the
// second is after another item.
const inWaiting = `
	INSERT INTO users (user_id) SELECT 'user-' || i FROM generate_series(1, %[1]d) AS i;
	INSERT INTO deliveries (key, kind, body, body_sha256, state, outcome, reason, user_id, trivia_id, item, received_at, last_seen_at, settled_at)
	SELECT 'key-' || i || '-' || j, 'win', body::bytea, sha256(body::bytea), 'parked', 'unknown_user', 'no such user',
		'user-' || i, 't1', item, '2026-05-04 12:00Z'::timestamptz + (j * 10000 + i) / 10 * interval '1 s', now(), now()
	FROM generate_series(1, %[1]d) AS i, generate_series(1, 2) AS j,
		LATERAL (SELECT CASE WHEN j = 2 AND i %% 2 = 0 THEN 'hat' ELSE 'mug' END) AS p (item),
		LATERAL (SELECT format('{"user_id":"user-%%s","trivia_id":"t1","item":"%%s"}', i, item)) AS b (body)`

func changes(r operator.Replayed) map[string]int {
	all := map[string]int{}
	for change, n := range r.Changes {
		all[change.Before.String()+" → "+change.After.String()] += n
	}

	return all
}

func TestAPreviewOfManyBatchesIsWhatComes(t *testing.T) {
	t.Parallel()

	d := newDesk(t)
	const n = 1200
	d.exec(t, fmt.Sprintf(inWaiting, n))
	want := map[string]int{"unknown_user → awarded": n, "unknown_user → already_won": n / 2, "unknown_user → prize_conflict": n / 2}
	preview, err := d.PreviewReplay(t.Context(), allOfIt())
	if diff := cmp.Diff(want, changes(preview)); diff != "" || err != nil {
		t.Errorf("PreviewReplay: %v (-want +got):\n%s", err, diff)
	}
	if len(preview.First) != 50 {
		t.Errorf("PreviewReplay shows %d rows, want 50", len(preview.First))
	}

	r := allOfIt()
	r.Set.Walk.Through = preview.Last
	got, err := d.Replay(t.Context(), r)
	if diff := cmp.Diff(want, changes(got)); diff != "" || err != nil {
		t.Errorf("Replay: %v (-want +got):\n%s", err, diff)
	}
}

func TestOneThatTheDatabaseRefusesSpoilsNoOther(t *testing.T) {
	t.Parallel()

	d := newDesk(t)
	d.exec(t, fmt.Sprintf(inWaiting, 40))
	d.exec(t, `
		CREATE OR REPLACE FUNCTION grant_prize(user_id text, item text, trivia_id text) RETURNS void LANGUAGE plpgsql AS $$
		BEGIN
			IF user_id = 'user-7' THEN
				RAISE EXCEPTION 'no mugs left';
			END IF;
			INSERT INTO prizes (user_id, trivia_id, item) VALUES (grant_prize.user_id, grant_prize.trivia_id, grant_prize.item);
		END $$`)
	want := map[string]int{
		"unknown_user → awarded": 39, "unknown_user → already_won": 19, "unknown_user → prize_conflict": 20, "unknown_user → refused": 2,
	}
	preview, err := d.PreviewReplay(t.Context(), allOfIt())
	if diff := cmp.Diff(want, changes(preview)); diff != "" || err != nil {
		t.Errorf("PreviewReplay: %v (-want +got):\n%s", err, diff)
	}
	got, err := d.Replay(t.Context(), allOfIt())
	if diff := cmp.Diff(want, changes(got)); diff != "" || err != nil {
		t.Errorf("Replay: %v (-want +got):\n%s", err, diff)
	}
	if got := d.lines(t, `SELECT DISTINCT concat_ws(' ', state, outcome, reason) FROM deliveries WHERE user_id = 'user-7'`); len(got) != 1 || got[0] != "parked no mugs left" {
		t.Errorf("what was refused is %q, want that it is parked, with the reason", got)
	}
}

func TestWhatSomebodyElseHasInHandIsLeft(t *testing.T) {
	t.Parallel()

	d := newDesk(t)
	d.exec(t, parked)
	other := connect(t, d.db.Config().ConnString())
	tx, err := other.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `SELECT FROM deliveries WHERE key = 'late' FOR UPDATE`); err != nil {
		t.Fatal(err)
	}
	r := allOfIt()
	r.Set.Walk.Filter = store.DeliveryFilter{State: trivia.StateParked, User: "bob"}
	want := []string{"late: unknown_user → unknown_user", "later: unknown_user → awarded", "latest: unknown_user → prize_conflict"}
	got, err := d.Replay(t.Context(), r)
	if diff := cmp.Diff(want, told(got)); diff != "" || err != nil || got.Left != 1 || got.First[0].Reason != "it is in other hands" {
		t.Errorf("Replay = %+v, %v (-want +got):\n%s", got, err, diff)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err = d.Replay(t.Context(), r)
	if diff := cmp.Diff([]string{"late: unknown_user → already_won", "latest: prize_conflict → prize_conflict"}, told(got)); diff != "" || err != nil || got.Left != 0 {
		t.Errorf("Replay again = %+v, %v (-want +got):\n%s", got, err, diff)
	}
}

func TestAReplayThatIsStoppedGoesOn(t *testing.T) {
	t.Parallel()

	d := newDesk(t)
	const n = 600
	d.exec(t, fmt.Sprintf(inWaiting, n))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := allOfIt()
	r.Rate = 50_000
	r.Progress = func(so *operator.Replayed, done, whole int) {
		if whole != 2*n || done != so.Deliveries {
			t.Errorf("Progress(%d of %d), with %d", done, whole, so.Deliveries)
		}
		if done > 100 {
			cancel()
		}
	}
	first, err := d.Replay(ctx, r)
	if !errors.Is(err, context.Canceled) || first.Deliveries < 100 || first.Deliveries >= n || first.Last == "" {
		t.Errorf("Replay = %d, %v, want that it was stopped", first.Deliveries, err)
	}

	r.Progress = nil
	r.Set.After = first.Last
	rest, err := d.Replay(t.Context(), r)
	if err != nil || first.Deliveries+rest.Deliveries != 2*n || first.Awarded()+rest.Awarded() != n {
		t.Errorf("Replay = %d, then %d, with %d prizes, %v", first.Deliveries, rest.Deliveries, first.Awarded()+rest.Awarded(), err)
	}
	if got := d.lines(t, `SELECT count(*)::text FROM prizes WHERE item = 'mug'`); got[0] != fmt.Sprint(n) {
		t.Errorf("there are %s prizes, want %d", got[0], n)
	}
}

func TestARepairedCopyStandsForItsSource(t *testing.T) {
	t.Parallel()

	d := newDesk(t)
	d.exec(t, parked)
	d.exec(t, `UPDATE deliveries SET body = '{"user_id":"bob","trivia_id":"t5"}', reason = 'item is missing' WHERE key = 'broken'`)
	source := func(key string) store.DeliveryRow {
		rows, err := d.ShowDelivery(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}

		return rows[0]
	}
	repair := operator.Repair{Source: source("broken"), With: trivia.Win{Item: "mug"}, Reason: "a typo", Owing: allOfIt().Owing}
	before := d.lines(t, kept)
	preview, err := d.PreviewRepair(t.Context(), repair)
	if err != nil || preview.After.Outcome != trivia.Awarded || preview.Copy.Key != "broken#repair-1" {
		t.Errorf("PreviewRepair = %+v, %v", preview, err)
	}
	if after := d.lines(t, kept); after[0] != before[0] {
		t.Error("a preview has changed something")
	}

	done, err := d.Repair(t.Context(), repair)
	if err != nil || done.After.Outcome != trivia.Awarded || string(done.Copy.Body) != `{"user_id":"bob","trivia_id":"t5","item":"mug"}` {
		t.Errorf("Repair = %+v, %v", done, err)
	}
	is, c := source("broken"), source("broken#repair-1")
	if is.State != trivia.StateParked || is.Outcome != trivia.Malformed || is.RepairedBy != c.Key ||
		is.Reason != "repaired by broken#repair-1: item is missing" {
		t.Errorf("the source = %+v", is)
	}
	if c.Outcome != trivia.Awarded || c.Repairs != fmt.Sprintf("broken@%x", is.SHA256) {
		t.Errorf("the copy = %+v", c)
	}
	deeds := d.lines(t, `SELECT concat_ws('|', actor, verb, target, reason, detail->>'copy', detail->>'after') FROM audit_log`)
	if diff := cmp.Diff([]string{"ann@desk|replay repair|broken|a typo|broken#repair-1|awarded"}, deeds); diff != "" {
		t.Errorf("audit log (-want +got):\n%s", diff)
	}

	// Neither a replay nor another repair makes a second prize of it.
	for key, want := range map[string]string{
		"broken": `"broken" was repaired already; "broken#repair-1" stands for it`, "event": `"event" is an event; only wins can be repaired`,
		"same": `"same" is already_won; only what is parked can be repaired`,
	} {
		_, err := d.Repair(t.Context(), operator.Repair{Source: source(key), With: trivia.Win{User: "cid", Item: "mug"}})
		if !errors.Is(err, operator.ErrNotRepairable) || err.Error() != want {
			t.Errorf("Repair(%s): error %v, want %s", key, err, want)
		}
	}
	d.exec(t, `UPDATE deliveries SET outcome = 'unknown_user', body = '{"user_id":"cid","trivia_id":"t5","item":"mug"}' WHERE key = 'broken'`)
	r := allOfIt()
	r.Set.Rows = []store.DeliveryRow{source("broken")}
	if got, err := d.Replay(t.Context(), r); err != nil || got.Changed() != 0 {
		t.Errorf("Replay of what was repaired = %+v, %v, want no change", got, err)
	}

	// The copy of a copy, for a user who is not there: the service waits for them.
	nobody, err := d.Repair(t.Context(), operator.Repair{Source: source("nobody"), With: trivia.Win{User: "eva"}, Owing: allOfIt().Owing})
	if err != nil || nobody.After.String() != "unknown_user (pending)" {
		t.Errorf("Repair = %+v, %v", nobody, err)
	}
	d.exec(t, `UPDATE deliveries SET state = 'parked', due_at = NULL, settled_at = now() WHERE key = 'nobody#repair-1'`)
	again, err := d.Repair(t.Context(), operator.Repair{Source: source("nobody#repair-1"), With: trivia.Win{User: "dan", Trivia: "t7"}})
	if err != nil || again.Copy.Key != "nobody#repair-2" || again.After.Outcome != trivia.Awarded {
		t.Errorf("Repair = %+v, %v", again, err)
	}
	long := source("shut")
	long.Key = strings.Repeat("é", 250)
	if _, err := d.Repair(t.Context(), operator.Repair{Source: long, With: trivia.Win{Trivia: "t6"}}); !errors.Is(err, operator.ErrNotRepairable) {
		t.Errorf("Repair of one that is not there: error %v", err)
	}
}
