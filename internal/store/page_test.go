package store_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"trivia/internal/pgtest"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// A shelf is a migrated database that a test fills by hand.
type shelf struct {
	*store.Store
	db *pgx.Conn
}

func newShelf(t *testing.T) shelf {
	t.Helper()

	url := pgtest.Schema(t)
	if _, err := store.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	db, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close(context.Background()) })

	return shelf{s, db}
}

func (s shelf) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	if _, err := s.db.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func (s shelf) count(t *testing.T, sql string) (n int) {
	t.Helper()
	if err := s.db.QueryRow(t.Context(), sql).Scan(&n); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}

	return n
}

// fill writes n wins of n users in 7 trivias, ten of them at each instant, and
// a delivery for each.
func (s shelf) fill(t *testing.T, n int) {
	t.Helper()
	s.exec(t, `INSERT INTO users (user_id) SELECT 'user-' || i FROM generate_series(1, $1) AS i`, n)
	s.exec(t, `
		INSERT INTO trivia_wins (user_id, trivia_id, item, delivery_key, won_at)
		SELECT 'user-' || i, 'trivia-' || i % 7, 'hat', 'key-' || i, $2::timestamptz + i / 10 * interval '1 second'
		FROM generate_series(1, $1) AS i`, n, noon)
	s.exec(t, `
		INSERT INTO deliveries (key, kind, body, body_sha256, state, outcome, user_id, trivia_id, item,
			received_at, last_seen_at, settled_at)
		SELECT 'key-' || i, 'win', '{}', sha256('{}'), 'done', 'awarded', 'user-' || i, 'trivia-' || i % 7, 'hat',
			at, at, at
		FROM generate_series(1, $1) AS i, LATERAL (SELECT $2::timestamptz + i / 10 * interval '1 second' AS at) AS a`,
		n, noon)
}

func collect[T any](t *testing.T, rows iter.Seq2[T, error]) (all []T) {
	t.Helper()
	for row, err := range rows {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, row)
	}

	return all
}

func keysOf(rows []store.DeliveryRow) (keys []string) {
	for _, d := range rows {
		keys = append(keys, d.Key)
	}

	return keys
}

func TestListingsPassTheEndOfAPageWithoutLosingOrRepeatingARow(t *testing.T) {
	t.Parallel()

	s := newShelf(t)
	const n = 1234 // more than two pages, and no round number
	s.fill(t, n)

	t.Run("deliveries", func(t *testing.T) {
		t.Parallel()
		checkPaging(t, n, func(p store.Page) iter.Seq2[store.DeliveryRow, error] {
			return s.Deliveries(t.Context(), store.DeliveryFilter{}, p)
		}, func(d store.DeliveryRow) string { return d.ReceivedAt.UTC().Format(time.RFC3339) + " " + d.Key }, true)
	})
	t.Run("wins", func(t *testing.T) {
		t.Parallel()
		checkPaging(t, n, func(p store.Page) iter.Seq2[store.WinRow, error] {
			return s.Wins(t.Context(), store.WinFilter{}, p)
		}, func(w store.WinRow) string { return w.At.UTC().Format(time.RFC3339) + " " + string(w.User) }, true)
	})
	t.Run("users", func(t *testing.T) {
		t.Parallel()
		checkPaging(t, n, func(p store.Page) iter.Seq2[store.UserRow, error] {
			return s.Users(t.Context(), store.UserFilter{}, p)
		}, func(u store.UserRow) string { return string(u.ID) }, false)
	})
}

type cursored interface{ Cursor() store.Cursor }

// checkPaging reads a listing whole, and in pieces of 100 rows by cursor. name
// sorts as the listing does.
func checkPaging[T cursored](
	t *testing.T, n int, list func(store.Page) iter.Seq2[T, error], name func(T) string, falling bool,
) {
	t.Helper()

	var whole []string
	for _, row := range collect(t, list(store.Page{})) {
		whole = append(whole, name(row))
	}
	if len(whole) != n {
		t.Fatalf("listed %d rows, want %d", len(whole), n)
	}
	for i := 1; i < n; i++ {
		if falling != (whole[i] < whole[i-1]) {
			t.Fatalf("row %d is %q, behind %q", i, whole[i], whole[i-1])
		}
	}

	var pieces []string
	for page := (store.Page{Limit: 100}); ; {
		rows := collect(t, list(page))
		for _, row := range rows {
			pieces = append(pieces, name(row))
			page.After = row.Cursor()
		}
		if len(rows) < page.Limit {
			break
		}
	}
	if diff := cmp.Diff(whole, pieces); diff != "" {
		t.Errorf("a listing in pieces is not the listing (-whole +pieces):\n%s", diff)
	}
}

