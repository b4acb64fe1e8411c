package operator_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// TestAnAuditUnderstandsWhatOperatorsDo lets people be forgotten, deliveries be
// replayed and repaired, prizes be revoked, and what is old be pruned.
func TestAnAuditUnderstandsWhatOperatorsDo(t *testing.T) {
	t.Parallel()

	s := newShop(t)
	s.fill(t)
	well := func(after string) {
		t.Helper()
		if diff := cmp.Diff(map[string]int{}, s.broken(t, operator.Audit{})); diff != "" {
			t.Errorf("breaches after %s (-want +got):\n%s", after, diff)
		}
	}

	if _, err := s.RevokePrize(t.Context(), "u4", "capitals", time.Now(), "a script"); err != nil {
		t.Fatal(err)
	}
	well("a revocation")
	if _, err := s.Forget(t.Context(), "u1", operator.Forgetting{}); err != nil {
		t.Fatal(err)
	}
	well("forgetting somebody")

	// What is replayed came long ago, and was won only now.
	s.lines(t, `UPDATE deliveries SET received_at = now() - interval '30 days', last_seen_at = now() - interval '30 days' WHERE key = 'early' RETURNING key`)
	if _, err := s.AddUsers(t.Context(), []trivia.UserID{"nobody"}, "late"); err != nil {
		t.Fatal(err)
	}
	found, err := s.ShowDelivery(t.Context(), "early")
	if err != nil {
		t.Fatal(err)
	}
	replay := operator.Replay{Set: operator.ReplaySet{Rows: found}, Owing: store.Owing{Policy: trivia.DefaultPolicy()}, Now: time.Now}
	if _, err := s.Replay(t.Context(), replay); err != nil {
		t.Fatal(err)
	}
	if got := s.lines(t, `SELECT outcome FROM deliveries WHERE key = 'early'`); got[0] != "awarded" {
		t.Errorf("replayed: %q", got)
	}
	well("a replay")

	// Half of it is old.
	s.lines(t, `
		WITH d AS (UPDATE deliveries SET received_at = received_at - interval '20 days', last_seen_at = last_seen_at - interval '20 days',
				settled_at = settled_at - interval '20 days' WHERE key ~ '[02468]$' OR key = 'e1'),
			w AS (UPDATE trivia_wins SET won_at = won_at - interval '20 days' WHERE delivery_key ~ '[02468]$'),
			e AS (UPDATE events SET received_at = received_at - interval '20 days'),
			p AS (UPDATE pushes SET created_at = created_at - interval '20 days', settled_at = now() - interval '20 days', state = 'sent' WHERE cause = 'event')
		SELECT ''`)
	if _, err := s.Prune(t.Context(), operator.Pruning{Before: time.Now().Add(-10 * 24 * time.Hour), BodiesBefore: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if got := s.lines(t, `SELECT what FROM pruned ORDER BY what`); len(got) == 0 {
		t.Error("nothing was pruned")
	}
	well("pruning")

	if _, err := s.CloseTrivia(t.Context(), "capitals", "over"); err != nil {
		t.Fatal(err)
	}
	s.lines(t, `UPDATE trivias SET closed_at = now() - interval '2 hours' RETURNING ''`)
	s.lines(t, `UPDATE pushes SET state = 'sent' RETURNING ''`)
	if n, err := s.PruneWins(t.Context(), operator.WinPruning{Trivia: "capitals"}); err != nil || n == 0 {
		t.Fatalf("PruneWins = %d, %v", n, err)
	}
	well("pruning wins")
}
