// Package bqtest gives tests a BigQuery: a local server that speaks those of
// its calls that Trivia uses, as its own client says them, and that fails as
// BigQuery does when it is told to. Its answers are shaped like those that the
// client's authors have recorded.
package bqtest

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	bq "google.golang.org/api/bigquery/v2"
)

// The limits of streaming, as BigQuery has them.
const (
	mostRequest = 10_485_760
	mostRow     = 10_485_760
	mostRows    = 50_000
)

// A Server is a BigQuery. Start one with [Start].
type Server struct {
	t    testing.TB
	http *httptest.Server

	mu       sync.Mutex
	datasets map[string]*bq.Dataset
	tables   map[string]*table // by dataset.table
	jobs     map[string]*bq.GetQueryResultsResponse
	faults   []*Fault
	judge    func(table, id string, row Row) *bq.ErrorProto
	dedupes  bool
	limit    int
	slow     bool
	calls    []Call
	changes  int // for etags and job identifiers
}

// A Row is what a table has in its columns; what is null is absent.
type Row map[string]any

// A table is a table or a view.
type table struct {
	*bq.Table

	rows []Row
	ids  map[string]bool // insert ids
}

// A Call is a request as it came.
type Call struct {
	Method string // such as "tabledata.insertAll"
	Header http.Header
	Rows   int // of insertAll
	Bytes  int // of the body
}

// The methods that are spoken, in BigQuery's own words.
const (
	GetDataset    = "datasets.get"
	InsertDataset = "datasets.insert"
	GetTable      = "tables.get"
	InsertTable   = "tables.insert"
	PatchTable    = "tables.patch"
	InsertAll     = "tabledata.insertAll"
	Query         = "jobs.query"
	QueryResults  = "jobs.getQueryResults"
)

// Start starts a server that ends with the test.
func Start(tb testing.TB) *Server {
	tb.Helper()

	s := &Server{
		t: tb, dedupes: true, limit: mostRequest,
		datasets: map[string]*bq.Dataset{}, tables: map[string]*table{}, jobs: map[string]*bq.GetQueryResultsResponse{},
	}
	s.http = httptest.NewServer(s.routes())
	tb.Cleanup(s.http.Close)

	return s
}

// URL is the endpoint.
func (s *Server) URL() string { return s.http.URL }

// CreateDataset makes a dataset, as somebody may have done by hand.
func (s *Server) CreateDataset(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.datasets[name] = &bq.Dataset{Location: "EU", DatasetReference: &bq.DatasetReference{DatasetId: name}}
}

// CreateTable makes a table with these columns, as somebody may have done by
// hand.
func (s *Server) CreateTable(dataset, name string, columns ...*bq.TableFieldSchema) {
	s.CreateDataset(dataset)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(dataset, name, &bq.Table{Type: "TABLE", Schema: &bq.TableSchema{Fields: columns}})
}

// Table returns a table or view as it is described, or nil.
func (s *Server) Table(dataset, name string) *bq.Table {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, ok := s.tables[dataset+"."+name]; ok {
		return t.Table
	}

	return nil
}

// Rows returns what a table holds, in the order in which it came.
func (s *Server) Rows(dataset, name string) []Row {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, ok := s.tables[dataset+"."+name]; ok {
		return slices.Clone(t.rows)
	}

	return nil
}

// Latest returns what the view of a table shows: one row for each value of
// column id.
func (s *Server) Latest(dataset, name, id string) map[string]Row {
	latest := map[string]Row{}
	for _, row := range s.Rows(dataset, name) {
		latest[fmt.Sprint(row[id])] = row
	}

	return latest
}

// Calls returns the calls of a method, or all if none is named.
func (s *Server) Calls(method string) (calls []Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, call := range s.calls {
		if method == "" || call.Method == method {
			calls = append(calls, call)
		}
	}

	return calls
}

// Truncate empties a table, as somebody may do by hand.
func (s *Server) Truncate(dataset, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, ok := s.tables[dataset+"."+name]; ok {
		t.rows, t.ids = nil, map[string]bool{}
	}
}

// NoDedupe lets rows of the same insert id come twice. BigQuery promises no
// more.
func (s *Server) NoDedupe() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dedupes = false
}

// Limit refuses requests of more bytes than BigQuery would.
func (s *Server) Limit(bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit = bytes
}

// SlowQueries lets queries take longer than their first answer.
func (s *Server) SlowQueries() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slow = true
}

