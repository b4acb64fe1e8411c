package operator_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// longAgo is before anything can come again.
var longAgo = time.Now().Add(-100 * 24 * time.Hour).Truncate(time.Second)

func TestNothingIsLeftOfWhoeverIsForgotten(t *testing.T) {
	t.Parallel()

	h := newHall(t, false)
	h.fill(t)
	kept, err := h.PreviewForget(t.Context(), "u1")
	want := operator.Kept{
		Person: store.Person{User: "u1", Names: []string{"cio_c-u1", "u1@example.com"}},
		Forgotten: store.Forgotten{
			Deliveries: 6, Events: 3, Responses: 2, Pushes: 4, Unsent: 4, People: 1, Wins: 2, Prizes: 2, Acts: 2, Users: 1,
		},
	}
	if diff := cmp.Diff(want, kept, cmpopts.EquateEmpty()); diff != "" || err != nil {
		t.Errorf("PreviewForget: %v (-want +got):\n%s", err, diff)
	}

	got, err := h.Forget(t.Context(), "u1", operator.Forgetting{Reason: "ticket 4711"})
	if err != nil || got.Hashes != 2 || got.Left != 0 || got.UserStay != nil {
		t.Errorf("Forget = %+v, %v, want two hashes", got, err)
	}
	want.Unsent = 0
	if diff := cmp.Diff(want.Forgotten, got.Forgotten); diff != "" {
		t.Errorf("forgotten (-want +got):\n%s", diff)
	}
	for _, row := range h.lines(t, everything) {
		row = strings.NewReplacer("w1-u1", "", "w2-u1", "", "w3-u1", "", "e1-u1", "", "e2-u1", "", "e3-u1", "").Replace(row)
		if strings.Contains(row, "u1") {
			t.Errorf("a row still says %s", row)
		}
	}
	h.want(t, `SELECT concat_ws(' ', key, state, outcome, reason, trivia_id) FROM deliveries WHERE key LIKE '%u1' ORDER BY key`,
		"e1-u1 done recorded the person was forgotten", "e2-u1 done recorded the person was forgotten",
		"e3-u1 done recorded the person was forgotten", "w1-u1 done awarded the person was forgotten capitals",
		"w2-u1 done awarded the person was forgotten rivers", "w3-u1 done prize_conflict the person was forgotten rivers")
	h.want(t, `SELECT concat_ws(' ', event_id, object_type, metric, campaign_id, owed) FROM events WHERE event_id LIKE '%u1' ORDER BY event_id`,
		"e1-u1 in_app clicked 7", "e2-u1 in_app clicked 7", "e3-u1 email bounced nobody")
	h.want(t, `SELECT concat_ws('|', verb, target, reason, detail) FROM audit_log ORDER BY at LIMIT 2`,
		fmt.Sprintf(`users add|2 users|asked by support|{"new": 0, "users": ["%s", "u9"]}`, got.Mark),
		fmt.Sprintf(`push attributes|%s||{"push": 4, "attributes": {"plan": "gold"}}`, got.Mark))
	h.want(t, `SELECT DISTINCT concat_ws('|', target, reason) FROM audit_log WHERE verb = 'forget'`, got.Mark+"|ticket 4711")

	// The other one is untouched.
	other, err := h.PreviewForget(t.Context(), "u2")
	want.Unsent = 4
	if diff := cmp.Diff(want.Forgotten, other.Forgotten); diff != "" || err != nil {
		t.Errorf("of the other: %v (-want +got):\n%s", err, diff)
	}
	// Again is harmless.
	before := h.lines(t, everything)
	again, err := h.Forget(t.Context(), "u1", operator.Forgetting{})
	if err != nil || again != (operator.ForgottenPerson{Mark: got.Mark}) {
		t.Errorf("Forget again = %+v, %v, want nothing", again, err)
	}
	if diff := cmp.Diff(before, h.lines(t, everything)); diff != "" {
		t.Errorf("forgetting again changed (-before +after):\n%s", diff)
	}
}

