package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

const allDeliveries = `
	SELECT regexp_replace(key, '#body-.*', '#body'), state, coalesce(outcome, '-'), seen, length(rival) FROM deliveries ORDER BY key, rival`

func TestOneBatchReachesEveryOutcome(t *testing.T) {
	t.Parallel()
	b := newBench(t, store.IntakeOptions{})
	b.exec(t, `INSERT INTO trivias (trivia_id, closed_at) VALUES ('old', now())`)
	b.take(t, win("k0", "u1", "capitals", "mug"))

	got := b.take(t,
		win("k1", "u2", "capitals", "mug"),
		win("k2", "u1", "capitals", "mug"),
		win("k3", "u1", "capitals", "car"),
		win("k4", "nobody", "capitals", "mug"),
		win("k5", "u3", "old", "mug"),
		unusable("k6", ""),
		event("e1", "email", "opened"),
		win("k1", "u2", "capitals", "mug"),
		win("k1", "u3", "capitals", "mug"),
		win("k0", "u4", "capitals", "mug"),
		win("k0", "u1", "capitals", "mug"),
	)

	want := []store.Receipt{
		{State: trivia.StateDone, Outcome: trivia.Awarded},
		{State: trivia.StateDone, Outcome: trivia.AlreadyWon},
		{State: trivia.StateParked, Outcome: trivia.PrizeConflict, Reason: "the user has won mug with this trivia already"},
		{State: trivia.StatePending, Outcome: trivia.UnknownUser, Reason: "no such user"},
		{State: trivia.StateParked, Outcome: trivia.TriviaClosed, Reason: "the trivia is closed"},
		{State: trivia.StateParked, Outcome: trivia.Malformed, Reason: "body is empty"},
		{State: trivia.StateDone, Outcome: trivia.Recorded},
		{State: trivia.StateDone, Outcome: trivia.Awarded, Duplicate: true},
		{State: trivia.StateDone, Outcome: trivia.Awarded, Reused: true},
		{State: trivia.StateDone, Outcome: trivia.Awarded, Reused: true},
		{State: trivia.StateDone, Outcome: trivia.Awarded, Duplicate: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Take (-want +got):\n%s", diff)
	}

	b.want(t, allDeliveries,
		"e1 done recorded 1 0",
		"k0 done awarded 2 0",
		"k0#body done awarded 1 0",
		"k1 done awarded 2 0",
		"k1#body done awarded 1 0",
		"k2 done already_won 1 0",
		"k3 parked prize_conflict 1 0",
		"k4 pending unknown_user 1 0",
		"k5 parked trivia_closed 1 0",
		"k6 parked malformed 1 0",
	)
	b.want(t, `SELECT user_id, trivia_id, item, regexp_replace(delivery_key, '#body-.*', '#body') FROM trivia_wins ORDER BY user_id`,
		"u1 capitals mug k0", "u2 capitals mug k1", "u3 capitals mug k1#body", "u4 capitals mug k0#body")
	b.want(t, `SELECT user_id, trivia_id, item FROM prizes ORDER BY user_id`,
		"u1 capitals mug", "u2 capitals mug", "u3 capitals mug", "u4 capitals mug")
	b.want(t, `SELECT reuses, marks FROM deliveries WHERE marks IS NOT NULL ORDER BY key`, "k0 [reused_key]", "k1 [reused_key]")
	b.want(t, `SELECT event_id, object_type, metric, received_at - occurred_at FROM events`, "e1 email opened {60000000 0 0 true}")
	b.want(t, `SELECT due_at - now() BETWEEN '4s' AND '6s' FROM deliveries WHERE key = 'k4'`, "true")
}

func TestWhatIsOnlyKeptIsSettledLater(t *testing.T) {
	t.Parallel()
	b := newBench(t, store.IntakeOptions{})
	mug := win("k1", "u1", "capitals", "mug")

	pending := store.Receipt{State: trivia.StatePending}
	want := []store.Receipt{
		pending,
		pending,
		{State: trivia.StateParked, Outcome: trivia.Malformed, Reason: "body is empty"},
		{State: trivia.StatePending, Duplicate: true},
		{State: trivia.StatePending, Reused: true},
	}
	got := b.keep(t, mug, event("e1", "email", "opened"), unusable("k2", ""), mug, win("k1", "u2", "capitals", "mug"))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Keep (-want +got):\n%s", diff)
	}
	b.want(t, `SELECT regexp_replace(key, '#body-.*', '#body') FROM deliveries WHERE due_at <= now() ORDER BY key`, "e1", "k1", "k1#body")
	b.want(t, `SELECT item FROM trivia_wins`)

	// Whatever came meanwhile is a repeat: it does not run ahead of the stage.
	want = []store.Receipt{{State: trivia.StatePending, Duplicate: true}}
	if diff := cmp.Diff(want, b.take(t, mug)); diff != "" {
		t.Errorf("Take (-want +got):\n%s", diff)
	}
	b.want(t, `SELECT item FROM trivia_wins`)
	b.want(t, allDeliveries,
		"e1 pending - 1 0", "k1 pending - 3 0", "k1#body pending - 1 0", "k2 parked malformed 1 0")
}

