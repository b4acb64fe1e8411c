package bqtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	bq "google.golang.org/api/bigquery/v2"
)

func (s *Server) insertAll(w http.ResponseWriter, r *http.Request, body []byte) {
	if len(body) > 2*s.limit { // what stands before BigQuery does not even pass it on
		(&Fault{Code: http.StatusRequestEntityTooLarge, Page: "<html><title>Error 413 (Request Entity Too Large)!!1</title></html>"}).write(w)

		return
	}
	t := s.lookup(w, r)
	if t == nil {
		return
	}
	var request struct {
		Rows []struct {
			InsertID string `json:"insertId"`
			JSON     Row    `json:"json"`
		} `json:"rows"`
		SkipInvalidRows     bool   `json:"skipInvalidRows"`
		IgnoreUnknownValues bool   `json:"ignoreUnknownValues"`
		TemplateSuffix      string `json:"templateSuffix"`
	}
	switch ok := len(body) > s.limit || read(w, body, &request); {
	case !ok:
		return
	case len(body) > s.limit:
		refuse(w, http.StatusBadRequest, "badRequest", fmt.Sprintf("Request payload size exceeds the limit: %d bytes.", s.limit))

		return
	case t.Type != "TABLE":
		refuse(w, http.StatusBadRequest, "invalid", "Cannot add rows to a table of type "+t.Type+".")

		return
	case len(request.Rows) == 0:
		refuse(w, http.StatusBadRequest, "invalid", "No rows present in the request.")

		return
	case len(request.Rows) > mostRows:
		refuse(w, http.StatusBadRequest, "invalid", "too many rows present in the request")

		return
	}

	faults := make([]*bq.ErrorProto, len(request.Rows))
	bad := 0
	for i, row := range request.Rows {
		if len(row.InsertID) > 128 {
			refuse(w, http.StatusBadRequest, "invalid", "Insert ID is too long")

			return
		}
		faults[i] = s.examine(t, row.InsertID, row.JSON, request.IgnoreUnknownValues)
		if faults[i] != nil {
			bad++
		}
	}
	answer := bq.TableDataInsertAllResponse{Kind: "bigquery#tableDataInsertAllResponse"}
	for i, row := range request.Rows {
		switch {
		case faults[i] == nil && (bad == 0 || request.SkipInvalidRows):
			if !s.dedupes || !t.ids[row.InsertID] {
				t.rows = append(t.rows, row.JSON)
			}
			t.ids[row.InsertID] = true
		case faults[i] == nil:
			faults[i] = &bq.ErrorProto{Reason: "stopped"}

			fallthrough
		default:
			answer.InsertErrors = append(answer.InsertErrors, &bq.TableDataInsertAllResponseInsertErrors{
				Index: int64(i), Errors: []*bq.ErrorProto{faults[i]},
			})
		}
	}
	say(w, answer)
}

// examine returns what is wrong with a row, if anything is.
func (s *Server) examine(t *table, id string, row Row, ignoreUnknown bool) *bq.ErrorProto {
	if s.judge != nil {
		if fault := s.judge(t.TableReference.TableId, id, row); fault != nil {
			return fault
		}
	}
	invalid := func(location, message string) *bq.ErrorProto {
		return &bq.ErrorProto{Reason: "invalid", Location: location, Message: message}
	}

	size, known := 0, map[string]bool{}
	for _, f := range t.Schema.Fields {
		known[f.Name] = true
		value, there := row[f.Name]
		if !there || value == nil {
			if f.Mode == "REQUIRED" {
				return invalid("", "Missing required field: "+f.Name+".")
			}

			continue
		}
		if f.Mode == "REPEATED" {
			return invalid(f.Name, "Cannot convert value to array")
		}
		written, ok := value.(string)
		size += len(written)
		switch f.Type {
		case "BOOLEAN":
			if _, ok := value.(bool); !ok {
				return invalid(f.Name, fmt.Sprintf("Cannot convert value to boolean: %v", value))
			}
		case "TIMESTAMP":
			at, err := time.Parse(time.RFC3339Nano, written)
			if err != nil || at.Year() < 1 || at.Year() > 9999 {
				return invalid(f.Name, "Could not parse '"+written+"' as a timestamp. Required format is YYYY-MM-DD HH:MM[:SS[.SSSSSS]]")
			}
		case "JSON":
			if !ok || !json.Valid([]byte(written)) || depth(written) > 500 {
				return invalid(f.Name, "Invalid JSON")
			}
		case "STRING":
			if !ok || !utf8.ValidString(written) {
				return invalid(f.Name, fmt.Sprintf("Cannot convert value to string: %v", value))
			}
		default:
			return invalid(f.Name, "Cannot convert value to "+strings.ToLower(f.Type))
		}
	}
	if size > mostRow {
		return invalid("", fmt.Sprintf("Maximum allowed row size exceeded. Allowed: %d Row size: %d", mostRow, size))
	}
	for name := range row {
		if !known[name] && !ignoreUnknown {
			return invalid(name, "no such field: "+name+".")
		}
		if !known[name] {
			delete(row, name)
		}
	}

	return nil
}

// depth returns how deep a JSON document nests.
func depth(document string) (most int) {
	decoder := json.NewDecoder(strings.NewReader(document))
	for now := 0; ; {
		token, err := decoder.Token()
		if err != nil {
			return most
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			now++
			most = max(most, now)
		case json.Delim('}'), json.Delim(']'):
			now--
		}
	}
}
