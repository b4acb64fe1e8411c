package store_test

import (
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

// fillPushes writes n pushes of seven people, a minute apart; every fourth is
// pending, sent, parked or held.
func (s shelf) fillPushes(t *testing.T, n int) {
	t.Helper()
	s.exec(t, `
		INSERT INTO pushes (person, kind, cause, cause_id, attributes, occurred_at, state, created_at)
		SELECT 'user-' || i % 7, CASE WHEN i % 2 = 0 THEN 'event' ELSE 'attributes' END,
			CASE WHEN i % 2 = 0 THEN 'win' ELSE 'event' END, 'cause-' || i, CASE WHEN i % 2 = 1 THEN '{"a": 1}'::jsonb END, $2,
			(ARRAY['pending', 'sent', 'parked', 'held'])[i % 4 + 1], $2::timestamptz + i * interval '1 minute'
		FROM generate_series(1, $1) AS i ORDER BY i`, n, noon)
}

func idsOf(rows []store.PushRow) string {
	var text strings.Builder
	for _, p := range rows {
		fmt.Fprintf(&text, "%d ", p.ID)
	}

	return strings.TrimSpace(text.String())
}

func TestListingsOfPushesPassTheEndOfAPage(t *testing.T) {
	t.Parallel()

	s := newShelf(t)
	const n = 1234
	s.fillPushes(t, n)
	checkPaging(t, n, func(p store.Page) iter.Seq2[store.PushRow, error] {
		return s.Pushes(t.Context(), store.PushFilter{}, p)
	}, func(p store.PushRow) string { return fmt.Sprintf("%06d", p.ID) }, true)
}

func TestPushFilterChooses(t *testing.T) {
	t.Parallel()

	s := newShelf(t)
	s.fillPushes(t, 300)

	tests := []struct {
		name   string
		filter store.PushFilter
		want   string // the first of them
		n      int
	}{
		{"everything", store.PushFilter{}, "300 299 298", 300},
		{"person", store.PushFilter{Person: "user-3"}, "297 290 283", 43},
		{"pending", store.PushFilter{State: trivia.PushPending}, "300 296 292", 75},
		{"sent", store.PushFilter{State: trivia.PushSent}, "297 293 289", 75},
		{"parked", store.PushFilter{State: trivia.PushParked}, "298 294 290", 75},
		{"held", store.PushFilter{State: trivia.PushHeld}, "299 295 291", 75},
		{"a person's sent ones", store.PushFilter{Person: "user-3", State: trivia.PushSent}, "297 269 241", 11},
		{"kind", store.PushFilter{Kind: trivia.PushEvent}, "300 298 296", 150},
		{"cause", store.PushFilter{Cause: trivia.CauseEvent}, "299 297 295", 150},
		{"one cause", store.PushFilter{Cause: trivia.CauseWin, CauseID: "cause-20"}, "20", 1},
		{"since", store.PushFilter{Since: noon.Add(298 * time.Minute)}, "300 299 298", 3},
		{"until", store.PushFilter{Until: noon.Add(3 * time.Minute)}, "2 1", 2},
		{"a span", store.PushFilter{Since: noon.Add(100 * time.Minute), Until: noon.Add(102 * time.Minute)}, "101 100", 2},
		{"a span before all", store.PushFilter{Until: noon.Add(-24 * time.Hour)}, "", 0},
		{"a span behind all", store.PushFilter{Since: noon.Add(24 * time.Hour)}, "", 0},
		{"a span around all", store.PushFilter{Since: noon.Add(-24 * time.Hour), Until: noon.Add(24 * time.Hour)}, "300 299 298", 300},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rows := collect(t, s.Pushes(t.Context(), tt.filter, store.Page{}))
			if got := idsOf(rows[:min(3, len(rows))]); got != tt.want || len(rows) != tt.n {
				t.Errorf("Pushes(%+v) = %d rows, first %s, want %d, %s", tt.filter, len(rows), got, tt.n, tt.want)
			}
		})
	}
}