func TestARepeatIsCountedAndChangesNothingElse(t *testing.T) {
	t.Parallel()
	b := newBench(t, store.IntakeOptions{})
	mug := win("k1", "u1", "capitals", "mug")
	b.take(t, mug)
	const row = `
		SELECT state, outcome, received_at, settled_at, caller, signed_by, stamp, attempts, encode(body, 'escape')
		FROM deliveries`
	before := b.rows(t, row)

	later := mug
	later.At, later.Caller, later.SignedBy, later.Stamp = noon.Add(time.Minute), "10.0.0.1", "00000000", "1777896060"
	earlier := mug
	earlier.At = noon.Add(-time.Minute)
	for _, a := range []store.Arrival{later, earlier} {
		if got := b.take(t, a); !got[0].Duplicate || got[0].Outcome != trivia.Awarded {
			t.Errorf("Take = %+v, want a duplicate of an award", got)
		}
	}

	if diff := cmp.Diff(before, b.rows(t, row)); diff != "" {
		t.Errorf("the row has changed (-before +after):\n%s", diff)
	}
	b.want(t, `SELECT seen, last_seen_at - received_at = '1 minute' FROM deliveries`, "3 true")
	b.want(t, `SELECT count(*) FROM trivia_wins`, "1")
}

func TestAWinThatWasTakenAwayIsNotGivenBackByARepeat(t *testing.T) {
	t.Parallel()
	b := newBench(t, store.IntakeOptions{CreateUsers: true})
	b.take(t, win("k1", "gone", "capitals", "mug"), win("k2", "u1", "capitals", "mug"))
	b.exec(t, `DELETE FROM prizes`)
	b.exec(t, `DELETE FROM trivia_wins`)
	b.exec(t, `DELETE FROM users WHERE user_id = 'gone'`)
	b.exec(t, `INSERT INTO trivias (trivia_id, closed_at) VALUES ('old', now())`)

	// Nor may it stand in for a neighbour that is not awarded.
	got := b.take(t, win("k1", "gone", "capitals", "mug"), win("k2", "u1", "capitals", "mug"), win("k3", "u3", "old", "mug"))
	if !got[0].Duplicate || !got[1].Duplicate || got[2].Outcome != trivia.TriviaClosed {
		t.Errorf("Take = %+v, want two repeats and a closed trivia", got)
	}
	b.want(t, `SELECT delivery_key FROM trivia_wins UNION ALL SELECT user_id FROM users WHERE user_id = 'gone'`)
	b.want(t, allDeliveries, "k1 done awarded 2 0", "k2 done awarded 2 0", "k3 parked trivia_closed 1 0")
}

func TestAKeyIsOfOneKind(t *testing.T) {
	t.Parallel()
	b := newBench(t, store.IntakeOptions{})

	for _, r := range b.take(t, win("k1", "u1", "capitals", "mug"), event("k1", "email", "opened")) {
		if r.Duplicate || r.State != trivia.StateDone {
			t.Errorf("Take = %+v, want a win and an event that have nothing to do with each other", r)
		}
	}
	checkInvariants(t, b)
}

func TestTheFirstToComeWins(t *testing.T) {
	t.Parallel()
	b := newBench(t, store.IntakeOptions{})

	at := func(a store.Arrival, after time.Duration) store.Arrival { a.At = noon.Add(after); return a }
	got := b.take(t,
		at(win("k1", "u1", "capitals", "hat"), 2*time.Second),
		at(win("k2", "u1", "capitals", "mug"), time.Second),
		at(win("k3", "u1", "capitals", "car"), time.Second),
		at(win("k4", "u1", "capitals", "mug"), 3*time.Second),
	)
	outcomes := make([]trivia.Outcome, len(got))
	for i, r := range got {
		outcomes[i] = r.Outcome
	}
	want := []trivia.Outcome{trivia.PrizeConflict, trivia.Awarded, trivia.PrizeConflict, trivia.AlreadyWon}
	if diff := cmp.Diff(want, outcomes); diff != "" {
		t.Errorf("Take (-want +got):\n%s", diff)
	}
	b.want(t, `SELECT item, delivery_key FROM trivia_wins`, "mug k2")
	checkInvariants(t, b)
}

func TestAPrizeIsHeldAfterTheTriviaWasClosed(t *testing.T) {
	t.Parallel()
	b := newBench(t, store.IntakeOptions{})
	b.take(t, win("k1", "u1", "capitals", "mug"))
	b.exec(t, `INSERT INTO trivias (trivia_id, closed_at) VALUES ('capitals', now())`)

	got := b.take(t, win("k2", "u1", "capitals", "mug"), win("k3", "u2", "capitals", "mug"))
	if got[0].Outcome != trivia.AlreadyWon || got[1].Outcome != trivia.TriviaClosed {
		t.Errorf("Take = %+v, want a prize held and a trivia closed", got)
	}
}

