package store

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"trivia/internal/trivia"
)

// TestLookingAndCountingReadAnIndex holds what lists ask every second against the
// indexes: it must not cost more because there are more rows that nobody sees.
func TestLookingAndCountingReadAnIndex(t *testing.T) {
	t.Parallel()

	s := newFilled(t, manyRows...)
	var (
		at       = time.Date(2026, 5, 4, 3, 0, 0, 0, time.UTC)
		late     = time.Date(2026, 5, 4, 5, 30, 0, 0, time.UTC)
		win      = WinRow{Win: trivia.Win{User: "user-77", Trivia: "trivia-7"}, At: at}.Cursor()
		delivery = DeliveryRow{Key: "key-77", Kind: trivia.KindWin, ReceivedAt: at}.Cursor()
		newest   = DeliveryRow{Key: "key-77", Kind: trivia.KindWin, ReceivedAt: late}.Cursor()
		event    = EventRow{ID: "event-77", ReceivedAt: late}.Cursor()
		push     = PushRow{ID: 19000}.Cursor()
		parked   = DeliveryFilter{State: trivia.StateParked}
		text     = DeliveryFilter{Text: "user-77"}
	)
	tests := []struct {
		name  string
		sql   func() (string, pgx.NamedArgs, error)
		index string
	}{
		{"wins before a row", upwards(winsBy(WinFilter{}), win), "trivia_wins_newest"},
		{"a trivia's wins before a row", upwards(winsBy(WinFilter{Trivia: "trivia-7"}), win), "trivia_wins_by_trivia"},
		{"the oldest wins", upwards(winsBy(WinFilter{}), ""), "trivia_wins_newest"},
		{"deliveries before a row", upwards(deliveriesBy(DeliveryFilter{}), delivery), "deliveries_newest"},
		{"parked deliveries before a row", upwards(deliveriesBy(parked), delivery), "deliveries_parked"},
		{"events before a row", upwards(eventsBy(EventFilter{}), event), "events_newest"},
		{"pushes before a row", upwards(pushesBy(PushFilter{}, idSpan{}), push), "pushes_pkey"},
		{"parked pushes before a row", upwards(pushesBy(PushFilter{State: trivia.PushParked}, idSpan{}), push), "pushes_stuck"},
		{"text among deliveries", through(deliveriesBy(text), ""), "deliveries_newest"},
		{"text among deliveries, further", through(deliveriesBy(text), delivery), "deliveries_newest"},
		{"text among what is parked", through(deliveriesBy(DeliveryFilter{Text: "x", State: trivia.StateParked}), delivery), "deliveries_parked"},
		{"text among wins", through(winsBy(WinFilter{Text: "x"}), win), "trivia_wins_newest"},
		{"text among events", through(eventsBy(EventFilter{Text: "x"}), event), "events_newest"},
		{"text among pushes", through(pushesBy(PushFilter{Text: "x"}, idSpan{}), push), "pushes_pkey"},
		{"new wins", arriving(s.ReadWins(), WinFilter{}, Mark{base: win, passed: late}, late), "trivia_wins_newest"},
		{"new deliveries", arriving(s.ReadDeliveries(), DeliveryFilter{}, Mark{base: newest, passed: late}, late), "deliveries_newest"},
		{"new deliveries, begun", arriving(s.ReadDeliveries(), DeliveryFilter{}, MarkAt(newest), late), "deliveries_newest"},
		{"new deliveries with text", arriving(s.ReadDeliveries(), text, Mark{base: newest, passed: late}, late), "deliveries_newest"},
		{"newly parked", arriving(s.ReadDeliveries(), parked, Mark{base: newest, passed: late}, late), "deliveries_parked"},
		{"new events", arriving(s.ReadEvents(), EventFilter{}, Mark{base: event, passed: late}, late), "events_newest"},
		{"new pushes", arriving(s.ReadPushes(), PushFilter{}, Mark{base: push, passed: int64(19000)}, int64(19500)), "pushes_pkey"},
		{"newly held pushes", arriving(s.ReadPushes(), PushFilter{State: trivia.PushHeld}, Mark{passed: int64(19000)}, int64(19500)), "pushes_stuck"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			sql, args, err := tt.sql()
			if err != nil {
				t.Fatal(err)
			}
			plan := s.planOf(t, sql, args)
			if !strings.Contains(plan, tt.index) {
				t.Errorf("the plan does not use %s:\n%s", tt.index, plan)
			}
			if strings.Contains(plan, "Seq Scan") {
				t.Errorf("the plan reads a whole table:\n%s", plan)
			}
		})
	}
}

// TestRowsAreReadAgainByTheirKeys holds reading again against the primary keys.
func TestRowsAreReadAgainByTheirKeys(t *testing.T) {
	t.Parallel()

	s := newFilled(t, manyRows...)
	rows := make([]DeliveryRow, 60)
	ids := make([]int64, 60)
	for i := range rows {
		rows[i] = DeliveryRow{Key: "key-77", Kind: trivia.KindWin}
		ids[i] = int64(i)
	}
	for index, plan := range map[string]string{
		"deliveries_pkey": s.planOf(t, deliveriesOf, namesOf(rows)...),
		"pushes_pkey":     s.planOf(t, pushesOf, ids),
	} {
		if !strings.Contains(plan, index) || strings.Contains(plan, "Seq Scan") {
			t.Errorf("the plan does not use only %s:\n%s", index, plan)
		}
	}
}

func upwards[T any](l listing[T], after Cursor) func() (string, pgx.NamedArgs, error) {
	return func() (string, pgx.NamedArgs, error) {
		q, err := l.query(after)
		if err != nil {
			return "", nil, err
		}
		q.oldest = true
		sql, args := q.text(100)

		return sql, args, nil
	}
}

func through[T any](l listing[T], after Cursor) func() (string, pgx.NamedArgs, error) {
	return func() (string, pgx.NamedArgs, error) {
		q, err := l.query(after)
		if err != nil {
			return "", nil, err
		}

		return q.through(), q.searching(100, 1000), nil
	}
}

func arriving[F, T any](r Reader[F, T], f F, since Mark, settled any) func() (string, pgx.NamedArgs, error) {
	return func() (string, pgx.NamedArgs, error) {
		one := r.(reader[F, T]) //nolint:forcetypeassert // all are
		l, err := one.listing(context.Background(), f)
		if err != nil {
			return "", nil, err
		}

		return one.arrivals(l, since, settled)
	}
}

func (s *Store) planOf(t *testing.T, sql string, args ...any) string {
	t.Helper()

	rows, err := s.pool.Query(t.Context(), "EXPLAIN "+sql, args...)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}

	return strings.Join(lines, "\n")
}
