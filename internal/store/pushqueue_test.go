package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sync/errgroup"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

// owePushes writes n pending pushes of each person, in turn.
func owePushes(t *testing.T, b bench, n int, people ...string) {
	t.Helper()
	for i := range n {
		for _, person := range people {
			b.exec(t, fmt.Sprintf(`
				INSERT INTO pushes (person, kind, cause, cause_id, attributes, occurred_at, state)
				VALUES ('%s', 'attributes', 'event', 'e%d', '{"n":%d}', '2026-05-04 12:00Z', 'pending')`, person, i, i))
		}
	}
}

func claim(t *testing.T, b bench, after *string, limit, each int) (people []string, turns []store.PushTurn, last *string) {
	t.Helper()
	turns, last, err := b.ClaimTurns(t.Context(), after, limit, each, time.Minute)
	if err != nil {
		t.Fatalf("ClaimTurns: %v", err)
	}
	for _, turn := range turns {
		people = append(people, turn.Person)
	}

	return people, turns, last
}

func end(t *testing.T, b bench, ends ...store.TurnEnd) {
	t.Helper()
	if err := b.EndTurns(t.Context(), ends); err != nil {
		t.Fatalf("EndTurns: %v", err)
	}
}

func TestAClaimGoesRoundTheWaitingPeople(t *testing.T) {
	t.Parallel()
	b := newBench(t, store.IntakeOptions{})
	owePushes(t, b, 3, "e", "a", "c", "", "b", "d")
	b.exec(t, `UPDATE pushes SET state = 'sent' WHERE person = 'c'`)

	var last *string
	for _, want := range [][]string{{"", "a"}, {"b", "d"}, {"e"}, nil} {
		var got []string
		got, _, last = claim(t, b, last, 2, 10)
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("ClaimTurns (-want +got):\n%s", diff)
		}
	}
	if last != nil {
		t.Errorf("the last one looked at is %q, want to be round", *last)
	}

	// Those who are free are found among those who are not.
	b.exec(t, `UPDATE push_people SET leased_until = now() WHERE person IN ('d', 'a')`)
	if got, _, _ := claim(t, b, nil, 1, 10); !cmp.Equal(got, []string{"a"}) {
		t.Errorf("ClaimTurns = %q, want a", got)
	}
	if got, _, _ := claim(t, b, nil, 9, 10); !cmp.Equal(got, []string{"d"}) {
		t.Errorf("ClaimTurns = %q, want d", got)
	}
}

func TestAClaimReadsTheFirstPushesAndTheWinsThatTheyTellOf(t *testing.T) {
	t.Parallel()
	b := newBench(t, store.IntakeOptions{})
	owePushes(t, b, 5, "u1", "u2")
	b.exec(t, `
		INSERT INTO trivia_wins (user_id, trivia_id, item, delivery_key, won_at) VALUES
			('u2', 't1', 'mug', 'k', '2026-05-04 12:00Z'), ('u2', 't2', 'car', 'k', '2026-05-04 12:01Z'),
			('u2', 't3', 'cap', 'k', '2026-05-04 12:01Z'), ('u1', 't9', 'hat', 'k', '2026-05-04 12:05Z')`)
	b.exec(t, `UPDATE pushes SET kind = 'event', attributes = NULL, cause_id = 't1' WHERE person = 'u2' AND cause_id = 'e1'`)
	b.exec(t, `UPDATE pushes SET kind = 'event', cause_id = 'gone' WHERE person = 'u2' AND cause_id = 'e2'`)
	b.exec(t, `UPDATE pushes SET state = 'parked' WHERE person = 'u1' AND cause_id = 'e0'`)

	_, turns, _ := claim(t, b, nil, 9, 3)
	noon := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	attributes := func(id int64, cause, text string) store.DuePush {
		return store.DuePush{ID: id, Kind: trivia.PushAttributes, CauseID: cause, Attributes: []byte(text), At: noon}
	}
	want := []store.PushTurn{
		{Person: "u1", Told: map[string]int64{}, Pushes: []store.DuePush{
			attributes(3, "e1", `{"n": 1}`), attributes(5, "e2", `{"n": 2}`), attributes(7, "e3", `{"n": 3}`),
		}},
		{Person: "u2", Told: map[string]int64{}, Pushes: []store.DuePush{
			attributes(2, "e0", `{"n": 0}`),
			{ID: 4, Kind: trivia.PushEvent, CauseID: "t1", At: noon, Item: "mug", WonAt: noon},
			{ID: 6, Kind: trivia.PushEvent, CauseID: "gone", Attributes: []byte(`{"n": 2}`), At: noon},
		}, Wins: store.PersonWins{Count: 3, Trivia: "t3", Item: "cap", WonAt: noon.Add(time.Minute)}},
	}
	if diff := cmp.Diff(want, turns, cmpopts.IgnoreUnexported(store.PushTurn{})); diff != "" {
		t.Errorf("ClaimTurns (-want +got):\n%s", diff)
	}
}

