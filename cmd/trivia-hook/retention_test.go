package main

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"trivia/internal/config"
)

const oldRows = `
	INSERT INTO deliveries (key, kind, body, body_sha256, state, outcome, received_at, last_seen_at, settled_at)
	SELECT 'old-' || i, CASE WHEN i % 2 = 0 THEN 'event' ELSE 'win' END, '{}', '\x00', 'done',
		CASE WHEN i % 2 = 0 THEN 'recorded' ELSE 'already_won' END, t, t, t
	FROM generate_series(1, 9000) AS i, LATERAL (SELECT now() - interval '100 days' + i * interval '1 s') AS x (t);
	INSERT INTO events (event_id, object_type, metric, received_at)
	SELECT key, 'email', 'sent', received_at FROM deliveries WHERE kind = 'event'`

func TestServicesPruneWhatIsPastItsUseOnceBetweenThem(t *testing.T) {
	t.Parallel()

	db := newPostgres(t)
	db.exec(t, oldRows)
	e := on(db.url).with(env{config.KeepEvents: "30d", config.KeepDeliveries: "90d", config.KeepBodies: "30d"})
	programs := []*program{start(t, e), start(t, e)}
	s := newSender(t, 1)
	for n := range users {
		if a := s.win(programs[n%2].public, nthWin(n)); a.err != nil || a.status != http.StatusOK {
			t.Errorf("a win beside pruning was answered %+v", a)
		}
	}
	wait(t, "it is done for today", func() bool {
		return db.column(t, `SELECT count(*)::text FROM retention WHERE due_at > now() + interval '1 hour'`)[0] == "1"
	})
	db.want(t, `SELECT count(*)::text FROM deliveries WHERE key LIKE 'old-%'`, "0")
	db.want(t, `SELECT count(*)::text FROM events`, "0")
	db.want(t, `SELECT count(*)::text FROM trivia_wins`, strconv.Itoa(users))
	db.want(t, `SELECT verb || ' ' || sum((detail->>'rows')::int) FROM audit_log WHERE verb LIKE 'prune%' GROUP BY verb ORDER BY verb`,
		"prune deliveries 9000", "prune events 4500")

	lines, counted := 0, 0
	for _, p := range programs {
		lines += len(p.logged(t, "pruned what is past its use"))
		if _, text := get(t, p.private+"/metrics"); strings.Contains(text, `trivia_pruned_total{table="deliveries"} 9000`) {
			counted++
		}
	}
	if lines != 3 || counted != 1 {
		t.Errorf("%d lines of the log and %d services tell of it, want 3 and one", lines, counted)
	}
}

func TestWithoutSettingsNothingIsEverPruned(t *testing.T) {
	t.Parallel()

	db := newPostgres(t)
	db.exec(t, oldRows)
	start(t, on(db.url))
	db.want(t, `SELECT count(*)::text FROM retention`, "0")
	db.want(t, `SELECT count(*)::text FROM deliveries`, "9000")
}
