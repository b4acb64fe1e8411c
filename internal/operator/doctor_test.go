package operator_test

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"trivia/internal/config"
	"trivia/internal/operator"
	"trivia/internal/pgtest"
	"trivia/internal/signature"
	"trivia/internal/store"
)

// healthy is a checkup of a database that is migrated, with settings that are
// right, and of no hook.
func healthy(t *testing.T, url string) operator.Checkup {
	t.Helper()

	set, complaints := config.HookFrom(func(name string) string {
		return map[string]string{
			"DATABASE_URL": cmp.Or(url, "postgres://db"), "CUSTOMERIO_WEBHOOK_SECRET": "event-key", "CUSTOMERIO_ACTION_SECRET": "action-key",
			"TRIVIA_SOURCES": "loopback",
		}[name]
	}, false)
	if err := complaints.Err(); err != nil {
		t.Fatal(err)
	}

	c := operator.Checkup{Settings: set, Agent: "test", Now: time.Now}
	if url != "" {
		c.Database = dsn(t, url)
	}

	return c
}

func dsn(t *testing.T, url string) *store.DSN {
	t.Helper()
	d, err := store.ParseDSN(url, store.DSNOptions{})
	if err != nil {
		t.Fatal(err)
	}

	return d
}

// finding returns what is said of a check, as "health: words".
func finding(t *testing.T, found []operator.Finding, name string) string {
	t.Helper()

	var all []string
	for _, f := range found {
		if f.Check == name {
			all = append(all, string(f.Health)+": "+f.Says)
		}
	}
	if len(all) == 0 {
		t.Errorf("nothing is said of %s", name)
	}

	return strings.Join(all, "\n")
}

func wantFinding(t *testing.T, found []operator.Finding, name string, want ...string) {
	t.Helper()

	got := finding(t, found, name)
	for _, words := range want {
		if !strings.Contains(got, words) {
			t.Errorf("of %s it says\n%s\nwant %q", name, got, words)
		}
	}
}

func TestAHealthyDatabaseIsFoundSo(t *testing.T) {
	t.Parallel()

	url := pgtest.Schema(t)
	if _, err := store.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	found := operator.Examine(t.Context(), healthy(t, url))
	var order []string
	for _, f := range found {
		if !slices.Contains(order, f.Check) {
			order = append(order, f.Check)
		}
		if f.Health == operator.Broken {
			t.Errorf("%s is broken: %s", f.Check, f.Says)
		}
	}
	want := []string{
		"settings", "database", "schema", "clock", "signing keys", "key uses", "listener", "signatures", "probe",
		"source list", "customer.io", "stream", "backlog", "parked", "pushes", "warehouse", "disk",
	}
	if !slices.Equal(order, want) {
		t.Errorf("checks %q, want %q", order, want)
	}
	wantFinding(t, found, "settings", "ok: all")
	wantFinding(t, found, "database", "ok: Postgres, version ")
	wantFinding(t, found, "schema", "ok: version ")
	wantFinding(t, found, "clock", "ok: ")
	wantFinding(t, found, "signing keys", "ok: of wins ", "; of events ")
	wantFinding(t, found, "key uses", "warning: no request has ever matched a key of the win route")
	wantFinding(t, found, "customer.io", "warning: there are no credentials")
	wantFinding(t, found, "backlog", "ok: no delivery is pending")
	wantFinding(t, found, "stream", "ok: of wins: quiet: no win has ever come", "ok: of events: quiet: no event has ever come")
	wantFinding(t, found, "probe", "skipped: not asked")
	wantFinding(t, found, "warehouse", "ok: none is set: nothing is copied")
}

