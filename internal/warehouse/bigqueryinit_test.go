package warehouse_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/bqtest"
	"trivia/internal/warehouse"
)

func contextThatEnds(t *testing.T, after time.Duration) (context.Context, context.CancelFunc) {
	t.Helper()

	return context.WithTimeout(t.Context(), after)
}

func TestInitMakesWhatIsMissingOnce(t *testing.T) {
	t.Parallel()

	server := bqtest.Start(t)
	sink := connect(t, server)
	want := []string{
		"created dataset test-project.d in EU",
		"created table test-project.d.customerio_events, partitioned by the day of received_at, clustered by metric, campaign_id, customer_id, delivery_id",
		"created view test-project.d.customerio_events_latest",
		"created table test-project.d.trivia_wins, partitioned by the day of won_at, clustered by trivia_id, user_id",
		"created view test-project.d.trivia_wins_latest",
	}

	planned, err := sink.Plan(t.Context())
	if diff := cmp.Diff(want, planned); diff != "" || err != nil {
		t.Errorf("Plan: %v (-want +got):\n%s", err, diff)
	}
	if names := server.Names("d"); names != nil {
		t.Errorf("Plan has made %q", names)
	}

	done, err := sink.Init(t.Context())
	if diff := cmp.Diff(want, done); diff != "" || err != nil {
		t.Errorf("Init: %v (-want +got):\n%s", err, diff)
	}
	if diff := cmp.Diff([]string{events, events + "_latest", wins, wins + "_latest"}, server.Names("d")); diff != "" {
		t.Errorf("made (-want +got):\n%s", diff)
	}

	for _, again := range []func(context.Context) ([]string, error){sink.Plan, sink.Init} {
		if done, err := again(t.Context()); done != nil || err != nil {
			t.Errorf("once more: %q, %v, want nothing to do", done, err)
		}
	}
}

func TestTablesAreMadeForWhatPeopleAsk(t *testing.T) {
	t.Parallel()

	server, _ := ready(t)
	table := server.Table("d", events)
	if p := table.TimePartitioning; p == nil || p.Type != "DAY" || p.Field != "received_at" {
		t.Errorf("events are partitioned by %+v", p)
	}
	if diff := cmp.Diff([]string{"metric", "campaign_id", "customer_id", "delivery_id"}, table.Clustering.Fields); diff != "" {
		t.Errorf("events are clustered by (-want +got):\n%s", diff)
	}
	kinds := map[string]string{}
	for _, f := range table.Schema.Fields {
		kinds[f.Name] = f.Type + " " + f.Mode
	}
	for name, want := range map[string]string{
		"event_id": "STRING REQUIRED", "received_at": "TIMESTAMP REQUIRED", "timestamp": "TIMESTAMP ", "payload": "JSON ",
		"metric": "STRING ", "customer_id": "STRING ", "email_address": "STRING ", "delivery_id": "STRING ", "campaign_id": "STRING ",
		"template_id": "STRING ", "href": "STRING ", "object_type": "STRING ", "machine": "BOOLEAN ",
	} {
		if kinds[name] != want {
			t.Errorf("column %s is %q, want %q", name, kinds[name], want)
		}
	}
	want := "SELECT *\nFROM `test-project.d.customerio_events`\nWHERE TRUE\n" +
		"QUALIFY ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY received_at DESC, payload IS NULL) = 1"
	if got := server.Table("d", events+"_latest").View.Query; got != want {
		t.Errorf("the view is\n%s\nwant\n%s", got, want)
	}
	if got := server.Table("d", wins+"_latest").View.Query; !strings.HasSuffix(got, "(PARTITION BY win_id ORDER BY won_at DESC) = 1") {
		t.Errorf("the view is\n%s", got)
	}
}

func TestInitCreatesNoDatasetAnywhere(t *testing.T) {
	t.Parallel()

	sink := connect(t, bqtest.Start(t), func(o *warehouse.BigQueryOptions) { o.Location = "" })
	if done, err := sink.Init(t.Context()); err == nil || done != nil || !strings.Contains(err.Error(), "--location") {
		t.Errorf("Init = %q, %v, want to be asked for a location", done, err)
	}
}

func TestInitSaysWhatItMayNot(t *testing.T) {
	t.Parallel()

	for method, want := range map[string]string{
		bqtest.GetDataset:    "look at dataset test-project.d",
		bqtest.InsertDataset: "create dataset test-project.d",
		bqtest.GetTable:      "look at table test-project.d.customerio_events",
		bqtest.InsertTable:   "create table test-project.d.customerio_events",
	} {
		server := bqtest.Start(t)
		server.Fail(bqtest.Denied(method, 0))
		_, err := connect(t, server).Init(t.Context())
		if err == nil || !strings.HasPrefix(err.Error(), want+": BigQuery answers 403 accessDenied") || !strings.Contains(err.Error(), "roles") {
			t.Errorf("without %s, Init = %v", method, err)
		}
	}
}

func TestInitMendsAView(t *testing.T) {
	t.Parallel()

	server, sink := ready(t)
	server.Table("d", wins+"_latest").View.Query = "SELECT 1"
	done, err := sink.Init(t.Context())
	if diff := cmp.Diff([]string{"updated view test-project.d.trivia_wins_latest"}, done); diff != "" || err != nil {
		t.Errorf("Init: %v (-want +got):\n%s", err, diff)
	}

	server = bqtest.Start(t)
	server.CreateTable("d", events+"_latest")
	if _, err := connect(t, server).Init(t.Context()); err == nil || !strings.Contains(err.Error(), "is a TABLE") {
		t.Errorf("Init = %v, want it to leave a table alone that is called as the view", err)
	}
}

func TestInitIsNotDisturbedBySomebodyFaster(t *testing.T) {
	t.Parallel()

	server := bqtest.Start(t)
	for _, method := range []string{bqtest.InsertDataset, bqtest.InsertTable} {
		server.Fail(bqtest.Fault{Method: method, Times: 1, After: true, Code: 409, Reason: "duplicate", Message: "Already Exists"})
	}
	if _, err := connect(t, server).Init(t.Context()); err != nil {
		t.Errorf("Init = %v", err)
	}
}

func TestDaysAreCounted(t *testing.T) {
	t.Parallel()

	server, sink := ready(t)
	server.NoDedupe()
	b := some(10, func(i int, e *warehouse.Event) { e.ReceivedAt = midday().AddDate(0, 0, i/4) })
	for range 2 {
		deliver(t, sink, b)
	}
	deliver(t, sink, warehouse.Batch{Table: warehouse.Wins, Wins: []warehouse.Win{{WinID: "a", WonAt: midday()}}})

	since := midday().Add(-time.Hour)
	for _, slow := range []bool{false, true} {
		if slow {
			server.SlowQueries()
		}
		got, err := sink.CountDays(t.Context(), warehouse.Events, since, since.AddDate(0, 0, 2))
		if diff := cmp.Diff(map[string]int{"2026-11-22": 4, "2026-11-23": 4}, got); diff != "" || err != nil {
			t.Errorf("CountDays, slow %v: %v (-want +got):\n%s", slow, err, diff)
		}
	}
	got, err := sink.CountDays(t.Context(), warehouse.Wins, since, since.AddDate(0, 0, 2))
	if diff := cmp.Diff(map[string]int{"2026-11-22": 1}, got); diff != "" || err != nil {
		t.Errorf("CountDays: %v (-want +got):\n%s", err, diff)
	}
	got, err = sink.CountDays(t.Context(), warehouse.Wins, since.AddDate(1, 0, 0), since.AddDate(2, 0, 0))
	if len(got) != 0 || err != nil {
		t.Errorf("CountDays = %v, %v, want nothing", got, err)
	}

	server.Fail(bqtest.Denied(bqtest.Query, 0))
	if _, err := sink.CountDays(t.Context(), warehouse.Wins, since, midday()); err == nil || !strings.Contains(err.Error(), "jobUser") {
		t.Errorf("CountDays = %v, want to be told of the role", err)
	}
}
