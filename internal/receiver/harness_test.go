package receiver_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"trivia/internal/customerio"
	"trivia/internal/diag"
	"trivia/internal/pgtest"
	"trivia/internal/receiver"
	"trivia/internal/signature"
	"trivia/internal/source"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// noon is when everything happens in tests that say nothing else.
var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// The signing keys. Nothing that looks like them may be logged.
const (
	actionKey = "whsec_of_the_action"
	newKey    = "whsec_of_the_next_action"
	eventKey  = "whsec_of_the_event"
)

// peer is where requests come from that say nothing else; it may call.
const peer = "192.0.2.1"

// A setup is what differs from an edge whose inbox keeps and awards
// everything. The zero value is that edge.
type setup struct {
	inbox     receiver.Inbox
	allowed   []string // peer, if empty
	trusted   []string
	observe   bool
	maxBody   int64
	tolerance time.Duration // 5 minutes, if 0; any, if less
	now       func() time.Time
	ready     func(context.Context) error
	writers   int // 1, if 0; none, if less
}

// An edge is a receiver in the hands of a test.
type edge struct {
	*receiver.Receiver

	intake   *receiver.Intake
	metrics  *diag.Metrics
	refusals *diag.Refusals
	log      *logbook
	nudges   atomic.Int32
	stop     context.CancelFunc
	writers  sync.WaitGroup
}

func newEdge(t *testing.T, set setup) *edge {
	t.Helper()

	if set.inbox == nil {
		set.inbox = &inbox{}
	}
	if set.allowed == nil {
		set.allowed = []string{peer}
	}
	if set.maxBody == 0 {
		set.maxBody = 1 << 20
	}
	if set.tolerance == 0 {
		set.tolerance = 5 * time.Minute
	}
	if set.now == nil {
		set.now = func() time.Time { return noon }
	}
	if set.ready == nil {
		set.ready = func(context.Context) error { return nil }
	}
	if set.writers == 0 {
		set.writers = 1
	}

	e := &edge{metrics: diag.New(), refusals: &diag.Refusals{}, log: &logbook{}}
	log := slog.New(slog.NewJSONHandler(e.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	e.intake = receiver.NewIntake(set.inbox, e.metrics, log, set.now, func() { e.nudges.Add(1) })
	e.Receiver = receiver.New(receiver.Options{
		Guard:   source.NewGuard(listOf(t, set.allowed), listOf(t, set.trusted), set.observe),
		Action:  signature.Verifier{Keys: []signature.Key{keyOf(actionKey), keyOf(newKey)}, Tolerance: max(set.tolerance, 0)},
		Event:   signature.Verifier{Keys: []signature.Key{keyOf(eventKey)}, Tolerance: max(set.tolerance, 0)},
		MaxBody: set.maxBody, Intake: e.intake, Ready: set.ready,
		Metrics: e.metrics, Refusals: e.refusals, Log: log, Now: set.now,
	})

	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	e.stop = stop
	for range set.writers {
		e.writers.Go(func() { e.intake.Run(ctx) })
	}
	t.Cleanup(func() {
		stop()
		e.writers.Wait()
	})

	return e
}

func listOf(t *testing.T, words []string) source.List {
	t.Helper()
	list, err := source.Parse(words)
	if err != nil {
		t.Fatal(err)
	}

	return list
}

func keyOf(text string) signature.Key {
	key, err := signature.NewKey(text)
	if err != nil {
		panic(err) // no key of a test is empty
	}

	return key
}

// send lets e answer r.
func (e *edge) send(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)

	return w
}

// unsigned is a POST with headers, given as names and values.
func unsigned(path, body string, headers ...string) *http.Request {
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, path, strings.NewReader(body))
	for pair := range slices.Chunk(headers, 2) {
		r.Header.Add(pair[0], pair[1])
	}

	return r
}

