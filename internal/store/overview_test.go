package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

func TestAnOverviewOfNothingIsZero(t *testing.T) {
	t.Parallel()
	b := newBench(t, store.IntakeOptions{})

	got, err := b.Overview(t.Context())
	if got.Now.IsZero() {
		t.Error("Overview does not know what time it is")
	}
	want := store.Overview{
		Now: got.Now, ParkedAs: map[trivia.Outcome]int64{},
		Streams: store.Streams{trivia.KindWin: {Now: got.Now}, trivia.KindEvent: {Now: got.Now}},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("Overview of nothing, %v (-want +got):\n%s", err, diff)
	}
	if n := got.Parked(); n != 0 {
		t.Errorf("Parked() of nothing = %d", n)
	}
}

func TestAnOverviewTellsWhatWaitsForWhom(t *testing.T) {
	t.Parallel()
	b := newBench(t, store.IntakeOptions{})

	late := win("k2", "u2", "capitals", "mug")
	late.At = noon.Add(90 * time.Second)
	b.take(t, win("k1", "u1", "capitals", "mug"), late, win("k3", "nobody", "capitals", "mug"), unusable("k4", ""))
	b.keep(t, win("k5", "u5", "capitals", "mug"), event("e1", "email", "sent"), event("e1", "email", "opened"))
	b.exec(t, `
		INSERT INTO pushes (person, kind, cause, cause_id, occurred_at, state)
		SELECT 'u' || i, 'event', 'operator', 'ann', now(), (ARRAY['held', 'parked', 'parked', 'sent'])[i]
		FROM generate_series(1, 4) AS i`)

	got, err := b.Overview(t.Context())
	if err != nil {
		t.Fatalf("Overview: %v", err)
	}
	owed, err := b.query(`SELECT count(*) FROM pushes WHERE state = 'pending'`)
	if err != nil {
		t.Fatal(err)
	}
	want := store.Overview{
		Now: got.Now, LastWin: got.LastWin, LastDelivery: noon.Add(90 * time.Second),
		Pending: 2, Oldest: noon, Expected: 1,
		ParkedAs:   map[trivia.Outcome]int64{trivia.Malformed: 1, trivia.KeyConflict: 1},
		PushesOwed: got.PushesOwed, PushesHeld: 1, PushesLost: 2,
		Streams: store.Streams{
			trivia.KindWin: {Now: got.Now, Kept: noon.Add(90 * time.Second)}, trivia.KindEvent: {Now: got.Now, Kept: noon},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Overview (-want +got):\n%s", diff)
	}
	if fmt.Sprint(got.PushesOwed) != owed[0] || got.LastWin.IsZero() {
		t.Errorf("%d pushes are owed, want %s; last win %v", got.PushesOwed, owed[0], got.LastWin)
	}
}

func TestMinutesAreCountedOneAfterTheOther(t *testing.T) {
	t.Parallel()
	b := newBench(t, store.IntakeOptions{})

	at := func(a store.Arrival, after time.Duration) store.Arrival {
		a.At = noon.Add(after)
		return a
	}
	b.take(t, at(win("k1", "u1", "capitals", "mug"), 0), at(win("k2", "u2", "capitals", "mug"), time.Minute-time.Microsecond),
		at(event("e1", "email", "opened"), 2*time.Minute), at(unusable("k4", ""), 2*time.Minute+time.Second),
		at(win("k5", "u5", "capitals", "mug"), 3*time.Minute), at(win("k6", "u6", "capitals", "mug"), -time.Microsecond))
	b.exec(t, `UPDATE trivia_wins SET won_at = CASE user_id WHEN 'u1' THEN '2026-05-04 12:02:59Z'::timestamptz ELSE '2026-05-04 12:03Z' END`)

	got, err := b.Minutes(t.Context(), noon, noon.Add(3*time.Minute))
	if err != nil {
		t.Fatalf("Minutes: %v", err)
	}
	want := []store.Minute{
		{At: noon, Deliveries: []store.OutcomeCount{{Outcome: trivia.Awarded, State: trivia.StateDone, Count: 2}}},
		{At: noon.Add(time.Minute)},
		{At: noon.Add(2 * time.Minute), Wins: 1, Deliveries: []store.OutcomeCount{
			{Outcome: trivia.Malformed, State: trivia.StateParked, Count: 1},
			{Outcome: trivia.Recorded, State: trivia.StateDone, Count: 1},
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Minutes (-want +got):\n%s", diff)
	}
	if n := got[2].Total(); n != 2 {
		t.Errorf("Total() of the third minute = %d, want 2", n)
	}
}

func TestAPartOfAMinuteIsCountedAlone(t *testing.T) {
	t.Parallel()
	b := newBench(t, store.IntakeOptions{})

	for i := range 9 {
		a := event(fmt.Sprint("e", i), "email", "opened")
		a.At = noon.Add(time.Duration(i) * 10 * time.Second)
		b.take(t, a)
	}
	got, err := b.Minutes(t.Context(), noon.Add(40*time.Second), noon.Add(80*time.Second))
	if err != nil || len(got) != 2 || got[0].Total() != 2 || got[1].Total() != 2 || !got[0].At.Equal(noon) {
		t.Errorf("Minutes of the last 20 s of a minute and the first of the next = %+v, %v; want two of each", got, err)
	}
}

func TestMinutesAreFewAndOfWholeSpans(t *testing.T) {
	t.Parallel()
	b := newBench(t, store.IntakeOptions{})

	for _, span := range [][2]time.Time{
		{noon, noon},
		{noon, noon.Add(-time.Minute)},
		{noon.Add(time.Second), noon.Add(time.Minute + time.Second)},
		{noon, noon.Add(95 * time.Second)},
		{noon, noon.Add(61 * time.Minute)},
	} {
		if got, err := b.Minutes(t.Context(), span[0], span[1]); err == nil {
			t.Errorf("Minutes(%v, %v) = %v, want an error", span[0], span[1], got)
		}
	}
}

func TestWinsAreCountedByTrivia(t *testing.T) {
	t.Parallel()
	b := newBench(t, store.IntakeOptions{})

	b.take(t, win("k1", "u1", "capitals", "mug"), win("k2", "u2", "capitals", "mug"), win("k3", "u1", "rivers", "mug"),
		win("k4", "u1", "seas", "mug"))
	got, err := b.CountWinsOf(t.Context(), []trivia.ID{"capitals", "rivers", "deserts"})
	want := map[trivia.ID]int64{"capitals": 2, "rivers": 1, "deserts": 0}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("CountWinsOf, %v (-want +got):\n%s", err, diff)
	}
}
