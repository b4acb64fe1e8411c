package operator_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// A shop is a desk beside a hook that takes deliveries.
type shop struct {
	desk
	*store.Intake
}

func newShop(t *testing.T) shop {
	t.Helper()

	d, url := newDeskAt(t)
	in, err := store.OpenIntake(t.Context(), url, store.IntakeOptions{
		Statement: time.Minute, Owing: store.Owing{Policy: trivia.DefaultPolicy()},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(in.Close)
	d.lines(t, `INSERT INTO users (user_id) SELECT 'u' || n FROM generate_series(1, 9) AS n RETURNING user_id`)

	return shop{d, in}
}

// win lets a win come, and returns what became of it.
func (s shop) win(t *testing.T, key, user, id, item string) trivia.Outcome {
	t.Helper()
	body := fmt.Sprintf(`{"user_id":%q,"trivia_id":%q,"item":%q}`, user, id, item)

	return s.take(t, store.Arrival{
		Kind: trivia.KindWin, Key: key, Body: []byte(body), SHA256: sha256.Sum256([]byte(body)),
		Win: trivia.Win{User: trivia.UserID(user), Trivia: trivia.ID(id), Item: trivia.Item(item)},
		At:  time.Now(), Caller: "35.188.196.183", SignedBy: "ab12cd34", Stamp: "1777896000",
	})
}

// answer lets somebody answer a trivia.
func (s shop) answer(t *testing.T, key, user, id, text string) {
	t.Helper()
	body := fmt.Sprintf(`{"event_id":%q}`, key)
	s.take(t, store.Arrival{
		Kind: trivia.KindEvent, Key: key, Body: []byte(body), SHA256: sha256.Sum256([]byte(body)), At: time.Now(),
		Event: trivia.Event{ObjectType: "in_app", Metric: "clicked", Person: user, CustomerID: user, Response: "trivia/" + id + "/" + text},
	})
}

func (s shop) take(t *testing.T, a store.Arrival) trivia.Outcome {
	t.Helper()
	got, err := s.Take(t.Context(), []store.Arrival{a})
	if err != nil {
		t.Fatal(err)
	}

	return got[0].Outcome
}

func TestAWinIsExplainedFromTheDeliveryToCustomerIO(t *testing.T) {
	t.Parallel()

	s := newShop(t)
	s.answer(t, "e1", "u1", "capitals", "paris")
	s.win(t, "k1", "u1", "capitals", "mug")
	s.win(t, "k1", "u1", "capitals", "mug")
	s.win(t, "k2", "u1", "capitals", "hat")
	s.win(t, "k3", "u1", "rivers", "hat")
	if _, err := s.MovePushes(t.Context(), operator.HoldPush, []int64{1}, "wrong workspace"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddUsers(t.Context(), []trivia.UserID{"u1", "x"}, "imported twice"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddUsers(t.Context(), []trivia.UserID{"u2"}, "somebody else"); err != nil {
		t.Fatal(err)
	}

	for name, explain := range map[string]func() (operator.Explanation, error){
		"by user and trivia": func() (operator.Explanation, error) { return s.Explain(t.Context(), "u1", "capitals") },
		"by key":             func() (operator.Explanation, error) { return s.ExplainKey(t.Context(), "k2") },
	} {
		e, err := explain()
		if err != nil || len(e.Chains) != 1 {
			t.Fatalf("%s: %+v, %v, want one chain", name, e, err)
		}
		c := e.Chains[0]
		if c.Verdict != "has won mug, and the prize was granted" || len(c.Why) != 1 || c.Deliveries.Rows[0].Key != "k1" || c.Deliveries.Rows[0].Seen != 2 {
			t.Errorf("%s: %q %q, first %+v", name, c.Verdict, c.Why, c.Deliveries.Rows[0])
		}
		if c.Deliveries.All != 2 || c.Answers.All != 1 || c.Pushes.All != 1 || c.Deeds.All != 2 {
			t.Errorf("%s: %d deliveries, %d answers, %d pushes, %d acts, want 2, 1, 1, 2",
				name, c.Deliveries.All, c.Answers.All, c.Pushes.All, c.Deeds.All)
		}
	}
}

func TestWhoHasNotWonLearnsWhy(t *testing.T) {
	t.Parallel()

	s := newShop(t)
	s.answer(t, "e1", "u2", "capitals", "rome")
	s.win(t, "k1", "nobody", "capitals", "mug")
	if _, err := s.CloseTrivia(t.Context(), "old", "over"); err != nil {
		t.Fatal(err)
	}
	s.win(t, "k2", "u3", "old", "mug")

	tests := []struct {
		user trivia.UserID
		id   trivia.ID
		want string
	}{
		{"u1", "capitals", "no delivery has ever said so"},
		{"u2", "capitals", "no delivery has ever said so|answers have come: does the campaign send its action for the right one?"},
		{"nobody", "capitals", "there is no such user: triviactl users add makes one, and awards what waits|" +
			"1 delivery pending: the user was not there, and it is tried again for about an hour"},
		{"u3", "old", "the trivia is closed since |1 delivery parked: trivia_closed"},
	}
	for _, tt := range tests {
		e, err := s.Explain(t.Context(), tt.user, tt.id)
		if err != nil {
			t.Fatal(err)
		}
		why := strings.Join(e.Chains[0].Why, "|")
		if at := e.Chains[0].Trivia.ClosedAt; !at.IsZero() {
			why = strings.Replace(why, at.UTC().Format(time.RFC3339), "", 1)
		}
		if e.Chains[0].Verdict != "has not won" || why != tt.want {
			t.Errorf("Explain(%s, %s): %s: %s, want %s", tt.user, tt.id, e.Chains[0].Verdict, why, tt.want)
		}
	}

	if _, err := s.Explain(t.Context(), "stranger", "capitals"); !errors.Is(err, operator.ErrNotFound) {
		t.Errorf("error for a stranger = %v, want that there is none", err)
	}
	if _, err := s.ExplainKey(t.Context(), "k9"); !errors.Is(err, operator.ErrNotFound) {
		t.Errorf("error for an unknown key = %v, want that there is none", err)
	}
}

func TestAKeyWithSeveralBodiesExplainsAll(t *testing.T) {
	t.Parallel()

	s := newShop(t)
	s.win(t, "k", "u1", "capitals", "mug")
	s.win(t, "k", "u2", "capitals", "mug")
	s.take(t, store.Arrival{
		Kind: trivia.KindEvent, Key: "k", Body: []byte(`{"event_id":"k"}`), SHA256: sha256.Sum256([]byte(`{"event_id":"k"}`)), At: time.Now(),
		Event: trivia.Event{ObjectType: "email", Metric: "bounced", Person: "u1"},
	})

	e, err := s.ExplainKey(t.Context(), "k")
	if err != nil || len(e.Deliveries) != 3 || len(e.Chains) != 2 || len(e.Events) != 1 || len(e.Events[0].Pushes) != 1 {
		t.Fatalf("ExplainKey = %+v, %v, want 3 deliveries, 2 chains, 1 event with its push", e, err)
	}
	for i, user := range []trivia.UserID{"u1", "u2"} {
		if c := e.Chains[i]; c.User != user || c.Verdict != "has won mug, and the prize was granted" {
			t.Errorf("of %s: %s: %q", c.User, c.Verdict, c.Why)
		}
	}
	if got := e.Deliveries[1]; got.Reuses != "k" || got.Marks[0] != trivia.MarkReusedKey || got.Key != e.Chains[1].Win.Key {
		t.Errorf("the second body is %+v, want it marked, and named by the win", got)
	}
}
