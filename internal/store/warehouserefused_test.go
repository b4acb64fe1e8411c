package store

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/pgtest"
)

// warehoused is a database to which two warehouses have said no.
func warehoused(t *testing.T) *Store {
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
	var rows []WarehousePlace
	var refused []WarehouseRefusal
	for i := range 7 {
		rows = append(rows, WarehousePlace{Key: fmt.Sprint("e", i)})
		refused = append(refused, WarehouseRefusal{Key: fmt.Sprint("e", i), Reason: "odd\x00"})
	}
	for _, sink := range []string{"a", "b"} {
		if err := s.ResentWarehouse(t.Context(), sink, WarehouseEvents, rows, refused); err != nil {
			t.Fatal(err)
		}
	}
	err = s.ResentWarehouse(t.Context(), "a", WarehouseWins, []WarehousePlace{{Key: "u", Key2: "t"}}, []WarehouseRefusal{{Key: "u", Key2: "t", Reason: "no"}})
	if err != nil {
		t.Fatal(err)
	}

	return s
}

func (s *Store) refusedIn(t *testing.T, f WarehouseRefusedFilter) (all []string) {
	t.Helper()

	var after Cursor
	for {
		n := 0
		for r, err := range s.WarehouseRefusals(t.Context(), f, Page{After: after, Limit: 2}) {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, fmt.Sprint(r.Sink, " ", r.Table, " ", r.Key, " ", r.Key2, " ", r.Reason))
			after = r.Cursor()
			n++
		}
		if n == 0 {
			return all
		}
	}
}

func TestRefusedRowsAreListedPageByPage(t *testing.T) {
	t.Parallel()

	s := warehoused(t)
	if got := s.refusedIn(t, WarehouseRefusedFilter{}); len(got) != 15 || got[0] != "a trivia_wins u t no" {
		t.Errorf("refused rows are %q, want 15, each once", got)
	}
	if got := s.refusedIn(t, WarehouseRefusedFilter{Sink: "b", Table: WarehouseEvents}); len(got) != 7 {
		t.Errorf("of b there are %q, want 7", got)
	}
	for _, f := range []WarehouseRefusedFilter{{Sink: "c"}, {Until: time.Unix(0, 0)}, {Since: time.Now().Add(time.Hour)}} {
		if got := s.refusedIn(t, f); got != nil {
			t.Errorf("%+v finds %q", f, got)
		}
	}
	for _, err := range s.WarehouseRefusals(t.Context(), WarehouseRefusedFilter{}, Page{After: "x"}) {
		if !errors.Is(err, ErrCursor) {
			t.Errorf("a foreign cursor is %v", err)
		}
	}
}

func TestWhatIsTakenOnceMoreIsNoLongerRefused(t *testing.T) {
	t.Parallel()

	s := warehoused(t)
	rows := []WarehousePlace{{Key: "e1"}, {Key: "e2"}, {Key: "new"}}
	if err := s.ResentWarehouse(t.Context(), "b", WarehouseEvents, rows, []WarehouseRefusal{{Key: "e2", Reason: "still odd"}}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"b customerio_events e2  still odd", "b customerio_events e6  odd", "b customerio_events e5  odd", "b customerio_events e4  odd",
		"b customerio_events e3  odd", "b customerio_events e0  odd",
	}
	if diff := cmp.Diff(want, s.refusedIn(t, WarehouseRefusedFilter{Sink: "b"})); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}
	if n := len(s.refusedIn(t, WarehouseRefusedFilter{Sink: "a"})); n != 8 {
		t.Errorf("of another warehouse %d are left, want 8", n)
	}
}

