package receiver_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"

	"trivia/internal/customerio"
	"trivia/internal/pgtest"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// A house is an edge over a real database, in which users u1 to u9 live.
type house struct {
	*edge

	stored *store.Intake
	db     *pgx.Conn
}

func newHouse(t *testing.T, statement time.Duration) house {
	t.Helper()

	url := pgtest.Schema(t)
	if _, err := store.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	in, err := store.OpenIntake(t.Context(), url, store.IntakeOptions{Statement: statement})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(in.Close)
	db, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close(context.Background()) })

	h := house{newEdge(t, setup{inbox: in}), in, db}
	h.exec(t, `INSERT INTO users (user_id) SELECT 'u' || n FROM generate_series(1, 9) AS n`)

	return h
}

func (h house) exec(t *testing.T, sql string) {
	t.Helper()
	if _, err := h.db.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// want fails t unless sql, which selects one text, answers want.
func (h house) want(t *testing.T, sql string, want ...string) {
	t.Helper()
	rows, err := h.db.Query(t.Context(), sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", sql, diff)
	}
}

// says sends body under key and wants this answer.
func (h house) says(t *testing.T, path, key, body, status, outcome string) {
	t.Helper()
	got := h.send(signed(path, body, customerio.HeaderIdempotencyKey, key))
	var said struct{ Status, Outcome, Key string }
	if err := json.Unmarshal(got.Body.Bytes(), &said); err != nil {
		t.Fatalf("answer %s: %v", got.Body, err)
	}
	if got.Code != http.StatusOK || said.Status != status || said.Outcome != outcome {
		t.Errorf("%s is answered %d %s, want %s and %s", key, got.Code, got.Body, status, outcome)
	}
}

func winOf(user, id, item string) string {
	return fmt.Sprintf(`{"user_id":%q,"trivia_id":%q,"item":%q}`, user, id, item)
}

func TestWhatIsNoNameNamesNobodysWin(t *testing.T) {
	t.Parallel()
	h := newHouse(t, time.Minute)

	for _, key := range []string{"unsent", "", "0", "00000000-0000-0000-0000-000000000000"} {
		for _, user := range []string{"u1", "u2"} {
			body := winOf(user, "trivia "+key, "mug")
			h.says(t, customerio.PathWin, key, body, "accepted", "awarded")
			h.says(t, customerio.PathWin, key, body, "duplicate", "awarded")
			h.says(t, customerio.PathWin, key, winOf(user, "trivia "+key, "hat"), "accepted", "prize_conflict")
		}
	}
	h.want(t, `SELECT count(*)::text FROM prizes`, "8")
	h.want(t, `SELECT count(*)::text FROM deliveries WHERE marks IS NOT NULL OR key <> encode(body_sha256, 'hex')`, "0")
}

func TestASignedWinBecomesOnePrize(t *testing.T) {
	t.Parallel()
	h := newHouse(t, time.Minute)
	h.exec(t, `INSERT INTO trivias (trivia_id, closed_at) VALUES ('old', now())`)

	win := func(key, body, status, outcome string) {
		t.Helper()
		h.says(t, customerio.PathWin, key, body, status, outcome)
	}
	win("k1", winOf("u1", "capitals", "mug"), "accepted", "awarded")
	win("k1", winOf("u1", "capitals", "mug"), "duplicate", "awarded")
	win("k2", winOf("u1", "capitals", "mug"), "accepted", "already_won")
	win("k2", winOf("u1", "capitals", "mug"), "duplicate", "already_won")
	win("k3", winOf("u1", "capitals", "car"), "accepted", "prize_conflict")
	win("k1", winOf("u2", "capitals", "mug"), "accepted", "awarded")
	win("k1", winOf("u2", "capitals", "mug"), "duplicate", "awarded")
	win("k4", winOf("nobody", "capitals", "mug"), "accepted", "unknown_user")
	win("k4", winOf("nobody", "capitals", "mug"), "duplicate", "unknown_user")
	win("k5", winOf("u3", "old", "mug"), "accepted", "trivia_closed")
	win("k6", `{"user_id":7,"trivia_id":"capitals","item":"mug"}`, "accepted", "unknown_user")
	win("k7", `{}`, "accepted", "malformed")
	h.says(t, customerio.PathEvent, "", goodEvent, "accepted", "recorded")
	h.says(t, customerio.PathEvent, "", goodEvent, "duplicate", "recorded")

	h.want(t, `SELECT concat_ws(' ', user_id, trivia_id, item, delivery_key) FROM trivia_wins`, "u1 capitals mug k1",
		"u2 capitals mug "+trivia.BodyKey("k1", sha256.Sum256([]byte(winOf("u2", "capitals", "mug")))))
	h.want(t, `SELECT concat_ws(' ', user_id, trivia_id, item) FROM prizes`, "u1 capitals mug", "u2 capitals mug")
	h.want(t, `SELECT concat_ws(' ', event_id, object_type, metric) FROM events`, "e1 email opened")
	h.want(t, `SELECT concat_ws(' ', seen, caller, signed_by, stamp) FROM deliveries WHERE key = 'k1' AND rival = ''`,
		"2 "+peer+" "+keyOf(actionKey).Fingerprint()+" "+stampOf(noon))
	for _, key := range []string{"k3", "k5", "k7"} {
		if lines := h.log.lines("delivery parked", fmt.Sprintf(`"key":%q`, key), `"reason":"`); len(lines) != 1 {
			t.Errorf("the log says of %s %q, want one line with the reason", key, lines)
		}
	}
	if lines := h.log.lines(); len(lines) != 3 {
		t.Errorf("the log is %q, want nothing but what is parked", lines)
	}
}

func TestManyCopiesAtOnceAreOnePrize(t *testing.T) {
	t.Parallel()
	h := newHouse(t, time.Minute)

	var senders sync.WaitGroup
	for n := range 200 {
		senders.Go(func() {
			// Some repeat a delivery, some are another one of the same win.
			r := signed(customerio.PathWin, winOf(fmt.Sprint("u", n%3+1), "capitals", "mug"),
				customerio.HeaderIdempotencyKey, fmt.Sprint("k", n%30))
			if got := h.send(r); got.Code != http.StatusOK {
				t.Errorf("answer = %d %s", got.Code, got.Body)
			}
		})
	}
	senders.Wait()

	h.want(t, `SELECT concat_ws(' ', user_id, item) FROM trivia_wins ORDER BY user_id`, "u1 mug", "u2 mug", "u3 mug")
	h.want(t, `SELECT concat_ws(' ', user_id, item) FROM prizes ORDER BY user_id`, "u1 mug", "u2 mug", "u3 mug")
	h.want(t, `SELECT sum(seen)::text FROM deliveries`, "200")
}

// Everything that can be wrong with a signed body.
var badBodies = []struct {
	name, body string
	reason     string // begins like this
}{
	{"nothing", "", "body is empty"},
	{"blanks", " \r\n\t", "body is empty"},
	{"null", "null", "body is null"},
	{"an array", `[` + goodWin + `]`, "body is an array"},
	{"an empty array", `[]`, "body is an array"},
	{"text", `"hello"`, "body is text"},
	{"a number", `17`, "body is a number"},
	{"truncated", goodWin[:len(goodWin)-1], "body is cut off"},
	{"truncated in a word", goodWin[:20], "body is cut off"},
	{"deeply nested", strings.Repeat(`{"user_id":`, 50_000) + `1` + strings.Repeat(`}`, 50_000), ""},
	{"deeply nested and truncated", strings.Repeat(`[`, 500_000), ""},
	{"deeply nested beside what counts", goodWin[:len(goodWin)-1] + `,"x":` + strings.Repeat(`[`, 20_000) + strings.Repeat(`]`, 20_000) + `}`, ""},
	{"followed by text", goodWin + "x", "body is not JSON"},
	{"twice", goodWin + goodWin, "body is not JSON"},
	{"a form", "user_id=u1&trivia_id=capitals&item=mug", "body is not JSON"},
	{"an unescaped quote", `{"user_id":"u"1","trivia_id":"capitals","item":"mug"}`, "body is not JSON"},
	{"a control character", "{\"user_id\":\"u\n1\",\"trivia_id\":\"capitals\",\"item\":\"mug\"}", "body is not JSON"},
	{"no fields", `{}`, "user_id is missing"},
	{"no user", `{"trivia_id":"capitals","item":"mug"}`, "user_id is missing"},
	{"no trivia", `{"user_id":"u1","item":"mug"}`, "trivia_id is missing"},
	{"no item", `{"user_id":"u1","trivia_id":"capitals"}`, "item is missing"},
	{"another spelling", `{"User_Id":"u1","trivia_id":"capitals","item":"mug"}`, "user_id is missing"},
	{"an empty user", winOf("", "capitals", "mug"), "user_id is empty"},
	{"a blank user", winOf("  ", "capitals", "mug"), "user_id is"},
	{"an empty trivia", winOf("u1", "", "mug"), "trivia_id is empty"},
	{"an empty item", winOf("u1", "capitals", ""), "item is empty"},
	{"a null user", `{"user_id":null,"trivia_id":"capitals","item":"mug"}`, "user_id is null"},
	{"a null item", `{"user_id":"u1","trivia_id":"capitals","item":null}`, "item is null"},
	{"a long user", winOf(strings.Repeat("u", 65), "capitals", "mug"), "user_id has 65 characters"},
	{"a long trivia", winOf("u1", strings.Repeat("é", 65), "mug"), "trivia_id has 65 characters"},
	{"a long item", winOf("u1", "capitals", strings.Repeat("🎉", 256)), "item has 256 characters"},
	{"an object for a user", `{"user_id":{"id":"u1"},"trivia_id":"capitals","item":"mug"}`, "user_id is an object"},
	{"an array for a trivia", `{"user_id":"u1","trivia_id":["capitals"],"item":"mug"}`, "trivia_id is an array"},
	{"a boolean for an item", `{"user_id":"u1","trivia_id":"capitals","item":true}`, "item is a boolean"},
	{"a number for an item", `{"user_id":"u1","trivia_id":"capitals","item":5}`, "item is a number"},
	{"a NUL in a user", `{"user_id":"u1\u0000","trivia_id":"capitals","item":"mug"}`, "user_id contains a NUL"},
	{"a NUL in an item", `{"user_id":"u1","trivia_id":"capitals","item":"\u0000"}`, "item contains a NUL"},
	{"a NUL between", "{\x00}", "body is not JSON"},
	{"half a surrogate", `{"user_id":"u1\ud800","trivia_id":"capitals","item":"mug"}`, "user_id contains half a surrogate"},
	{"no UTF-8", "{\"user_id\":\"u1\",\"trivia_id\":\"capitals\",\"item\":\"\xff\"}", "body is not valid UTF-8"},
	{"UTF-16", "\xff\xfe{\x00}\x00", "body is not valid UTF-8"},
	{"binary", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "body is not valid UTF-8"},
	{"compressed", "\x1f\x8b\x08\x00\x00\x00\x00\x00", "body is not valid UTF-8"},
}

func TestABodyThatNobodyCanUseIsParkedAndHoldsUpNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t, time.Minute)

	for n, tt := range badBodies {
		key := fmt.Sprint("bad-", n)
		h.says(t, customerio.PathWin, key, tt.body, "accepted", "malformed")
		h.says(t, customerio.PathWin, key, tt.body, "duplicate", "malformed")
		h.says(t, customerio.PathWin, fmt.Sprint("good-", n), winOf("u1", fmt.Sprint("t", n), "mug"), "accepted", "awarded")

		var state, outcome, reason string
		var body []byte
		err := h.db.QueryRow(t.Context(), `SELECT state, outcome, reason, body FROM deliveries WHERE key = $1`, key).
			Scan(&state, &outcome, &reason, &body)
		if err != nil || state != "parked" || outcome != "malformed" || string(body) != tt.body {
			t.Errorf("%s is kept as %s %s with %d bytes, %v; want malformed with %d", tt.name, state, outcome, len(body), err, len(tt.body))
		}
		if reason == "" || !strings.HasPrefix(reason, tt.reason) {
			t.Errorf("%s is parked since %q, want %q", tt.name, reason, tt.reason)
		}
	}
	if lines := h.log.lines("delivery parked"); len(lines) < 5 || len(lines) == len(badBodies) {
		t.Errorf("the log says of all of them %q, want a line for each of the first, and no flood", lines)
	}
	h.want(t, `SELECT count(*)::text FROM prizes`, fmt.Sprint(len(badBodies)))
}

