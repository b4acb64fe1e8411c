package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"trivia/internal/config"
	"trivia/internal/customerio"
	"trivia/internal/pgtest"
)

// A trackAPI stands in for Customer.io: it is slow, and at times out of order.
type trackAPI struct {
	*httptest.Server

	mu     sync.Mutex
	calls  int
	events map[string]map[string]bool // user and trivia → identifiers of the event
	set    map[string]map[string]any  // person → attributes
	counts map[string][]float64       // person → the numbers of wins that were told, in this order
}

func newTrackAPI(t *testing.T) *trackAPI {
	t.Helper()

	api := &trackAPI{events: map[string]map[string]bool{}, set: map[string]map[string]any{}, counts: map[string][]float64{}}
	api.Server = httptest.NewServer(api)
	t.Cleanup(api.Close)

	return api
}

// ServeHTTP implements [http.Handler].
func (api *trackAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body map[string]any
	_ = json.NewDecoder(r.Body).Decode(&body)
	rest := strings.TrimPrefix(r.URL.EscapedPath(), "/api/v1/customers/")
	escaped, verb, _ := strings.Cut(rest, "/")
	person, _ := url.PathUnescape(escaped)

	select { // a network takes its time
	case <-time.After(5 * time.Millisecond):
	case <-r.Context().Done():
	}
	api.mu.Lock()
	defer api.mu.Unlock()
	if api.calls++; api.calls%10 == 0 {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	switch verb {
	case "":
		if api.set[person] == nil {
			api.set[person] = map[string]any{}
		}
		maps.Copy(api.set[person], body)
		if n, ok := body["trivia_wins"].(float64); ok {
			api.counts[person] = append(api.counts[person], n)
		}
	case "events":
		data, _ := body["data"].(map[string]any)
		name := fmt.Sprint(person, " ", data["trivia_id"])
		if api.events[name] == nil {
			api.events[name] = map[string]bool{}
		}
		api.events[name][fmt.Sprint(body["id"])] = true
	}
}

func (api *trackAPI) called() int {
	api.mu.Lock()
	defer api.mu.Unlock()

	return api.calls
}

// telling are the settings of a service that tells api.
func (api *trackAPI) telling() env {
	return env{
		config.TrackURL: api.URL, config.SiteID: "site-1", config.TrackAPIKey: "track-" + hidden, config.PushRate: "1000",
	}
}

// bounce is an event of which the person of that name shall be told.
func (s *sender) bounce(base, user string) answer {
	return s.post(base+customerio.PathEvent, s.event, fmt.Appendf(nil,
		`{"event_id":"bounce-%s","object_type":"email","metric":"bounced","timestamp":1777896000,
			"data":{"delivery_id":"d-%s","identifiers":{"id":%q},"note":%q}}`, user, user, user, bodySecret), nil)
}

// owe sends wins of all users, and bounces of the first ten.
func (s *sender) owe(t *testing.T, base string, round int) {
	t.Helper()

	for n := range users {
		w := nthWin(n)
		w.key, w.trivia = fmt.Sprintf("owe-%d-%d", round, n), fmt.Sprint("trivia-", round)
		if a := s.win(base, w); a.err != nil || a.status != http.StatusOK {
			t.Fatalf("win %s was answered %+v", w.key, a)
		}
	}
	for n := range 10 {
		if a := s.bounce(base, fmt.Sprintf("user-%d", n)); a.err != nil || a.status != http.StatusOK {
			t.Fatalf("a bounce was answered %+v", a)
		}
	}
}

// waitTold waits until nothing is owed, with the patience of nobody: who was in
// hand of a service that is gone, or rests, is free at once.
func (db postgres) waitTold(t *testing.T) {
	t.Helper()

	wait(t, "nothing is owed", func() bool {
		// Who is being told is skipped: to wait for several in whatever order could
		// be a circle with the service.
		db.exec(t, `UPDATE push_people SET leased_until = now() WHERE person IN (
			SELECT person FROM push_people WHERE failures > 0 OR leased_until > now() + interval '20 s'
			FOR UPDATE SKIP LOCKED)`)

		return db.column(t, `SELECT count(*)::text FROM pushes WHERE state <> 'sent'`)[0] == "0"
	})
}

func TestWhatIsOwedToCustomerIOSurvivesKill9(t *testing.T) {
	t.Parallel()

	db, api := prepare(t, pgtest.Durable(t).URL()), newTrackAPI(t)
	e := on(db.url).with(api.telling())
	p, s := start(t, e), newSender(t, 1)
	for round := range 3 {
		s.owe(t, p.public, round)
		mark := api.called()
		wait(t, "it tells Customer.io", func() bool { return api.called() > mark+10 })
		p.kill(t)
		p = start(t, e)
		db.exec(t, `UPDATE push_people SET leased_until = now()`) // which ends by itself after 25 s
	}
	db.endLeases(t)
	db.waitSettled(t)
	db.waitTold(t)

	newest := map[string]string{}
	for _, win := range db.column(t, `SELECT DISTINCT ON (user_id) user_id || ' ' || trivia_id FROM trivia_wins ORDER BY user_id, won_at DESC`) {
		user, id, _ := strings.Cut(win, " ")
		newest[user] = id
	}
	api.mu.Lock()
	defer api.mu.Unlock()
	for n := range users {
		user := fmt.Sprintf("user-%d", n)
		for round := range 3 {
			name := fmt.Sprint(user, " trivia-", round)
			if ids := api.events[name]; len(ids) != 1 {
				t.Errorf("%s is told as the events %v, want one, perhaps repeated", name, ids)
			}
		}
		if got := api.set[user]; got["trivia_wins"] != 3.0 || got["last_trivia_id"] != newest[user] {
			t.Errorf("Customer.io knows of %s: %v; want 3 wins, the last one of %s", user, got, newest[user])
		}
		if got := api.set[user]["email_bounced"]; (got == true) != (n < 10) {
			t.Errorf("Customer.io knows of %s that email_bounced is %v", user, got)
		}
	}
	if len(api.events) != 3*users {
		t.Errorf("%d wins are told of, want %d", len(api.events), 3*users)
	}
	db.want(t, `SELECT kind || ' ' || count(*) FROM pushes GROUP BY kind ORDER BY kind`, "event 300", "suppress 10")
}

func TestWithoutCredentialsPushesWaitForThem(t *testing.T) {
	t.Parallel()

	db, api := newPostgres(t), newTrackAPI(t)
	without := start(t, on(db.url))
	newSender(t, 1).owe(t, without.public, 0)
	db.waitSettled(t)
	db.want(t, `SELECT state || ' ' || reason || ' ' || count(*) FROM pushes GROUP BY state, reason`, "held no credentials 110")
	if len(without.logged(t, "there are no credentials for Customer.io: pushes are held until there are")) != 1 {
		t.Error("the log does not say that pushes are held")
	}
	if _, text := get(t, without.private+"/metrics"); !strings.Contains(text, "\ntrivia_pushes_held 110\n") {
		t.Error("/metrics does not say that pushes are held")
	}

	start(t, on(db.url).with(api.telling()))
	db.waitTold(t)
}

func TestTheFirstThatIsSaidIsWhatIsDoneToPeople(t *testing.T) {
	t.Parallel()

	for message, e := range map[string]env{
		"suppress deletes a person's profile from Customer.io for good": {},
		"nobody's profile is deleted from Customer.io": {
			config.OnBounce: "unsubscribe", config.OnSpam: "attributes", config.OnUnsubscribe: "nothing",
		},
	} {
		p := start(t, on(newPostgres(t).url).with(e))
		first := p.records(t)[0]
		if first.text("msg") != message || first.text("on_bounce") == "" || first.text("on_spam") == "" || first.text("on_unsubscribe") == "" {
			t.Errorf("the first line of the log is %v, want %q with the settings", first, message)
		}
	}
}
