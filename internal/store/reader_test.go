package store

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/pgtest"
	"trivia/internal/trivia"
)

// newFilled is a store in whose database the statements were run.
func newFilled(t *testing.T, statements ...string) *Store {
	t.Helper()

	s := newEmpty(t)
	for _, statement := range statements {
		s.do(t, statement)
	}

	return s
}

func newEmpty(t *testing.T) *Store {
	t.Helper()

	url := pgtest.Schema(t)
	if _, err := Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)

	return s
}

func (s *Store) do(t *testing.T, statement string, args ...any) {
	t.Helper()
	if _, err := s.pool.Exec(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// walkThrough reads a listing page by page, as a person who only scrolls.
func walkThrough[F, T any](t *testing.T, r Reader[F, T], f F, page Page, name func(T) string) (all []string) {
	t.Helper()

	for {
		found, err := r.Look(t.Context(), f, page)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range found.Rows {
			all = append(all, name(row))
		}
		if found.End {
			return all
		}
		if found.After == page.After {
			t.Fatalf("looking behind %q does not get on", page.After)
		}
		page.After = found.After
	}
}

func TestListingsAreTheSameBothWays(t *testing.T) {
	t.Parallel()

	s := newFilled(t, manyRows...)
	s.do(t, `INSERT INTO audit_log (at, actor, verb, target) SELECT now() - i / 5 * interval '1 s', 'ann', 'replay', 'key-' || i FROM generate_series(1, 900) AS i`)
	t.Run("wins", func(t *testing.T) {
		t.Parallel()
		bothWays(t, s.ReadWins(), WinFilter{Trivia: "trivia-7"}, 318, func(w WinRow) string { return w.Key })
	})
	t.Run("deliveries", func(t *testing.T) {
		t.Parallel()
		bothWays(t, s.ReadDeliveries(), DeliveryFilter{State: trivia.StateParked}, 100, func(d DeliveryRow) string { return d.Key })
	})
	t.Run("events", func(t *testing.T) {
		t.Parallel()
		bothWays(t, s.ReadEvents(), EventFilter{Metric: "bounced"}, 1816, func(e EventRow) string { return e.ID })
	})
	t.Run("pushes", func(t *testing.T) {
		t.Parallel()
		bothWays(t, s.ReadPushes(), PushFilter{State: trivia.PushHeld}, 200, func(p PushRow) string { return fmt.Sprint(p.ID) })
	})
	t.Run("acts", func(t *testing.T) {
		t.Parallel()
		bothWays(t, s.ReadDeeds(), DeedFilter{}, 900, func(d DeedRow) string { return d.ID })
	})
}

func bothWays[F, T any](t *testing.T, r Reader[F, T], f F, want int, name func(T) string) {
	t.Helper()

	down := walkThrough(t, r, f, Page{Limit: 37}, name)
	up := walkThrough(t, r, f, Page{Limit: 23, Oldest: true}, name)
	slices.Reverse(up)
	if diff := cmp.Diff(down, up); diff != "" {
		t.Errorf("upwards it is another listing (-down +up):\n%s", diff)
	}
	if n, err := r.Tally(t.Context(), f); err != nil || n != int64(len(down)) || len(down) != want {
		t.Errorf("%d rows are listed, and %d counted, %v; want %d", len(down), n, err, want)
	}
}

func TestTextIsLookedForStretchByStretch(t *testing.T) {
	t.Parallel()

	s := newFilled(t, manyRows...)
	tests := []struct {
		name   string
		filter DeliveryFilter
		want   int
	}{
		{"a user", DeliveryFilter{Text: "user-77"}, 44}, // 77, 770 … 779, four times each
		{"a part of a key", DeliveryFilter{Text: "ey-1999"}, 11},
		{"a trivia", DeliveryFilter{Text: "trivia-62"}, 317},
		{"as it is written", DeliveryFilter{Text: "USER"}, 0},
		{"no pattern", DeliveryFilter{Text: "user%"}, 0},
		{"and parked", DeliveryFilter{Text: "user-77", State: trivia.StateParked}, 0},
		{"nothing", DeliveryFilter{Text: "nowhere"}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			r, ok := s.ReadDeliveries().(reader[DeliveryFilter, DeliveryRow])
			if !ok {
				t.Fatal("not a reader of this package")
			}
			r.listing = func(_ context.Context, f DeliveryFilter) (listing[DeliveryRow], error) {
				l := deliveriesBy(f)
				l.search = 3000

				return l, nil
			}
			down := walkThrough(t, r, tt.filter, Page{Limit: 10}, func(d DeliveryRow) string { return d.Key })
			up := walkThrough(t, r, tt.filter, Page{Limit: 10, Oldest: true}, func(d DeliveryRow) string { return d.Key })
			slices.Reverse(up)
			if diff := cmp.Diff(down, up); diff != "" {
				t.Errorf("upwards other rows are found (-down +up):\n%s", diff)
			}
			n, err := r.Tally(t.Context(), tt.filter)
			if err != nil || len(down) != tt.want || n != int64(tt.want) {
				t.Errorf("found %d, counted %d, %v; want %d", len(down), n, err, tt.want)
			}
			all := 0
			for _, err := range s.Deliveries(t.Context(), tt.filter, Page{}) {
				if err != nil {
					t.Fatal(err)
				}
				all++
			}
			if all != tt.want {
				t.Errorf("Deliveries yields %d, want %d", all, tt.want)
			}
		})
	}
}

func TestTextIsLookedForInEveryListing(t *testing.T) {
	t.Parallel()

	s := newFilled(t, manyRows...)
	s.do(t, `INSERT INTO audit_log (actor, verb, target, reason) VALUES ('ann', 'replay', 'key-1', 'Bob said so')`)
	one := func(n int, err error) {
		t.Helper()
		if err != nil || n != 1 {
			t.Errorf("found %d, %v, want 1", n, err)
		}
	}
	wins, err := s.ReadWins().Look(t.Context(), WinFilter{Text: "key-20000"}, Page{Limit: 10})
	one(len(wins.Rows), err)
	events, err := s.ReadEvents().Look(t.Context(), EventFilter{Text: "event-12345"}, Page{Limit: 10})
	one(len(events.Rows), err)
	pushes, err := s.ReadPushes().Look(t.Context(), PushFilter{Text: "user-4999", State: trivia.PushHeld}, Page{Limit: 10})
	if err != nil || len(pushes.Rows) != 0 {
		t.Errorf("found %d pushes, %v, want none", len(pushes.Rows), err)
	}
	deeds, err := s.ReadDeeds().Look(t.Context(), DeedFilter{Text: "Bob"}, Page{Limit: 10})
	one(len(deeds.Rows), err)
}

// TestArrivalsAreCountedOnce lets rows come at all kinds of times: at once, late,
// and many in one instant.
func TestArrivalsAreCountedOnce(t *testing.T) {
	t.Parallel()

	s := newEmpty(t)
	write := func(name string, n int, age time.Duration) {
		t.Helper()
		s.do(t, `INSERT INTO deliveries (key, kind, body, body_sha256, state, outcome, received_at, last_seen_at)
			SELECT $1 || i, 'win', '{}', '', 'done', 'awarded', now() - $3::interval + i * interval '1 ms', now()
			FROM generate_series(1, $2) AS i`, name, n, age)
	}
	full, ok := s.ReadDeliveries().(reader[DeliveryFilter, DeliveryRow])
	if !ok {
		t.Fatal("not a reader of this package")
	}
	full.most = 50
	look := func(f DeliveryFilter) (Found[DeliveryRow], Mark) {
		t.Helper()
		found, err := full.Look(t.Context(), f, Page{Limit: 5})
		if err != nil {
			t.Fatal(err)
		}
		if len(found.Rows) == 0 {
			return found, found.Since
		}

		return found, found.Since.Above(found.Rows[0].Cursor())
	}
	count := func(mark *Mark, f DeliveryFilter, want int64, more bool) {
		t.Helper()
		got, err := full.Arrived(t.Context(), f, *mark)
		if err != nil || got.Count != want || got.More != more {
			t.Errorf("Arrived = %d, more: %v, %v; want %d, %v", got.Count, got.More, err, want, more)
		}
		*mark = got
	}

	_, empty := look(DeliveryFilter{})
	count(&empty, DeliveryFilter{}, 0, false)
	write("first-", 20, 0)
	count(&empty, DeliveryFilter{}, 20, false)

	_, mark := look(DeliveryFilter{})
	none := DeliveryFilter{Text: "zebra"}
	_, rare := look(none)
	count(&mark, DeliveryFilter{}, 0, false)
	write("late-", 3, 4*time.Second) // behind what is there
	count(&mark, DeliveryFilter{}, 0, false)
	write("second-", 30, -time.Minute)
	count(&mark, DeliveryFilter{}, 30, false)
	count(&mark, DeliveryFilter{}, 30, false)
	write("third-", 40, -2*time.Minute)
	count(&mark, DeliveryFilter{}, 50, true) // no more are counted at once
	count(&mark, DeliveryFilter{}, 70, false)
	count(&mark, DeliveryFilter{}, 70, false)
	count(&rare, none, 0, false)
	write("zebra-", 2, -3*time.Minute)
	count(&rare, none, 2, false)

	// What has settled is not looked at again.
	s.do(t, `UPDATE deliveries SET received_at = received_at - interval '1 hour'`)
	found, begun := look(DeliveryFilter{})
	old := MarkAt(found.Rows[4].Cursor())
	count(&begun, DeliveryFilter{}, 0, false)
	count(&old, DeliveryFilter{}, 4, false)
	if old.kept != 4 {
		t.Errorf("%d are counted for good, want 4", old.kept)
	}
	write("fourth-", 2, 0)
	count(&old, DeliveryFilter{}, 6, false)
}

func TestArrivalsOfPushes(t *testing.T) {
	t.Parallel()

	s := newEmpty(t)
	write := func(n int) {
		t.Helper()
		s.do(t, `INSERT INTO pushes (person, kind, cause, cause_id, occurred_at, state)
			SELECT 'user-' || i, 'event', 'win', 'rivers', now(), CASE i % 2 WHEN 0 THEN 'held' ELSE 'sent' END FROM generate_series(1, $1) AS i`, n)
	}
	r := s.ReadPushes()
	for _, f := range []PushFilter{{}, {State: trivia.PushHeld}} {
		found, err := r.Look(t.Context(), f, Page{Limit: 5})
		if err != nil {
			t.Fatal(err)
		}
		mark := found.Since
		if len(found.Rows) > 0 {
			mark = mark.Above(found.Rows[0].Cursor())
		}
		for i := range 3 {
			if i > 0 {
				write(10)
			}
			if mark, err = r.Arrived(t.Context(), f, mark); err != nil {
				t.Fatal(err)
			}
			want := int64(10 * i)
			if f.State != "" {
				want /= 2
			}
			if mark.Count != want {
				t.Errorf("%+v: %d are new, want %d", f, mark.Count, want)
			}
		}
	}
}

func TestRowsAreReadAgain(t *testing.T) {
	t.Parallel()

	s := newFilled(t, manyRows...)
	found, err := s.ReadDeliveries().Look(t.Context(), DeliveryFilter{State: trivia.StateParked}, Page{Limit: 3})
	if err != nil {
		t.Fatal(err)
	}
	s.do(t, `UPDATE deliveries SET state = 'done', outcome = 'awarded' WHERE key = $1`, found.Rows[0].Key)
	s.do(t, `DELETE FROM deliveries WHERE key = $1`, found.Rows[1].Key)
	now, err := s.ReadDeliveries().Again(t.Context(), found.Rows)
	if err != nil {
		t.Fatal(err)
	}
	states := map[string]trivia.State{}
	for _, d := range now {
		states[d.Key] = d.State
	}
	want := map[string]trivia.State{found.Rows[0].Key: trivia.StateDone, found.Rows[2].Key: trivia.StateParked}
	if diff := cmp.Diff(want, states); diff != "" {
		t.Errorf("Again (-want +got):\n%s", diff)
	}

	pushes, err := s.ReadPushes().Look(t.Context(), PushFilter{}, Page{Limit: 3})
	if err != nil {
		t.Fatal(err)
	}
	s.do(t, `UPDATE pushes SET state = 'parked' WHERE id = $1`, pushes.Rows[0].ID)
	again, err := s.ReadPushes().Again(t.Context(), pushes.Rows)
	if err != nil || len(again) != 3 {
		t.Fatalf("Again = %d rows, %v, want 3", len(again), err)
	}
	if i := slices.IndexFunc(again, func(p PushRow) bool { return p.State == trivia.PushParked }); i < 0 || again[i].ID != pushes.Rows[0].ID {
		t.Errorf("Again = %+v, want the first one parked", again)
	}

	wins, err := s.ReadWins().Look(t.Context(), WinFilter{}, Page{Limit: 3})
	if err != nil {
		t.Fatal(err)
	}
	if again, err := s.ReadWins().Again(t.Context(), wins.Rows); err != nil || len(again) != 3 {
		t.Errorf("Again = %v, %v, want the wins", again, err)
	}
}
