package ctl

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/bqtest"
	"trivia/internal/operator"
	"trivia/internal/store"
)

// A warehouseFake is the part of a [fake] that is about warehouses.
type warehouseFake struct {
	warehouses []store.WarehouseState
	writer     store.Writer
	refused    []store.WarehouseRefused
	leaveErr   error

	refusedFilter store.WarehouseRefusedFilter
	left, leftWhy string
}

func (f *warehouseFake) Warehouses(context.Context) ([]store.WarehouseState, error) {
	return f.warehouses, nil
}

func (f *warehouseFake) OldestWriter(context.Context) (store.Writer, error) {
	if f.writer.PID == 0 {
		return f.writer, store.ErrNotFound
	}

	return f.writer, nil
}

func (f *warehouseFake) ListRefused(_ context.Context, filter store.WarehouseRefusedFilter, page store.Page) iter.Seq2[store.WarehouseRefused, error] {
	f.refusedFilter = filter

	return pageOf(f.refused, page, nil)
}

func (f *warehouseFake) LeaveWarehouse(_ context.Context, sink, reason string) (int, error) {
	f.left, f.leftWhy = sink, reason

	return 2, f.leaveErr
}

const dataset = "bigquery:test-project.d"

func someWarehouses() []store.WarehouseState {
	return []store.WarehouseState{
		{
			Sink: dataset, Table: store.WarehouseEvents, Begun: noon.Add(-48 * time.Hour), Sent: 123_456, Refused: 2,
			LastRow: noon.Add(-3 * time.Minute), LastSent: noon.Add(-2 * time.Minute),
			Error: "BigQuery answers 403 quotaExceeded:\nQuota exceeded", ErrorSince: noon.Add(-90 * time.Second), Held: true,
			Waiting: 4321, Oldest: noon.Add(-3 * time.Minute),
		},
		{Sink: dataset, Table: store.WarehouseWins, Begun: noon.Add(-48 * time.Hour), Sent: 12, LastRow: noon.Add(-time.Hour), LastSent: noon.Add(-time.Hour), Held: true},
		{Sink: "files:/srv/old", Table: store.WarehouseEvents, Begun: noon.Add(-90 * 24 * time.Hour), Waiting: 100_000, Oldest: noon.Add(-89 * 24 * time.Hour)},
	}
}

func TestWarehousesSayHowFarTheyAre(t *testing.T) {
	t.Parallel()

	showAll(t, "warehouse-status", []string{"warehouse", "status"}, func(f *fake) { f.warehouses = someWarehouses() })
}

func TestAFailingWarehouseIsSaidAloud(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	st.env["TRIVIA_WAREHOUSE"] = dataset
	st.fake.warehouses = someWarehouses()
	st.fake.writer = store.Writer{PID: 42, Name: "psql", Since: noon.Add(-10 * time.Minute)}
	if code := st.call(t, "warehouse", "status"); code != 1 {
		t.Errorf("exits with %d, want 1", code)
	}
	want := `triviactl: customerio_events of bigquery:test-project.d: nothing is taken since 1m ago: BigQuery answers 403 quotaExceeded: Quota exceeded
triviactl: pruning waits for files:/srv/old, which nobody sends to: triviactl warehouse leave files:/srv/old ends that
triviactl: a transaction has been writing since 10m ago (process 42, psql): what came since is sent when it is over
`
	if diff := cmp.Diff(want, st.err.String()); diff != "" {
		t.Errorf("on stderr (-want +got):\n%s", diff)
	}

	st.fake.warehouses = someWarehouses()[1:2]
	st.want(t, []string{"warehouse", "status", "--output", "csv"}, 0,
		`sink,table,state,sent,refused,waiting,lag_seconds,last_row_at,last_sent_at,begun_at,error,error_since,configured
bigquery:test-project.d,trivia_wins,sending,12,0,0,0,2026-05-04T11:00:00.000000Z,2026-05-04T11:00:00.000000Z,2026-05-02T12:00:00.000000Z,,,true
`, "")
	st.fake.warehouses = nil
	st.want(t, []string{"warehouse", "status"}, 0, "",
		"triviactl: nothing was sent to bigquery:test-project.d yet; trivia-hook sends when it runs with the same TRIVIA_WAREHOUSE\n")
	st.env["TRIVIA_WAREHOUSE"] = "off"
	st.want(t, []string{"warehouse", "status", "--output", "json"}, 0, "[]\n",
		"triviactl: TRIVIA_WAREHOUSE is not set here: trivia-hook may know another\n")
}