func TestListingStopsWhenItsReaderDoes(t *testing.T) {
	t.Parallel()

	s := newShelf(t)
	s.fill(t, 20)
	for d, err := range s.Deliveries(t.Context(), store.DeliveryFilter{}, store.Page{}) {
		if err != nil || d.Key != "key-20" {
			t.Fatalf("first delivery = %q, %v, want key-20", d.Key, err)
		}

		break
	}
}

func TestListingYieldsTheErrorOnce(t *testing.T) {
	t.Parallel()

	s := newShelf(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	n := 0
	for _, err := range s.Wins(ctx, store.WinFilter{}, store.Page{}) {
		n++
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error = %v, want that the context was cancelled", err)
		}
	}
	if n != 1 {
		t.Errorf("yielded %d times, want once", n)
	}
}

func TestCursorOfAnotherListingIsRefused(t *testing.T) {
	t.Parallel()

	s := newShelf(t)
	s.fill(t, 1)
	user := collect(t, s.Users(t.Context(), store.UserFilter{}, store.Page{}))[0].Cursor()
	win := collect(t, s.Wins(t.Context(), store.WinFilter{}, store.Page{}))[0].Cursor()
	notATime := store.Cursor("WyJ3aW5zIiwibm9vbiIsInUiLCJ0Il0") // ["wins","noon","u","t"]

	for _, c := range []store.Cursor{user, notATime, "?", "W10", "key-1"} {
		for _, err := range s.Wins(t.Context(), store.WinFilter{}, store.Page{After: c}) {
			if !errors.Is(err, store.ErrCursor) {
				t.Errorf("Wins after %q: error %v, want ErrCursor", c, err)
			}
		}
	}
	for _, c := range []store.Cursor{user, win, "?"} {
		for _, err := range s.Deliveries(t.Context(), store.DeliveryFilter{}, store.Page{After: c}) {
			if !errors.Is(err, store.ErrCursor) {
				t.Errorf("Deliveries after %q: error %v, want ErrCursor", c, err)
			}
		}
	}
}

func TestDeliveryFilterChooses(t *testing.T) {
	t.Parallel()

	s := newShelf(t)
	s.exec(t, `
		INSERT INTO deliveries (key, kind, rival, body, body_sha256, state, outcome, reason, user_id, trivia_id, item,
			received_at, last_seen_at, due_at)
		SELECT key, kind, rival, 'body', 'sum', state, outcome, reason, user_id, trivia_id, item,
			$1::timestamptz + minute * interval '1 minute', $1, CASE WHEN state = 'pending' THEN $1::timestamptz END
		FROM (VALUES
			(1, 'a', 'win',   ''::bytea, 'done',    'awarded',      NULL,       'ann', 'capitals', 'hat'),
			(2, 'b', 'win',   '',        'parked',  'malformed',    'no JSON',  NULL,  NULL,       NULL),
			(3, 'c', 'event', '',        'done',    'recorded',     NULL,       NULL,  NULL,       NULL),
			(4, 'd', 'win',   '',        'pending', NULL,           NULL,       'bob', 'capitals', 'hat'),
			(5, 'e', 'win',   '',        'pending', 'unknown_user', NULL,       'eve', 'rivers',   'cup'),
			(6, 'a', 'win',   'rival',   'parked',  'key_conflict', 'other',    'ann', 'rivers',   'hat')
		) AS v (minute, key, kind, rival, state, outcome, reason, user_id, trivia_id, item)`, noon)

	tests := []struct {
		name   string
		filter store.DeliveryFilter
		want   []string
	}{
		{"everything, newest first", store.DeliveryFilter{}, []string{"a", "e", "d", "c", "b", "a"}},
		{"key", store.DeliveryFilter{Key: "a"}, []string{"a", "a"}},
		{"kind", store.DeliveryFilter{Kind: trivia.KindEvent}, []string{"c"}},
		{"done", store.DeliveryFilter{State: trivia.StateDone}, []string{"c", "a"}},
		{"pending", store.DeliveryFilter{State: trivia.StatePending}, []string{"e", "d"}},
		{"parked", store.DeliveryFilter{State: trivia.StateParked}, []string{"a", "b"}},
		{"outcome", store.DeliveryFilter{Outcome: trivia.UnknownUser}, []string{"e"}},
		{"user", store.DeliveryFilter{User: "ann"}, []string{"a", "a"}},
		{"trivia", store.DeliveryFilter{Trivia: "rivers"}, []string{"a", "e"}},
		{"item", store.DeliveryFilter{Item: "cup"}, []string{"e"}},
		{"since is in, until is out", store.DeliveryFilter{Since: noon.Add(2 * time.Minute), Until: noon.Add(4 * time.Minute)}, []string{"c", "b"}},
		{"all of them must fit", store.DeliveryFilter{User: "ann", State: trivia.StateDone}, []string{"a"}},
		{"no row", store.DeliveryFilter{User: "nobody"}, nil},
		{"a quote is only a quote", store.DeliveryFilter{User: `' OR true --`}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := keysOf(collect(t, s.Deliveries(t.Context(), tt.filter, store.Page{})))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Deliveries(%+v) (-want +got):\n%s", tt.filter, diff)
			}
		})
	}

	found, err := s.Delivery(t.Context(), "a")
	if err != nil || len(found) != 2 || len(found[0].Rival) != 0 || string(found[1].Rival) != "rival" {
		t.Fatalf("Delivery(a) = %+v, %v, want the first body and its rival", found, err)
	}
	if got := found[0]; string(got.Body) != "body" || got.Size != 4 || hex.EncodeToString(got.SHA256) != "73756d" {
		t.Errorf("Delivery(a) = %+v, want its body and sum", got)
	}
	if _, err := s.Delivery(t.Context(), "z"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Delivery(z): error %v, want ErrNotFound", err)
	}
}

