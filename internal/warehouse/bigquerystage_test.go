package warehouse_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	bq "google.golang.org/api/bigquery/v2"

	"trivia/internal/bqtest"
	"trivia/internal/warehouse"
)

// withTables returns a BigQuery whose tables are there, and a database.
func withTables(t *testing.T) (*bqtest.Server, *bench) {
	t.Helper()

	server, _ := ready(t)

	return server, newBench(t)
}

// wantLatest compares what the views show.
func wantLatest(t *testing.T, server *bqtest.Server, events, wins []string) {
	t.Helper()

	for table, want := range map[warehouse.Table][]string{warehouse.Events: events, warehouse.Wins: wins} {
		id := map[warehouse.Table]string{warehouse.Events: "event_id", warehouse.Wins: "win_id"}[table]
		wantIDs(t, string(table)+" in the view", slices.Sorted(maps.Keys(server.Latest("d", string(table), id))), want)
	}
}

// stepAll is step, as soon as all that was written can be read.
func (b *bench) stepAll(t *testing.T, st *warehouse.Stage) int {
	t.Helper()
	b.settle(t)

	return step(t, st)
}

func TestTheStageSendsToBigQueryAtOnce(t *testing.T) {
	t.Parallel()

	server, b := withTables(t)
	b.events(t, 1, 700)
	b.wins(t, 3)
	st := b.stage(t, connect(t, server))
	if n := b.stepAll(t, st); n != 703 {
		t.Errorf("a step has sent %d rows, want 703 without waiting for more", n)
	}
	wantLatest(t, server, numbered("e%d", 1, 700), numbered("w%d/capitals", 1, 3))
	row := server.Latest("d", events, "event_id")["e2"]
	if row["payload"] != `{"event_id":"e2","metric":"clicked"}` || row["campaign_id"] != "k7" || row["received_at"] != "2026-05-04T12:00:02Z" {
		t.Errorf("a row is %v", row)
	}
	b.want(t, `SELECT sink || ' ' || what || ' ' || sent || ' ' || refused FROM warehouse_positions ORDER BY what`,
		"bigquery:test-project.d customerio_events 700 0", "bigquery:test-project.d trivia_wins 3 0")
}

func TestAfterACrashABatchComesAgainAndVanishes(t *testing.T) {
	t.Parallel()

	server, b := withTables(t)
	server.NoDedupe()
	b.events(t, 1, 100)
	// It arrives, but who sent it never learns of it, and is no more.
	server.Fail(bqtest.Fault{Method: bqtest.InsertAll, Times: 1, After: true, Cut: true})
	if n := b.stepAll(t, b.stage(t, connect(t, server))); n != 0 {
		t.Errorf("a step has sent %d rows", n)
	}
	b.endLeases(t)

	b.events(t, 101, 150)
	b.stepAll(t, b.stage(t, connect(t, server)))
	if n := len(server.Rows("d", events)); n != 250 {
		t.Errorf("%d rows are there, want 100 twice and 50 once", n)
	}
	wantLatest(t, server, numbered("e%d", 1, 150), nil)
}

func TestQuotaHoldsUpTheStageAndLosesNothing(t *testing.T) {
	t.Parallel()

	server, b := withTables(t)
	b.events(t, 1, 20)
	server.Fail(bqtest.Quota(bqtest.InsertAll, 0))
	st := b.stage(t, connect(t, server))
	for range 3 {
		if n := b.stepAll(t, st); n != 0 {
			t.Errorf("a step has sent %d rows", n)
		}
		b.pass(5 * time.Minute)
	}
	if n := b.logged("the warehouse takes nothing"); n != 1 {
		t.Errorf("that is said %d times, want once", n)
	}
	b.scraped(t, `trivia_warehouse_up{sink="bigquery:test-project.d"} 0`)
	b.want(t, `SELECT error FROM warehouse_positions WHERE error IS NOT NULL`,
		"stream rows into test-project.d.customerio_events: BigQuery answers 403 quotaExceeded: Quota exceeded: Your table exceeded quota for streaming insert bytes.")

	server.Heal()
	b.stepAll(t, st)
	wantLatest(t, server, numbered("e%d", 1, 20), nil)
	b.scraped(t, `trivia_warehouse_up{sink="bigquery:test-project.d"} 1`)
	b.want(t, `SELECT error FROM warehouse_positions WHERE error IS NOT NULL`)
}

