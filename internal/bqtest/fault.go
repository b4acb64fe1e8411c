package bqtest

import (
	"io"
	"net/http"
	"strings"

	bq "google.golang.org/api/bigquery/v2"
)

// A Fault is how calls fail.
type Fault struct {
	Method string // of the calls that do
	Times  int    // that many of them; 0: all, until [Server.Heal]
	Having string // only those whose body has this in it

	After           bool // what is asked is done all the same: only the answer is another
	Cut             bool // the connection ends instead of an answer
	Code            int  // the status
	Reason, Message string
	Page            string // a page instead of an answer of BigQuery's, as from what stands before it
}

// Faults that BigQuery is known for.
func (f Fault) as(code int, reason, message string) Fault {
	f.Code, f.Reason, f.Message = code, reason, message

	return f
}

// RateLimit is what a call gets that comes too soon behind others. The client
// tries it again.
func RateLimit(method string, times int) Fault {
	return Fault{Method: method, Times: times}.as(http.StatusForbidden, "rateLimitExceeded",
		"Exceeded rate limits: too many requests per second. For more information, see https://cloud.google.com/bigquery/troubleshooting-errors")
}

// Quota is what a call gets when the quota is used up. The client gives up.
func Quota(method string, times int) Fault {
	return Fault{Method: method, Times: times}.as(http.StatusForbidden, "quotaExceeded",
		"Quota exceeded: Your table exceeded quota for streaming insert bytes.")
}

// Unavailable is what a call gets while BigQuery has troubles.
func Unavailable(method string, times int) Fault {
	return Fault{Method: method, Times: times}.as(http.StatusServiceUnavailable, "backendError",
		"Visibility check was unavailable. Please retry the request")
}

// Denied is what a call gets without the permission for it.
func Denied(method string, times int) Fault {
	return Fault{Method: method, Times: times}.as(http.StatusForbidden, "accessDenied",
		"Access Denied: Table test-project:d.t: Permission bigquery.tables.updateData denied on table (or it may not exist).")
}

// Fail lets calls fail from now on.
func (s *Server) Fail(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
}

// Heal ends all faults.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults, s.judge = nil, nil
}

// Judge lets judge say what is wrong with each row that is streamed; nil means
// nothing.
func (s *Server) Judge(judge func(table, insertID string, row Row) *bq.ErrorProto) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.judge = judge
}

// fault returns how a call fails, if it does. The caller holds the lock.
func (s *Server) fault(method string, body []byte) *Fault {
	for i, f := range s.faults {
		if f.Method != method || f.Having != "" && !strings.Contains(string(body), f.Having) {
			continue
		}
		if f.Times == 1 {
			s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
		}
		f.Times = max(f.Times-1, 0)

		return f
	}

	return nil
}

// write answers as the fault says.
func (f *Fault) write(w http.ResponseWriter) {
	switch {
	case f.Cut:
		panic(http.ErrAbortHandler)
	case f.Page != "":
		w.Header().Set("Content-Type", "text/html; charset=UTF-8")
		w.WriteHeader(f.Code)
		_, _ = io.WriteString(w, f.Page)
	default:
		refuse(w, f.Code, f.Reason, f.Message)
	}
}