func TestWhatWaitsIsFound(t *testing.T) {
	t.Parallel()

	d, url := deskAt(t)
	for _, sql := range []string{
		`INSERT INTO deliveries (key, kind, body, body_sha256, state, outcome, received_at, last_seen_at, due_at)
		VALUES ('a', 'win', '', '', 'pending', NULL, now() - '20 minutes'::interval, now(), now()),
			('b', 'win', '', '', 'parked', 'malformed', now(), now(), NULL), ('c', 'win', '', '', 'parked', 'malformed', now(), now(), NULL),
			('d', 'win', '', '', 'parked', 'trivia_closed', now(), now(), NULL)`,
		`INSERT INTO pushes (person, kind, cause, cause_id, occurred_at, state)
		VALUES ('p', 'event', 'win', 't', now(), 'parked'), ('p', 'event', 'win', 'u', now(), 'held'), ('q', 'event', 'win', 'u', now(), 'pending')`,
		`INSERT INTO source_lists (region, addresses, checked_at, changed_at) VALUES ('us', '{35.1.1.1}', now() - '4 days'::interval, now())`,
		`INSERT INTO key_uses (kind, fingerprint, first_used, last_used, uses) VALUES ('event', 'abcdabcd', now(), now(), 1)`,
	} {
		if _, err := d.db.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	c := healthy(t, url)
	c.Settings.Sources = []string{"customerio"}
	c.Settings.Observe, c.Settings.Tolerance = true, 5*time.Minute
	c.Settings.ActionKeys = c.Settings.EventKeys
	found := operator.Examine(t.Context(), c)
	wantFinding(t, found, "backlog", "warning: 1 delivery is pending, the oldest for 20m")
	wantFinding(t, found, "parked", "warning: 3 deliveries are parked: 2 malformed, 1 trivia_closed")
	wantFinding(t, found, "pushes", "warning: 1 wait, 1 are held, 1 are parked")
	wantFinding(t, found, "source list", "warning: 1 addresses of region us, as Customer.io said 96h0m0s ago")
	wantFinding(t, found, "key uses", "warning: key abcdabcd of the event route matched")
	wantFinding(t, found, "signing keys", "warning: both routes take the same key")
	wantFinding(t, found, "settings", "warning: sources are only observed", "warning: signed requests are refused when their timestamp is further than 5m0s")
}

func deskAt(t *testing.T) (desk, string) {
	t.Helper()

	d := newDesk(t)

	return d, d.db.Config().ConnString()
}

func TestAllIsLookedAtWithoutADatabase(t *testing.T) {
	t.Parallel()

	c := healthy(t, "")
	c.NoDatabase = errors.New("DATABASE_URL is not set")
	c.Complaints.Add(config.Listen, "found nonsense")
	c.Complaints.Add(config.MaxBody, "found more")
	found := operator.Examine(t.Context(), c)
	wantFinding(t, found, "settings", "failed: TRIVIA_LISTEN: found nonsense", "failed: TRIVIA_MAX_BODY: found more")
	wantFinding(t, found, "database", "failed: DATABASE_URL is not set")
	for _, name := range []string{"schema", "clock", "key uses", "source list", "backlog", "pushes", "disk", "listener"} {
		wantFinding(t, found, name, "skipped: ")
	}

	c.Database = dsn(t, "postgres://nobody@/trivia?host="+t.TempDir())
	wantFinding(t, operator.Examine(t.Context(), c), "database", "failed: ask the database")

	c.Database = dsn(t, pgtest.Schema(t)) // not migrated
	found = operator.Examine(t.Context(), c)
	wantFinding(t, found, "schema", "failed: version is 0, and ")
	wantFinding(t, found, "backlog", "skipped: ")
}

func TestAClockThatIsOffIsFound(t *testing.T) {
	t.Parallel()

	url := pgtest.Schema(t)
	if _, err := store.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		off  time.Duration
		want string
	}{
		{time.Minute, "warning: "}, {-time.Minute, "warning: "}, {10 * time.Minute, "failed: "}, {-10 * time.Minute, "failed: "},
	} {
		c := healthy(t, url)
		c.Now = func() time.Time { return time.Now().Add(tt.off) }
		wantFinding(t, operator.Examine(t.Context(), c), "clock", tt.want)
	}
}

func TestTheDiskOfTheEmbeddedPostgresIsLookedAt(t *testing.T) {
	t.Parallel()

	c := healthy(t, "")
	c.NoDatabase, c.Embedded, c.Settings.DataDir = errors.New("none"), true, t.TempDir()
	wantFinding(t, operator.Examine(t.Context(), c), "disk", " are free for "+c.Settings.DataDir)
	c.Settings.DataDir += "/missing"
	wantFinding(t, operator.Examine(t.Context(), c), "disk", "failed: ")
}

