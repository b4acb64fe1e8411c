package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

// k1 is the delivery that these tests are about.
var k1 = store.Ref{Kind: trivia.KindWin, Key: "k1"}

// patient are options that wait for an award, and give up an unknown user.
var patient = store.SettleOptions{Statement: time.Minute}

func (b bench) keep(t *testing.T, arrivals ...store.Arrival) []store.Receipt {
	t.Helper()
	got, err := b.Keep(t.Context(), arrivals)
	if err != nil {
		t.Fatalf("Keep: %v", err)
	}

	return got
}

func (b bench) claim(t *testing.T, ref store.Ref) store.Pending {
	t.Helper()
	p, err := b.Claim(t.Context(), ref, time.Minute)
	if err != nil {
		t.Fatalf("Claim: %v", err)
	}

	return p
}

func TestADueDeliveryIsClaimedByOne(t *testing.T) {
	t.Parallel()
	b := newBench(t, store.IntakeOptions{})
	mug := win("k1", "u1", "capitals", "mug")
	b.keep(t, mug, event("k1", "email", "opened"))

	refs, err := b.Due(t.Context(), 10)
	if err != nil || len(refs) != 2 {
		t.Fatalf("Due = %v, %v; want both kinds", refs, err)
	}
	p := b.claim(t, k1)
	if p.Ref != k1 || string(p.Body) != string(mug.Body) || p.Attempts != 1 || !p.Received.Equal(noon) {
		t.Errorf("Claim = %+v, want the first attempt at what came at noon", p)
	}

	if _, err := b.Claim(t.Context(), k1, time.Minute); !errors.Is(err, store.ErrBusy) {
		t.Errorf("a second Claim = %v, want ErrBusy", err)
	}
	refs, err = b.Due(t.Context(), 10)
	if want := []store.Ref{{Kind: trivia.KindEvent, Key: "k1"}}; err != nil || !cmp.Equal(want, refs) {
		t.Errorf("Due = %v, %v; want %v", refs, err, want)
	}

	if _, err := b.Settle(t.Context(), p, mug, patient); err != nil {
		t.Errorf("Settle = %v", err)
	}
	if _, err := b.Claim(t.Context(), k1, time.Minute); !errors.Is(err, store.ErrBusy) {
		t.Errorf("Claim of what is done = %v, want ErrBusy", err)
	}
	if _, err := b.Claim(t.Context(), store.Ref{Kind: trivia.KindWin, Key: "none"}, time.Minute); !errors.Is(err, store.ErrBusy) {
		t.Errorf("Claim of nothing = %v, want ErrBusy", err)
	}
}

func TestALeaseThatEndsIsTakenByAnother(t *testing.T) {
	t.Parallel()
	b := newBench(t, store.IntakeOptions{})
	mug := win("k1", "u1", "capitals", "mug")
	b.keep(t, mug)

	slow := b.claim(t, k1)
	b.exec(t, `UPDATE deliveries SET due_at = now()`)
	quick := b.claim(t, k1)
	if quick.Attempts != 2 {
		t.Errorf("the other one makes attempt %d, want 2", quick.Attempts)
	}

	// The one who was too slow may do nothing to it any more.
	if _, err := b.Settle(t.Context(), slow, mug, patient); !errors.Is(err, store.ErrBusy) {
		t.Errorf("Settle = %v, want ErrBusy", err)
	}
	if err := b.Defer(t.Context(), slow, time.Hour, "too slow"); err != nil {
		t.Errorf("Defer = %v", err)
	}
	if err := b.Park(t.Context(), slow, "too slow"); err != nil {
		t.Errorf("Park = %v", err)
	}
	b.want(t, `SELECT item FROM trivia_wins`)
	b.want(t, `SELECT state, reason IS NULL, due_at < now() + '61s' FROM deliveries`, "pending true true")

	got, err := b.Settle(t.Context(), quick, mug, patient)
	if err != nil || got.Outcome != trivia.Awarded {
		t.Errorf("Settle = %+v, %v; want it awarded", got, err)
	}
	if err := b.Park(t.Context(), slow, "too slow"); err != nil {
		t.Errorf("Park = %v", err)
	}
	b.want(t, allDeliveries, "k1 done awarded 1 0")
	b.want(t, `SELECT item FROM prizes`, "mug")
}