func TestLeavingAWarehouseForgetsItWhole(t *testing.T) {
	t.Parallel()

	s := warehoused(t)
	leave := func(sink string) (n int, err error) {
		err = s.Act(t.Context(), func(a *Act) (Deed, error) {
			n, err = a.LeaveWarehouse(t.Context(), sink)

			return Deed{}, err
		})

		return n, err
	}
	if _, err := leave("a"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a warehouse that was never sent to is left: %v", err)
	}
	var leases []*WarehouseLease
	for _, table := range []WarehouseTable{WarehouseEvents, WarehouseWins} {
		lease, err := s.ClaimWarehouse(t.Context(), "a", table, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		leases = append(leases, lease)
	}
	if err := s.KeepWarehouse(t.Context(), leases[0], 0); err != nil {
		t.Fatal(err)
	}
	if _, err := leave("a"); !errors.Is(err, ErrWarehouseHeld) {
		t.Errorf("a warehouse in hand is left: %v", err)
	}
	if states, err := s.Warehouses(t.Context()); err != nil || len(states) != 2 {
		t.Errorf("Warehouses = %v, %v, want both tables as before", states, err)
	}
	if err := s.KeepWarehouse(t.Context(), leases[1], 0); err != nil {
		t.Fatal(err)
	}
	if n, err := leave("a"); n != 8 || err != nil {
		t.Errorf("LeaveWarehouse = %d, %v, want the 8 rows that it refused", n, err)
	}
	if n := len(s.refusedIn(t, WarehouseRefusedFilter{})); n != 7 {
		t.Errorf("%d refused rows are left, want those of b", n)
	}
}

func TestDaysAreCountedByWhatIsSent(t *testing.T) {
	t.Parallel()

	s := warehoused(t)
	for _, statement := range []string{
		`INSERT INTO events (event_id, object_type, metric, occurred_at, received_at, written)
			SELECT 'e' || i, 'email', 'clicked', now(), '2026-05-04 23:59Z'::timestamptz + i * interval '1 min', CASE WHEN i < 6 THEN '10' ELSE '1152921504606846976' END::xid8
			FROM generate_series(0, 8) AS i`,
		`INSERT INTO users (user_id) VALUES ('u'), ('v')`,
		`INSERT INTO trivia_wins (user_id, trivia_id, item, delivery_key, won_at, written)
			VALUES ('u', 't', 'mug', 'k', '2026-05-04 01:00+02', '10'), ('v', 't', 'mug', 'k', '2026-05-04 02:00+02', '11')`,
		`INSERT INTO warehouse_positions (sink, what, cluster, written, at, key, key2, ahead_written, ahead_at, ahead_key)
			VALUES ('a', 'customerio_events', '', '10', '2026-05-05 00:03Z', 'e4', '', '1152921504606846976', '2026-05-05 00:06Z', 'e7'),
				('a', 'trivia_wins', '', '10', '2026-05-04', 'u', 't', '0', '0001-01-01', '')`,
	} {
		if _, err := s.pool.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	for _, tt := range []struct {
		sink  string
		table WarehouseTable
		want  []WarehouseDay
	}{
		// Of e0 to e4 and of e6 and e7, which are ahead, a was sent those that it
		// has not refused.
		{"a", WarehouseEvents, []WarehouseDay{{"2026-05-04", 1, 0, 1}, {"2026-05-05", 8, 2, 5}}},
		{"a", WarehouseWins, []WarehouseDay{{"2026-05-03", 1, 0, 1}, {"2026-05-04", 1, 1, 0}}},
		{"b", WarehouseEvents, []WarehouseDay{{"2026-05-04", 1, 1, 0}, {"2026-05-05", 8, 8, 0}}},
	} {
		got, err := s.WarehouseDays(t.Context(), tt.sink, tt.table, time.Unix(0, 0), time.Now().AddDate(10, 0, 0))
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("days of %s in %s: %v (-want +got):\n%s", tt.table, tt.sink, err, diff)
		}
	}
}

// FuzzCursorOfAPlace feeds cursors: one is read as it was written, or not at
// all.
func FuzzCursorOfAPlace(f *testing.F) {
	at := time.Date(2026, 5, 4, 12, 0, 0, 123456000, time.UTC)
	f.Add(string(WarehousePlace{At: at, Key: "e"}.Cursor(WarehouseEvents)))
	f.Add(string(WarehousePlace{At: at, Key: "u", Key2: "t"}.Cursor(WarehouseWins)))
	f.Add("")
	f.Add("WyJhIl0")
	f.Fuzz(func(t *testing.T, text string) {
		table, place, err := WarehousePlaceOf(Cursor(text))
		if err != nil {
			if !errors.Is(err, ErrCursor) {
				t.Errorf("%q is refused as %v", text, err)
			}

			return
		}
		if again, same, err := WarehousePlaceOf(place.Cursor(table)); err != nil || again != table || same != place {
			t.Errorf("%q is read as %v of %s, and that as %v of %s, %v", text, place, table, same, again, err)
		}
	})
}