// put keeps a table or view. The caller holds the lock.
func (s *Server) put(dataset, name string, described *bq.Table) {
	s.changes++
	described.Kind, described.Etag = "bigquery#table", fmt.Sprintf("etag-%d", s.changes)
	described.TableReference = &bq.TableReference{ProjectId: "test-project", DatasetId: dataset, TableId: name}
	key := dataset + "." + name
	if t, ok := s.tables[key]; ok {
		t.Table = described

		return
	}
	s.tables[key] = &table{Table: described, ids: map[string]bool{}}
}

// routes are the calls that are spoken. Any other fails the test.
func (s *Server) routes() http.Handler {
	const base = "/bigquery/v2/projects/{project}"
	mux := http.NewServeMux()
	for pattern, spoken := range map[string]struct {
		method string
		answer func(http.ResponseWriter, *http.Request, []byte)
	}{
		"GET " + base + "/datasets/{dataset}":                           {GetDataset, s.getDataset},
		"POST " + base + "/datasets":                                    {InsertDataset, s.insertDataset},
		"GET " + base + "/datasets/{dataset}/tables/{table}":            {GetTable, s.getTable},
		"POST " + base + "/datasets/{dataset}/tables":                   {InsertTable, s.insertTable},
		"PATCH " + base + "/datasets/{dataset}/tables/{table}":          {PatchTable, s.patchTable},
		"POST " + base + "/datasets/{dataset}/tables/{table}/insertAll": {InsertAll, s.insertAll},
		"POST " + base + "/queries":                                     {Query, s.query},
		"GET " + base + "/queries/{job}":                                {QueryResults, s.queryResults},
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return // the caller has gone away
			}
			s.speak(w, r, spoken.method, body, spoken.answer)
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.t.Errorf("BigQuery was asked for %s %s, which this server does not speak", r.Method, r.URL)
		refuse(w, http.StatusNotFound, "notFound", "Not found")
	})

	return mux
}

// speak answers one call, or fails as it was told to.
func (s *Server) speak(w http.ResponseWriter, r *http.Request, method string, body []byte, answer func(http.ResponseWriter, *http.Request, []byte)) {
	s.mu.Lock()
	defer s.mu.Unlock()

	call := Call{Method: method, Header: r.Header, Bytes: len(body)}
	if method == InsertAll {
		call.Rows = strings.Count(string(body), `{"insertId":`) // quotes within a row have a backslash
	}
	s.calls = append(s.calls, call)
	fault := s.fault(method, body)
	switch {
	case fault == nil:
		answer(w, r, body)
	case fault.After:
		answer(&deaf{}, r, body)
		fallthrough
	default:
		fault.write(w)
	}
}

// deaf hears an answer that nobody else does.
type deaf struct{}

func (*deaf) Header() http.Header         { return http.Header{} }
func (*deaf) Write(p []byte) (int, error) { return len(p), nil }
func (*deaf) WriteHeader(int)             {}

func say(w http.ResponseWriter, answer any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	_ = json.NewEncoder(w).Encode(answer) // who does not listen wants none
}

// statusOf is what BigQuery calls a code.
func statusOf(code int) string {
	return map[int]string{
		http.StatusBadRequest: "INVALID_ARGUMENT", http.StatusUnauthorized: "UNAUTHENTICATED", http.StatusForbidden: "PERMISSION_DENIED",
		http.StatusNotFound: "NOT_FOUND", http.StatusConflict: "ALREADY_EXISTS", http.StatusTooManyRequests: "RESOURCE_EXHAUSTED",
		http.StatusInternalServerError: "INTERNAL", http.StatusServiceUnavailable: "UNAVAILABLE",
	}[code]
}

// refuse answers as BigQuery does when it refuses a whole call.
func refuse(w http.ResponseWriter, code int, reason, message string) {
	refuseAs(w, code, code, statusOf(code), reason, message)
}

// refuseAs is refuse with a code and a status of its own in the body.
func refuseAs(w http.ResponseWriter, code, said int, status, reason, message string) {
	type item struct {
		Message string `json:"message"`
		Domain  string `json:"domain"`
		Reason  string `json:"reason"`
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{
		"code": said, "message": message, "status": status, "errors": []item{{message, "global", reason}},
	}})
}

// read takes the body of a call. Members that the method does not have are
// refused, as BigQuery does.
func read(w http.ResponseWriter, body []byte, into any) bool {
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		refuse(w, http.StatusBadRequest, "badRequest", "Invalid JSON payload received. "+err.Error())

		return false
	}

	return true
}

// Names returns the tables and views of a dataset, sorted.
func (s *Server) Names(dataset string) (names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(s.tables)) {
		if name, ok := strings.CutPrefix(key, dataset+"."); ok {
			names = append(names, name)
		}
	}

	return names
}
