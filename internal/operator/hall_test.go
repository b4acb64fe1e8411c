package operator_test

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"trivia/internal/store"
	"trivia/internal/trivia"
	"trivia/internal/waiting"
)

// A hall is a desk beside an intake.
type hall struct {
	desk
	*store.Intake

	store *store.Store
	url   string
}

func newHall(t *testing.T, createUsers bool) hall {
	t.Helper()

	d := newDesk(t)
	url := d.db.Config().ConnString()
	s, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	in, err := store.OpenIntake(t.Context(), url, store.IntakeOptions{
		Conns: 2, Statement: time.Minute, CreateUsers: createUsers, Owing: store.Owing{Policy: trivia.DefaultPolicy()},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(in.Close)
	h := hall{d, in, s, url}
	h.exec(t, `INSERT INTO users (user_id) SELECT 'u' || n FROM generate_series(0, 9) AS n`)

	return h
}

func (h hall) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	if _, err := h.db.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func (h hall) want(t *testing.T, sql string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, h.lines(t, sql), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", sql, diff)
	}
}

// take takes arrivals in, in one batch, and returns an outcome each.
func (h hall) take(t *testing.T, arrivals ...store.Arrival) (outcomes []string) {
	t.Helper()
	got, err := h.Take(t.Context(), arrivals)
	if err != nil {
		t.Fatalf("Take: %v", err)
	}
	for _, r := range got {
		word := string(r.Outcome)
		if r.Duplicate {
			word = "duplicate " + word
		}
		outcomes = append(outcomes, word)
	}

	return outcomes
}

func (h hall) takes(t *testing.T, a store.Arrival, want string) {
	t.Helper()
	if got := h.take(t, a); got[0] != want {
		t.Errorf("%s %s comes to %q, want %q", a.Kind, a.Key, got[0], want)
	}
}

func winAt(at time.Time, key, user, id, item string) store.Arrival {
	body := fmt.Appendf(nil, `{"user_id":%q,"trivia_id":%q,"item":%q}`, user, id, item)

	return store.Arrival{
		Kind: trivia.KindWin, Key: key, Body: body, SHA256: sha256.Sum256(body), At: at, Caller: "35.1.2.3", SignedBy: "ab12cd34",
		Win: trivia.Win{User: trivia.UserID(user), Trivia: trivia.ID(id), Item: trivia.Item(item)},
	}
}

func clickAt(at time.Time, id, user, answer string) store.Arrival {
	body := fmt.Appendf(nil, `{"event_id":%q,"user":%q,"answer":%q}`, id, user, answer)

	return store.Arrival{
		Kind: trivia.KindEvent, Key: id, Body: body, SHA256: sha256.Sum256(body), At: at, Caller: "35.1.2.3",
		Event: trivia.Event{
			ObjectType: "in_app", Metric: "clicked", At: at, Person: user, CustomerID: user, CioID: "c-" + user,
			Email: user + "@example.com", DeliveryID: "message-of-" + user, Campaign: "7", Response: answer,
		},
	}
}

// bounceAt is an event that knows nobody but an address.
func bounceAt(at time.Time, id, address string) store.Arrival {
	body := fmt.Appendf(nil, `{"event_id":%q,"to":%q}`, id, address)

	return store.Arrival{
		Kind: trivia.KindEvent, Key: id, Body: body, SHA256: sha256.Sum256(body), At: at,
		Event: trivia.Event{
			ObjectType: "email", Metric: "bounced", At: at, Person: address, Email: address,
			Failure: "550 no such mailbox " + address,
		},
	}
}

// everything is all text in all tables.
const everything = `
	SELECT t FROM (
		SELECT d::text || convert_from(body, 'UTF8') FROM deliveries AS d UNION ALL SELECT e::text FROM events AS e
		UNION ALL SELECT r::text FROM responses AS r UNION ALL SELECT p::text FROM pushes AS p
		UNION ALL SELECT k::text FROM push_people AS k UNION ALL SELECT w::text FROM trivia_wins AS w
		UNION ALL SELECT p::text FROM prizes AS p UNION ALL SELECT a::text FROM audit_log AS a
		UNION ALL SELECT u::text FROM users AS u UNION ALL SELECT f::text FROM forgotten AS f) AS x (t)`

// fill gives u1 and u2 something of everything.
func (h hall) fill(t *testing.T) {
	t.Helper()
	for _, user := range []string{"u1", "u2"} {
		h.take(t,
			winAt(longAgo, "w1-"+user, user, "capitals", "mug"),
			winAt(longAgo, "w2-"+user, user, "rivers", "hat"),
			winAt(longAgo, "w3-"+user, user, "rivers", "mug"),
			clickAt(longAgo, "e1-"+user, user, "trivia/capitals/paris"),
			clickAt(longAgo, "e2-"+user, user, "trivia/rivers/nile"),
			bounceAt(longAgo, "e3-"+user, user+"@example.com"),
		)
		if _, err := h.AddUsers(t.Context(), []trivia.UserID{trivia.UserID(user), "u9"}, "asked by support"); err != nil {
			t.Fatal(err)
		}
		if _, err := h.PushAttributes(t.Context(), user, map[string]any{"plan": "gold"}, longAgo, "for "+user); err != nil {
			t.Fatal(err)
		}
		h.exec(t, `INSERT INTO push_people (person, leased_until, told) VALUES ($1, now(), '{"plan": 1}')`, user)
	}
}

func (h hall) claim(t *testing.T, key string) store.Pending {
	t.Helper()
	h.exec(t, `UPDATE deliveries SET due_at = now() WHERE key = $1`, key)
	p, err := h.store.Claim(t.Context(), store.Ref{Kind: trivia.KindWin, Key: key}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}

	return p
}

// until waits for a query to answer want.
func (h hall) until(t *testing.T, sql, want string) {
	t.Helper()

	waiting.For(t, sql+" = "+want, func() bool {
		got := h.lines(t, sql)

		return len(got) == 1 && got[0] == want
	})
}
