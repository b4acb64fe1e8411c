package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"

	"trivia/internal/store"
	"trivia/internal/trivia"
	"trivia/internal/waiting"
)

// allEvents reads all events behind a place, in pieces of so many rows.
func allEvents(t *testing.T, s *store.Store, after store.WarehousePlace, rows int) (ids []string, last store.WarehousePlace) {
	t.Helper()

	r := s.WarehouseReader(rows, 1<<20)
	for last = after; ; {
		events, err := r.Events(t.Context(), last, false)
		if err != nil {
			t.Fatal(err)
		}
		if len(events) == 0 {
			return ids, last
		}
		for _, e := range events {
			ids = append(ids, e.EventID)
		}
		last = events[len(events)-1].Place()
	}
}

func TestRowsAreReadInTheOrderOfTransactionsAndNoneIsMissed(t *testing.T) {
	t.Parallel()

	b := newBench(t, store.IntakeOptions{})
	// One that began first, and commits last.
	slow, err := pgx.Connect(t.Context(), b.url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = slow.Close(t.Context()) }()
	tx, err := slow.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `INSERT INTO events (event_id, object_type, metric, received_at) VALUES ('slow', 'email', 'sent', '2026-01-01Z')`); err != nil {
		t.Fatal(err)
	}
	b.take(t, event("e2", "email", "sent"), event("e1", "email", "sent"), event("e3", "email", "sent"))

	if ids, _ := allEvents(t, b.Store, store.WarehousePlace{}, 10); len(ids) != 0 {
		t.Errorf("read %q, though a transaction from before is still under way", ids)
	}
	if w, err := b.OldestWriter(t.Context()); err != nil || w.PID == 0 {
		t.Errorf("OldestWriter = %+v, %v", w, err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	wait := func(want ...string) (last store.WarehousePlace) {
		t.Helper()
		waiting.For(t, fmt.Sprintf("%q", want), func() (is bool) { // other tests' transactions are under way, too
			var ids []string
			ids, last = allEvents(t, b.Store, store.WarehousePlace{}, 2)

			return cmp.Equal(ids, want)
		})

		return last
	}
	last := wait("slow", "e1", "e2", "e3")

	// What was pending is recorded later, as of when it came.
	b.exec(t, `INSERT INTO events (event_id, object_type, metric, received_at) VALUES ('late', 'email', 'sent', '2020-01-01Z')`)
	wait("slow", "e1", "e2", "e3", "late")
	if ids, _ := allEvents(t, b.Store, last, 2); !cmp.Equal(ids, []string{"late"}) {
		t.Errorf("behind what was read came %q, want late", ids)
	}
}

func TestAnEventIsReadWithEverything(t *testing.T) {
	t.Parallel()

	b := newBench(t, store.IntakeOptions{})
	full := event("full", "email", "clicked")
	full.Event = trivia.Event{
		ObjectType: "email", Metric: "clicked", At: noon.Add(-time.Minute), Person: "ann", CustomerID: "ann", Email: "ann@example.com", CioID: "a1",
		DeliveryID: "d", Campaign: "1", Broadcast: "2", Newsletter: "3", Action: "4", Transactional: "5", Template: "6",
		Link: "7", Href: "https://example.com/", Response: "trivia/capitals/paris", Failure: "none",
		Machine: true, Prefetched: true, Proxied: true, Synthetic: true,
	}
	bare := event("bare", "", "sent")
	bare.Event.At = time.Time{}
	bare.At = noon.Add(-time.Hour)
	b.take(t, full, bare)
	b.exec(t, `INSERT INTO events (event_id, object_type, metric, received_at, written) VALUES ('gone', 'sms', 'sent', '2026-05-05Z', '1')`)
	b.exec(t, `UPDATE events SET written = '2' WHERE event_id <> 'gone'`)

	got, err := b.WarehouseReader(10, 1<<20).Events(t.Context(), store.WarehousePlace{}, false)
	if err != nil {
		t.Fatal(err)
	}
	at, p := noon.Add(-time.Minute), func(word string) *string { return &word }
	want := []store.WarehouseEvent{
		{EventID: "gone", ObjectType: "sms", Metric: "sent", ReceivedAt: time.Date(2026, 5, 5, 0, 0, 0, 0, time.UTC), Written: 1},
		{EventID: "bare", Metric: "sent", ReceivedAt: noon.Add(-time.Hour), Payload: string(bare.Body), Written: 2},
		{
			EventID: "full", ObjectType: "email", Metric: "clicked", Timestamp: &at, ReceivedAt: noon,
			CustomerID: p("ann"), EmailAddress: p("ann@example.com"), CioID: p("a1"), Person: p("ann"),
			DeliveryID: p("d"), CampaignID: p("1"), BroadcastID: p("2"), NewsletterID: p("3"), ActionID: p("4"), TransactionalID: p("5"), TemplateID: p("6"),
			LinkID: p("7"), Href: p("https://example.com/"), TrackedResponse: p("trivia/capitals/paris"), FailureMessage: p("none"),
			Machine: true, Prefetched: true, Proxied: true, Synthetic: true, Payload: string(full.Body), Written: 2,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Events (-want +got):\n%s", diff)
	}

	since := store.WarehousePlace{At: noon.Add(-2 * time.Hour)}
	got, err = b.WarehouseReader(10, 1<<20).EventsReceived(t.Context(), since, noon.Add(time.Second))
	if err != nil || len(got) != 2 || got[0].EventID != "bare" || got[1].EventID != "full" {
		t.Errorf("EventsReceived = %+v, %v", got, err)
	}
}

func TestAPieceEndsWithManyRowsOrBytes(t *testing.T) {
	t.Parallel()

	b := newBench(t, store.IntakeOptions{})
	b.exec(t, `INSERT INTO deliveries (key, kind, body, body_sha256, state, outcome, received_at, last_seen_at, settled_at)
		SELECT 'e' || i, 'event', convert_to(repeat('x', 20000), 'UTF8'), '', 'done', 'recorded', now(), now(), now() FROM generate_series(10, 99) AS i`)
	b.exec(t, `INSERT INTO events (event_id, object_type, metric, received_at, written) SELECT 'e' || i, 'email', 'sent', now(), '1' FROM generate_series(10, 99) AS i`)

	for _, tt := range []struct {
		rows, bytes int
		want        []int
	}{
		{40, 10 << 20, []int{40, 40, 10}},
		{90, 10 << 20, []int{90}},
		{80, 100_000, []int{5, 5, 5}},
		{80, 1, []int{1, 1}},
	} {
		r, last := b.WarehouseReader(tt.rows, tt.bytes), store.WarehousePlace{}
		for i, want := range tt.want {
			got, err := r.Events(t.Context(), last, false)
			if err != nil || len(got) != want {
				t.Fatalf("piece %d of %d rows and %d bytes has %d rows, %v, want %d", i, tt.rows, tt.bytes, len(got), err, want)
			}
			last = got[want-1].Place()
		}
	}
}

const aWarehouse = "files:/srv/warehouse"

func claimWarehouse(t *testing.T, s *store.Store) *store.WarehouseLease {
	t.Helper()

	l, err := s.ClaimWarehouse(t.Context(), aWarehouse, store.WarehouseEvents, time.Minute)
	if err != nil {
		t.Fatal(err)
	}

	return l
}

func TestOneProcessAtATimeSendsToAWarehouse(t *testing.T) {
	t.Parallel()

	b := newBench(t, store.IntakeOptions{})
	first := claimWarehouse(t, b.Store)
	if first.Turn != 1 || first.Anew || first.Place != (store.WarehousePlace{}) {
		t.Errorf("the first lease is %+v", first)
	}
	if _, err := b.ClaimWarehouse(t.Context(), aWarehouse, store.WarehouseEvents, time.Minute); !errors.Is(err, store.ErrWarehouseHeld) {
		t.Errorf("ClaimWarehouse of what is held = %v, want ErrWarehouseHeld", err)
	}
	for _, other := range []struct {
		sink  string
		table store.WarehouseTable
	}{{aWarehouse, store.WarehouseWins}, {"bigquery:a.b", store.WarehouseEvents}} {
		if _, err := b.ClaimWarehouse(t.Context(), other.sink, other.table, time.Minute); err != nil {
			t.Errorf("ClaimWarehouse(%s, %s) = %v", other.sink, other.table, err)
		}
	}
	if err := b.KeepWarehouse(t.Context(), first, time.Minute); err != nil {
		t.Errorf("KeepWarehouse = %v", err)
	}

	b.exec(t, `UPDATE warehouse_positions SET leased_until = now()`)
	second := claimWarehouse(t, b.Store)
	if second.Turn != 2 {
		t.Errorf("the second turn is %d", second.Turn)
	}
	sent := store.WarehouseSent{Rows: 3, Last: store.WarehousePlace{Written: 5, At: noon, Key: "e"}}
	for what, err := range map[string]error{
		"KeepWarehouse":   b.KeepWarehouse(t.Context(), first, time.Minute),
		"SentWarehouse":   b.SentWarehouse(t.Context(), first, sent, time.Minute),
		"FailedWarehouse": b.FailedWarehouse(t.Context(), first, "why", time.Minute),
	} {
		if !errors.Is(err, store.ErrWarehouseHeld) {
			t.Errorf("%s behind another's back = %v, want ErrWarehouseHeld", what, err)
		}
	}
	b.want(t, `SELECT sent, turn, error FROM warehouse_positions WHERE sink = '`+aWarehouse+`' AND what = 'customerio_events'`, "0 2 <nil>")

	if err := b.KeepWarehouse(t.Context(), second, 0); err != nil {
		t.Errorf("giving it back = %v", err)
	}
	if third := claimWarehouse(t, b.Store); third.Turn != 3 {
		t.Errorf("the third turn is %d", third.Turn)
	}
}

func TestAPositionAndRefusedRowsAreKept(t *testing.T) {
	t.Parallel()

	b := newBench(t, store.IntakeOptions{})
	l := claimWarehouse(t, b.Store)
	if err := b.FailedWarehouse(t.Context(), l, "the sky\x00 is down", time.Minute); err != nil {
		t.Fatal(err)
	}
	b.want(t, `SELECT error, error_since IS NOT NULL FROM warehouse_positions`, "the sky is down true")
	sent := store.WarehouseSent{
		Rows: 3, Last: store.WarehousePlace{Written: 5, At: noon, Key: "e3"},
		Refused: []store.WarehouseRefusal{{Key: "e1", Reason: "too\x00 long"}, {Key: "e1", Reason: "twice"}, {Key: "e2", Reason: "odd"}},
	}
	if err := b.SentWarehouse(t.Context(), l, sent, time.Minute); err != nil {
		t.Fatal(err)
	}
	ahead := store.WarehouseSent{Rows: 1, Last: store.WarehousePlace{Written: 1 << 60, At: noon, Key: "a"}, Ahead: true}
	if err := b.SentWarehouse(t.Context(), l, ahead, 0); err != nil {
		t.Fatal(err)
	}
	b.want(t, `SELECT sent, refused, error FROM warehouse_positions`, "4 3 <nil>")
	b.want(t, `SELECT sink, what, key, key2, reason FROM warehouse_refused ORDER BY key`,
		aWarehouse+" customerio_events e1  too long", aWarehouse+" customerio_events e2  odd")
	b.exec(t, `UPDATE warehouse_positions SET written = '5'`)
	if again := claimWarehouse(t, b.Store); again.Place != sent.Last || again.Ahead != ahead.Last || again.Anew {
		t.Errorf("the next one goes on from %+v and %+v, anew %t, want %+v and %+v", again.Place, again.Ahead, again.Anew, sent.Last, ahead.Last)
	}
}

// A copy of a database has the numbers of another server's transactions.
func TestInACopyOfTheDatabaseAllIsSentAgainAndNothingIsMissed(t *testing.T) {
	t.Parallel()

	const far = 1 << 50
	for _, how := range []struct{ name, sql string }{
		{"another server", `UPDATE warehouse_positions SET cluster = 'another'`},
		{"a server that has not counted so far", fmt.Sprintf(`UPDATE warehouse_positions SET written = '%d'`, far)},
	} {
		t.Run(how.name, func(t *testing.T) {
			t.Parallel()

			b := newBench(t, store.IntakeOptions{})
			b.exec(t, `INSERT INTO events (event_id, object_type, metric, received_at, written)
				SELECT 'e' || i, 'email', 'sent', '2026-05-04 12:00Z', w::text::xid8 FROM (VALUES (1, 3), (2, 1::bigint << 50), (3, (1::bigint << 50) + 1)) AS v (i, w)`)
			l := claimWarehouse(t, b.Store)
			sent := store.WarehouseSent{Rows: 2, Last: store.WarehousePlace{Written: 5, At: noon, Key: "e"}}
			if err := b.SentWarehouse(t.Context(), l, sent, 0); err != nil {
				t.Fatal(err)
			}
			b.exec(t, how.sql)

			l = claimWarehouse(t, b.Store)
			if !l.Anew || l.Place != (store.WarehousePlace{}) {
				t.Fatalf("the lease is %+v, want one that begins anew", l)
			}
			r := b.WarehouseReader(1, 1<<20)
			known, err := r.Events(t.Context(), l.Place, false)
			if err != nil || len(known) != 1 || known[0].EventID != "e1" {
				t.Errorf("Events = %+v, %v, want e1", known, err)
			}
			var ahead []string
			for at := l.Ahead; ; {
				rows, err := r.Events(t.Context(), at, true)
				if err != nil {
					t.Fatal(err)
				}
				if len(rows) == 0 {
					break
				}
				ahead, at = append(ahead, rows[0].EventID), rows[0].Place()
			}
			if !cmp.Equal(ahead, []string{"e2", "e3"}) {
				t.Errorf("ahead of the server are %q, want e2 and e3", ahead)
			}

			// What was sent of it waits no more, and may go.
			waits := func(want int64) {
				t.Helper()
				states, err := b.Warehouses(t.Context())
				if err != nil || len(states) != 1 || states[0].Waiting != want {
					t.Errorf("Warehouses = %+v, %v, want %d that wait", states, err, want)
				}
				count, err := b.CountPrune(t.Context(), store.PruneSpan{What: store.PruneEvents, Before: noon.AddDate(0, 1, 0)})
				if err != nil || int64(count.Waits) != want || int64(count.Rows) != 3-want {
					t.Errorf("CountPrune = %+v, %v, want %d that wait", count, err, want)
				}
			}
			waits(3)
			for i, s := range []store.WarehouseSent{
				{Rows: 1, Last: store.WarehousePlace{Written: far, At: noon, Key: "e2"}, Ahead: true},
				{Rows: 1, Last: store.WarehousePlace{Written: 3, At: noon, Key: "e1"}},
				{Rows: 1, Last: store.WarehousePlace{Written: far + 1, At: noon, Key: "e3"}, Ahead: true},
			} {
				if err := b.SentWarehouse(t.Context(), l, s, time.Minute); err != nil {
					t.Fatal(err)
				}
				waits(int64(2 - i))
			}
		})
	}
}

func TestWhatAWarehouseWasNotSentIsNotPruned(t *testing.T) {
	t.Parallel()

	b := newBench(t, store.IntakeOptions{})
	b.exec(t, `
		INSERT INTO deliveries (key, kind, body, body_sha256, state, outcome, received_at, last_seen_at, settled_at)
		SELECT 'e' || i, 'event', '{}', '', 'done', 'recorded', t, t, t FROM generate_series(1, 6) AS i, LATERAL (SELECT '2026-01-01Z'::timestamptz + i * interval '1 day') AS x (t)`)
	b.exec(t, `
		INSERT INTO events (event_id, object_type, metric, received_at, written)
		SELECT key, 'email', 'sent', received_at, '1' FROM deliveries`)
	b.exec(t, `INSERT INTO trivias (trivia_id, closed_at) VALUES ('t', '2026-01-01Z')`)
	b.exec(t, `INSERT INTO trivia_wins (user_id, trivia_id, item, delivery_key, won_at, written) SELECT 'u' || i, 't', 'mug', 'k', '2026-01-01Z'::timestamptz + i * interval '1 day', '1' FROM generate_series(1, 4) AS i`)
	// One warehouse has two events and three wins, another four events.
	for _, sql := range []string{
		`INSERT INTO warehouse_positions (sink, what, cluster, written, at, key) SELECT 'one', 'customerio_events', '', written, received_at, event_id FROM events WHERE event_id = 'e2'`,
		`INSERT INTO warehouse_positions (sink, what, cluster, written, at, key) SELECT 'two', 'customerio_events', '', written, received_at, event_id FROM events WHERE event_id = 'e4'`,
		`INSERT INTO warehouse_positions (sink, what, cluster, written, at, key, key2) SELECT 'one', 'trivia_wins', '', written, won_at, user_id, trivia_id FROM trivia_wins WHERE user_id = 'u3'`,
	} {
		b.exec(t, sql)
	}
	before := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	prune := func(what store.Prunable) (gone, waits int) {
		t.Helper()
		span := store.PruneSpan{What: what, Before: before, EventsStay: true}
		count, err := b.CountPrune(t.Context(), span)
		if err != nil {
			t.Fatal(err)
		}
		err = b.Act(t.Context(), func(act *store.Act) (store.Deed, error) {
			step, err := act.Prune(t.Context(), span, store.PrunePlace{}, 100)
			gone = step.Gone

			return store.Deed{}, err
		})
		if err != nil || gone != count.Rows {
			t.Errorf("pruning %s: %d rows went, %v; it was to be %d", what, gone, err, count.Rows)
		}

		return gone, count.Waits
	}
	if gone, waits := prune(store.PruneBodies); gone != 2 || waits != 4 {
		t.Errorf("%d bodies went and %d wait, want 2 and 4", gone, waits)
	}
	b.want(t, `SELECT key FROM deliveries WHERE body <> '' ORDER BY key`, "e3", "e4", "e5", "e6")
	if gone, waits := prune(store.PruneEvents); gone != 2 || waits != 4 {
		t.Errorf("%d events went and %d wait, want 2 and 4", gone, waits)
	}
	if gone, _ := prune(store.PruneDeliveries); gone != 2 {
		t.Errorf("%d deliveries went, want those of the events that went", gone)
	}
	b.want(t, `SELECT event_id FROM events ORDER BY 1`, "e3", "e4", "e5", "e6")

	count, err := b.CountPruneWins(t.Context(), "t", before)
	if err != nil || count.Wins != 3 || count.Untold != 1 {
		t.Errorf("CountPruneWins = %+v, %v, want 3 and 1 that stays", count, err)
	}
	err = b.Act(t.Context(), func(act *store.Act) (store.Deed, error) {
		_, err := act.PruneWins(t.Context(), "t", before, store.PrunePlace{}, 100)

		return store.Deed{}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	b.want(t, `SELECT user_id FROM trivia_wins`, "u4")

	// Without the warehouse that lags, its rows may go.
	b.exec(t, `DELETE FROM warehouse_positions WHERE sink = 'one'`)
	if gone, waits := prune(store.PruneEvents); gone != 2 || waits != 2 {
		t.Errorf("then %d events went and %d wait, want 2 and 2", gone, waits)
	}
}

func TestWarehousesSayHowFarTheyAre(t *testing.T) {
	t.Parallel()

	b := newBench(t, store.IntakeOptions{})
	b.exec(t, `INSERT INTO events (event_id, object_type, metric, received_at, written) SELECT 'e' || i, 'email', 'sent', '2026-05-04 12:00Z'::timestamptz + i * interval '1 s', '1' FROM generate_series(1, 5) AS i`)
	l := claimWarehouse(t, b.Store)
	sent := store.WarehouseSent{Rows: 2, Last: store.WarehousePlace{Written: 1, At: noon.Add(2 * time.Second), Key: "e2"}}
	if err := b.SentWarehouse(t.Context(), l, sent, time.Minute); err != nil {
		t.Fatal(err)
	}
	if _, err := b.ClaimWarehouse(t.Context(), aWarehouse, store.WarehouseWins, 0); err != nil {
		t.Fatal(err)
	}
	got, err := b.Warehouses(t.Context())
	want := []store.WarehouseState{
		{Sink: aWarehouse, Table: store.WarehouseEvents, Sent: 2, LastRow: noon.Add(2 * time.Second), Held: true, Waiting: 3, Oldest: noon.Add(3 * time.Second)},
		{Sink: aWarehouse, Table: store.WarehouseWins},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(store.WarehouseState{}, "Begun", "LastSent"), cmpopts.EquateApproxTime(0)); diff != "" || err != nil {
		t.Errorf("Warehouses, %v (-want +got):\n%s", err, diff)
	}
	lag, err := b.WarehouseLag(t.Context())
	if err != nil || lag[0].Waiting != 1 || !lag[0].Oldest.Equal(noon.Add(3*time.Second)) {
		t.Errorf("WarehouseLag = %+v, %v", lag, err)
	}
	if names, err := b.WarehousesSent(t.Context()); err != nil || strings.Join(names, " ") != aWarehouse {
		t.Errorf("WarehousesSent = %q, %v", names, err)
	}
}
