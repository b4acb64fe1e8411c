package bqtest

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"

	bq "google.golang.org/api/bigquery/v2"
	"google.golang.org/api/googleapi"
)

// perDay is the one query that is understood: how many rows there are of each
// day, each counted once.
var perDay = regexp.MustCompile("^SELECT FORMAT_TIMESTAMP\\('%F', (\\w+)\\) AS day, COUNT\\(DISTINCT (\\w+)\\) AS n\n" +
	"FROM `[^`.]+\\.([^`]+)`\nWHERE (\\w+) >= @since AND (\\w+) < @until\nGROUP BY day$")

func (s *Server) query(w http.ResponseWriter, r *http.Request, body []byte) {
	var request bq.QueryRequest
	if !read(w, body, &request) {
		return
	}
	parts := perDay.FindStringSubmatch(request.Query)
	if parts == nil || request.UseLegacySql == nil || *request.UseLegacySql {
		refuse(w, http.StatusBadRequest, "invalidQuery", "Syntax error: this server understands another query")

		return
	}
	t, ok := s.tables[parts[3]]
	if !ok {
		refuse(w, http.StatusNotFound, "notFound", "Not found: Table "+r.PathValue("project")+":"+parts[3]+" was not found in location "+request.Location)

		return
	}
	span := map[string]time.Time{}
	for _, p := range request.QueryParameters {
		at, err := time.Parse("2006-01-02 15:04:05.999999Z07:00", p.ParameterValue.Value)
		if err != nil || p.ParameterType.Type != "TIMESTAMP" {
			refuse(w, http.StatusBadRequest, "invalidQuery", fmt.Sprintf("Invalid value for %s: %s", p.Name, p.ParameterValue.Value))

			return
		}
		span[p.Name] = at
	}

	result := countDays(t.rows, parts[1], parts[2], span["since"], span["until"])
	s.changes++
	job := &bq.JobReference{ProjectId: r.PathValue("project"), JobId: "job-" + strconv.Itoa(s.changes), Location: "EU"}
	result.JobReference = job
	s.jobs[job.JobId] = result // the client asks for it where no rows came at once
	if s.slow {
		say(w, bq.QueryResponse{Kind: "bigquery#queryResponse", JobReference: job, JobComplete: false})

		return
	}
	say(w, bq.QueryResponse{
		Kind: "bigquery#queryResponse", JobReference: job, JobComplete: true,
		Schema: result.Schema, Rows: result.Rows, TotalRows: result.TotalRows,
	})
}

func countDays(rows []Row, day, id string, since, until time.Time) *bq.GetQueryResultsResponse {
	days := map[string]map[any]bool{}
	for _, row := range rows {
		written, _ := row[day].(string)
		at, err := time.Parse(time.RFC3339Nano, written)
		if err != nil || at.Before(since) || !at.Before(until) {
			continue
		}
		name := at.UTC().Format(time.DateOnly)
		if days[name] == nil {
			days[name] = map[any]bool{}
		}
		days[name][row[id]] = true
	}

	result := &bq.GetQueryResultsResponse{
		Kind: "bigquery#getQueryResultsResponse", JobComplete: true, TotalRows: uint64(len(days)),
		Schema: &bq.TableSchema{Fields: []*bq.TableFieldSchema{
			{Name: "day", Type: "STRING", Mode: "NULLABLE"}, {Name: "n", Type: "INTEGER", Mode: "NULLABLE"},
		}},
	}
	for _, name := range slices.Sorted(maps.Keys(days)) {
		result.Rows = append(result.Rows, &bq.TableRow{F: []*bq.TableCell{{V: name}, {V: strconv.Itoa(len(days[name]))}}})
	}

	return result
}

func (s *Server) queryResults(w http.ResponseWriter, r *http.Request, _ []byte) {
	result, ok := s.jobs[r.PathValue("job")]
	if !ok {
		refuse(w, http.StatusNotFound, "notFound", "Not found: Job "+r.PathValue("project")+":"+r.PathValue("job"))

		return
	}
	if r.URL.Query().Get("maxResults") == "0" { // the client only waits for the end
		say(w, bq.GetQueryResultsResponse{
			Kind: result.Kind, JobReference: result.JobReference, JobComplete: true, Schema: result.Schema, TotalRows: result.TotalRows,
			ServerResponse: googleapi.ServerResponse{},
		})

		return
	}
	say(w, result)
}