func TestATurnsEndIsWhatTheNextOneBeginsWith(t *testing.T) {
	t.Parallel()
	b := newBench(t, store.IntakeOptions{})
	owePushes(t, b, 4, "ann", "bob")
	_, turns, _ := claim(t, b, nil, 9, 10)
	b.exec(t, `UPDATE pushes SET state = 'held', reason = 'by hand' WHERE person = 'ann' AND id = 7`)

	toldAt := time.Date(2026, 5, 4, 12, 0, 0, 123000, time.UTC)
	ann, bob := &turns[0], &turns[1]
	ann.Failures, ann.Told, ann.ToldAt = 3, map[string]int64{"n": toldAt.UnixMicro()}, toldAt
	end(t, b,
		store.TurnEnd{Turn: ann, Ends: []store.PushEnd{
			{ID: 1, State: trivia.PushSent, Status: 200, Tried: true},
			{ID: 3, State: trivia.PushParked, Status: 404, Reason: "no\x00 such person", Tried: true},
			{ID: 5, State: trivia.PushPending, Status: 500, Reason: "oops", Tried: true},
			{ID: 7, State: trivia.PushSent, Status: 200, Tried: true},
			{ID: 2, State: trivia.PushSent}, // not hers
		}},
		store.TurnEnd{Turn: bob, Rest: time.Hour})

	b.want(t, `SELECT id, state, attempts, coalesce(status::text, '-'), coalesce(reason, '-'), settled_at IS NOT NULL FROM pushes WHERE id < 9 ORDER BY person, id`,
		"1 sent 1 200 - true", "3 parked 1 404 no such person true", "5 pending 1 500 oops false", "7 held 0 - by hand false",
		"2 pending 0 - - false", "4 pending 0 - - false", "6 pending 0 - - false", "8 pending 0 - - false")
	b.want(t, `SELECT person FROM push_people WHERE leased_until BETWEEN now() + '59min' AND now() + '60min'`, "bob")

	people, turns, _ := claim(t, b, nil, 9, 10)
	if len(people) != 1 || people[0] != "ann" || turns[0].Failures != 3 || turns[0].Told["n"] != toldAt.UnixMicro() || !turns[0].ToldAt.Equal(toldAt) {
		t.Errorf("ClaimTurns = %+v, want ann with what the last turn has left", turns)
	}

	// Who has lost her says what was sent, and no more.
	b.exec(t, `UPDATE push_people SET leased_until = now() - interval '1 s' WHERE person = 'ann'`)
	_, again, _ := claim(t, b, nil, 9, 10)
	turns[0].Failures, turns[0].Told = 9, nil
	end(t, b, store.TurnEnd{Turn: &turns[0], Ends: []store.PushEnd{{ID: 5, State: trivia.PushSent, Status: 200, Tried: true}}})
	b.want(t, `SELECT failures, told::text, leased_until > now() FROM push_people WHERE person = 'ann'`, fmt.Sprintf(`3 {"n": %d} true`, toldAt.UnixMicro()))
	b.want(t, `SELECT state FROM pushes WHERE id = 5`, "sent")
	end(t, b, store.TurnEnd{Turn: &again[0]})
	b.want(t, `SELECT person FROM push_people WHERE person = 'ann' AND leased_until <= now()`, "ann")
}

