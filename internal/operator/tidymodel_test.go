package operator_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// A ledger of a team's own remembers every prize for ever.
const keepLedger = `
	CREATE TABLE ledger (user_id text, trivia_id text);
	CREATE OR REPLACE FUNCTION grant_prize(user_id text, item text, trivia_id text) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		INSERT INTO ledger VALUES (grant_prize.user_id, grant_prize.trivia_id);
		INSERT INTO prizes (user_id, trivia_id, item) VALUES (grant_prize.user_id, grant_prize.trivia_id, grant_prize.item);
	END $$`

// TestNobodyWinsTwiceWhateverIsPrunedAndForgotten lets wins, events and their
// repeats come in any order between prunings and forgettings of every kind.
func TestNobodyWinsTwiceWhateverIsPrunedAndForgotten(t *testing.T) {
	t.Parallel()

	halls := map[bool]hall{}
	for _, createUsers := range []bool{false, true} {
		halls[createUsers] = newHall(t, createUsers)
		halls[createUsers].exec(t, keepLedger)
	}
	rapid.Check(t, func(rt *rapid.T) {
		m := mess{halls[rapid.Bool().Draw(rt, "create_users")], t}
		m.clear()
		rt.Repeat(map[string]func(*rapid.T){
			"take":   m.take,
			"settle": m.settle,
			"user":   m.user,
			"close":  m.closed,
			"prune":  m.prune,
			"wins":   m.pruneWins,
			"forget": m.forget,
		})
		m.check(rt)
	})
}

// A mess is a hall in which anything happens.
type mess struct {
	hall

	t *testing.T
}

func (m mess) clear() {
	for _, table := range []string{
		"deliveries", "events", "forget_key", "forgotten", "prizes", "pruned", "push_people", "pushes", "responses",
		"trivia_wins", "trivias", "users", "ledger", "audit_log",
	} {
		m.exec(m.t, "DELETE FROM "+table)
	}
	m.exec(m.t, `INSERT INTO users SELECT 'u' || i FROM generate_series(0, 2) AS i`)
}

func word(rt *rapid.T, prefix string, n int) string {
	return fmt.Sprint(prefix, rapid.IntRange(0, n-1).Draw(rt, prefix))
}

// moment is any time of the last days, a third of them too young to be pruned.
func moment(rt *rapid.T) time.Time {
	return time.Now().Add(-time.Duration(rapid.SampledFrom([]int{1, 20, 60}).Draw(rt, "days")) * 24 * time.Hour)
}

func (m mess) take(rt *rapid.T) {
	batch := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) store.Arrival {
		if rapid.IntRange(0, 3).Draw(rt, "kind") == 0 {
			return clickAt(moment(rt), word(rt, "e", 6), word(rt, "u", 4), "trivia/"+word(rt, "t", 2)+"/x")
		}

		return winAt(moment(rt), word(rt, "k", 8), word(rt, "u", 4), word(rt, "t", 2), word(rt, "item", 2))
	}), 1, 5).Draw(rt, "batch")
	if _, err := m.Take(rt.Context(), batch); err == nil {
		return
	}
	// As intake does when a batch fails: an event whose delivery is gone.
	if _, err := m.Keep(rt.Context(), batch); err != nil {
		rt.Fatalf("Keep: %v", err)
	}
}

func (m mess) settle(rt *rapid.T) {
	m.exec(m.t, `UPDATE deliveries SET due_at = now() WHERE state = 'pending'`)
	rows, err := m.db.Query(rt.Context(), `SELECT key, kind, user_id, trivia_id, item FROM deliveries WHERE state = 'pending' AND user_id IS NOT NULL`)
	if err != nil {
		rt.Fatal(err)
	}
	var wins []store.Arrival
	for rows.Next() {
		var key, kind, user, id, item string
		if err := rows.Scan(&key, &kind, &user, &id, &item); err != nil {
			rt.Fatal(err)
		}
		wins = append(wins, winAt(time.Now(), key, user, id, item))
	}
	if err := rows.Err(); err != nil {
		rt.Fatal(err)
	}
	for _, a := range wins {
		p, err := m.store.Claim(rt.Context(), store.Ref{Kind: trivia.KindWin, Key: a.Key}, time.Minute)
		if err != nil {
			rt.Fatal(err)
		}
		opts := store.SettleOptions{Statement: time.Minute, Retry: new(time.Minute)}
		if _, err := m.store.Settle(rt.Context(), p, a, opts); err != nil {
			rt.Fatal(err)
		}
	}
}

func (m mess) user(rt *rapid.T) {
	if _, err := m.AddUsers(rt.Context(), []trivia.UserID{trivia.UserID(word(rt, "u", 4))}, ""); err != nil {
		rt.Fatal(err)
	}
}

func (m mess) closed(rt *rapid.T) {
	m.exec(m.t, `
		INSERT INTO trivias (trivia_id, closed_at) VALUES ($1, CASE WHEN $2 THEN now() - interval '2 hours' END)
		ON CONFLICT (trivia_id) DO UPDATE SET closed_at = excluded.closed_at WHERE trivias.sealed_at IS NULL`,
		word(rt, "t", 2), rapid.Bool().Draw(rt, "closed"))
}

func (m mess) prune(rt *rapid.T) {
	p := operator.Pruning{
		Before: time.Now().Add(-30 * 24 * time.Hour), BodiesBefore: moment(rt), Parked: rapid.Bool().Draw(rt, "parked"),
		Only: rapid.SliceOf(rapid.SampledFrom([]store.Prunable{store.PruneEvents, store.PruneDeliveries, store.PrunePushes})).Draw(rt, "only"),
	}
	if _, err := m.Prune(rt.Context(), p); err != nil {
		rt.Fatal(err)
	}
}

func (m mess) pruneWins(rt *rapid.T) {
	m.exec(m.t, `UPDATE pushes SET state = 'sent', settled_at = now()`)
	_, _ = m.PruneWins(rt.Context(), operator.WinPruning{Trivia: trivia.ID(word(rt, "t", 2))}) // one that is open is refused
}

func (m mess) forget(rt *rapid.T) {
	f := operator.Forgetting{Suppress: rapid.Bool().Draw(rt, "suppress")}
	if got, err := m.Forget(rt.Context(), word(rt, "u", 4), f); err != nil || got.Left > 0 {
		rt.Fatalf("Forget = %+v, %v", got, err)
	}
}

func (m mess) check(rt *rapid.T) {
	for what, sql := range map[string]string{
		"a prize was granted twice": `SELECT user_id || ' ' || trivia_id FROM ledger GROUP BY user_id, trivia_id HAVING count(*) > 1`,
		"a win without its prize, or the other way round": `
			SELECT user_id FROM trivia_wins AS w FULL JOIN prizes AS p USING (user_id, trivia_id) WHERE w.item IS DISTINCT FROM p.item`,
		"an event without its delivery":   `SELECT event_id FROM events AS e WHERE NOT EXISTS (SELECT FROM deliveries WHERE key = e.event_id AND kind = 'event')`,
		"an answer without its event":     `SELECT event_id FROM responses AS r WHERE NOT EXISTS (SELECT FROM events AS e WHERE e.event_id = r.event_id)`,
		"a body of what waits is gone":    `SELECT key FROM deliveries WHERE state <> 'done' AND body = ''`,
		"a trivia with wins gone is open": `SELECT trivia_id FROM trivias WHERE sealed_at IS NOT NULL AND closed_at IS NULL`,
	} {
		if got := m.lines(m.t, sql); len(got) > 0 {
			rt.Fatalf("%s: %q", what, got)
		}
	}
}
