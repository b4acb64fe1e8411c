package settle_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"trivia/internal/store"
)

// grant replaces grant_prize, as a team does.
func (b *bench) grant(t *testing.T, body string) {
	t.Helper()
	b.exec(t, `
		CREATE OR REPLACE FUNCTION grant_prize(user_id text, item text, trivia_id text) RETURNS void
		LANGUAGE plpgsql AS $grant$ BEGIN `+body+` END $grant$`)
}

func TestATeamsOwnGrantWritesItsOwnTable(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.exec(t, `CREATE TABLE vouchers (owner text, code text)`)
	b.grant(t, `INSERT INTO vouchers VALUES (grant_prize.user_id, upper(item) || '-' || grant_prize.trivia_id);`)

	b.take(t, win("k1", "u1", "capitals", "mug"), win("k2", "u1", "capitals", "mug"))
	b.keep(t, win("k3", "u2", "capitals", "hat"), win("k4", "u1", "capitals", "mug"))
	b.step(t, 2)

	b.want(t, deliveries,
		"k1 done awarded 0", "k2 done already_won 0", "k3 done awarded 1", "k4 done already_won 1")
	b.want(t, `SELECT owner || ' ' || code FROM vouchers ORDER BY owner`, "u1 MUG-capitals", "u2 HAT-capitals")
	b.want(t, `SELECT user_id FROM prizes`)
}

func TestAUserWhoIsRefusedAPrizeIsParkedAlone(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.exec(t, `CREATE TABLE ledger (user_id text)`)
	b.grant(t, `
		INSERT INTO ledger VALUES (grant_prize.user_id);
		IF grant_prize.user_id = 'u2' THEN
			RAISE EXCEPTION 'no prize for %', grant_prize.user_id USING DETAIL = 'Account is frozen.';
		END IF;`)
	batch := []store.Arrival{
		decoded(win("k1", "u1", "capitals", "mug")),
		decoded(win("k2", "u2", "capitals", "mug")),
		decoded(win("k3", "u3", "capitals", "mug")),
	}
	if _, err := b.intake.Take(t.Context(), batch); err == nil || store.Passing(err) {
		t.Fatalf("Take = %v, want the database's refusal", err)
	}
	b.want(t, deliveries)
	b.want(t, `SELECT user_id FROM ledger`)

	b.keep(t, batch...)
	for attempt := 1; attempt <= 3; attempt++ {
		b.wait(t)
		if attempt > 1 {
			b.want(t, deliveries,
				"k1 done awarded 1",
				fmt.Sprintf("k2 pending - %d (no prize for u2 (Account is frozen.))", attempt-1),
				"k3 done awarded 1")
		}
		if n, err := b.Step(t.Context()); err != nil || n == 0 {
			t.Errorf("Step = %d, %v", n, err)
		}
	}

	b.want(t, deliveries,
		"k1 done awarded 1", "k2 parked - 3 (no prize for u2 (Account is frozen.))", "k3 done awarded 1")
	b.want(t, wins, "u1 capitals mug k1", "u3 capitals mug k3")
	b.want(t, `SELECT user_id FROM ledger ORDER BY user_id`, "u1", "u3")
	b.want(t, `SELECT key FROM deliveries WHERE state = 'parked' AND due_at IS NULL AND settled_at IS NOT NULL`, "k2")
	b.step(t, 0)

	counts(t, b.Stage, "awarded", 2)
	counts(t, b.Stage, "pending", 2)
	counts(t, b.Stage, "refused", 1)
	lines := b.log.lines("key=k2 ")
	if len(lines) != 3 || !strings.Contains(lines[2], "parked") || !strings.Contains(lines[2], "no prize for u2") {
		t.Errorf("the log says of k2 %q, want two tries and that it is parked, with the reason", lines)
	}
}

func TestWhatWasSaidBeforeIsNotKeptBesideAnotherReason(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.grant(t, `RAISE EXCEPTION 'no more mugs';`)
	b.keep(t, win("k1", "late", "capitals", "mug"))
	b.step(t, 1)
	b.want(t, deliveries, "k1 pending unknown_user 1 (no such user)")

	b.exec(t, `INSERT INTO users (user_id) VALUES ('late')`)
	for _, want := range []string{"k1 pending - 2 (no more mugs)", "k1 parked - 3 (no more mugs)"} {
		b.wait(t)
		b.step(t, 1)
		b.want(t, deliveries, want)
	}
}

