package pushback_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A request is one that Customer.io's twin has seen.
type request struct {
	Person string
	Verb   string // attributes, events, suppress or account
	Body   map[string]any
	Status int // of the answer; 0 if there was none
}

func (r request) String() string {
	keys := make([]string, 0, len(r.Body))
	for name, value := range r.Body {
		if !strings.HasPrefix(name, "_") && name != "id" && name != "timestamp" {
			keys = append(keys, fmt.Sprintf("%s=%v", name, value))
		}
	}
	slices.Sort(keys)

	return strings.Join(slices.DeleteFunc([]string{r.Person, r.Verb, strings.Join(keys, " ")}, func(s string) bool { return s == "" }), " ")
}

// A twin stands in for Customer.io. It takes everything, unless a fault says
// otherwise, and remembers what it took.
type twin struct {
	*httptest.Server

	fault func(w http.ResponseWriter, r *http.Request, seen request) (handled bool) // nil: there is none

	mu       sync.Mutex
	seen     []request
	people   map[string]map[string]any // attributes
	events   map[string]int            // id → how often it came
	inFlight map[string]bool           // people
	clashes  []string                  // people for whom two calls were under way at once
}

func newTwin(tb testing.TB) *twin {
	tb.Helper()

	tw := &twin{people: map[string]map[string]any{}, events: map[string]int{}, inFlight: map[string]bool{}}
	tw.Server = httptest.NewServer(tw)
	tb.Cleanup(tw.Close)

	return tw
}

// ServeHTTP implements [http.Handler].
func (tw *twin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	req := read(r)
	tw.begin(req)
	status := 0
	defer func() {
		req.Status = status
		tw.end(req)
	}()

	if fault := tw.fault; fault != nil {
		recorder := &statusWriter{ResponseWriter: w}
		if fault(recorder, r, req) {
			status = recorder.status
			return
		}
	}
	status = http.StatusOK
	tw.take(req)
	w.Header().Set("Content-Type", "application/json")
	if req.Verb == "account" {
		_, _ = w.Write([]byte(`{"url":"https://track.customer.io","region":"us","environment_id":1}`))
		return
	}
	_, _ = w.Write([]byte(`{}`))
}

// read takes a request apart as the vendor's router would.
func read(r *http.Request) request {
	var req request
	_ = json.NewDecoder(r.Body).Decode(&req.Body)
	rest, ok := strings.CutPrefix(r.URL.EscapedPath(), "/api/v1/customers/")
	if !ok {
		req.Verb = "account"
		return req
	}
	person, verb, _ := strings.Cut(rest, "/")
	req.Person, _ = url.PathUnescape(person)
	req.Verb = verb
	if verb == "" {
		req.Verb = "attributes"
	}

	return req
}

func (tw *twin) begin(req request) {
	tw.mu.Lock()
	defer tw.mu.Unlock()
	if req.Person == "" {
		return
	}
	if tw.inFlight[req.Person] {
		tw.clashes = append(tw.clashes, req.Person)
	}
	tw.inFlight[req.Person] = true
}

func (tw *twin) end(req request) {
	tw.mu.Lock()
	defer tw.mu.Unlock()
	delete(tw.inFlight, req.Person)
	tw.seen = append(tw.seen, req)
}

// idle reports whether every call has ended, also those that the caller has given
// up: it takes a busy machine a while to find that out.
func (tw *twin) idle() bool {
	tw.mu.Lock()
	defer tw.mu.Unlock()

	return len(tw.inFlight) == 0
}

func (tw *twin) take(req request) {
	tw.mu.Lock()
	defer tw.mu.Unlock()
	switch req.Verb {
	case "attributes":
		if tw.people[req.Person] == nil {
			tw.people[req.Person] = map[string]any{}
		}
		maps.Copy(tw.people[req.Person], req.Body)
	case "events":
		tw.events[fmt.Sprint(req.Body["id"])]++
	}
}

// taken returns what was answered 200, for one person or for all.
func (tw *twin) taken(person string) []string {
	var all []string
	for _, req := range tw.requests() {
		if req.Status == http.StatusOK && (person == "" || req.Person == person) {
			all = append(all, req.String())
		}
	}

	return all
}

func (tw *twin) requests() []request {
	tw.mu.Lock()
	defer tw.mu.Unlock()

	return slices.Clone(tw.seen)
}

func (tw *twin) count(verb string, status int) int {
	n := 0
	for _, req := range tw.requests() {
		if req.Verb == verb && req.Status == status {
			n++
		}
	}

	return n
}

// say is a fault that answers everything alike.
func say(status int, words string, header ...string) func(http.ResponseWriter, *http.Request, request) bool {
	return func(w http.ResponseWriter, _ *http.Request, _ request) bool {
		answer(w, status, words, header...)
		return true
	}
}

func answer(w http.ResponseWriter, status int, words string, header ...string) {
	for i := 0; i+1 < len(header); i += 2 {
		w.Header().Set(header[i], header[i+1])
	}
	w.WriteHeader(status)
	_, _ = w.Write([]byte(words))
}

// inTurn are all faults that pass, one after the other, and then none for once.
func inTurn() func(http.ResponseWriter, *http.Request, request) bool {
	var (
		mu sync.Mutex
		n  int
	)

	return func(w http.ResponseWriter, r *http.Request, _ request) bool {
		mu.Lock()
		n++
		turn := n % 7
		mu.Unlock()
		switch turn {
		case 1:
			answer(w, http.StatusTooManyRequests, "slow down", "Retry-After", "3")
		case 2:
			answer(w, http.StatusInternalServerError, "oops")
		case 3:
			select { // it does not answer
			case <-r.Context().Done():
			case <-time.After(10 * time.Second):
			}
		case 4:
			reset(w)
		case 5:
			answer(w, http.StatusMovedPermanently, "", "Location", "/elsewhere")
		default:
			return false
		}

		return true
	}
}

// reset breaks the connection off.
func reset(w http.ResponseWriter) {
	if rw, ok := w.(*statusWriter); ok {
		w = rw.ResponseWriter
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

type statusWriter struct {
	http.ResponseWriter

	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}