func TestBadBodiesDoNotSpoilTheBatchThatTheyShare(t *testing.T) {
	t.Parallel()
	h := newHouse(t, time.Minute)

	var senders sync.WaitGroup
	for n, tt := range badBodies {
		senders.Go(func() {
			h.says(t, customerio.PathWin, fmt.Sprint("bad-", n), tt.body, "accepted", "malformed")
		})
		senders.Go(func() {
			h.says(t, customerio.PathWin, fmt.Sprint("good-", n), winOf("u1", fmt.Sprint("t", n), "mug"), "accepted", "awarded")
		})
	}
	senders.Wait()
	h.want(t, `SELECT count(*)::text FROM prizes`, fmt.Sprint(len(badBodies)))
}

func TestAnEventThatNobodyCanUseIsParked(t *testing.T) {
	t.Parallel()
	h := newHouse(t, time.Minute)

	for n, body := range []string{
		"", "null", "[]", `"x"`, goodEvent[:20], goodEvent + "x", `{}`, `{"event_id":"x1"}`, `{"event_id":"x2","metric":""}`,
		`{"event_id":"x3","metric":null}`, `{"event_id":"x4","metric":["opened"]}`, strings.Repeat("[", 100_000), "\x89PNG\r\n\x1a\n\x00",
	} {
		h.says(t, customerio.PathEvent, "", body, "accepted", "malformed")
		good := fmt.Sprintf(`{"event_id":"good-%d","object_type":"in_app","metric":"clicked"}`, n)
		h.says(t, customerio.PathEvent, "", good, "accepted", "recorded")
	}
	// What an event may hold all the same.
	for _, body := range []string{
		`{"event_id":"y1","object_type":"hologram","metric":"waved"}`, `{"event_id":2,"metric":3}`,
		"{\"event_id\":\"y3\",\"metric\":\"op\xffened\"}", `{"event_id":"y4","metric":"op\u0000ened"}`,
		`{"event_id":"y5","metric":"opened","timestamp":"soon"}`,
	} {
		h.says(t, customerio.PathEvent, "", body, "accepted", "recorded")
	}
	h.want(t, `SELECT count(*)::text FROM deliveries WHERE outcome = 'malformed' AND reason <> ''`, "13")
	h.want(t, `SELECT event_id FROM events WHERE event_id NOT LIKE 'good%' ORDER BY event_id`, "2", "y1", "y3", "y4", "y5")
}