func TestARefusalThatPassesInTimeIsForgotten(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.grant(t, `RAISE EXCEPTION 'the shop is being deployed';`)
	b.keep(t, win("k1", "u1", "capitals", "mug"))
	for range 2 {
		b.wait(t)
		b.step(t, 1)
	}

	b.grant(t, `INSERT INTO prizes VALUES (grant_prize.user_id, grant_prize.trivia_id, grant_prize.item);`)
	b.wait(t)
	b.step(t, 1)
	b.want(t, deliveries, "k1 done awarded 3")
	b.want(t, prizes, "u1 capitals mug")
}

func TestWhatMayPassIsTriedForAsLongAsItTakes(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct {
		attempts int
		want     string // the longest wait that follows
	}{
		{0, "0.25s"},
		{1, "0.5s"},
		{2, "1s"},
		{5, "8s"},
		{1000, "30s"},
	} {
		t.Run(fmt.Sprint(tt.attempts), func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.grant(t, `RAISE EXCEPTION 'deadlock detected' USING ERRCODE = 'deadlock_detected';`)
			b.keep(t, win("k1", "u1", "capitals", "mug"), win("k2", "u2", "capitals", "mug"))
			b.exec(t, `UPDATE deliveries SET attempts = $1`, tt.attempts)

			before := b.clock(t)
			b.step(t, 2)
			b.want(t, deliveries,
				fmt.Sprintf("k1 pending - %d (deadlock detected)", tt.attempts+1),
				fmt.Sprintf("k2 pending - %d (deadlock detected)", tt.attempts+1))
			// The wait began between before and now.
			b.want(t, fmt.Sprintf(`
				SELECT key FROM deliveries WHERE due_at NOT BETWEEN '%s'::timestamptz + '%s' AND now() + '%s'`,
				before, tt.want, tt.want))
		})
	}
}

func TestAGrantThatTakesTooLongIsLeftToTheStage(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	gate := b.shutGate(t)
	hasty := b.newIntake(t, store.IntakeOptions{Statement: 250 * time.Millisecond})
	batch := []store.Arrival{decoded(win("k1", "u1", "capitals", "mug")), decoded(win("k2", "u2", "capitals", "mug"))}

	if _, err := hasty.Take(t.Context(), batch); err == nil || !store.Passing(err) {
		t.Fatalf("Take = %v, want a time-out", err)
	}
	if _, err := hasty.Keep(t.Context(), batch); err != nil {
		t.Fatalf("Keep = %v, on the same connection", err)
	}
	b.want(t, deliveries, "k1 pending - 0", "k2 pending - 0")

	// The stage allows an award more time, even if the sender comes again
	// meanwhile.
	stepped := make(chan error)
	go func() { // the receive below waits for it
		_, err := b.Step(t.Context())
		stepped <- err
	}()
	gate.waitedAt(t)
	got, err := hasty.Take(t.Context(), batch[:1])
	if err != nil || !got[0].Duplicate {
		t.Errorf("Take during the award = %+v, %v; want a duplicate", got, err)
	}
	gate.open(t)
	if err := <-stepped; err != nil {
		t.Errorf("Step = %v", err)
	}
	b.wait(t)
	if _, err := b.Step(t.Context()); err != nil {
		t.Errorf("Step = %v", err)
	}

	b.want(t, `SELECT concat_ws(' ', key, state, outcome, seen) FROM deliveries ORDER BY key`, "k1 done awarded 2", "k2 done awarded 1")
	b.want(t, prizes, "u1 capitals mug", "u2 capitals mug")
}

func TestAnAwardThatTakesTooLongLeavesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	gate := b.shutGate(t)
	b.keep(t, win("k1", "u1", "capitals", "mug"))

	p := b.claim(t, "k1")
	_, err := b.Store.Settle(t.Context(), p, decoded(win("k1", "u1", "capitals", "mug")),
		store.SettleOptions{Statement: 20 * time.Millisecond})
	if err == nil || !store.Passing(err) {
		t.Errorf("Settle = %v, want a time-out", err)
	}
	b.want(t, wins)
	b.want(t, deliveries, "k1 pending - 1")

	// The limit was of that transaction only.
	gate.open(t)
	if _, err := b.Store.Settle(t.Context(), p, decoded(win("k1", "u1", "capitals", "mug")),
		store.SettleOptions{Statement: time.Minute}); err != nil {
		t.Errorf("Settle = %v", err)
	}
	b.want(t, prizes, "u1 capitals mug")
}

// clock returns the database's time.
func (b *bench) clock(t *testing.T) string {
	t.Helper()
	var now string
	if err := b.db.QueryRow(t.Context(), `SELECT clock_timestamp()::text`).Scan(&now); err != nil {
		t.Fatal(err)
	}

	return now
}
