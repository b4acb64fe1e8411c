package operator_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// fill lets a bit of everything come.
func (s shop) fill(t *testing.T) {
	t.Helper()

	for n := range 8 {
		s.win(t, fmt.Sprintf("k%d", n), fmt.Sprintf("u%d", n+1), "capitals", "mug")
	}
	s.win(t, "k0", "u1", "capitals", "mug")      // a repeat
	s.win(t, "k0", "u2", "capitals", "mug")      // another body under the key
	s.win(t, "again", "u1", "capitals", "mug")   // won already
	s.win(t, "other", "u1", "capitals", "hat")   // another item
	s.win(t, "early", "nobody", "rivers", "mug") // waits for its user
	s.answer(t, "e1", "u1", "capitals", "paris")
	body := []byte(`{"event_id":"e2"}`)
	s.take(t, store.Arrival{
		Kind: trivia.KindEvent, Key: "e2", Body: body, SHA256: sha256.Sum256(body), At: time.Now(),
		Event: trivia.Event{ObjectType: "email", Metric: "bounced", Person: "u3"},
	})
}

// broken returns which checks find how many breaches.
func (s shop) broken(t *testing.T, a operator.Audit) map[string]int {
	t.Helper()
	found, err := s.Audit(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}

	broken := map[string]int{}
	for _, c := range found.Checks {
		if c.Broken > 0 {
			broken[c.Name] = c.Broken
			if len(c.Rows) == 0 || c.Rows[0].Detail == "" {
				t.Errorf("%s: rows %+v, want the breach in words", c.Name, c.Rows)
			}
		}
	}

	return broken
}

