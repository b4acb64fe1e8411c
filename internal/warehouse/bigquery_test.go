package warehouse_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	bq "google.golang.org/api/bigquery/v2"

	"trivia/internal/bqtest"
	"trivia/internal/config"
	"trivia/internal/warehouse"
)

var (
	_ warehouse.Sink    = (*warehouse.BigQuery)(nil)
	_ warehouse.Initer  = (*warehouse.BigQuery)(nil)
	_ warehouse.Counter = (*warehouse.BigQuery)(nil)
)

const (
	events = string(warehouse.Events)
	wins   = string(warehouse.Wins)
)

// midday is when everything in these tests came.
func midday() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 123456000, time.UTC) }

// connect returns a sink of server's data set d. Calls end soon, so that what
// the client would try for long fails soon.
func connect(t *testing.T, server *bqtest.Server, change ...func(*warehouse.BigQueryOptions)) *warehouse.BigQuery {
	t.Helper()

	opts := warehouse.BigQueryOptions{Project: "test-project", Dataset: "d", Endpoint: server.URL(), Location: "EU", CallTime: time.Minute}
	for _, f := range change {
		f(&opts)
	}
	sink := warehouse.NewBigQuery(opts)
	t.Cleanup(func() {
		if err := sink.Close(); err != nil {
			t.Error(err)
		}
	})

	return sink
}

func hurried(o *warehouse.BigQueryOptions) { o.CallTime = 4 * time.Second }

// ready returns a server whose tables are as Init makes them, and a sink.
func ready(t *testing.T, change ...func(*warehouse.BigQueryOptions)) (*bqtest.Server, *warehouse.BigQuery) {
	t.Helper()

	server := bqtest.Start(t)
	if _, err := connect(t, server).Init(t.Context()); err != nil {
		t.Fatal(err)
	}

	return server, connect(t, server, change...)
}

// some returns n events, of which change makes special ones.
func some(n int, change ...func(i int, e *warehouse.Event)) warehouse.Batch {
	b := warehouse.Batch{Table: warehouse.Events, Place: "1"}
	for i := range n {
		e := warehouse.Event{
			EventID: fmt.Sprintf("event-%05d", i), ObjectType: "email", Metric: "clicked", ReceivedAt: midday(),
			CustomerID: new("demo-1"), Payload: fmt.Sprintf(`{"event_id":"event-%05d","n":%d}`, i, i),
		}
		for _, f := range change {
			f(i, &e)
		}
		b.Events = append(b.Events, e)
	}

	return b
}

// deliver sends a batch that must arrive.
func deliver(t *testing.T, sink warehouse.Sink, b warehouse.Batch) []warehouse.Refusal {
	t.Helper()

	refused, err := sink.Send(t.Context(), b)
	if err != nil {
		t.Fatalf("Send = %v", err)
	}

	return refused
}

func TestRowsArriveWithEveryColumn(t *testing.T) {
	t.Parallel()

	server, sink := ready(t)
	event := warehouse.Event{
		EventID: "01ABC", ObjectType: "in_app", Metric: "clicked",
		Timestamp: new(midday().Add(-time.Second)), ReceivedAt: midday().In(time.FixedZone("", 3600)),
		CustomerID: new("demo-1"), EmailAddress: new("a@example.com"), CioID: new("c1"), Person: new("demo-1"),
		DeliveryID: new("d1"), CampaignID: new("7"), BroadcastID: new("8"), NewsletterID: new("9"), ActionID: new("10"),
		TransactionalID: new("11"), TemplateID: new("12"), LinkID: new("13"), Href: new("https://example.com/?a=1&b=<2>"),
		TrackedResponse: new("trivia/capitals/b"), FailureMessage: new(""), Machine: true, Prefetched: true, Proxied: true, Synthetic: true,
		Payload: `{"metric":"clicked","text":"Ω "}`,
	}
	bare := warehouse.Event{EventID: "02", ReceivedAt: midday()}
	win := warehouse.Win{WinID: "demo-1/capitals", UserID: "demo-1", TriviaID: "capitals", Item: "gold", DeliveryKey: "k1", WonAt: midday()}

	for _, b := range []warehouse.Batch{
		{Table: warehouse.Events, Events: []warehouse.Event{event, bare}}, {Table: warehouse.Wins, Wins: []warehouse.Win{win}}, {Table: warehouse.Wins},
	} {
		if refused := deliver(t, sink, b); refused != nil {
			t.Errorf("refused %v", refused)
		}
	}

	no := bqtest.Row{"machine": false, "prefetched": false, "proxied": false, "synthetic": false, "payload_is_invalid": false}
	want := []bqtest.Row{
		{
			"event_id": "01ABC", "object_type": "in_app", "metric": "clicked",
			"timestamp": "2026-11-22T11:59:59.123456Z", "received_at": "2026-11-22T12:00:00.123456Z",
			"customer_id": "demo-1", "email_address": "a@example.com", "cio_id": "c1", "person": "demo-1",
			"delivery_id": "d1", "campaign_id": "7", "broadcast_id": "8", "newsletter_id": "9", "action_id": "10",
			"transactional_id": "11", "template_id": "12", "link_id": "13", "href": "https://example.com/?a=1&b=<2>",
			"tracked_response": "trivia/capitals/b", "failure_message": "",
			"machine": true, "prefetched": true, "proxied": true, "synthetic": true,
			"payload": `{"metric":"clicked","text":"Ω "}`, "payload_is_invalid": false,
		},
		{"event_id": "02", "object_type": "", "metric": "", "received_at": "2026-11-22T12:00:00.123456Z"},
	}
	maps.Copy(want[1], no)
	if diff := cmp.Diff(want, server.Rows("d", events)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	won := bqtest.Row{"win_id": "demo-1/capitals", "user_id": "demo-1", "trivia_id": "capitals", "item": "gold", "delivery_key": "k1", "won_at": "2026-11-22T12:00:00.123456Z"}
	if diff := cmp.Diff([]bqtest.Row{won}, server.Rows("d", wins)); diff != "" {
		t.Errorf("wins (-want +got):\n%s", diff)
	}
	for _, call := range server.Calls(bqtest.InsertAll) {
		if call.Header.Get("Authorization") != "" || !strings.Contains(call.Header.Get("User-Agent"), "gcloud-golang-bigquery") {
			t.Errorf("a call came with %v, want the client's own words, and no credentials over plain HTTP", call.Header)
		}
	}
}

func TestCallsAreNoLargerThanAdvised(t *testing.T) {
	t.Parallel()

	server, sink := ready(t)
	large := strings.Repeat("x", 600_000)
	b := some(1250, func(i int, e *warehouse.Event) {
		if i < 12 {
			e.Payload = `"` + large + `"`
		}
	})
	if refused := deliver(t, sink, b); refused != nil {
		t.Errorf("refused %v", refused)
	}

	if got := len(server.Latest("d", events, "event_id")); got != 1250 {
		t.Errorf("%d rows arrived, want 1250", got)
	}
	for _, call := range server.Calls(bqtest.InsertAll) {
		if call.Rows > 500 || call.Bytes > 5_100_000 {
			t.Errorf("a call has %d rows and %d bytes", call.Rows, call.Bytes)
		}
	}
	if n := len(server.Calls(bqtest.InsertAll)); n > 6 {
		t.Errorf("%d calls were made, want no more than there must be", n)
	}
}

func TestNoPayloadIsRefused(t *testing.T) {
	t.Parallel()

	deep := strings.Repeat("[", 600) + strings.Repeat("]", 600)
	server, sink := ready(t)
	b := some(4, func(i int, e *warehouse.Event) {
		e.Payload = []string{`{"a":1}`, deep, `not JSON`, `"already a string"`}[i]
		e.PayloadIsInvalid = i == 3
	})
	if refused := deliver(t, sink, b); refused != nil {
		t.Errorf("refused %v", refused)
	}
	got := server.Latest("d", events, "event_id")
	for i, want := range []string{`{"a":1}`, `"` + deep + `"`, `"not JSON"`, `"already a string"`} {
		row := got[fmt.Sprintf("event-%05d", i)]
		if row["payload"] != want || row["payload_is_invalid"] != (i > 0) {
			t.Errorf("payload %d is %v, invalid %v; want %s", i, row["payload"], row["payload_is_invalid"], want)
		}
	}
}

func TestARowBeyondTheLimitIsRefusedBeforeItIsSent(t *testing.T) {
	t.Parallel()

	server, sink := ready(t)
	b := some(3, func(i int, e *warehouse.Event) {
		if i == 1 {
			e.Payload = `"` + strings.Repeat("<", 2_000_000) + `"` // six bytes each
		}
	})
	refused := deliver(t, sink, b)
	if len(refused) != 1 || refused[0].Row != 1 || !strings.Contains(refused[0].Reason, "BigQuery takes") {
		t.Errorf("refused %v, want row 1 for its size", refused)
	}
	if got := len(server.Rows("d", events)); got != 2 {
		t.Errorf("%d rows arrived, want 2", got)
	}
}

func TestAnOlderTableTakesWhatItKnows(t *testing.T) {
	t.Parallel()

	server := bqtest.Start(t)
	server.CreateTable("d", events,
		&bq.TableFieldSchema{Name: "event_id", Type: "STRING", Mode: "REQUIRED"},
		&bq.TableFieldSchema{Name: "received_at", Type: "TIMESTAMP"}, &bq.TableFieldSchema{Name: "machine", Type: "BOOLEAN"},
		&bq.TableFieldSchema{Name: "ours", Type: "STRING"})
	sink := connect(t, server)
	if refused := deliver(t, sink, some(1)); refused != nil {
		t.Errorf("refused %v", refused)
	}
	want := []bqtest.Row{{"event_id": "event-00000", "received_at": "2026-11-22T12:00:00.123456Z", "machine": false}}
	if diff := cmp.Diff(want, server.Rows("d", events)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}

	done, err := sink.Init(t.Context())
	if err != nil || !strings.Contains(done[0], "added to table test-project.d.customerio_events: object_type, metric, timestamp") {
		t.Errorf("Init = %q, %v, want it to add columns", done, err)
	}
	deliver(t, sink, some(1, func(_ int, e *warehouse.Event) { e.EventID = "later" }))
	row := server.Latest("d", events, "event_id")["later"]
	if row["metric"] != "clicked" {
		t.Errorf("after Init, a row came as %v", row)
	}
	names := func() (names []string) {
		for _, f := range server.Table("d", events).Schema.Fields {
			names = append(names, f.Name)
		}

		return names
	}()
	if names[3] != "ours" || !slices.Contains(names, "payload") {
		t.Errorf("columns are %q, want those that were there, then ours", names)
	}
}

func TestTheSettingsNameTheDataset(t *testing.T) {
	t.Parallel()

	server := bqtest.Start(t)
	set := config.Warehouse{Kind: config.BigQuery, Project: "test-project", Dataset: "d", Endpoint: server.URL()}
	sink, err := warehouse.Open(t.Context(), set)
	if err != nil {
		t.Fatal(err)
	}
	if got := sink.Name(); got != set.Name() || got != "bigquery:test-project.d" {
		t.Errorf("the sink is called %q, and the setting %q", got, set.Name())
	}
	if _, err := sink.Send(t.Context(), some(1)); err == nil || !strings.Contains(err.Error(), "warehouse init") {
		t.Errorf("Send = %v, want an error that speaks of init", err)
	}
	if err := sink.Close(); err != nil {
		t.Error(err)
	}
}

func TestTooLongIdentifiersStillDedupe(t *testing.T) {
	t.Parallel()

	server, sink := ready(t)
	long := func(_ int, e *warehouse.Event) { e.EventID += strings.Repeat("é", 200) }
	for range 2 {
		if refused := deliver(t, sink, some(2, long)); refused != nil {
			t.Errorf("refused %v", refused)
		}
	}
	if got := len(server.Rows("d", events)); got != 2 {
		t.Errorf("%d rows are there, want 2", got)
	}
}

func TestATimeThatBigQueryCannotWriteIsLeftOut(t *testing.T) {
	t.Parallel()

	server, sink := ready(t)
	b := some(2, func(i int, e *warehouse.Event) {
		e.Timestamp = new(time.Date([]int{0, 10000}[i], 1, 1, 0, 0, 0, 0, time.UTC))
	})
	if refused := deliver(t, sink, b); refused != nil {
		t.Errorf("refused %v", refused)
	}
	for _, row := range server.Rows("d", events) {
		if _, there := row["timestamp"]; there {
			t.Errorf("a row has the timestamp %v", row["timestamp"])
		}
	}
}

// BenchmarkBigQuery measures rows on their way through the client, on the
// cores that the server has, too. What the way to Google takes comes on top,
// once for each piece: its calls go out together.
func BenchmarkBigQuery(b *testing.B) {
	server := bqtest.Start(b)
	sink := warehouse.NewBigQuery(warehouse.BigQueryOptions{Project: "test-project", Dataset: "d", Endpoint: server.URL(), Location: "EU"})
	defer func() { _ = sink.Close() }()
	if _, err := sink.Init(b.Context()); err != nil {
		b.Fatal(err)
	}
	batch := some(warehouse.PieceRows, func(_ int, e *warehouse.Event) {
		e.Timestamp, e.DeliveryID, e.CampaignID, e.Href = new(midday()), new("RPILAgUBcRhIBqSfeiIwdIYJKxTY"), new("23"), new("https://example.com/")
		e.Payload = `{"text":"` + strings.Repeat("lorem ipsum ", 50) + `"}`
	})
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if _, err := sink.Send(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
		server.Truncate("d", events)
	}
	b.ReportMetric(float64(b.N*warehouse.PieceRows)/b.Elapsed().Seconds(), "rows/s")
}
