package settle_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"trivia/internal/settle"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

func TestWhatWasKeptIsSettled(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.exec(t, `INSERT INTO trivias (trivia_id, closed_at) VALUES ('old', now()), ('new', NULL)`)
	b.keep(t,
		win("k1", "u1", "capitals", "mug"),
		win("k2", "u2", "old", "mug"),
		win("k3", "u3", "new", "mug"),
		win("k4", "nobody", "capitals", "mug"),
		arrival(trivia.KindWin, "k5", `{"user_id":"u5","trivia_id":"capitals","item":""}`),
		arrival(trivia.KindEvent, "e1", `{"event_id":"e1","object_type":"email","metric":"opened","timestamp":1777895940}`),
		arrival(trivia.KindEvent, "e2", `{"event_id":"e2"}`),
	)

	b.step(t, 7)
	b.wait(t)
	b.keep(t, win("k6", "u1", "capitals", "mug"), win("k7", "u1", "capitals", "car"))
	b.step(t, 3)

	b.want(t, deliveries,
		"e1 done recorded 1",
		"e2 parked malformed 1 (metric is missing)",
		"k1 done awarded 1",
		"k2 parked trivia_closed 1 (the trivia is closed)",
		"k3 done awarded 1",
		"k4 pending unknown_user 2 (no such user)",
		"k5 parked malformed 1 (item is empty)",
		"k6 done already_won 1",
		"k7 parked prize_conflict 1 (the user has won mug with this trivia already)",
	)
	b.want(t, wins, "u1 capitals mug k1", "u3 new mug k3")
	b.want(t, prizes, "u1 capitals mug", "u3 new mug")
	b.want(t, `SELECT concat_ws(' ', event_id, object_type, metric, received_at - occurred_at) FROM events`, "e1 email opened 00:01:00")
	b.want(t, `SELECT key FROM deliveries WHERE (due_at IS NULL) <> (settled_at IS NOT NULL)`)
	b.want(t, `SELECT concat_ws(' ', user_id, trivia_id, item) FROM deliveries WHERE key = 'k1'`, "u1 capitals mug")

	counts(t, b.Stage, "awarded", 2)
	counts(t, b.Stage, "unknown_user", 2)
	counts(t, b.Stage, "malformed", 2)
	for _, key := range []string{"k2", "k5", "k7", "e2"} {
		if lines := b.log.lines("key=" + key + " "); len(lines) != 1 || !strings.Contains(lines[0], "delivery parked") {
			t.Errorf("the log says of %s %q, want one line that it is parked", key, lines)
		}
	}
	if lines := b.log.lines("key=k1 "); len(lines) != 0 {
		t.Errorf("the log says of an award %q, want nothing", lines)
	}
}

func TestNothingToDoIsNothingDone(t *testing.T) {
	t.Parallel()
	b := newBench(t)

	b.step(t, 0)
	b.keep(t, win("k1", "u1", "capitals", "mug"))
	b.step(t, 1)
	b.step(t, 0)
}

func TestAStepTakesTheLongestWaitingFirstAndNotAll(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for n := range 70 {
		b.keep(t, win(fmt.Sprintf("k%02d", n), "u1", fmt.Sprint(n), "mug"))
	}
	b.exec(t, `UPDATE deliveries SET due_at = now() - right(key, 2)::int * interval '1 s'`)

	b.step(t, 64)
	b.want(t, `SELECT key FROM deliveries WHERE state = 'pending' ORDER BY key`, "k00", "k01", "k02", "k03", "k04", "k05")
	b.step(t, 6)
}

func TestAnUnknownUserIsTriedForAnHourWithGrowingWaits(t *testing.T) {
	t.Parallel()

	tests := []struct {
		age  time.Duration
		want string // until it is due, or its end
	}{
		{0, "00:00:05"},
		{-time.Minute, "00:00:05"}, // two clocks differ
		{5 * time.Second, "00:00:05"},
		{40 * time.Second, "00:00:40"},
		{10 * time.Minute, "00:10:00"},
		{40 * time.Minute, "00:15:00"},
		{time.Hour - time.Second, "00:15:00"},
		{time.Hour, "parked"},
		{48 * time.Hour, "parked"},
	}
	for _, tt := range tests {
		t.Run(tt.age.String(), func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.keep(t, win("k1", "nobody", "capitals", "mug"), win("k2", "u1", "capitals", "mug"))

			b.age = tt.age
			b.step(t, 2)

			// Less than a second has passed since, and the wait is in seconds.
			b.want(t, `
				SELECT CASE WHEN state = 'parked' THEN state ELSE date_trunc('second', due_at - now() + '0.999s')::text END
				FROM deliveries WHERE key = 'k1'`, tt.want)
			b.want(t, `SELECT outcome || ', ' || reason FROM deliveries WHERE key = 'k1'`, "unknown_user, no such user")
			b.want(t, wins, "u1 capitals mug k2")
		})
	}
}