func TestWhatTheForgottenHaveWonIsNeverWonAgain(t *testing.T) {
	t.Parallel()

	for _, createUsers := range []bool{false, true} {
		t.Run(fmt.Sprintf("create_users=%v", createUsers), func(t *testing.T) {
			t.Parallel()

			h := newHall(t, createUsers)
			h.fill(t)
			if _, err := h.Forget(t.Context(), "u1", operator.Forgetting{}); err != nil {
				t.Fatal(err)
			}

			// Repeats are known, and change nothing.
			h.takes(t, winAt(longAgo, "w1-u1", "u1", "capitals", "mug"), "duplicate awarded")
			h.takes(t, winAt(longAgo, "w3-u1", "u1", "rivers", "mug"), "duplicate prize_conflict")
			h.takes(t, clickAt(longAgo, "e1-u1", "u1", "trivia/capitals/paris"), "duplicate recorded")
			h.want(t, `SELECT user_id FROM responses WHERE user_id = 'u1'`)

			// What comes anew was won before, whatever the item.
			h.takes(t, winAt(longAgo, "new-1", "u1", "capitals", "mug"), "already_won")
			h.takes(t, winAt(longAgo, "new-2", "u1", "rivers", "car"), "already_won")
			h.exec(t, `INSERT INTO users VALUES ('u1')`)
			h.takes(t, winAt(longAgo, "new-3", "u1", "capitals", "mug"), "already_won")
			got := h.take(t, winAt(longAgo, "new-4", "u1", "capitals", "mug"), winAt(longAgo, "new-5", "u3", "capitals", "mug"))
			if diff := cmp.Diff([]string{"already_won", "awarded"}, got); diff != "" {
				t.Errorf("beside another's win (-want +got):\n%s", diff)
			}
			h.want(t, `SELECT DISTINCT state || ' ' || reason FROM deliveries WHERE key LIKE 'new-%' AND user_id = 'u1'`,
				"done it was won before, by a person who was forgotten")

			// The stage behind intake does the same.
			a := winAt(longAgo, "late", "u1", "capitals", "mug")
			if _, err := h.Keep(t.Context(), []store.Arrival{a}); err != nil {
				t.Fatal(err)
			}
			p, err := h.store.Claim(t.Context(), store.Ref{Kind: trivia.KindWin, Key: "late"}, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			r, err := h.store.Settle(t.Context(), p, a, store.SettleOptions{CreateUsers: createUsers, Statement: time.Minute})
			if err != nil || r.Outcome != trivia.AlreadyWon || r.State != trivia.StateDone {
				t.Errorf("Settle = %+v, %v, want already_won", r, err)
			}

			// What they have not won, they may win.
			h.takes(t, winAt(longAgo, "new-6", "u1", "lakes", "mug"), "awarded")
			h.want(t, `SELECT user_id || ' ' || trivia_id FROM trivia_wins WHERE user_id = 'u1'`, "u1 lakes")
			h.want(t, `SELECT user_id || ' ' || trivia_id FROM prizes WHERE user_id = 'u1'`, "u1 lakes")
		})
	}
}

func TestWhatWaitedForTheForgottenWaitsNoMore(t *testing.T) {
	t.Parallel()

	h := newHall(t, false)
	late := winAt(longAgo, "w1", "late", "capitals", "mug")
	h.takes(t, late, "unknown_user")
	p := h.claim(t, "w1")
	if _, err := h.Forget(t.Context(), "late", operator.Forgetting{}); err != nil {
		t.Fatal(err)
	}
	h.want(t, `SELECT concat_ws(' ', state, outcome, reason, due_at) FROM deliveries`, "done unknown_user the person was forgotten")

	// Who has it in hand cannot settle it any more, even if the user came.
	h.exec(t, `INSERT INTO users VALUES ('late')`)
	if _, err := h.store.Settle(t.Context(), p, late, store.SettleOptions{Statement: time.Minute}); !errors.Is(err, store.ErrBusy) {
		t.Errorf("Settle = %v, want that it is busy", err)
	}
	h.takes(t, late, "duplicate unknown_user")
	h.want(t, `SELECT user_id FROM trivia_wins`)
}

// An award that has read that nobody was forgotten, and inserts its win when
// the first one is gone, would award it twice.
func TestAnAwardUnderWayCannotWinAgainWhatIsBeingForgotten(t *testing.T) {
	t.Parallel()

	h := newHall(t, false)
	h.exec(t, `COMMENT ON TABLE users IS 'of the shop'`) // who stays there can win
	h.takes(t, winAt(longAgo, "first", "u1", "capitals", "mug"), "awarded")
	// The award of u0's win stands still, in the middle of the statement that awards u1's.
	h.exec(t, `
		CREATE FUNCTION stand_still() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NEW; END $$`)
	h.exec(t, `CREATE TRIGGER stand_still BEFORE INSERT ON trivia_wins FOR EACH ROW WHEN (NEW.user_id = 'u0') EXECUTE FUNCTION stand_still()`)
	h.exec(t, `SELECT pg_advisory_lock(4711)`)

	type result struct {
		receipts []store.Receipt
		err      error
	}
	awarded, forgotten := make(chan result, 1), make(chan error, 1)
	go func() {
		r, err := h.Take(t.Context(), []store.Arrival{
			winAt(longAgo, "still", "u0", "capitals", "mug"), winAt(longAgo, "second", "u1", "capitals", "mug"),
		})
		awarded <- result{r, err}
	}()
	h.until(t, `SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted`, "1")
	go func() {
		_, err := h.Forget(t.Context(), "u1", operator.Forgetting{})
		forgotten <- err
	}()
	// It has written its hash, and waits.
	h.until(t, `SELECT count(*)::text FROM forgotten`, "1")
	select {
	case err := <-forgotten:
		t.Errorf("Forget has not waited for the award: %v", err)
		forgotten <- err
	case <-time.After(100 * time.Millisecond):
	}
	h.want(t, `SELECT user_id FROM trivia_wins`, "u1")

	h.exec(t, `SELECT pg_advisory_unlock(4711)`)
	if got := <-awarded; got.err != nil || got.receipts[1].Outcome != trivia.AlreadyWon {
		t.Errorf("Take = %+v, want u1's to be already_won", got)
	}
	if err := <-forgotten; err != nil {
		t.Errorf("Forget: %v", err)
	}
	h.want(t, `SELECT user_id FROM trivia_wins`, "u0")
	h.want(t, `SELECT user_id FROM prizes`, "u0")
	h.takes(t, winAt(longAgo, "third", "u1", "capitals", "mug"), "already_won")
}

func TestTheProductsUsersStayAndSoDoesWhatIsReferredTo(t *testing.T) {
	t.Parallel()

	h := newHall(t, false)
	h.exec(t, `CREATE TABLE orders (user_id text REFERENCES users (user_id))`)
	h.exec(t, `INSERT INTO orders VALUES ('u1')`)
	got, err := h.Forget(t.Context(), "u1", operator.Forgetting{})
	if err != nil || !errors.Is(got.UserStay, store.ErrUserInUse) {
		t.Errorf("Forget = %+v, %v, want that the user is in use", got, err)
	}

	h.exec(t, `COMMENT ON TABLE users IS 'of the shop'`)
	h.takes(t, winAt(longAgo, "w", "u2", "capitals", "mug"), "awarded")
	got, err = h.Forget(t.Context(), "u2", operator.Forgetting{})
	if err != nil || !errors.Is(got.UserStay, store.ErrNotOurUsers) {
		t.Errorf("Forget = %+v, %v, want that the table is not ours", got, err)
	}
	h.want(t, `SELECT user_id FROM users WHERE user_id IN ('u1', 'u2') ORDER BY user_id`, "u1", "u2")
	h.want(t, `SELECT user_id FROM trivia_wins`)
}

func TestASuppressionOutlivesThePushesAndKeepsNobodyAfterwards(t *testing.T) {
	t.Parallel()

	h := newHall(t, false)
	h.fill(t)
	for range 2 {
		if _, err := h.Forget(t.Context(), "u1", operator.Forgetting{Suppress: true}); err != nil {
			t.Fatal(err)
		}
		h.want(t, `SELECT concat_ws('|', person, kind, cause, cause_id, state, attributes) FROM pushes WHERE person LIKE '%u1%'`,
			"u1|suppress|operator|forget|pending")
	}
	kept, err := h.PreviewForget(t.Context(), "u1")
	if err != nil || !kept.Suppressing || kept.Pushes != 0 {
		t.Errorf("PreviewForget = %+v, %v, want that they are being suppressed", kept, err)
	}

	turns, _, err := h.store.ClaimTurns(t.Context(), nil, 10, 10, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	for _, turn := range turns {
		if turn.Person != "u1" {
			continue
		}
		end := store.TurnEnd{Turn: &turn, Ends: []store.PushEnd{{ID: turn.Pushes[0].ID, State: trivia.PushSent, Status: 200, Tried: true}}}
		if err := h.store.EndTurns(t.Context(), []store.TurnEnd{end}); err != nil {
			t.Fatal(err)
		}
	}
	h.want(t, `SELECT person FROM pushes WHERE person LIKE '%u1%'`)
	h.want(t, `SELECT person FROM push_people WHERE person LIKE '%u1%'`)

	if _, err := h.Forget(t.Context(), strings.Repeat("x", 200), operator.Forgetting{Suppress: true}); err == nil {
		t.Error("whom Customer.io cannot know was suppressed")
	}
}

func TestANumberIsNobodyInACount(t *testing.T) {
	t.Parallel()

	h := newHall(t, false)
	for _, target := range []string{"1 user", "1", "1 capitals", "11 users"} {
		h.exec(t, `INSERT INTO audit_log (actor, verb, target, reason, detail) VALUES ('ann', 'x', $1, 'why', '{"a": "1", "b": "say \"1", "n": 1}')`, target)
	}
	got, err := h.Forget(t.Context(), "1", operator.Forgetting{})
	if err != nil {
		t.Fatal(err)
	}
	detail := fmt.Sprintf(`{"a": "%s", "b": "say \"%s", "n": 1}`, got.Mark, got.Mark)
	h.want(t, `SELECT concat_ws('|', target, reason, detail) FROM audit_log WHERE verb = 'x' ORDER BY target COLLATE "C"`,
		"1 user|why|"+detail, "11 users|why|"+detail, got.Mark+"||"+detail, got.Mark+" capitals||"+detail)
}

func TestBodiesThatNobodyCouldReadAreNamed(t *testing.T) {
	t.Parallel()

	h := newHall(t, false)
	body := []byte(`{"user_id":"u1","trivia_id":"capitals"}`)
	h.takes(t, store.Arrival{
		Kind: trivia.KindWin, Key: "odd", Body: body, SHA256: sha256.Sum256(body), At: longAgo, Unusable: "item is missing",
	}, "malformed")
	kept, err := h.PreviewForget(t.Context(), "u1")
	if diff := cmp.Diff([]string{"odd"}, kept.Mentions); diff != "" || err != nil {
		t.Errorf("PreviewForget: %v (-want +got):\n%s", err, diff)
	}
	if kept, err = h.PreviewForget(t.Context(), "u"); err != nil || len(kept.Mentions) > 0 {
		t.Errorf("PreviewForget of another = %v, %v", kept.Mentions, err)
	}
	for _, user := range []string{"", "a\x00", "\xff"} {
		if _, err := h.PreviewForget(t.Context(), user); err == nil {
			t.Errorf("PreviewForget(%q) has no error", user)
		}
		if _, err := h.Forget(t.Context(), user, operator.Forgetting{}); err == nil {
			t.Errorf("Forget(%q) has no error", user)
		}
	}
}