func TestRefusedRowsAreListed(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	st.fake.refused = []store.WarehouseRefused{
		{Sink: dataset, Table: store.WarehouseEvents, Key: "01E4C4CT6YDC7Y5M7FE1GWWPQJ", Reason: "invalid metric: too odd", At: noon},
		{Sink: dataset, Table: store.WarehouseWins, Key: "demo-1", Key2: "capitals", Reason: "the row is too long", At: noon.Add(-time.Hour)},
	}
	st.want(t, []string{"warehouse", "refused", "--table", "trivia_wins", "--sink", dataset, "--since", "2h"}, 0,
		`REFUSED                      SINK                     TABLE              KEY                         KEY2      REASON
──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
2026-05-04T12:00:00.000000Z  bigquery:test-project.d  customerio_events  01E4C4CT6YDC7Y5M7FE1GWWPQJ            invalid metric: too odd
2026-05-04T11:00:00.000000Z  bigquery:test-project.d  trivia_wins        demo-1                      capitals  the row is too long
`, "")
	want := store.WarehouseRefusedFilter{Sink: dataset, Table: store.WarehouseWins, Since: noon.Add(-2 * time.Hour)}
	if diff := cmp.Diff(want, st.fake.refusedFilter); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAWarehouseIsLeft(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	st.want(t, []string{"warehouse", "leave", dataset}, 4, "",
		"triviactl: nothing was done: not confirmed\ntriviactl: hint: standard input is no terminal to ask at; --yes confirms\n")
	st.want(t, []string{"warehouse", "leave", dataset, "--yes", "--reason", "moved"}, 0,
		"bigquery:test-project.d is forgotten, with 2 rows that it refused\n", "")
	if st.fake.left != dataset || st.fake.leftWhy != "moved" {
		t.Errorf("left %q because %q", st.fake.left, st.fake.leftWhy)
	}
	st.fake.leaveErr = store.ErrWarehouseHeld
	if code := st.call(t, "warehouse", "leave", dataset, "--yes"); code != 1 || !strings.Contains(st.err.String(), "hint: stop trivia-hook") {
		t.Errorf("exits with %d and says %s", code, st.err.String())
	}
	st.fake.leaveErr = operator.ErrNotFound
	if code := st.call(t, "warehouse", "leave", dataset, "--yes"); code != 3 || !strings.Contains(st.err.String(), "warehouse status") {
		t.Errorf("exits with %d and says %s", code, st.err.String())
	}
}

func TestBigQueryIsInitialised(t *testing.T) {
	t.Parallel()

	server := bqtest.Start(t)
	st := newStage(t)
	st.env["TRIVIA_WAREHOUSE"], st.env["TRIVIA_WAREHOUSE_ENDPOINT"] = dataset, server.URL()
	st.want(t, []string{"warehouse", "init"}, 1, "",
		"triviactl: there is no dataset test-project.d: say where to create it, as in --location EU, for it cannot be moved later\n")
	done := `created dataset test-project.d in EU
created table test-project.d.customerio_events, partitioned by the day of received_at, clustered by metric, campaign_id, customer_id, delivery_id
created view test-project.d.customerio_events_latest
created table test-project.d.trivia_wins, partitioned by the day of won_at, clustered by trivia_id, user_id
created view test-project.d.trivia_wins_latest
`
	planned := strings.ReplaceAll("\n"+strings.TrimSuffix(done, "\n"), "\n", "\nnot done yet: ")[1:] + "\n"
	st.want(t, []string{"warehouse", "init", "--location", "EU", "--dry-run"}, 0, planned, "")
	st.want(t, []string{"warehouse", "init", "--location", "EU"}, 0, done, "")
	st.want(t, []string{"warehouse", "init"}, 0, "bigquery:test-project.d is ready: nothing to do\n", "")

	server.Fail(bqtest.Denied(bqtest.GetTable, 0))
	if code := st.call(t, "warehouse", "init"); code != 1 || !strings.Contains(st.err.String(), "the credentials need the roles") {
		t.Errorf("exits with %d and says %s", code, st.err.String())
	}
}

func TestWarehousesWantTheirWords(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct {
		set, words, want string
	}{
		{"off", "warehouse init", "TRIVIA_WAREHOUSE is not set"},
		{"off", "warehouse verify", "TRIVIA_WAREHOUSE is not set"},
		{"bigquery:d", "warehouse init", "TRIVIA_WAREHOUSE"},
		{dataset, "warehouse backfill", "wants --since"},
		{dataset, "warehouse backfill --since 2h --rate -1", "--rate is -1"},
		{dataset, "warehouse backfill --since 2h --after x", "not a cursor"},
		{dataset, "warehouse backfill --since 2h --until 3h", "is not before"},
		{dataset, "warehouse backfill --since 2h --table wins", "--table cannot be"},
		{dataset, "warehouse verify --table wins", "--table cannot be"},
		{dataset, "warehouse refused --table wins", "--table cannot be"},
		{dataset, "warehouse status --output yaml", "--output cannot be"},
		{dataset, "warehouse leave", "SINK"},
		{dataset, "warehouse", "wants one of"},
		{dataset, "warehouse init now", "now"},
	} {
		st := newStage(t)
		st.env["TRIVIA_WAREHOUSE"] = tt.set
		if code := st.call(t, strings.Fields(tt.words)...); code != 2 || !strings.Contains(st.err.String(), tt.want) {
			t.Errorf("triviactl %s exits with %d and says %q, want 2 and %q", tt.words, code, st.err.String(), tt.want)
		}
	}
}

func TestABackfillThatStoppedSaysHowToGoOn(t *testing.T) {
	t.Parallel()

	last := store.WarehousePlace{At: noon, Key: "e"}.Cursor(store.WarehouseEvents)
	r := operator.Refill{Tables: []store.WarehouseTable{store.WarehouseEvents}, Since: noon.Add(-time.Hour), Until: noon}
	want := "triviactl warehouse backfill --since 2026-05-04T11:00:00.000000Z --until 2026-05-04T12:00:00.000000Z" +
		" --table customerio_events --after " + string(last)
	if got := goOnFilling("triviactl warehouse backfill", r, last); got != want {
		t.Errorf("go on with\n%s\nwant\n%s", got, want)
	}
	if table, place, err := store.WarehousePlaceOf(last); err != nil || table != store.WarehouseEvents || !place.At.Equal(noon) || place.Key != "e" {
		t.Errorf("the cursor is read as %v, %v, %v", table, place, err)
	}
	if _, _, err := store.WarehousePlaceOf("x"); !errors.Is(err, store.ErrCursor) {
		t.Errorf("x is read as a cursor: %v", err)
	}
}
