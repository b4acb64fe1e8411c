package bqtest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	bq "google.golang.org/api/bigquery/v2"

	"trivia/internal/bqtest"
)

// ask calls a server as the client does, and returns its answer.
func ask(t *testing.T, server *bqtest.Server, method, path, body string, header ...string) (code int, answer any) {
	t.Helper()

	request, err := http.NewRequestWithContext(t.Context(), method, server.URL()+"/bigquery/v2/projects/test-project/"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		t.Fatalf("%s %s is answered with %s", method, path, text)
	}

	return response.StatusCode, answer
}

// refusal is an answer as it was recorded.
func refusal(code int, status, reason, message string) string {
	return fmt.Sprintf(`{"error":{"code":%d,"message":%q,"errors":[{"message":%[2]q,"domain":"global","reason":%q}],"status":%q}}`,
		code, message, reason, status)
}

// The answers are those that the authors of the client have recorded of the real
// BigQuery (bigquery.replay, of 2019), with other names.
func TestItAnswersAsBigQueryDid(t *testing.T) {
	t.Parallel()

	const (
		made = `{"schema":{"fields":[{"name":"name","type":"STRING"},{"name":"at","type":"TIMESTAMP"}]},` +
			`"tableReference":{"datasetId":"tokyo","projectId":"test-project","tableId":"t"}}`
		hardened = `{"schema":{"fields":[{"mode":"REQUIRED","name":"name","type":"STRING"},{"name":"at","type":"TIMESTAMP"}]}}`
	)
	server := bqtest.Start(t)
	for _, tt := range []struct {
		name, method, path, body string
		code                     int
		want                     string // empty: it is not compared
		header                   []string
	}{
		{
			"a dataset is missing", "GET", "datasets/does_not_exist", "", 404,
			refusal(404, "NOT_FOUND", "notFound", "Not found: Dataset test-project:does_not_exist"), nil,
		},
		{"a dataset is made", "POST", "datasets", `{"datasetReference":{"datasetId":"tokyo"},"location":"asia-northeast1"}`, 200, "", nil},
		{
			"a dataset exists", "POST", "datasets", `{"datasetReference":{"datasetId":"tokyo"},"location":"asia-northeast1"}`, 409,
			refusal(409, "ALREADY_EXISTS", "duplicate", "Already Exists: Dataset test-project:tokyo"), nil,
		},
		{
			"a table is missing", "GET", "datasets/tokyo/tables/t_view_1", "", 404,
			refusal(404, "NOT_FOUND", "notFound", "Not found: Table test-project:tokyo.t_view_1"), nil,
		},
		{"a table is made", "POST", "datasets/tokyo/tables", made, 200, "", nil},
		{
			"rows arrive", "POST", "datasets/tokyo/tables/t/insertAll", `{"rows":[{"insertId":"a","json":{"name":"a"}}]}`, 200,
			`{"kind":"bigquery#tableDataInsertAllResponse"}`, nil,
		},
		{
			"a column cannot become required", "PATCH", "datasets/tokyo/tables/t", hardened, 400,
			refusal(400, "INVALID_ARGUMENT", "invalid", "Provided Schema does not match Table test-project:tokyo.t. "+
				"Field name has changed mode from NULLABLE to REQUIRED"), nil,
		},
		{
			"somebody else has changed it", "PATCH", "datasets/tokyo/tables/t", `{"friendlyName":"y"}`, 412,
			refusal(400, "FAILED_PRECONDITION", "failedPrecondition", "Precondition check failed."),
			[]string{"If-Match", "other"},
		},
	} {
		code, got := ask(t, server, tt.method, tt.path, tt.body, tt.header...)
		if code != tt.code {
			t.Errorf("%s: status %d, want %d", tt.name, code, tt.code)
		}
		if tt.want == "" {
			continue
		}
		var want any
		if err := json.Unmarshal([]byte(tt.want), &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestRowsAreJudgedOneByOne(t *testing.T) {
	t.Parallel()

	server := bqtest.Start(t)
	server.CreateTable("d", "t",
		&bq.TableFieldSchema{Name: "id", Type: "STRING", Mode: "REQUIRED"}, &bq.TableFieldSchema{Name: "at", Type: "TIMESTAMP"},
		&bq.TableFieldSchema{Name: "is", Type: "BOOLEAN"}, &bq.TableFieldSchema{Name: "doc", Type: "JSON"})
	tests := []struct{ row, location string }{
		{`{"id":"a","at":"2026-11-22T12:00:00.123456Z","is":true,"doc":"{\"a\":[1]}"}`, "-"},
		{`{"at":"2026-11-22T12:00:00Z"}`, ""},
		{`{"id":"a","at":"yesterday"}`, "at"},
		{`{"id":"a","is":"yes"}`, "is"},
		{`{"id":"a","doc":"{"}`, "doc"},
		{`{"id":"a","doc":{}}`, "doc"},
		{`{"id":7}`, "id"},
		{`{"id":"a","more":1}`, "more"},
	}
	for _, tt := range tests {
		_, got := ask(t, server, "POST", "datasets/d/tables/t/insertAll", `{"rows":[{"insertId":"x","json":`+tt.row+`}]}`)
		location := "-"
		if faults, ok := got.(map[string]any)["insertErrors"].([]any); ok {
			first := faults[0].(map[string]any)["errors"].([]any)[0].(map[string]any)
			location, _ = first["location"].(string)
			if first["reason"] != "invalid" {
				t.Errorf("%s is refused as %v", tt.row, first)
			}
		}
		if location != tt.location {
			t.Errorf("%s is found faulty at %q, want %q", tt.row, location, tt.location)
		}
	}

	// One bad row stops all others, unless the caller wants it to be skipped.
	const two = `{"rows":[{"insertId":"y","json":{"id":"b"}},{"insertId":"z","json":{}}]`
	_, got := ask(t, server, "POST", "datasets/d/tables/t/insertAll", two+"}")
	if text := fmt.Sprint(got); !strings.Contains(text, "stopped") || len(server.Rows("d", "t")) != 1 {
		t.Errorf("answered with %s, and has %v", text, server.Rows("d", "t"))
	}
	_, got = ask(t, server, "POST", "datasets/d/tables/t/insertAll", two+`,"skipInvalidRows":true}`)
	if text := fmt.Sprint(got); strings.Contains(text, "stopped") || len(server.Rows("d", "t")) != 2 {
		t.Errorf("answered with %s, and has %v", text, server.Rows("d", "t"))
	}
}

// A strict is a test that only notes that it has failed.
type strict struct {
	testing.TB

	failed string
}

func (s *strict) Errorf(format string, args ...any) { s.failed = fmt.Sprintf(format, args...) }

func TestWhatItDoesNotSpeakFailsTheTest(t *testing.T) {
	t.Parallel()

	watched := &strict{TB: t}
	server := bqtest.Start(watched)
	if code, _ := ask(t, server, "DELETE", "datasets/d", ""); code != http.StatusNotFound || !strings.Contains(watched.failed, "does not speak") {
		t.Errorf("status %d, and the test has %q", code, watched.failed)
	}
	code, answer := ask(t, server, "POST", "datasets", `{"nonsense":1}`)
	if code != http.StatusBadRequest || !strings.Contains(fmt.Sprint(answer), "nonsense") {
		t.Errorf("status %d: %v", code, answer)
	}
}