func TestAGrantThatSleepsDoesNotKeepTheSenderWaiting(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 250*time.Millisecond)
	h.exec(t, `CREATE OR REPLACE FUNCTION grant_prize(user_id text, item text, trivia_id text) RETURNS void
		LANGUAGE sql AS 'SELECT pg_sleep(600)'`)

	h.says(t, customerio.PathWin, "k1", goodWin, "accepted", "pending")
	h.says(t, customerio.PathWin, "k1", goodWin, "duplicate", "pending")
	h.says(t, customerio.PathWin, "k2", goodWin, "accepted", "pending") // awards rest
	h.says(t, customerio.PathEvent, "", goodEvent, "accepted", "pending")
	h.want(t, `SELECT concat_ws(' ', key, state, outcome, seen) FROM deliveries ORDER BY key`,
		"e1 pending 1", "k1 pending 2", "k2 pending 1")
	h.counted(t, `trivia_award_fallbacks_total{reason="timeout"} 1`)
	if n := h.nudges.Load(); n == 0 {
		t.Error("the stage was not nudged")
	}
}

func TestAGrantThatRefusesOneUserHoldsUpNobody(t *testing.T) {
	t.Parallel()
	h := newHouse(t, time.Minute)
	h.exec(t, `CREATE OR REPLACE FUNCTION grant_prize(user_id text, item text, trivia_id text) RETURNS void
		LANGUAGE plpgsql AS 'BEGIN IF user_id = ''u2'' THEN RAISE EXCEPTION ''no''; END IF; END'`)

	h.says(t, customerio.PathWin, "k1", winOf("u1", "capitals", "mug"), "accepted", "awarded")
	h.says(t, customerio.PathWin, "k2", winOf("u2", "capitals", "mug"), "accepted", "pending")
	h.says(t, customerio.PathWin, "k3", winOf("u3", "capitals", "mug"), "accepted", "awarded")
	h.want(t, `SELECT user_id FROM trivia_wins ORDER BY user_id`, "u1", "u3")
}

func TestADatabaseThatIsClosedIsAnswered503(t *testing.T) {
	t.Parallel()
	h := newHouse(t, time.Minute)
	h.stored.Close()

	got := h.send(signed(customerio.PathWin, goodWin))
	if got.Code != http.StatusServiceUnavailable || got.Header().Get("Retry-After") == "" {
		t.Errorf("answer = %d %s, want 503 with Retry-After", got.Code, got.Body)
	}
	h.want(t, `SELECT key FROM deliveries`)
}