func TestAnAwardStepsBackFromARowThatIntakeHolds(t *testing.T) {
	t.Parallel()
	b := newBench(t, store.IntakeOptions{})
	mug := win("k1", "u1", "capitals", "mug")
	b.keep(t, mug)
	p := b.claim(t, k1)

	tx, err := b.db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `UPDATE deliveries SET seen = seen + 1`); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Settle(t.Context(), p, mug, patient); !errors.Is(err, store.ErrBusy) || !store.Passing(err) {
		t.Errorf("Settle = %v, want ErrBusy, which passes", err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.want(t, `SELECT item FROM trivia_wins UNION ALL SELECT item FROM prizes`)

	if _, err := b.Settle(t.Context(), p, mug, patient); err != nil {
		t.Errorf("Settle = %v", err)
	}
	b.want(t, allDeliveries, "k1 done awarded 2 0")
}

func TestSettlingReachesEveryOutcome(t *testing.T) {
	t.Parallel()

	soon := 7 * time.Second
	tests := []struct {
		name    string
		arrival store.Arrival
		opts    store.SettleOptions
		want    store.Receipt
	}{
		{
			"the first", win("k1", "u1", "capitals", "mug"), patient,
			store.Receipt{State: trivia.StateDone, Outcome: trivia.Awarded},
		},
		{
			"the second", win("k1", "u9", "capitals", "mug"), patient,
			store.Receipt{State: trivia.StateDone, Outcome: trivia.AlreadyWon},
		},
		{
			"the second, of another item", win("k1", "u9", "capitals", "car"), patient,
			store.Receipt{
				State: trivia.StateParked, Outcome: trivia.PrizeConflict,
				Reason: "the user has won mug with this trivia already",
			},
		},
		{
			"a closed trivia", win("k1", "u1", "old", "mug"), patient,
			store.Receipt{State: trivia.StateParked, Outcome: trivia.TriviaClosed, Reason: "the trivia is closed"},
		},
		{
			"a user who may come", win("k1", "nobody", "capitals", "mug"),
			store.SettleOptions{Statement: time.Minute, Retry: &soon},
			store.Receipt{State: trivia.StatePending, Outcome: trivia.UnknownUser, Reason: "no such user"},
		},
		{
			"a user who did not come", win("k1", "nobody", "capitals", "mug"), patient,
			store.Receipt{State: trivia.StateParked, Outcome: trivia.UnknownUser, Reason: "no such user"},
		},
		{
			"a user who is made", win("k1", "nobody", "capitals", "mug"),
			store.SettleOptions{Statement: time.Minute, CreateUsers: true},
			store.Receipt{State: trivia.StateDone, Outcome: trivia.Awarded},
		},
		{
			"a body that cannot be used", unusable("k1", ""), patient,
			store.Receipt{State: trivia.StateParked, Outcome: trivia.Malformed, Reason: "body is empty"},
		},
		{
			"an event", event("k1", "email", "opened"), patient,
			store.Receipt{State: trivia.StateDone, Outcome: trivia.Recorded},
		},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, store.IntakeOptions{})
			b.exec(t, `INSERT INTO trivias (trivia_id, closed_at) VALUES ('old', now())`)
			b.take(t, win("k0", "u9", "capitals", "mug"))
			// Kept by a program that knew less, so that even what is unusable waits.
			kept := tt.arrival
			kept.Unusable = ""
			b.keep(t, kept)

			p := b.claim(t, store.Ref{Kind: kept.Kind, Key: "k1"})
			got, err := b.Settle(t.Context(), p, tt.arrival, tt.opts)
			if err != nil {
				t.Fatalf("Settle: %v", err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Settle (-want +got):\n%s", diff)
			}
			b.want(t, `
				SELECT state, outcome, coalesce(reason, ''), coalesce(round(extract(epoch FROM due_at - now())), 0) BETWEEN 0 AND 7
				FROM deliveries WHERE key = 'k1'`,
				fmt.Sprint(tt.want.State, " ", tt.want.Outcome, " ", tt.want.Reason, " true"))
			checkInvariants(t, b)
		})
	}
}

func TestTheBacklogIsWhatWaits(t *testing.T) {
	t.Parallel()
	b := newBench(t, store.IntakeOptions{})

	got, err := b.Backlog(t.Context())
	if diff := cmp.Diff(store.Backlog{Parked: map[string]int64{}}, got); err != nil || diff != "" {
		t.Errorf("Backlog of nothing, %v (-want +got):\n%s", err, diff)
	}

	b.keep(t, win("k1", "u1", "capitals", "mug"), win("k2", "u1", "capitals", "mug"),
		unusable("k3", ""), unusable("k4", "x"))
	b.take(t, event("e1", "email", "sent"), event("e1", "email", "opened"), win("k5", "u5", "capitals", "mug"))
	if err := b.Park(t.Context(), b.claim(t, store.Ref{Kind: trivia.KindWin, Key: "k2"}), "no"); err != nil {
		t.Fatal(err)
	}
	b.exec(t, `UPDATE deliveries SET received_at = now() - '90s'::interval WHERE key = 'k1'`)

	got, err = b.Backlog(t.Context())
	if err != nil {
		t.Fatalf("Backlog: %v", err)
	}
	if got.Oldest < 90*time.Second || got.Oldest > 2*time.Minute {
		t.Errorf("the oldest is %v old, want 90s and a little", got.Oldest)
	}
	want := store.Backlog{
		Pending: 1, Oldest: got.Oldest,
		Parked: map[string]int64{"malformed": 2, "key_conflict": 1, "refused": 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Backlog (-want +got):\n%s", diff)
	}
}