func TestASpanOfNoPushesIsEmpty(t *testing.T) {
	t.Parallel()

	s := newShelf(t)
	if rows := collect(t, s.Pushes(t.Context(), store.PushFilter{Since: noon, Until: noon.Add(time.Hour)}, store.Page{})); len(rows) > 0 {
		t.Errorf("Pushes = %+v, want none", rows)
	}
	for _, err := range s.Pushes(t.Context(), store.PushFilter{}, store.Page{After: "W10"}) {
		if !errors.Is(err, store.ErrCursor) {
			t.Errorf("Pushes after a foreign cursor: error %v, want ErrCursor", err)
		}
	}
}

func TestAPersonIsKnownByWhatTheyWereTold(t *testing.T) {
	t.Parallel()

	s := newShelf(t)
	s.exec(t, `
		INSERT INTO push_people (person, leased_until, failures, told, told_at)
		VALUES ('ann', $1, 3, '{"a": 1777896000000001}', $1), ('bob', $1, 0, '{}', NULL)`, noon)

	ann, err := s.PushPerson(t.Context(), "ann")
	if err != nil || ann.Failures != 3 || !ann.LeasedUntil.Equal(noon) || !ann.ToldAt.Equal(noon) || !ann.Told["a"].Equal(noon.Add(time.Microsecond)) {
		t.Errorf("PushPerson(ann) = %+v, %v", ann, err)
	}
	if bob, err := s.PushPerson(t.Context(), "bob"); err != nil || len(bob.Told) > 0 || !bob.ToldAt.IsZero() {
		t.Errorf("PushPerson(bob) = %+v, %v, want that nothing was told", bob, err)
	}
	if _, err := s.PushPerson(t.Context(), "cid"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("PushPerson(cid): error %v, want ErrNotFound", err)
	}
	if _, err := s.Push(t.Context(), 7); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Push(7): error %v, want ErrNotFound", err)
	}
}