func TestNobodyIsInTwoHands(t *testing.T) {
	t.Parallel()
	b := newBench(t, store.IntakeOptions{})
	b.exec(t, `
		INSERT INTO pushes (person, kind, cause, cause_id, occurred_at, state)
		SELECT 'p' || n % 500, 'suppress', 'event', 'e', now(), 'pending' FROM generate_series(1, 2000) AS n`)

	var group errgroup.Group
	claimed := make([][]string, 6)
	for i := range claimed {
		group.Go(func() error {
			var after *string
			for range 40 {
				turns, last, err := b.ClaimTurns(t.Context(), after, 17, 10, time.Minute)
				if err != nil {
					return err
				}
				for _, turn := range turns {
					if len(turn.Pushes) != 4 {
						return fmt.Errorf("%s has %d pushes", turn.Person, len(turn.Pushes))
					}
					claimed[i] = append(claimed[i], turn.Person)
				}
				after = last
			}

			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, people := range claimed {
		for _, person := range people {
			if seen[person] {
				t.Errorf("%s is in two hands", person)
			}
			seen[person] = true
		}
	}
	if len(seen) != 500 {
		t.Errorf("%d people were claimed, want 500", len(seen))
	}
}

func TestWhatWaitsForCredentialsIsReleasedInChunks(t *testing.T) {
	t.Parallel()
	b := newBench(t, store.IntakeOptions{})
	owePushes(t, b, 12, "ann")
	b.exec(t, `UPDATE pushes SET state = 'held', reason = CASE WHEN id % 2 = 0 THEN 'no credentials' ELSE 'by hand' END WHERE id <= 8`)
	b.exec(t, `UPDATE pushes SET state = 'parked', status = CASE WHEN id % 2 = 0 THEN 401 ELSE 400 END, reason = 'bad', settled_at = now() WHERE id > 8`)

	if pending, held, parked, err := b.PushBacklog(t.Context()); pending != 0 || held != 8 || parked != 4 || err != nil {
		t.Errorf("PushBacklog = %d, %d, %d, %v; want 0, 8, 4", pending, held, parked, err)
	}
	if any, err := b.AnyRefused(t.Context(), 401); !any || err != nil {
		t.Errorf("AnyRefused(401) = %v, %v", any, err)
	}
	if any, err := b.AnyRefused(t.Context(), 403); any || err != nil {
		t.Errorf("AnyRefused(403) = %v, %v", any, err)
	}

	n, last, err := b.ReleaseHeld(t.Context(), 0, 3)
	if n != 3 || last != 6 || err != nil {
		t.Errorf("ReleaseHeld = %d, %d, %v; want 3, 6", n, last, err)
	}
	if n, last, err = b.ReleaseHeld(t.Context(), last, 3); n != 1 || last != 8 || err != nil {
		t.Errorf("ReleaseHeld = %d, %d, %v; want 1, 8", n, last, err)
	}
	if n, last, err = b.ReleaseHeld(t.Context(), last, 3); n != 0 || last != 8 || err != nil {
		t.Errorf("ReleaseHeld = %d, %d, %v; want 0, 8", n, last, err)
	}
	if n, last, err = b.ReleaseRefused(t.Context(), 0, 3, 401); n != 2 || last != 12 || err != nil {
		t.Errorf("ReleaseRefused = %d, %d, %v; want 2, 12", n, last, err)
	}
	b.want(t, `SELECT id FROM pushes WHERE state = 'pending' AND reason IS NULL AND settled_at IS NULL ORDER BY id`, "2", "4", "6", "8", "10", "12")
}
