package main

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/bqtest"
	"trivia/internal/config"
	"trivia/internal/pgtest"
	"trivia/internal/warehouse"
)

// into are the settings of a service that copies to a BigQuery.
func into(server *bqtest.Server) env {
	return env{config.WarehouseTo: "bigquery:test-project.d", config.WarehouseEndpoint: server.URL()}
}

// bigQuery returns one whose tables are there, and that lets rows come twice.
func bigQuery(t *testing.T) *bqtest.Server {
	t.Helper()

	server := bqtest.Start(t)
	server.NoDedupe()
	sink := warehouse.NewBigQuery(warehouse.BigQueryOptions{Project: "test-project", Dataset: "d", Endpoint: server.URL(), Location: "EU"})
	defer func() { _ = sink.Close() }()
	if _, err := sink.Init(t.Context()); err != nil {
		t.Fatal(err)
	}

	return server
}

// The service is killed again and again while it sends, and BigQuery is down
// now and then, even after it has taken what was sent. Nothing is missing in
// the views, and nothing is there twice.
func TestKill9LosesNothingOnTheWayToBigQuery(t *testing.T) {
	t.Parallel()

	server := bigQuery(t)
	db := prepare(t, pgtest.Durable(t).URL())
	settings := on(db.url).with(into(server))
	p := start(t, settings)
	load := startLoad(t, p.public)
	told := newSender(t, 1)
	events := documentedEvents(t)

	fifths := slices.Collect(slices.Chunk(events, len(events)/5+1))
	for i, some := range fifths {
		for _, e := range some {
			if a := told.tell(p.public, e.body); a.status != http.StatusOK {
				t.Errorf("event %s was answered %+v", e.id, a)
			}
		}
		seen := len(server.Calls(bqtest.InsertAll))
		if i%2 == 1 {
			server.Fail(bqtest.Fault{Method: bqtest.InsertAll, Times: 2, After: true, Cut: true})
		}
		wait(t, "rows are sent", func() bool { return len(server.Calls(bqtest.InsertAll)) > seen })
		p.kill(t)
		db.exec(t, `UPDATE warehouse_positions SET leased_until = now()`)
		p = start(t, settings)
		load.aim(p.public)
		load.await(t, "wins are taken again", sent.taken)
	}
	all := load.end()
	db.endLeases(t)
	db.checkPrizes(t, all)

	for table, want := range map[string]struct{ id, sql string }{
		"customerio_events": {"event_id", `SELECT event_id FROM events`},
		"trivia_wins":       {"win_id", `SELECT user_id || '/' || trivia_id FROM trivia_wins`},
	} {
		here := db.column(t, want.sql)
		there := func() []string { return slices.Sorted(maps.Keys(server.Latest("d", table, want.id))) }
		wait(t, "all of "+table+" has arrived", func() bool { return len(there()) >= len(here) })
		slices.Sort(here)
		if diff := cmp.Diff(here, there()); diff != "" {
			t.Errorf("%s in the view (-here +there):\n%s", table, diff)
		}
		t.Logf("%s: %d rows, sent as %d", table, len(here), len(server.Rows("d", table)))
	}
}

// A BigQuery that takes nothing is no reason to refuse a request, nor to start
// or stop late.
func TestIntakeDoesNotCareAboutTheWarehouse(t *testing.T) {
	t.Parallel()

	server := bigQuery(t)
	server.Fail(bqtest.Unavailable(bqtest.InsertAll, 0))
	db := newPostgres(t)
	p := start(t, on(db.url).with(into(server)))
	s := newSender(t, 1)
	for i := range 20 {
		w := nthWin(i)
		if a := s.win(p.public, w); a.status != http.StatusOK || a.Outcome != "awarded" {
			t.Fatalf("win %s was answered %+v", w.key, a)
		}
	}
	wait(t, "the warehouse is tried", func() bool { return len(server.Calls(bqtest.InsertAll)) > 0 })
	p.signal(t, syscall.SIGTERM)
	if code := p.exit(t); code != 0 {
		t.Errorf("the service ended with %d, want 0", code)
	}

	server.Heal() // and whoever comes next need not wait for the lease
	start(t, on(db.url).with(into(server)))
	wait(t, "all wins have arrived", func() bool { return len(server.Latest("d", "trivia_wins", "win_id")) == 20 })
	for id, row := range server.Latest("d", "trivia_wins", "win_id") {
		if id != fmt.Sprint(row["user_id"], "/", row["trivia_id"]) || row["item"] != "mug" {
			t.Errorf("win %s has come as %v", id, row)
		}
	}
}