func TestRefusedRowsAreSetAside(t *testing.T) {
	t.Parallel()

	server, b := withTables(t)
	server.Judge(func(_, id string, _ bqtest.Row) *bq.ErrorProto {
		if id == "e7" || id == "w2/capitals" {
			return &bq.ErrorProto{Reason: "invalid", Location: "x", Message: "odd"}
		}

		return nil
	})
	b.events(t, 1, 10)
	b.wins(t, 2)
	st := b.stage(t, connect(t, server))
	b.stepAll(t, st)
	b.want(t, `SELECT concat_ws(' ', sink, what, key, key2, reason) FROM warehouse_refused ORDER BY what`,
		"bigquery:test-project.d customerio_events e7  invalid x: odd", "bigquery:test-project.d trivia_wins w2 capitals invalid x: odd")
	b.events(t, 11, 12)
	b.stepAll(t, st)
	if got := len(server.Latest("d", events, "event_id")); got != 11 {
		t.Errorf("%d events are there, want 11: a refused one holds up nobody", got)
	}

	// What was wrong is mended: once more, and they are refused no longer.
	server.Heal()
	done, err := b.backfill(t, connect(t, server)).Run(t.Context())
	if err != nil || done.Rows[warehouse.Events] != 12 || done.Rows[warehouse.Wins] != 2 || done.Refused != 0 {
		t.Errorf("Run = %+v, %v", done, err)
	}
	wantLatest(t, server, numbered("e%d", 1, 12), numbered("w%d/capitals", 1, 2))
	b.want(t, `SELECT key FROM warehouse_refused`)
}

// backfill is one of all that there is.
func (b *bench) backfill(tb testing.TB, sink warehouse.Sink) warehouse.Backfill {
	tb.Helper()
	since, err := time.Parse("2006-01-02 15:04Z", noon)
	if err != nil {
		tb.Fatal(err)
	}

	return warehouse.Backfill{
		Store: b.openStore(tb), Sink: sink, Tables: warehouse.Tables(), Since: since, Until: since.AddDate(1, 0, 0), Begun: b.now(),
	}
}

func TestEveryBatchMayFailAndEveryRowArrives(t *testing.T) {
	t.Parallel()

	server, b := withTables(t)
	server.NoDedupe()
	faults := []bqtest.Fault{
		{Cut: true},
		{Cut: true, After: true},
		{Code: 500, Page: "<html>"},
		{Code: 503, After: true, Reason: "backendError"},
		{Code: 403, Reason: "quotaExceeded", Message: "Quota exceeded"},
		{Code: 429},
		{Code: 404, Reason: "notFound"},
		{Code: 401, After: true},
	}
	st := b.stage(t, connect(t, server, hurried))
	for i, fault := range faults {
		fault.Method, fault.Times = bqtest.InsertAll, 1
		server.Fail(fault)
		b.events(t, i*100, i*100+99)
		b.pass(5 * time.Minute)
		b.stepAll(t, st)
		if i%3 == 2 { // and now and then another process takes over
			b.endLeases(t)
			st = b.stage(t, connect(t, server, hurried))
		}
	}
	server.Heal()
	for range 3 {
		b.pass(5 * time.Minute)
		b.stepAll(t, st)
	}
	wantLatest(t, server, numbered("e%d", 0, len(faults)*100-1), nil)
}

func TestABackfillGoesOnWhereItWasStopped(t *testing.T) {
	t.Parallel()

	server, b := withTables(t)
	b.events(t, 1, 6000)
	b.wins(t, 4)
	sink := connect(t, server)
	fill := b.backfill(t, sink)
	server.Fail(bqtest.Fault{Method: bqtest.InsertAll, Having: `"e5500"`, Code: 403, Reason: "quotaExceeded"})
	first, err := fill.Run(t.Context())
	if err == nil || first.Rows[warehouse.Events] != 5000 || first.Last == "" {
		t.Fatalf("Run = %+v, %v, want it to stop after 5000", first, err)
	}

	server.Heal()
	fill.After = first.Last
	var told []string
	fill.Progress = func(table warehouse.Table, rows int) { told = append(told, fmt.Sprint(table, " ", rows)) }
	second, err := fill.Run(t.Context())
	if err != nil || second.Rows[warehouse.Events] != 1000 || second.Rows[warehouse.Wins] != 4 {
		t.Errorf("Run = %+v, %v, want the rest", second, err)
	}
	if got := strings.Join(told, ", "); got != "customerio_events 1000, trivia_wins 4" {
		t.Errorf("progress is told as %q", got)
	}
	wantLatest(t, server, numbered("e%d", 1, 6000), numbered("w%d/capitals", 1, 4))
	b.want(t, `SELECT sink FROM warehouse_positions`) // the stage's place is none of its business

	// Behind the last win, there is nothing left of events either.
	fill.After = second.Last
	if third, err := fill.Run(t.Context()); err != nil || third.Rows[warehouse.Events]+third.Rows[warehouse.Wins] != 0 || third.Last != second.Last {
		t.Errorf("Run = %+v, %v, want nothing to do", third, err)
	}
}