func TestAnAuditFindsWhatIsBrokenAndNothingElse(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name, sql string
		want      map[string]int
	}{
		{"nothing", `SELECT ''`, map[string]int{}},
		{"a win is gone", `DELETE FROM trivia_wins WHERE user_id = 'u1' RETURNING ''`, map[string]int{"awarded_without_win": 1, "prize_without_win": 1}},
		{"a prize is gone", `DELETE FROM prizes WHERE user_id = 'u1' RETURNING ''`, map[string]int{"win_without_prize": 1}},
		{"a prize is another one", `UPDATE prizes SET item = 'car' WHERE user_id = 'u1' RETURNING ''`, map[string]int{"win_without_prize": 1}},
		{"a prize out of nothing", `INSERT INTO prizes VALUES ('u9', 'capitals', 'mug') RETURNING ''`, map[string]int{"prize_without_win": 1}},
		{"a revoked prize is one", `UPDATE prizes SET revoked_at = now() RETURNING ''`, map[string]int{}},
		{"a delivery is gone", `DELETE FROM deliveries WHERE key = 'k1' RETURNING ''`, map[string]int{"win_without_delivery": 1}},
		{
			"one win was awarded twice", `UPDATE deliveries SET outcome = 'awarded' WHERE key = 'again' RETURNING ''`,
			map[string]int{"awarded_without_win": 1},
		},
		{
			"a delivery says that it was not awarded", `UPDATE deliveries SET outcome = 'already_won' WHERE key = 'k1' RETURNING ''`,
			map[string]int{"win_without_delivery": 1},
		},
		{"pushes are gone", `DELETE FROM pushes WHERE id > 3 RETURNING ''`, map[string]int{"win_without_push": 5, "event_without_push": 1}},
		{"pushes were sent", `UPDATE pushes SET state = 'sent' RETURNING ''`, map[string]int{}},
		{"an event is gone", `DELETE FROM events WHERE event_id = 'e1' RETURNING ''`, map[string]int{"recorded_without_event": 1}},
		{"an event's delivery is gone", `DELETE FROM deliveries WHERE key = 'e1' RETURNING ''`, map[string]int{"event_without_delivery": 1}},
		{
			"an unknown user waits no longer than an hour", `UPDATE deliveries SET received_at = now() - interval '50 min', attempts = 3 WHERE key = 'early' RETURNING ''`,
			map[string]int{},
		},
		{
			"an unknown user waits for ever", `UPDATE deliveries SET received_at = now() - interval '5 hours', attempts = 3 WHERE key = 'early' RETURNING ''`,
			map[string]int{"pending_too_long": 1},
		},
		{
			"something is stuck", `UPDATE deliveries SET received_at = now() - interval '20 min', attempts = 3, outcome = NULL WHERE key = 'early' RETURNING ''`,
			map[string]int{"pending_too_long": 1},
		},
		{
			"a trivia is sealed", `WITH w AS (DELETE FROM trivia_wins RETURNING 1) INSERT INTO trivias SELECT 'capitals', now(), now(), now() RETURNING ''`,
			map[string]int{},
		},
		{
			"somebody was forgotten", `
			WITH k AS (INSERT INTO forget_key (key) VALUES ('\x01') RETURNING key),
				f AS (INSERT INTO forgotten SELECT forgotten_hash(key, 'u1', 'capitals') FROM k),
				w AS (DELETE FROM trivia_wins WHERE user_id = 'u1')
			SELECT ''`,
			map[string]int{},
		},
		{
			"what is old was pruned", `
			WITH d AS (DELETE FROM deliveries), e AS (DELETE FROM events), p AS (DELETE FROM pushes WHERE id > 1)
			INSERT INTO pruned (what, before)
			SELECT what, now() + interval '1 hour' FROM unnest('{deliveries,events,pushes}'::text[]) AS a (what) RETURNING ''`,
			map[string]int{},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			s := newShop(t)
			s.fill(t)
			s.lines(t, tt.sql)
			if diff := cmp.Diff(tt.want, s.broken(t, operator.Audit{})); diff != "" {
				t.Errorf("breaches (-want +got):\n%s", diff)
			}

			delete(tt.want, "prize_without_win") // nothing finds prizes by time
			if diff := cmp.Diff(tt.want, s.broken(t, operator.Audit{Since: time.Now().Add(-25 * time.Hour), Alone: true})); diff != "" {
				t.Errorf("breaches of a day (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnAuditSkipsWhatMeansNothing(t *testing.T) {
	t.Parallel()

	s := newShop(t)
	skipped := func(a operator.Audit) (names []string) {
		found, err := s.Audit(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range found.Checks {
			if c.Skipped != "" {
				names = append(names, c.Name+": "+c.Skipped)
			}
		}

		return names
	}
	if got := skipped(operator.Audit{}); !slices.Equal(got, []string{"win_without_push: no win was ever pushed"}) {
		t.Errorf("skipped before the first win: %q", got)
	}
	s.fill(t)
	s.lines(t, `DELETE FROM pushes WHERE id > 1 RETURNING ''`)
	if got := skipped(operator.Audit{NoPushes: true}); !slices.Equal(got, []string{"win_without_push: wins are not pushed"}) {
		t.Errorf("skipped where wins are not pushed: %q", got)
	}

	if _, err := s.db.Exec(t.Context(), `
		CREATE TABLE team_prizes (who text, what text);
		CREATE OR REPLACE FUNCTION grant_prize(user_id text, item text, trivia_id text) RETURNS void
		LANGUAGE sql AS $$ INSERT INTO team_prizes VALUES ($1, $2) $$;
		DELETE FROM prizes`); err != nil {
		t.Fatal(err)
	}
	if got := skipped(operator.Audit{NoPushes: true}); len(got) != 2 || got[0] != "win_without_prize: grant_prize keeps prizes elsewhere" {
		t.Errorf("skipped beside a team's own prizes: %q", got)
	}
}

func TestOnlyOneAuditsAtATimeIfItIsToBeAlone(t *testing.T) {
	t.Parallel()

	s := newShop(t)
	if _, err := s.db.Exec(t.Context(), `SELECT pg_advisory_lock(hashtextextended('trivia check ' || current_schema(), 0))`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Audit(t.Context(), operator.Audit{Alone: true}); !errors.Is(err, operator.ErrChecking) {
		t.Errorf("error = %v, want that another one checks", err)
	}
	if _, err := s.Audit(t.Context(), operator.Audit{}); err != nil {
		t.Errorf("beside it: %v", err)
	}
}

func TestAnAuditThatTakesTooLongIsGivenUp(t *testing.T) {
	t.Parallel()

	s := newShop(t)
	s.lines(t, `BEGIN`)
	s.lines(t, `LOCK TABLE trivia_wins IN ACCESS EXCLUSIVE MODE`)
	if _, err := s.Audit(t.Context(), operator.Audit{Statement: 50 * time.Millisecond}); err == nil {
		t.Error("no error, want that the statement took too long")
	}
}