func TestAUserWhoAppearsGetsThePrize(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if _, err := b.intake.Take(t.Context(), []store.Arrival{decoded(win("k1", "late", "capitals", "mug"))}); err != nil {
		t.Fatal(err)
	}
	b.step(t, 0) // it waits

	b.wait(t)
	b.step(t, 1)
	b.want(t, deliveries, "k1 pending unknown_user 1 (no such user)")

	b.exec(t, `INSERT INTO users (user_id) VALUES ('late')`)
	b.wait(t)
	b.step(t, 1)
	b.want(t, deliveries, "k1 done awarded 2")
	b.want(t, prizes, "late capitals mug")
}

func TestMissingUsersAreCreatedWhereTheSettingsSaySo(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.CreateUsers = true
	b.exec(t, `INSERT INTO trivias (trivia_id, closed_at) VALUES ('old', now())`)
	b.keep(t, win("k1", "new-1", "capitals", "mug"), win("k2", "new-2", "old", "mug"), win("k3", "u1", "capitals", "mug"))

	b.step(t, 3)
	b.want(t, deliveries, "k1 done awarded 1", "k2 parked trivia_closed 1 (the trivia is closed)", "k3 done awarded 1")
	b.want(t, `SELECT user_id FROM users WHERE user_id NOT LIKE 'u_'`, "new-1")
	b.want(t, prizes, "new-1 capitals mug", "u1 capitals mug")
}

func TestADeliveryIsDecodedAgainByWhoSettlesIt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	// What the program that kept it made of the body does not count.
	kept := win("k1", "u1", "capitals", "mug")
	kept.Win = trivia.Win{User: "u2", Trivia: "rivers", Item: "car"}
	b.keep(t, kept)

	b.step(t, 1)
	b.want(t, wins, "u1 capitals mug k1")
	b.want(t, `SELECT concat_ws(' ', user_id, trivia_id, item) FROM deliveries`, "u1 capitals mug")
}

func TestACrashedProcessLeavesItsDeliveriesToOthers(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.keep(t, win("k1", "u1", "capitals", "mug"))

	crashed := b.newStage(t)
	if _, err := crashed.Store.Claim(t.Context(), store.Ref{Kind: trivia.KindWin, Key: "k1"}, time.Minute); err != nil {
		t.Fatal(err)
	}
	b.step(t, 0) // its lease holds
	b.want(t, `SELECT state || attempts FROM deliveries WHERE due_at BETWEEN now() + '50s' AND now() + '60s'`, "pending1")

	b.wait(t)
	b.step(t, 1)
	b.want(t, deliveries, "k1 done awarded 2")
	b.want(t, prizes, "u1 capitals mug")
}

func TestSeveralStagesGrantEachPrizeOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	// Each call leaves a row, so that a prize granted twice shows.
	b.exec(t, `CREATE TABLE granted (user_id text, trivia_id text)`)
	b.exec(t, `CREATE OR REPLACE FUNCTION grant_prize(user_id text, item text, trivia_id text) RETURNS void
		LANGUAGE sql AS 'INSERT INTO granted VALUES (user_id, trivia_id)'`)
	for n := range 60 {
		b.keep(t, win(fmt.Sprint("k", n), fmt.Sprint("u", n%9+1), fmt.Sprint(n), "mug"))
	}
	stages := []*settle.Stage{b.newStage(t), b.newStage(t), b.newStage(t)}

	// One that looks at a row which another has in hand may make that one try
	// again; so there is more than one round at times.
	for pending := 60; pending > 0; {
		var group errgroup.Group
		for _, st := range stages {
			group.Go(func() error {
				_, err := st.Step(t.Context())
				return err
			})
		}
		if err := group.Wait(); err != nil {
			t.Fatalf("Step = %v", err)
		}
		b.wait(t)
		if err := b.db.QueryRow(t.Context(), `SELECT count(*) FROM deliveries WHERE state = 'pending'`).Scan(&pending); err != nil {
			t.Fatal(err)
		}
	}

	b.want(t, `SELECT count(*) || ' ' || count(DISTINCT (user_id, trivia_id)) FROM granted`, "60 60")
	b.want(t, `SELECT DISTINCT concat_ws(' ', state, outcome) FROM deliveries`, "done awarded")
}

func TestADatabaseThatIsGoneIsTheStepsError(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Store.Close()

	if n, err := b.Step(t.Context()); err == nil || n != 0 {
		t.Errorf("Step = %d, %v; want an error", n, err)
	}
}

func TestWhoIsToldToStopGivesItsDeliveriesBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.keep(t, win("k1", "u1", "capitals", "mug"))
	gate := b.shutGate(t)

	ctx, stop := context.WithCancel(t.Context())
	var group errgroup.Group
	group.Go(func() error {
		n, err := b.Step(ctx)
		if n != 1 {
			t.Errorf("Step had %d deliveries in hand, want 1", n)
		}

		return err
	})
	gate.waitedAt(t)
	stop()
	if err := group.Wait(); err != nil {
		t.Errorf("Step = %v, want the delivery given back", err)
	}

	// It waits for the first backoff, not for the lease to end.
	b.want(t, `SELECT key FROM deliveries WHERE state = 'pending' AND due_at <= now() + '1s'`, "k1")
	b.want(t, wins)

	gate.open(t)
	b.wait(t)
	b.step(t, 1)
	b.want(t, prizes, "u1 capitals mug")
}