func TestABackfillTriesAgain(t *testing.T) {
	t.Parallel()

	server, b := withTables(t)
	b.events(t, 1, 10)
	server.Fail(bqtest.Quota(bqtest.InsertAll, 2))
	fill := b.backfill(t, connect(t, server))
	var asked []int
	fill.Again = func(attempt int, _ error) (time.Duration, bool) {
		asked = append(asked, attempt)

		return time.Millisecond, attempt < 3
	}
	if done, err := fill.Run(t.Context()); err != nil || done.Rows[warehouse.Events] != 10 || len(asked) != 2 {
		t.Errorf("Run = %+v, %v, asked %v", done, err, asked)
	}

	server.Fail(bqtest.Quota(bqtest.InsertAll, 0))
	asked = nil
	if _, err := fill.Run(t.Context()); err == nil || fmt.Sprint(asked) != "[1 2 3]" {
		t.Errorf("Run = %v, asked %v, want it to give up", err, asked)
	}
}

func TestABackfillOfFilesLeavesOthersAlone(t *testing.T) {
	t.Parallel()

	b, dir := newBench(t), t.TempDir()
	b.events(t, 1, 300)
	st := b.stage(t, openFiles(t, dir, "parquet"))
	b.send(t, st)
	before := files(t, dir, events)
	for i := range 2 {
		fill := b.backfill(t, openFiles(t, dir, "parquet"))
		fill.Begun = fill.Begun.Add(time.Duration(i) * time.Millisecond)
		if done, err := fill.Run(t.Context()); err != nil || done.Rows[warehouse.Events] != 300 {
			t.Fatalf("Run = %+v, %v", done, err)
		}
	}
	after := files(t, dir, events)
	if len(after) != len(before)+2 {
		t.Errorf("files were %q, and are %q; want two more", before, after)
	}
	if got := len(inParquet(t, dir, events)); got != 900 {
		t.Errorf("%d rows are there, want each three times", got)
	}

	// The stage goes on as if nothing had been.
	b.events(t, 301, 310)
	b.send(t, st)
	if got := len(inParquet(t, dir, events)); got != 910 {
		t.Errorf("%d rows are there, want 910", got)
	}
	counts, err := st.Sink.(warehouse.Counter).CountDays(t.Context(), warehouse.Events, midday().AddDate(-1, 0, 0), midday())
	if err != nil || counts["2026-05-04"] != 310 {
		t.Errorf("CountDays = %v, %v, want each once", counts, err)
	}
}

func TestDaysAreComparedWithWhatShouldBeThere(t *testing.T) {
	t.Parallel()

	server, b := withTables(t)
	server.Judge(func(_, id string, _ bqtest.Row) *bq.ErrorProto {
		if id == "e3" {
			return &bq.ErrorProto{Reason: "invalid", Message: "odd", Location: "x"}
		}

		return nil
	})
	b.events(t, 1, 10)
	sink := connect(t, server)
	b.stepAll(t, b.stage(t, sink))
	b.events(t, 11, 14)             // wait
	b.events(t, 86_400*3, 86_400*3) // another day
	b.exec(t, `DELETE FROM events WHERE event_id = 'e1'`)

	verify := func() (days []warehouse.Day) {
		since, until := midday().AddDate(-1, 0, 0), midday().AddDate(1, 0, 0)
		for _, table := range warehouse.Tables() {
			here, err := b.openStore(t).WarehouseDays(t.Context(), sink.Name(), table, since, until)
			if err != nil {
				t.Fatal(err)
			}
			there, err := sink.CountDays(t.Context(), table, since, until)
			if err != nil {
				t.Fatal(err)
			}
			days = append(days, warehouse.Compare(table, here, there)...)
		}

		return days
	}
	say := func(days []warehouse.Day) (said []string) {
		for _, d := range days {
			said = append(said, fmt.Sprint(d.Day, " ", d.Table, " ", d.Rows, "-", d.Waiting, "-", d.Refused, " ", d.There, " ", d.Missing()))
		}

		return said
	}
	wantIDs(t, "days", say(verify()), []string{"2026-05-04 customerio_events 13-4-1 9 -1", "2026-05-07 customerio_events 1-1-0 0 0"})

	// Somebody empties the table.
	server.Heal()
	server.Truncate("d", events)
	wantIDs(t, "days", say(verify()), []string{"2026-05-04 customerio_events 13-4-1 0 8", "2026-05-07 customerio_events 1-1-0 0 0"})
	if _, err := b.backfill(t, sink).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantIDs(t, "days", say(verify()), []string{"2026-05-04 customerio_events 13-4-0 13 -4", "2026-05-07 customerio_events 1-1-0 1 -1"})
}