// A double stands in for both listeners of a hook.
type double struct {
	status func(r *http.Request) int // of a POST
	reason string                    // of the refusals that it shows; empty: it shows none
	peers  []string
	ready  int
}

func (h *double) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodPost:
		h.peers = append(h.peers, r.RemoteAddr)
		w.WriteHeader(h.status(r))
	case r.URL.Path == "/refused" && h.reason == "":
		_, _ = fmt.Fprintln(w, "[]")
	case r.URL.Path == "/refused":
		_, _ = fmt.Fprintf(w, `[{"reason":%q,"peer":%q}]`, h.reason, h.peers[len(h.peers)-1])
	case r.URL.Path == "/readyz":
		w.WriteHeader(h.ready)
	}
}

func TestTheHookListsItsKeys(t *testing.T) {
	t.Parallel()

	const others = "# HELP x\ntrivia_signing_key{key=\"00000000\",route=\"event\"} 1\n"
	for _, tt := range []struct{ name, metrics, want string }{
		{"ours", others + "trivia_signing_key{key=\"74277c96\",route=\"win\"} 1\n", "ok: of wins: what is forged is refused, key 74277c96 is known"},
		{"by the other route", others + "trivia_signing_key{key=\"74277c96\",route=\"event\"} 1\n", "failed: of wins: the hook does not know key 74277c96"},
		{"others", others, "failed: of wins: the hook does not know key 74277c96"},
		{"none", "go_goroutines 7\n", "ok: of wins: what is forged is refused; the private listener"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/metrics" {
					_, _ = fmt.Fprint(w, tt.metrics)
					return
				}
				w.WriteHeader(http.StatusUnauthorized)
			}))
			t.Cleanup(server.Close)
			c := healthy(t, "")
			c.NoDatabase, c.URL, c.AdminURL = errors.New("none"), server.URL, server.URL
			wantFinding(t, operator.Examine(t.Context(), c), "signatures", tt.want)
		})
	}
}

func TestTimestampsThatAreOffAreFound(t *testing.T) {
	t.Parallel()

	for off, want := range map[string]string{
		"1 second":    "ok: timestamps of the last 5 requests are 1s behind the clock of the hook, and 0 of them by more than 5m0s",
		"2 minutes":   "warning: timestamps of the last 5 requests are 2m0s behind",
		"-10 minutes": "failed: timestamps of the last 5 requests are 10m0s ahead of the clock of the hook, and 5 of them",
	} {
		d, url := deskAt(t)
		if _, err := d.db.Exec(t.Context(), `
			INSERT INTO deliveries (key, kind, body, body_sha256, state, outcome, received_at, last_seen_at, stamp, marks)
			SELECT i, 'event', '', '', 'done', 'recorded', at, at, extract(epoch FROM at - $1::interval)::bigint::text,
				CASE WHEN $1::interval < '0' THEN '{late}'::text[] END
			FROM generate_series(1, 5) AS i, date_trunc('second', now()) AS at`, off); err != nil {
			t.Fatal(err)
		}
		wantFinding(t, operator.Examine(t.Context(), healthy(t, url)), "clock", "ok: this machine's", want)
	}
}

