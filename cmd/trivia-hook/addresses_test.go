package main

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"trivia/internal/config"
	"trivia/internal/customerio"
	"trivia/internal/diag"
	"trivia/internal/operator"
	"trivia/internal/source"
	"trivia/internal/store"
)

const (
	listed    = "35.188.196.183" // in the built-in list of the US
	published = "35.9.9.9"       // in none, until Customer.io says so
)

// A publisher stands in for Customer.io's App API.
type publisher struct {
	url   string
	says  atomic.Pointer[string]
	asked atomic.Int64
}

func newPublisher(t *testing.T, addresses ...string) *publisher {
	t.Helper()

	p := &publisher{}
	p.list(addresses...)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		p.asked.Add(1)
		_, _ = io.WriteString(w, *p.says.Load())
	}))
	t.Cleanup(server.Close)
	p.url = server.URL

	return p
}

func (p *publisher) say(text string) { p.says.Store(&text) }

func (p *publisher) list(addresses ...string) {
	p.say(`{"ip_addresses":["` + strings.Join(addresses, `","`) + `"]}`)
}

// A keeper is what keeps a guard's list in step, stepped by hand.
type keeper struct {
	*addresses

	guard *source.Guard
	log   *bytes.Buffer
	clock *time.Time
}

func newKeeper(t *testing.T, db postgres, url string, clock *time.Time) keeper {
	t.Helper()

	s, err := store.Open(t.Context(), db.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	set := settings{Hook: config.Hook{Sources: []string{"customerio"}, Region: "us", AppURL: url}, host: "here"}
	allowed, err := source.Parse(set.Sources)
	if err != nil {
		t.Fatal(err)
	}

	k := keeper{guard: source.NewGuard(allowed, source.List{}, false), log: &bytes.Buffer{}, clock: clock}
	k.addresses = newAddresses(set, k.guard, diag.New(), slog.New(slog.NewTextHandler(k.log, nil)),
		func() time.Time { return *clock })
	k.jitter = func() float64 { return 0 }
	k.op.Store(operator.New(s, "trivia-hook@here"))

	return k
}

func (k keeper) step(t *testing.T) {
	t.Helper()

	k.log.Reset()
	if n, err := k.Step(t.Context()); n != 0 || err != nil {
		t.Fatalf("Step = %d, %v, want that there is nothing more to do", n, err)
	}
}

// wants fails unless who is let in, and who is not.
func (k keeper) wants(t *testing.T, in, out string) {
	t.Helper()

	if _, err := k.guard.Check(in+":1", nil); err != nil {
		t.Errorf("%s is not let in: %v", in, err)
	}
	if _, err := k.guard.Check(out+":1", nil); err == nil {
		t.Errorf("%s is let in", out)
	}
}

func (k keeper) said(t *testing.T, words ...string) {
	t.Helper()

	for _, word := range words {
		if !strings.Contains(k.log.String(), word) {
			t.Errorf("the log does not say %s:\n%s", word, k.log)
		}
	}
}

func TestCustomerIOIsAskedDailyAndSoonerAfterAFailure(t *testing.T) {
	t.Parallel()

	db := newPostgres(t)
	clock := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	p := newPublisher(t, listed)
	k := newKeeper(t, db, p.url, &clock)
	asked := int64(0)

	for _, tt := range []struct {
		wait  time.Duration
		says  string // empty: as before
		asked bool
	}{
		{wait: 0, asked: true},
		{wait: 23 * time.Hour},
		{wait: time.Hour, says: "<html>", asked: true},
		{wait: 29 * time.Second},
		{wait: time.Second, asked: true}, // jitter is 0: half of the wait
		{wait: 59 * time.Second},
		{wait: time.Second, asked: true},
		{wait: 2 * time.Minute, asked: true},
		{wait: 4 * time.Minute, asked: true},
		{wait: 8 * time.Minute, asked: true},
		{wait: 16 * time.Minute, asked: true},
		{wait: 30 * time.Minute, asked: true},
		{wait: 30 * time.Minute, asked: true},
		{wait: 29 * time.Minute},
		{wait: time.Minute, says: `{"ip_addresses":["` + listed + `"]}`, asked: true},
		{wait: 23 * time.Hour},
		{wait: time.Hour, asked: true},
	} {
		if tt.says != "" {
			p.say(tt.says)
		}
		clock = clock.Add(tt.wait)
		k.step(t)
		if tt.asked {
			asked++
		}
		if got := p.asked.Load(); got != asked {
			t.Fatalf("at %s Customer.io was asked %d times, want %d", clock, got, asked)
		}
	}
	db.want(t, `SELECT count(*)::text FROM audit_log`, "1")
	db.want(t, `SELECT actor || ' ' || verb || ' ' || target FROM audit_log`, "trivia-hook@here sources refresh us")
}

func TestTheListInUseOutlivesWhateverIsAnswered(t *testing.T) {
	t.Parallel()

	db := newPostgres(t)
	clock := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	p := newPublisher(t)
	k := newKeeper(t, db, p.url, &clock)

	k.step(t) // the list is [""]
	k.wants(t, listed, published)
	k.said(t, "level=WARN", "could not be refreshed: the list in use stays", `from="the built-in list"`, "addresses=14", "again_after=30s")

	clock = clock.Add(time.Minute)
	p.list(published)
	k.step(t)
	k.wants(t, published, listed)
	k.said(t, "level=INFO", `msg="Customer.io's addresses changed"`, "came=[35.9.9.9]", "gone=\"[34.10.127.179 ")

	for _, absurd := range []string{``, `{"ip_addresses":[]}`, `{"ip_addresses":["0.0.0.0/0"]}`, `{"ip_addresses":["35.9.9.9","10.0.0.1"]}`} {
		clock = clock.Add(24 * time.Hour)
		p.say(absurd)
		k.step(t)
		k.wants(t, published, "10.0.0.1")
		k.said(t, "level=WARN", "from=Customer.io", "addresses=1 ", "age=")
	}
	k.said(t, "age=96h0m0s")
	if age, known := k.age(); age != 96*time.Hour || !known {
		t.Errorf("age = %v, %t, want 96h", age, known)
	}
}

func TestWhatAnotherProcessStoresIsInUseSoon(t *testing.T) {
	t.Parallel()

	db := newPostgres(t)
	clock := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	p := newPublisher(t, listed)
	one, other := newKeeper(t, db, p.url, &clock), newKeeper(t, db, p.url, &clock)
	one.step(t)
	other.step(t)
	if other.log.Len() == 0 || p.asked.Load() != 2 {
		t.Errorf("the other has asked %d times and said %q", p.asked.Load(), other.log)
	}

	clock = clock.Add(25 * time.Hour)
	p.list(published)
	one.step(t)
	other.due = clock.Add(time.Hour)
	other.step(t)
	other.wants(t, published, listed)
	other.said(t, "came=[35.9.9.9]", "gone=[35.188.196.183]")
	if age, _ := other.age(); age != 0 {
		t.Errorf("the other thinks its list is %v old, want 0: one has just checked it", age)
	}

	// Who starts next begins with it, and with no other.
	p.say("")
	third := newKeeper(t, db, p.url, &clock)
	third.wants(t, listed, published)
	third.load(t.Context())
	third.wants(t, published, listed)
	third.said(t, "callers are let in by Customer.io's addresses", "from=Customer.io")
	if strings.Contains(third.log.String(), "changed\"") {
		t.Errorf("the start is taken for a change:\n%s", third.log)
	}

	// Somebody meddles with the table.
	db.exec(t, `UPDATE source_lists SET addresses = '{0.0.0.0/0}'`)
	third.due = clock.Add(time.Hour)
	third.step(t)
	third.wants(t, published, listed)
	third.said(t, "level=WARN", "the stored list of Customer.io's addresses cannot be used", "wider than a /24")
	db.exec(t, `DROP TABLE source_lists`)
	third.step(t)
	third.wants(t, published, listed)
	third.said(t, "level=WARN", "the list in use stays")
}

// from calls through a proxy on this machine.
func from(caller string) http.Header {
	return http.Header{"X-Forwarded-For": {caller}}
}

// status sends a win from an address, seen through a proxy.
func (s *sender) status(p *program, n int, caller string) int {
	w := nthWin(n)
	header := from(caller)
	header.Set(customerio.HeaderIdempotencyKey, fmt.Sprintf("%s-%s", w.key, caller))

	return s.post(p.public+customerio.PathWin, s.action, w.body(), header).status
}

func TestCallersComeAndGoWithCustomerIOsList(t *testing.T) {
	t.Parallel()

	db := newPostgres(t)
	s := newSender(t, 1)
	release := make(chan struct{})
	addresses := append(slices.Clone(source.BuiltIn("us")), published)
	answer := `{"ip_addresses":["` + strings.Join(addresses, `","`) + `"]}`
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(slow.Close)
	e := on(db.url).with(env{config.Sources: "customerio", config.TrustedProxies: "loopback", config.AppURL: slow.URL})

	// Customer.io takes its time; nobody waits for that.
	p := start(t, e)
	if known, unknown := s.status(p, 1, listed), s.status(p, 2, published); known != 200 || unknown != 403 {
		t.Errorf("before the list came: %d for an address of the built-in list and %d for another, want 200 and 403", known, unknown)
	}
	close(release)
	wait(t, "the list changes", func() bool { return len(p.logged(t, "Customer.io's addresses changed")) == 1 })
	if known, added := s.status(p, 1, listed), s.status(p, 2, published); known != 200 || added != 200 {
		t.Errorf("after the list came: %d and %d, want 200 for both", known, added)
	}
	if _, metrics := get(t, p.private+"/metrics"); !strings.Contains(metrics, `trivia_source_refresh_total{result="changed"} 1`) ||
		!strings.Contains(metrics, "trivia_source_list_age_seconds ") || strings.Contains(metrics, "seconds +Inf\n") {
		t.Errorf("/metrics does not know of the refresh:\n%s", ours(metrics))
	}
	p.kill(t)

	// What comes is absurd, or nothing comes: what was stored serves.
	absurd := newPublisher(t, "10.0.0.1", "127.0.0.1")
	for _, url := range []string{absurd.url, "http://" + dead(t)} {
		p = start(t, e.with(env{config.AppURL: url}))
		wait(t, "the refresh fails", func() bool {
			return len(p.logged(t, unrefreshed)) == 1
		})
		if added, private := s.status(p, 3, published), s.status(p, 4, "10.0.0.1"); added != 200 || private != 403 {
			t.Errorf("with %s: %d for an address of the stored list and %d for a private one, want 200 and 403", url, added, private)
		}
		p.kill(t)
	}
	db.want(t, `SELECT detail::text FROM audit_log`, `{"came": ["35.9.9.9"], "gone": []}`)
}

// dead returns an address where nobody listens.
func dead(t *testing.T) string {
	t.Helper()

	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()

	return strings.TrimPrefix(server.URL, "http://")
}

func TestAStopDoesNotWaitForCustomerIO(t *testing.T) {
	t.Parallel()

	asked := make(chan struct{}, 1)
	mute := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	}))
	t.Cleanup(mute.Close)
	p := start(t, on(newPostgres(t).url).with(env{config.Sources: "customerio", config.AppURL: mute.URL}))
	<-asked
	p.signal(t, syscall.SIGTERM)
	if code := p.exit(t); code != exitDone {
		t.Errorf("exit code = %d, want %d", code, exitDone)
	}
	if said := p.logged(t, unrefreshed); len(said) != 0 {
		t.Errorf("being stopped is taken for a failure: %v", said)
	}
}

func TestNobodyIsAskedWhereCustomerIOIsNoSource(t *testing.T) {
	t.Parallel()

	p := newPublisher(t, published)
	hook := start(t, on(newPostgres(t).url).with(env{config.AppURL: p.url}))
	if _, metrics := get(t, hook.private+"/metrics"); strings.Contains(metrics, "trivia_source_list_age_seconds") {
		t.Errorf("/metrics shows the age of a list that is not in use:\n%s", ours(metrics))
	}
	hook.kill(t)
	if n := p.asked.Load(); n != 0 {
		t.Errorf("Customer.io was asked %d times, want never", n)
	}
}
