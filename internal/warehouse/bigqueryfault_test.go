package warehouse_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	bq "google.golang.org/api/bigquery/v2"

	"trivia/internal/bqtest"
	"trivia/internal/warehouse"
)

func TestARowThatFailsForBigQuerysOwnReasonsComesAgain(t *testing.T) {
	t.Parallel()

	for _, reason := range []string{"backendError", "timeout", "internalError", "rateLimitExceeded", "quotaExceeded"} {
		server, sink := ready(t)
		server.Judge(func(_, id string, _ bqtest.Row) *bq.ErrorProto {
			if id == "event-00001" {
				return &bq.ErrorProto{Reason: reason, Message: "try later"}
			}

			return nil
		})
		if refused, err := sink.Send(t.Context(), some(3)); err == nil || refused != nil || !strings.Contains(err.Error(), reason) {
			t.Fatalf("Send = %v, %v, want an error that says %s", refused, err, reason)
		}
		server.Heal()
		if refused := deliver(t, sink, some(3)); refused != nil {
			t.Errorf("refused %v", refused)
		}
		if got := len(server.Rows("d", events)); got != 3 {
			t.Errorf("%d rows are there, want 3: insert ids find those that came before", got)
		}
	}
}

func TestABadCallIsDividedUntilItsRowIsFound(t *testing.T) {
	t.Parallel()

	server, sink := ready(t)
	server.Fail(bqtest.Fault{Method: bqtest.InsertAll, Having: `"event-00042"`, Code: http.StatusBadRequest, Reason: "invalid", Message: "I do not like it"})
	want := []warehouse.Refusal{{Row: 42, Reason: "BigQuery answers 400 invalid: I do not like it"}}
	if diff := cmp.Diff(want, deliver(t, sink, some(500))); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}
	if got := len(server.Rows("d", events)); got != 499 {
		t.Errorf("%d rows arrived, want 499", got)
	}
	if n := len(server.Calls(bqtest.InsertAll)); n > 25 {
		t.Errorf("%d calls were made", n)
	}
}

func TestTheClientTriesAgainByItself(t *testing.T) {
	t.Parallel()

	for _, fault := range []bqtest.Fault{
		bqtest.RateLimit(bqtest.InsertAll, 1), bqtest.Unavailable(bqtest.InsertAll, 1),
		{Method: bqtest.InsertAll, Times: 1, Code: http.StatusBadGateway, Page: "<html>502</html>"},
		{Method: bqtest.InsertAll, Times: 1, Code: http.StatusServiceUnavailable, Reason: "backendError", After: true},
	} {
		server, sink := ready(t)
		server.Fail(fault)
		if refused := deliver(t, sink, some(10)); refused != nil {
			t.Errorf("refused %v", refused)
		}
		if got, calls := len(server.Rows("d", events)), len(server.Calls(bqtest.InsertAll)); got != 10 || calls != 2 {
			t.Errorf("%d rows arrived in %d calls, want 10 in 2", got, calls)
		}
	}
}

func TestTroubleThatLastsIsAnErrorThatSaysWhatToDo(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name  string
		fault bqtest.Fault
		want  string
	}{
		{"rate", bqtest.RateLimit(bqtest.InsertAll, 0), "BigQuery answers 403 rateLimitExceeded: Exceeded rate limits"},
		{"quota", bqtest.Quota(bqtest.InsertAll, 0), "BigQuery answers 403 quotaExceeded: Quota exceeded"},
		{"too many requests", bqtest.Fault{Method: bqtest.InsertAll, Code: 429, Page: "slow down"}, "BigQuery answers 429 Too Many Requests"},
		{"down", bqtest.Unavailable(bqtest.InsertAll, 0), "BigQuery answers 503 backendError"},
		{"not allowed", bqtest.Denied(bqtest.InsertAll, 0), "bigquery.dataEditor"},
		{"unknown", bqtest.Fault{Method: bqtest.InsertAll, Code: 401, Reason: "authError"}, "bigquery.dataEditor"},
		{"cut", bqtest.Fault{Method: bqtest.InsertAll, Cut: true}, "no answer from http://127.0.0.1:"},
		{"gone", bqtest.Fault{Method: bqtest.InsertAll, Code: 404, Reason: "notFound", Message: "Not found: Table"}, "triviactl warehouse init"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			server, sink := ready(t, hurried)
			server.Fail(tt.fault)
			refused, err := sink.Send(t.Context(), some(1200))
			if err == nil || refused != nil || !strings.Contains(err.Error(), tt.want) ||
				!strings.HasPrefix(err.Error(), "stream rows into test-project.d.customerio_events: ") {
				t.Fatalf("Send = %v, %v, want an error that says %q", refused, err, tt.want)
			}

			server.Heal()
			sink = connect(t, server)
			if refused := deliver(t, sink, some(1200)); refused != nil {
				t.Errorf("refused %v", refused)
			}
			if got := len(server.Rows("d", events)); got != 1200 {
				t.Errorf("%d rows are there, want 1200", got)
			}
		})
	}
}

func TestWhatComesTwiceIsOnceInTheView(t *testing.T) {
	t.Parallel()

	server, sink := ready(t, hurried)
	server.NoDedupe()
	server.Fail(bqtest.Fault{Method: bqtest.InsertAll, Times: 1, Cut: true, After: true})
	if _, err := sink.Send(t.Context(), some(40)); err == nil {
		t.Fatal("Send has not noticed that there was no answer")
	}
	deliver(t, connect(t, server), some(50)) // after a restart, with more rows behind it
	if all, latest := len(server.Rows("d", events)), len(server.Latest("d", events, "event_id")); all != 90 || latest != 50 {
		t.Errorf("%d rows, %d of them different; want 90 and 50", all, latest)
	}
}

func TestATableThatDoesNotFitBlamesNoRows(t *testing.T) {
	t.Parallel()

	column := func(name, kind, mode string) *bq.TableFieldSchema {
		return &bq.TableFieldSchema{Name: name, Type: kind, Mode: mode}
	}
	id, came := column("event_id", "STRING", "REQUIRED"), column("received_at", "TIMESTAMP", "REQUIRED")
	tests := []struct {
		name    string
		columns []*bq.TableFieldSchema
		want    string
	}{
		{"another type", []*bq.TableFieldSchema{id, came, column("metric", "INTEGER", "")}, "column metric is INTEGER, want STRING"},
		{"required, and unknown to us", []*bq.TableFieldSchema{id, came, column("tenant", "STRING", "REQUIRED")}, "column tenant is required"},
		{"repeated", []*bq.TableFieldSchema{id, came, column("href", "STRING", "REPEATED")}, "column href is repeated"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			server := bqtest.Start(t)
			server.CreateTable("d", events, tt.columns...)
			sink := connect(t, server)
			b := some(20, func(_ int, e *warehouse.Event) { e.Href = new("https://example.com") })
			if refused, err := sink.Send(t.Context(), b); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Send = %v, %v, want an error that says %q", refused, err, tt.want)
			}
			if _, err := sink.Init(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Init = %v, want an error that says %q", err, tt.want)
			}
		})
	}
}

func TestSendStopsWhenItIsToldTo(t *testing.T) {
	t.Parallel()

	server, sink := ready(t)
	server.Fail(bqtest.Unavailable(bqtest.InsertAll, 0))
	ctx, cancel := contextThatEnds(t, 50*time.Millisecond)
	defer cancel()
	if _, err := sink.Send(ctx, some(10)); err == nil {
		t.Error("Send = nil, though it could not send")
	}
}

func TestErrorsKeepTheirCause(t *testing.T) {
	t.Parallel()

	server, sink := ready(t)
	server.Fail(bqtest.Quota(bqtest.InsertAll, 0))
	_, err := sink.Send(t.Context(), some(1))
	if errors.Unwrap(err) == nil {
		t.Errorf("%v wraps nothing", err)
	}
	if strings.Contains(err.Error(), "roles") {
		t.Errorf("%v speaks of roles, though it is the quota", err)
	}
}

func TestABadRowHoldsUpNobody(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name  string
		fault *bq.ErrorProto
		want  string
	}{
		{"invalid", &bq.ErrorProto{Reason: "invalid", Location: "metric", Message: "Value is too odd"}, "invalid metric: Value is too odd"},
		{"with words that nobody knows", &bq.ErrorProto{Reason: "strange", Message: "So it is"}, "strange: So it is"},
		{"without any words", &bq.ErrorProto{Reason: "invalid"}, "invalid: BigQuery does not say why"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			server, sink := ready(t)
			server.Judge(func(_, id string, _ bqtest.Row) *bq.ErrorProto {
				if id == "event-00003" || id == "event-00700" {
					return tt.fault
				}

				return nil
			})
			want := []warehouse.Refusal{{Row: 3, Reason: tt.want}, {Row: 700, Reason: tt.want}}
			if diff := cmp.Diff(want, deliver(t, sink, some(1001))); diff != "" {
				t.Errorf("refused (-want +got):\n%s", diff)
			}
			if got := len(server.Rows("d", events)); got != 999 {
				t.Errorf("%d rows arrived, want 999", got)
			}
		})
	}
}

func TestOneRowAloneIsRefusedToo(t *testing.T) {
	t.Parallel()

	server, sink := ready(t)
	server.Judge(func(string, string, bqtest.Row) *bq.ErrorProto {
		return &bq.ErrorProto{Reason: "invalid", Location: "metric", Message: "no"}
	})
	want := []warehouse.Refusal{{Row: 0, Reason: "invalid metric: no"}, {Row: 1, Reason: "invalid metric: no"}}
	if diff := cmp.Diff(want, deliver(t, sink, some(2))); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}
}

func TestCallsThatAreTooLargeAreDivided(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name  string
		limit int
	}{
		{"BigQuery says so", 60_000},
		{"what stands before it says so", 10_000},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			server, sink := ready(t)
			server.Limit(tt.limit)
			b := some(400, func(i int, e *warehouse.Event) {
				if i == 77 {
					e.Payload = `"` + strings.Repeat("x", 2*tt.limit) + `"`
				}
			})
			refused := deliver(t, sink, b)
			if len(refused) != 1 || refused[0].Row != 77 {
				t.Errorf("refused %v, want row 77", refused)
			}
			if got := len(server.Rows("d", events)); got != 399 {
				t.Errorf("%d rows arrived, want 399", got)
			}
		})
	}
}