// walk goes through a set in steps of limit, without changing it.
func walk(t *testing.T, s shelf, set store.PushSet, limit int) string {
	t.Helper()

	var (
		all   []store.PushRow
		after store.PushPlace
	)
	n, last, err := s.CountPushSet(t.Context(), set)
	if err != nil {
		t.Fatal(err)
	}
	for {
		var found []store.PushRow
		err := s.Act(t.Context(), func(act *store.Act) (_ store.Deed, err error) {
			found, err = act.LockPushSet(t.Context(), set, after, last, limit)

			return store.Deed{}, err
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(found) == 0 {
			break
		}
		all = append(all, found...)
		after = found[len(found)-1].Place()
	}
	if len(all) != n {
		t.Errorf("walked through %d, counted %d", len(all), n)
	}

	return idsOf(all)
}

func TestAWalkMeetsEachPushOfASetOnce(t *testing.T) {
	t.Parallel()

	s := newShelf(t)
	s.fillPushes(t, 30)
	tests := []struct {
		name string
		set  store.PushSet
		want string
	}{
		// 28 is user-0's, 8 user-1's, 16 user-2's, 24 user-3's, …
		{"what is pending, person by person", store.PushSet{State: trivia.PushPending}, "28 8 16 24 4 12 20"},
		{"what is parked", store.PushSet{State: trivia.PushParked}, "2 6 10 14 18 22 26 30"},
		{"what is held", store.PushSet{State: trivia.PushHeld}, "3 7 11 15 19 23 27"},
		{"a person's", store.PushSet{Person: "user-2"}, "2 16 23 30"},
		{"a person's parked", store.PushSet{Person: "user-2", State: trivia.PushParked}, "2 30"},
		{"of a span", store.PushSet{State: trivia.PushParked, Since: noon.Add(6 * time.Minute), Until: noon.Add(14 * time.Minute)}, "6 10"},
		{"nobody's", store.PushSet{Person: "nobody"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := walk(t, s, tt.set, 3); got != tt.want {
				t.Errorf("walk through %+v = %s, want %s", tt.set, got, tt.want)
			}
		})
	}
}

func TestWinsGetOnePushWhileOneWaits(t *testing.T) {
	t.Parallel()

	s := newShelf(t)
	s.fill(t, 4)
	s.exec(t, `
		INSERT INTO pushes (person, kind, cause, cause_id, occurred_at, state) VALUES
			('user-1', 'event', 'win', 'trivia-1', now(), 'pending'), ('user-2', 'event', 'win', 'trivia-2', now(), 'held'),
			('user-3', 'event', 'win', 'trivia-3', now(), 'sent'), ('user-4', 'event', 'win', 'another', now(), 'pending')`)

	wins := collect(t, s.OldestWins(t.Context(), store.WinSpan{}, store.Page{}))
	told, err := s.Told(t.Context(), wins)
	if got := fmt.Sprint(told); err != nil || got != "[true true false false]" {
		t.Errorf("Told = %s, %v, want that of two a push waits", got, err)
	}
	all, err1 := s.CountWins(t.Context(), store.WinSpan{}, "")
	rest, err2 := s.CountWins(t.Context(), store.WinSpan{}, wins[2].Place())
	untold, err3 := s.CountUntoldWins(t.Context(), store.WinSpan{}, wins[2].Place())
	if err := errors.Join(err1, err2, err3); err != nil || all != 4 || rest != 1 || untold != 1 {
		t.Errorf("counted %d, %d, %d, %v, want 4, 1, 1", all, rest, untold, err)
	}
	for _, want := range []int{2, 0} {
		err := s.Act(t.Context(), func(act *store.Act) (store.Deed, error) {
			n, err := act.PushWins(t.Context(), wins)
			if n != want {
				t.Errorf("PushWins wrote %d, want %d", n, want)
			}

			return store.Deed{}, err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	first := collect(t, s.Pushes(t.Context(), store.PushFilter{State: trivia.PushPending, Person: "user-3"}, store.Page{}))
	if len(first) != 1 || first[0].Kind != trivia.PushEvent || first[0].Attributes != nil || !first[0].OccurredAt.Equal(wins[2].At) {
		t.Errorf("pushes = %+v, want one of kind event from when it was won", first)
	}
}

func TestWinsArePagedFromTheOldest(t *testing.T) {
	t.Parallel()

	s := newShelf(t)
	const n = 1234
	s.fill(t, n)
	seen := map[trivia.UserID]bool{}
	page := store.Page{Limit: 100}
	for {
		rows := collect(t, s.OldestWins(t.Context(), store.WinSpan{}, page))
		for _, w := range rows {
			seen[w.User] = true
			page.After = w.Place()
		}
		if len(rows) < page.Limit {
			break
		}
	}
	if len(seen) != n {
		t.Errorf("saw %d wins, want %d", len(seen), n)
	}
	for _, err := range s.OldestWins(t.Context(), store.WinSpan{}, store.Page{After: store.WinRow{}.Cursor()}) {
		if !errors.Is(err, store.ErrCursor) {
			t.Errorf("OldestWins after a cursor of the newest: error %v, want ErrCursor", err)
		}
	}
}

// Who looked at a push does not want to wait until its person has rested.
func TestAMovedPushGoesFirst(t *testing.T) {
	t.Parallel()

	b := newBench(t, owing)
	b.take(t, about("e1", "email", "opened", "resting", 1), about("e2", "email", "opened", "in hand", 1), about("e3", "email", "opened", "never failed", 1))
	b.exec(t, `INSERT INTO push_people (person, leased_until, failures) VALUES
		('resting', now() + interval '10 min', 7), ('in hand', now() + interval '20 s', 7), ('never failed', now() + interval '10 min', 0)`)
	b.exec(t, `UPDATE pushes SET state = 'parked'`)
	err := b.Act(t.Context(), func(a *store.Act) (store.Deed, error) {
		found, err := a.LockPushSet(t.Context(), store.PushSet{State: trivia.PushParked}, store.PushPlace{}, 1000, 10)
		if err != nil {
			return store.Deed{}, err
		}

		return store.Deed{Actor: "me", Verb: "push retry", Target: "3"}, a.MovePushes(t.Context(), found, trivia.PushPending, "")
	})
	if err != nil {
		t.Fatal(err)
	}
	b.want(t, `SELECT person FROM push_people WHERE leased_until <= now()`, "resting")
}