func TestTheHookIsAsked(t *testing.T) {
	t.Parallel()

	always := func(status int) func(*http.Request) int { return func(*http.Request) int { return status } }
	old := func(r *http.Request) int { // any age will do
		if strings.HasPrefix(r.Header.Get(signature.HeaderTimestamp), fmt.Sprint(time.Now().Unix())[:4]) {
			return http.StatusUnauthorized
		}
		return http.StatusOK
	}
	for _, tt := range []struct {
		name                 string
		hook                 double
		listener, signatures string
		probe                string
	}{
		{
			"all is well",
			double{always(401), signature.ReasonStale, nil, 200},
			"ok: ", "ok: of wins: what is forged is refused, key 74277c96 is known", "failed: the hook does not know key",
		},
		{"other keys", double{always(401), signature.ReasonMismatch, nil, 200}, "ok: ", "failed: of wins: the hook does not know key 74277c96", "failed: "},
		{"another hook's private listener", double{always(401), "", nil, 200}, "ok: ", "ok: of wins: what is forged is refused; the private listener", "failed: "},
		{"we may not call", double{always(403), "", nil, 200}, "ok: ", "skipped: of wins: this machine may not call", "failed: this machine may not call"},
		{"anything is taken", double{always(200), "", nil, 200}, "ok: ", "failed: of wins: a forged request was accepted", "ok: a signed event was kept"},
		{"any age is taken", double{old, "", nil, 200}, "ok: ", "warning: of wins: the hook takes requests of any age", "failed: "},
		{"no hook", double{always(404), "", nil, 200}, "ok: ", "failed: of wins: a forged request is answered 404", "failed: a signed event is answered 404"},
		{"not ready", double{always(401), signature.ReasonStale, nil, 503}, "failed: ", "ok: ", "failed: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			server := httptest.NewServer(serially(&tt.hook))
			t.Cleanup(server.Close)
			c := healthy(t, "")
			c.NoDatabase, c.URL, c.AdminURL = errors.New("none"), server.URL, server.URL
			c.Settings.Tolerance = 5 * time.Minute
			found := operator.Examine(t.Context(), c)
			wantFinding(t, found, "listener", tt.listener)
			wantFinding(t, found, "signatures", tt.signatures)
			wantFinding(t, found, "probe", "skipped: not asked")
			c.Probe = true
			wantFinding(t, operator.Examine(t.Context(), c), "probe", tt.probe)
		})
	}

	gone := httptest.NewServer(nil)
	gone.Close()
	c := healthy(t, "")
	c.NoDatabase, c.URL, c.AdminURL = errors.New("none"), gone.URL, gone.URL
	found := operator.Examine(t.Context(), c)
	wantFinding(t, found, "listener", "failed: "+gone.URL+" does not answer")
	wantFinding(t, found, "signatures", "failed: of wins: ", "failed: of events: ")
}

// serially lets handler answer one request after the other.
func serially(handler http.Handler) http.Handler {
	turn := make(chan struct{}, 1)

	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		turn <- struct{}{}
		defer func() { <-turn }()
		handler.ServeHTTP(w, r)
	})
}

func TestWarehousesThatLagAreFound(t *testing.T) {
	t.Parallel()

	d, url := deskAt(t)
	for _, sql := range []string{
		`INSERT INTO events (event_id, object_type, metric, received_at) SELECT 'e' || i, 'email', 'sent', now() - '1 hour'::interval FROM generate_series(1, 3) AS i`,
		`INSERT INTO warehouse_positions (sink, what, cluster, written, at, key, sent, refused, error, error_since)
		SELECT 'bigquery:acme.trivia', 'customerio_events', '', written, received_at, 'e2', 2, 0, 'the sky is down', '2026-05-04 12:00Z' FROM events WHERE event_id = 'e2'`,
		`INSERT INTO warehouse_positions (sink, what, cluster, written, at, sent, refused)
		VALUES ('files:/old', 'customerio_events', '', '0', '0001-01-01Z', 0, 0), ('files:/old', 'trivia_wins', '', '1000000', now(), 7, 1)`,
	} {
		if _, err := d.db.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	c := healthy(t, url)
	c.Settings.Warehouse = config.Warehouse{Kind: config.BigQuery, Project: "acme", Dataset: "trivia"}
	wantFinding(t, operator.Examine(t.Context(), c), "warehouse",
		"failed: customerio_events of bigquery:acme.trivia: 2 rows sent, 1 wait, the oldest for 1h0m", "nothing is taken since 2026-05-04T12:00:00Z: the sky is down",
		"warning: customerio_events of files:/old: 0 rows sent, 3 wait, the oldest for 1h0m", "it is not set any more, and what it was not sent is never pruned",
		"warning: trivia_wins of files:/old: 7 rows sent, 1 of them refused")

	c.Settings.Warehouse = config.Warehouse{Kind: config.FilesWarehouse, Dir: "/new"}
	wantFinding(t, operator.Examine(t.Context(), c), "warehouse", "warning: nothing was ever copied to files:/new")
}