func TestWinFilterChooses(t *testing.T) {
	t.Parallel()

	s := newShelf(t)
	s.fill(t, 30)

	tests := []struct {
		name   string
		filter store.WinFilter
		want   int
	}{
		{"everything", store.WinFilter{}, 30},
		{"user", store.WinFilter{User: "user-3"}, 1},
		{"trivia", store.WinFilter{Trivia: "trivia-3"}, 4}, // 3, 10, 17, 24
		{"user and trivia", store.WinFilter{User: "user-3", Trivia: "trivia-4"}, 0},
		{"item", store.WinFilter{Item: "hat"}, 30},
		{"another item", store.WinFilter{Item: "cup"}, 0},
		{"key", store.WinFilter{Key: "key-7"}, 1},
		{"since", store.WinFilter{Since: noon.Add(2 * time.Second)}, 11},
		{"until", store.WinFilter{Until: noon.Add(2 * time.Second)}, 19},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := len(collect(t, s.Wins(t.Context(), tt.filter, store.Page{}))); got != tt.want {
				t.Errorf("Wins(%+v) has %d rows, want %d", tt.filter, got, tt.want)
			}
		})
	}
}

func TestWinComesWithItsPrize(t *testing.T) {
	t.Parallel()

	s := newShelf(t)
	s.fill(t, 2)
	s.exec(t, `INSERT INTO prizes (user_id, trivia_id, item, granted_at) VALUES ('user-1', 'trivia-1', 'hat', $1)`, noon)

	w, p, err := s.Win(t.Context(), "user-1", "trivia-1")
	if err != nil || w.Key != "key-1" || p.Item != "hat" || !p.At.Equal(noon) {
		t.Errorf("Win(user-1, trivia-1) = %+v, %+v, %v, want key-1 and a hat", w, p, err)
	}
	if _, p, err := s.Win(t.Context(), "user-2", "trivia-2"); err != nil || p != (store.Prize{}) {
		t.Errorf("Win(user-2, trivia-2) = %+v, %v, want no prize", p, err)
	}
	if _, _, err := s.Win(t.Context(), "user-2", "trivia-1"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Win(user-2, trivia-1): error %v, want ErrNotFound", err)
	}
}

func TestUsersCountTheirWins(t *testing.T) {
	t.Parallel()

	s := newShelf(t)
	s.fill(t, 1)
	s.exec(t, `INSERT INTO users (user_id) VALUES ('no-luck')`)

	got := fmt.Sprint(collect(t, s.Users(t.Context(), store.UserFilter{}, store.Page{})))
	if want := "[{no-luck 0} {user-1 1}]"; got != want {
		t.Errorf("Users() = %s, want %s", got, want)
	}
	if there, err := s.HasUser(t.Context(), "user-1"); err != nil || !there {
		t.Errorf("HasUser(user-1) = %v, %v, want true", there, err)
	}
	if there, err := s.HasUser(t.Context(), "user-2"); err != nil || there {
		t.Errorf("HasUser(user-2) = %v, %v, want false", there, err)
	}
}