// signedAt is a POST that is signed with the key of its route.
func signedAt(at time.Time, path, body string, headers ...string) *http.Request {
	r := unsigned(path, body, headers...)
	sign(r, map[string]string{customerio.PathWin: actionKey, customerio.PathEvent: eventKey}[path], stampOf(at), body)

	return r
}

// signed is signedAt noon.
func signed(path, body string, headers ...string) *http.Request {
	return signedAt(noon, path, body, headers...)
}

func sign(r *http.Request, key, stamp, body string) {
	r.Header.Set(signature.HeaderTimestamp, stamp)
	r.Header.Set(signature.HeaderSignature, signature.Sign(keyOf(key), stamp, []byte(body)))
}

// goodWin is a win of u1.
const goodWin = `{"user_id":"u1","trivia_id":"capitals","item":"mug"}`

// goodEvent is an event that is worth recording.
const goodEvent = `{"event_id":"e1","object_type":"email","metric":"opened","timestamp":1777895940}`

// A fake inbox keeps and awards everything, unless a test says otherwise.
type inbox struct {
	take, keep func(context.Context, []store.Arrival) ([]store.Receipt, error)
	probe      func(context.Context) error

	mu       sync.Mutex
	calls    []string // as in "take k1 k2"
	arrivals []store.Arrival
}

var awarded = store.Receipt{State: trivia.StateDone, Outcome: trivia.Awarded}

func (in *inbox) Take(ctx context.Context, arrivals []store.Arrival) ([]store.Receipt, error) {
	in.note("take", arrivals)
	if in.take != nil {
		return in.take(ctx, arrivals)
	}

	return slices.Repeat([]store.Receipt{awarded}, len(arrivals)), nil
}

func (in *inbox) Keep(ctx context.Context, arrivals []store.Arrival) ([]store.Receipt, error) {
	in.note("keep", arrivals)
	if in.keep != nil {
		return in.keep(ctx, arrivals)
	}

	return slices.Repeat([]store.Receipt{{State: trivia.StatePending}}, len(arrivals)), nil
}

func (in *inbox) Probe(ctx context.Context, thorough bool) error {
	verb := "look"
	if thorough {
		verb = "probe"
	}
	in.note(verb, nil)
	if in.probe != nil {
		return in.probe(ctx)
	}

	return nil
}

func (in *inbox) note(verb string, arrivals []store.Arrival) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, a := range arrivals {
		verb += " " + a.Key
	}
	in.calls = append(in.calls, verb)
	in.arrivals = append(in.arrivals, arrivals...)
}

// seen returns the calls so far.
func (in *inbox) seen() []string {
	in.mu.Lock()
	defer in.mu.Unlock()

	return slices.Clone(in.calls)
}

// only returns the one arrival that there was.
func (in *inbox) only(t *testing.T) store.Arrival {
	t.Helper()
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.arrivals) != 1 {
		t.Fatalf("%d deliveries arrived, want one", len(in.arrivals))
	}

	return in.arrivals[0]
}

// counted fails t unless line is one of /metrics.
func (e *edge) counted(t *testing.T, line string) {
	t.Helper()
	w := httptest.NewRecorder()
	diag.Handler(e.metrics, e.refusals).ServeHTTP(w,
		httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/metrics", http.NoBody))
	if !strings.Contains("\n"+w.Body.String(), "\n"+line+"\n") {
		t.Errorf("/metrics has no line %q", line)
	}
}

// A logbook is a log that may be read while it is written.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()

	return l.text.Write(p)
}

// lines returns the lines with all of texts in them.
func (l *logbook) lines(texts ...string) (found []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.text.String()) {
		if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(line, text) }) {
			found = append(found, line)
		}
	}

	return found
}

// untouched is a body that must not be read.
type untouched struct{ t *testing.T }

func (u untouched) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

// errRule is what a rule of the database says.
var errRule = errors.New("out of mugs")

// stampOf is what Customer.io puts into its timestamp header.
func stampOf(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }
