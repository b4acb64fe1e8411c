package ctl

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"trivia/internal/config"
	"trivia/internal/customerio"
	"trivia/internal/signature"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// A model is what a hook does with scenarios, in short.
type model struct {
	mu     sync.Mutex
	bodies map[string][]string // by key
	wins   map[string]string   // user and trivia → item
	naive  bool                // it looks neither at signatures nor at keys

	tolerance time.Duration
}

func newModel() *model { return &model{bodies: map[string][]string{}, wins: map[string]string{}} }

// ServeHTTP answers as a hook does.
func (m *model) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	code, status, outcome := m.answer(w, r)
	w.WriteHeader(code)
	_, _ = fmt.Fprintf(w, `{"status":%q,"outcome":%q}`, status, outcome)
}

func (m *model) answer(w http.ResponseWriter, r *http.Request) (code int, status, outcome string) {
	text := "action-key"
	if r.URL.Path == customerio.PathEvent {
		text = "event-key"
	}
	key, _ := signature.NewKey(text)
	verifier := signature.Verifier{Keys: []signature.Key{key}, Tolerance: m.tolerance}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	switch {
	case r.URL.Path != customerio.PathWin && r.URL.Path != customerio.PathEvent:
		return 404, "refused", ""
	case r.Method != http.MethodPost:
		return 405, "refused", ""
	case r.ContentLength > 1<<20:
		return 413, "refused", ""
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return 503, "refused", ""
	}
	if _, err := verifier.Verify(noon, r.Header.Get(signature.HeaderTimestamp), body, r.Header.Get(signature.HeaderSignature)); err != nil && !m.naive {
		return 401, "refused", ""
	}
	if r.URL.Path == customerio.PathEvent {
		id, _, _ := customerio.DecodeEvent(body)
		m.keep(id, string(body))

		return 200, "accepted", string(trivia.Recorded)
	}

	return m.win(r.Header.Get(customerio.HeaderIdempotencyKey), body)
}

func (m *model) keep(key, body string) (before []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before = m.bodies[key]
	if !slices.Contains(before, body) {
		m.bodies[key] = append(before, body)
	}

	return before
}

func (m *model) win(key string, body []byte) (code int, status, outcome string) {
	before := m.keep(key, string(body))
	m.mu.Lock()
	defer m.mu.Unlock()
	win, err := customerio.DecodeAction(body)
	name := string(win.User) + " " + string(win.Trivia)
	item, won := m.wins[name]
	switch {
	case slices.Contains(before, string(body)) && !m.naive:
		return 200, "duplicate", "awarded"
	case err != nil:
		return 200, "accepted", string(trivia.Malformed)
	case strings.HasSuffix(string(win.User), "-u1"):
		return 200, "accepted", string(trivia.UnknownUser)
	case won && item != string(win.Item):
		return 200, "accepted", string(trivia.PrizeConflict)
	case won && !m.naive:
		return 200, "accepted", string(trivia.AlreadyWon)
	}
	m.wins[name] = string(win.Item)

	return 200, "accepted", string(trivia.Awarded)
}

// stageFor returns a stage whose database is the model's.
func (m *model) stageFor(t *testing.T) (st *stage, url string) {
	t.Helper()
	h := newHook(t, nil)
	h.Config.Handler = m
	st = newStage(t)
	st.fake.trialFake.kept = func(keys []string) (n int) {
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, key := range keys {
			n += len(m.bodies[key])
		}

		return n
	}
	st.fake.won = func(user trivia.UserID, id trivia.ID) store.Awarded {
		m.mu.Lock()
		defer m.mu.Unlock()
		_, won := m.wins[string(user)+" "+string(id)]
		n := map[bool]int{true: 1}[won]

		return store.Awarded{Wins: n, Prizes: n, Ours: true}
	}

	return st, h.URL
}

func TestScenariosAndWhatTheyExpect(t *testing.T) {
	t.Parallel()

	st, url := newModel().stageFor(t)
	var all strings.Builder
	show := func(title string, args ...string) {
		if code := st.call(t, args...); code != 0 {
			t.Errorf("%s: exit %d: %s", title, code, st.err.String())
		}
		all.WriteString("--- " + title + "\n" + st.out.String())
	}
	show("list", "send", "scenario", "list")
	show("a pipe", "send", "scenario", "all", "--url", url)
	if st.fake.trialUsers.Users != 1 || len(st.fake.removed) > 0 {
		t.Errorf("%+v was added, %d removed; want one user, and none", st.fake.trialUsers, len(st.fake.removed))
	}
	show("json", "send", "scenario", "stale", "reordered", "--url", url, "--cleanup", "--output", "json")
	if len(st.fake.removed) != 3 || st.fake.removedTrial.Users != 2 {
		t.Errorf("%q of %+v were removed, want three deliveries, and the stranger", st.fake.removed, st.fake.removedTrial)
	}
	st.StdoutTerminal, st.env["NO_COLOR"] = true, "1"
	show("a terminal of 80 cells", "send", "scenario", "duplicate-storm", "key-conflict", "--url", url, "--user", "demo-1")
	golden(t, "scenario", all.String())
}

func TestAScenarioThatDiffersIsTold(t *testing.T) {
	t.Parallel()

	m := newModel()
	m.naive = true
	st, url := m.stageFor(t)
	st.env["TRIVIA_SIGNATURE_TOLERANCE"] = "5m"
	if code := st.call(t, "send", "scenario", "wrong-key", "reordered", "stale", "wrong-method", "--url", url, "--output", "csv"); code != 1 {
		t.Errorf("exit %d, want 1", code)
	}
	wantOut := `scenario,expected,seen,expected_rows,seen_rows,result
wrong-key,401,awarded,"0 kept, 0 wins, 0 prizes","1 kept, 1 win, 1 prize",differs
reordered,"awarded, already_won","awarded, awarded","2 kept, 1 win, 1 prize","2 kept, 1 win, 1 prize",differs
stale,401,awarded,"0 kept, 0 wins, 0 prizes","1 kept, 1 win, 1 prize",differs
wrong-method,405,405,"0 kept, 0 wins, 0 prizes","0 kept, 0 wins, 0 prizes",ok
`
	wantErr := `triviactl: wrong-key: expected 401 with 0 kept, 0 wins, 0 prizes, seen awarded with 1 kept, 1 win, 1 prize
triviactl: reordered: expected awarded, already_won, seen awarded, awarded
triviactl: stale: expected 401 with 0 kept, 0 wins, 0 prizes, seen awarded with 1 kept, 1 win, 1 prize
triviactl: 3 of 4 differ
`
	if st.out.String() != wantOut || st.err.String() != wantErr {
		t.Errorf("printed\n%ssaid\n%s", st.out.String(), st.err.String())
	}

	st.call(t, "send", "scenario", "stale", "--url", url)
	if want := "triviactl: hint: is TRIVIA_SIGNATURE_TOLERANCE the hook's?\n"; !strings.HasSuffix(st.err.String(), want) {
		t.Errorf("said %q, want %q", st.err.String(), want)
	}
	st.call(t, "send", "scenario", "reordered", "--url", url, "--user", "who-u1")
	if want := "triviactl: hint: is the user there? add them with: triviactl users add who-u1\n"; !strings.HasSuffix(st.err.String(), want) {
		t.Errorf("said %q, want %q", st.err.String(), want)
	}
}

func TestScenariosWithoutADatabaseCompareAnswersAlone(t *testing.T) {
	t.Parallel()

	st, url := newModel().stageFor(t)
	st.open = st.openStore
	st.want(t, []string{"send", "scenario", "all", "--url", url}, 2, "",
		"triviactl: usage: there is no database to add a user to\ntriviactl: hint: name one who is there: --user demo-1\n")
	if code := st.call(t, "send", "scenario", "reordered", "--url", url, "--user", "demo-1", "--output", "json"); code != 0 {
		t.Errorf("exit %d: %s", code, st.err.String())
	}
	var got []map[string]any
	if err := json.Unmarshal(st.out.Bytes(), &got); err != nil || len(got) != 1 || got[0]["seen_rows"] != nil || got[0]["result"] != "ok" {
		t.Errorf("printed %s", st.out.String())
	}
}

func TestScenariosFollowTheSettings(t *testing.T) {
	t.Parallel()

	lax := map[string]string{}
	for _, sc := range scenarios(config.Ctl{CreateUsers: true}) {
		lax[sc.name] = fmt.Sprint(sc.want, " ", sc.kept, " ", sc.won)
	}
	if lax["stale"] != "awarded 1 1" || lax["unknown-user"] != "awarded 1 1" {
		t.Errorf("where any timestamp is taken and users are created: %v", lax)
	}
}