func TestMissingUsersAreCreatedWithTheirWins(t *testing.T) {
	t.Parallel()
	b := newBench(t, store.IntakeOptions{CreateUsers: true})
	b.exec(t, `INSERT INTO trivias (trivia_id, closed_at) VALUES ('old', now())`)

	b.take(t,
		win("k1", "new-1", "capitals", "mug"),
		win("k2", "new-1", "rivers", "mug"),
		win("k3", "u1", "capitals", "mug"),
		win("k4", "new-2", "old", "mug"),
		unusable("k5", `{"user_id":"new-3"}`),
	)
	b.want(t, allDeliveries,
		"k1 done awarded 1 0", "k2 done awarded 1 0", "k3 done awarded 1 0",
		"k4 parked trivia_closed 1 0", "k5 parked malformed 1 0")
	b.want(t, `SELECT user_id FROM users WHERE user_id LIKE 'new%'`, "new-1")
	checkInvariants(t, b)
}

func TestABatchThatIsRefusedLeavesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, store.IntakeOptions{CreateUsers: true})
	b.exec(t, `CREATE OR REPLACE FUNCTION grant_prize(user_id text, item text, trivia_id text) RETURNS void
		LANGUAGE plpgsql AS 'BEGIN IF user_id = ''u2'' THEN RAISE EXCEPTION ''no''; END IF; END'`)
	batch := []store.Arrival{
		win("k1", "new", "capitals", "mug"), win("k2", "u2", "capitals", "mug"), event("e1", "email", "opened"),
	}

	if _, err := b.Take(t.Context(), batch); err == nil || store.Passing(err) || store.Message(err) != "no" {
		t.Errorf("Take = %v, want the refusal", err)
	}
	b.want(t, `
		SELECT key FROM deliveries UNION ALL SELECT delivery_key FROM trivia_wins UNION ALL SELECT event_id FROM events
		UNION ALL SELECT user_id FROM users WHERE user_id = 'new'`)

	// The connection is as good as before.
	b.keep(t, batch...)
	b.take(t, win("k3", "u3", "capitals", "mug"))
	b.want(t, `SELECT key, state FROM deliveries ORDER BY key`, "e1 pending", "k1 pending", "k2 pending", "k3 done")
}

func TestARowThatPostgresCannotHoldIsRefusedForGood(t *testing.T) {
	t.Parallel()
	b := newBench(t, store.IntakeOptions{})

	for name, spoil := range map[string]func(*store.Arrival){
		"a key that is too long": func(a *store.Arrival) { a.Key = strings.Repeat("k", 256) },
		"no key":                 func(a *store.Arrival) { a.Key = "" },
		"a NUL":                  func(a *store.Arrival) { a.Stamp = "a\x00b" },
		"no UTF-8":               func(a *store.Arrival) { a.Stamp = "\xff" },
	} {
		poison := win("k1", "u1", "capitals", "mug")
		spoil(&poison)
		if _, err := b.Keep(t.Context(), []store.Arrival{win("k2", "u2", "capitals", "mug"), poison}); err == nil || store.Passing(err) {
			t.Errorf("Keep with %s = %v, want a refusal that does not pass", name, err)
		}
	}
	b.want(t, allDeliveries)
}

func TestABodyIsKeptByteForByte(t *testing.T) {
	t.Parallel()
	b := newBench(t, store.IntakeOptions{})

	body := "\x00\xff\xfe\"'\\\n" + strings.Repeat("\x80", 1<<16)
	b.take(t, unusable("k1", body))
	var got, sum []byte
	if err := b.db.QueryRow(t.Context(), `SELECT body, sha256(body) FROM deliveries WHERE body_sha256 = sha256(body)`).
		Scan(&got, &sum); err != nil || string(got) != body {
		t.Errorf("the body came back as %d bytes, %v; want the same %d", len(got), err, len(body))
	}
}

func TestAnEventMaySayLittle(t *testing.T) {
	t.Parallel()
	b := newBench(t, store.IntakeOptions{})

	timeless := event("e1", "", "opened")
	timeless.Event.At = time.Time{}
	b.take(t, timeless, event("e2", "hologram", "waved"), event("e2", "hologram", "waved"))
	b.take(t, timeless)
	b.want(t, `SELECT event_id, object_type, metric, occurred_at IS NULL FROM events ORDER BY event_id`,
		"e1  opened true", "e2 hologram waved false")
	b.want(t, allDeliveries, "e1 done recorded 2 0", "e2 done recorded 2 0")
	checkInvariants(t, b)
}
