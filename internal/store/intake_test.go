package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

const allDeliveries = `
	SELECT key, state, coalesce(outcome, '-'), seen, length(rival) FROM deliveries ORDER BY key, rival`

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
		{State: trivia.StateParked, Outcome: trivia.KeyConflict, Reason: "this key came before with another body"},
		{State: trivia.StateParked, Outcome: trivia.KeyConflict, Reason: "this key came before with another body"},
		{State: trivia.StateDone, Outcome: trivia.Awarded, Duplicate: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Take (-want +got):\n%s", diff)
	}

	b.want(t, allDeliveries,
		"e1 done recorded 1 0",
		"k0 done awarded 2 0",
		"k0 parked key_conflict 1 32",
		"k1 done awarded 2 0",
		"k1 parked key_conflict 1 32",
		"k2 done already_won 1 0",
		"k3 parked prize_conflict 1 0",
		"k4 pending unknown_user 1 0",
		"k5 parked trivia_closed 1 0",
		"k6 parked malformed 1 0",
	)
	b.want(t, `SELECT user_id, trivia_id, item, delivery_key FROM trivia_wins ORDER BY user_id`,
		"u1 capitals mug k0", "u2 capitals mug k1")
	b.want(t, `SELECT user_id, trivia_id, item FROM prizes ORDER BY user_id`, "u1 capitals mug", "u2 capitals mug")
	b.want(t, `SELECT event_id, object_type, metric, received_at - occurred_at FROM events`, "e1 email opened {60000000 0 0 true}")
	b.want(t, `SELECT due_at - now() BETWEEN '4s' AND '6s' FROM deliveries WHERE key = 'k4'`, "true")
}
