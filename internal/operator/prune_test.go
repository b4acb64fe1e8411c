package operator_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
	"trivia/internal/waiting"
)

var (
	cutOff  = time.Now().Add(-50 * 24 * time.Hour).Truncate(time.Second)
	lately  = time.Now().Add(-20 * 24 * time.Hour).Truncate(time.Second)
	justNow = time.Now().Add(-time.Hour).Truncate(time.Second)
)

// rowsOf leaves out of counts what depends on the table's size.
func rowsOf(counts []store.PruneCount) (all []string) {
	for _, c := range counts {
		all = append(all, fmt.Sprintf("%s %d (%d parked, %d pending stay)", c.What, c.Rows, c.Parked, c.Waits))
	}

	return all
}

// stock fills every table with old things and new ones.
func (h hall) stock(t *testing.T) {
	t.Helper()
	h.exec(t, `INSERT INTO pushes (person, kind, cause, cause_id, occurred_at, state, created_at, settled_at) VALUES
		('u1', 'attributes', 'operator', 'ann', now(), 'parked', $1, $1), ('u1', 'attributes', 'operator', 'ann', now(), 'held', $1, NULL)`, longAgo)
	for _, age := range []struct {
		name string
		at   time.Time
	}{{"old", longAgo}, {"new", lately}} {
		name, at := age.name, age.at
		h.take(t,
			winAt(at, name+"-win", "u1", "trivia-"+name, "mug"), winAt(at, name+"-conflict", "u1", "trivia-"+name, "hat"),
			winAt(at, name+"-late", "nobody", "trivia-"+name, "mug"),
			clickAt(at, name+"-click", "u1", "trivia/trivia-"+name+"/x"), bounceAt(at, name+"-bounce", "b@example.com"),
		)
	}
	h.exec(t, `UPDATE pushes SET created_at = $1, state = 'sent', settled_at = $1 WHERE cause_id LIKE '%old%'`, longAgo)
}

func TestWhatIsPastItsUseGoesAndTheRestStays(t *testing.T) {
	t.Parallel()

	const (
		deliveries = `SELECT key || CASE WHEN body = '' THEN ' blank' ELSE '' END FROM deliveries ORDER BY key`
		events     = `SELECT event_id FROM events ORDER BY event_id`
		responses  = `SELECT event_id FROM responses ORDER BY event_id`
		pushes     = `SELECT concat_ws(' ', kind, cause_id, state) FROM pushes ORDER BY 1`
	)
	all := map[string][]string{
		deliveries: {"new-bounce", "new-click", "new-conflict", "new-late", "new-win", "old-bounce", "old-click", "old-conflict", "old-late", "old-win"},
		events:     {"new-bounce", "new-click", "old-bounce", "old-click"},
		responses:  {"new-click", "old-click"},
		pushes: {
			"attributes ann held", "attributes ann parked", "event trivia-new pending", "event trivia-old sent",
			"suppress new-bounce pending", "suppress old-bounce sent",
		},
	}
	tests := []struct {
		name    string
		p       operator.Pruning
		preview []string
		want    map[string][]string // where it differs from all
	}{
		{
			"everything",
			operator.Pruning{Before: cutOff},
			[]string{"events 2 (0 parked, 0 pending stay)", "deliveries 3 (1 parked, 1 pending stay)", "pushes 2 (1 parked, 1 pending stay)"},
			map[string][]string{
				deliveries: {"new-bounce", "new-click", "new-conflict", "new-late", "new-win", "old-conflict", "old-late"},
				events:     {"new-bounce", "new-click"},
				responses:  {"new-click"},
				pushes:     {"attributes ann held", "attributes ann parked", "event trivia-new pending", "suppress new-bounce pending"},
			},
		},
		{
			"what is parked, too",
			operator.Pruning{Before: cutOff, Parked: true},
			[]string{"events 2 (0 parked, 0 pending stay)", "deliveries 4 (0 parked, 1 pending stay)", "pushes 3 (0 parked, 1 pending stay)"},
			map[string][]string{
				deliveries: {"new-bounce", "new-click", "new-conflict", "new-late", "new-win", "old-late"},
				events:     {"new-bounce", "new-click"},
				responses:  {"new-click"},
				pushes:     {"attributes ann held", "event trivia-new pending", "suppress new-bounce pending"},
			},
		},
		{
			"deliveries go no sooner than their events",
			operator.Pruning{Before: cutOff, Only: []store.Prunable{store.PruneDeliveries}},
			[]string{"deliveries 1 (1 parked, 1 pending stay)"},
			map[string][]string{deliveries: {"new-bounce", "new-click", "new-conflict", "new-late", "new-win", "old-bounce", "old-click", "old-conflict", "old-late"}},
		},
		{
			"events may go sooner",
			operator.Pruning{Before: cutOff, Only: []store.Prunable{store.PruneEvents}},
			[]string{"events 2 (0 parked, 0 pending stay)"},
			map[string][]string{events: {"new-bounce", "new-click"}, responses: {"new-click"}},
		},
		{
			"pushes",
			operator.Pruning{Before: cutOff, Only: []store.Prunable{store.PrunePushes}},
			[]string{"pushes 2 (1 parked, 1 pending stay)"},
			map[string][]string{pushes: {"attributes ann held", "attributes ann parked", "event trivia-new pending", "suppress new-bounce pending"}},
		},
		{
			"bodies of what is settled",
			operator.Pruning{BodiesBefore: cutOff},
			[]string{"bodies 3 (0 parked, 0 pending stay)"},
			map[string][]string{deliveries: {"new-bounce", "new-click", "new-conflict", "new-late", "new-win", "old-bounce blank", "old-click blank", "old-conflict", "old-late", "old-win blank"}},
		},
		{
			"bodies sooner than rows",
			operator.Pruning{Before: cutOff, Only: []store.Prunable{store.PruneEvents, store.PruneDeliveries}, BodiesBefore: justNow},
			[]string{"events 2 (0 parked, 0 pending stay)", "deliveries 3 (1 parked, 1 pending stay)", "bodies 3 (0 parked, 0 pending stay)"},
			map[string][]string{
				deliveries: {"new-bounce blank", "new-click blank", "new-conflict", "new-late", "new-win blank", "old-conflict", "old-late"},
				events:     {"new-bounce", "new-click"},
				responses:  {"new-click"},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			h := newHall(t, false)
			h.stock(t)
			counts, err := h.PreviewPrune(t.Context(), tt.p)
			if diff := cmp.Diff(tt.preview, rowsOf(counts)); diff != "" || err != nil {
				t.Errorf("PreviewPrune: %v (-want +got):\n%s", err, diff)
			}
			for sql, rows := range all {
				h.want(t, sql, rows...)
			}

			for _, again := range []bool{false, true} {
				pruned, err := h.Prune(t.Context(), tt.p)
				if err != nil {
					t.Fatalf("Prune: %v", err)
				}
				for i, p := range pruned {
					want := counts[i].Rows
					if again {
						want = 0
					}
					if p.What != counts[i].What || p.Rows != want {
						t.Errorf("pruned %d %s, want %d %s", p.Rows, p.What, want, counts[i].What)
					}
				}
				for sql, rows := range all {
					if other, ok := tt.want[sql]; ok {
						rows = other
					}
					h.want(t, sql, rows...)
				}
			}
			h.want(t, `SELECT user_id || ' ' || trivia_id FROM trivia_wins ORDER BY trivia_id`, "u1 trivia-new", "u1 trivia-old")
			if got := h.lines(t, `SELECT verb FROM audit_log`); len(got) != len(counts) {
				t.Errorf("audit log = %q, want a line for each part", got)
			}
			if got := h.lines(t, `SELECT what FROM pruned`); len(got) != len(counts) {
				t.Errorf("marks = %q, want one for each part", got)
			}
		})
	}
}

func TestLateRepeatsOfWhatWasPrunedAwardNothing(t *testing.T) {
	t.Parallel()

	h := newHall(t, false)
	h.stock(t)
	if _, err := h.Prune(t.Context(), operator.Pruning{Before: cutOff, BodiesBefore: justNow, Parked: true}); err != nil {
		t.Fatal(err)
	}

	// Rows that are gone: what they say is judged anew.
	h.takes(t, winAt(justNow, "old-win-2", "u1", "trivia-old", "mug"), "already_won")
	h.takes(t, winAt(justNow, "old-conflict", "u1", "trivia-old", "hat"), "prize_conflict")
	// Bodies that are gone: a repeat is known, and another body is another one.
	h.takes(t, winAt(justNow, "new-win", "u1", "trivia-new", "mug"), "duplicate awarded")
	h.takes(t, winAt(justNow, "new-win", "u1", "trivia-old", "mug"), "already_won")
	h.takes(t, clickAt(justNow, "new-click", "u1", "trivia/trivia-new/x"), "duplicate recorded")
	h.takes(t, clickAt(justNow, "new-click", "u1", "trivia/trivia-new/y"), "key_conflict")
	h.want(t, `SELECT concat_ws(' ', user_id, trivia_id, item) FROM prizes ORDER BY trivia_id`, "u1 trivia-new mug", "u1 trivia-old mug")
	h.want(t, `SELECT event_id FROM responses`, "new-click")

	// The delivery that was awarded is so again, by the stage behind intake: it
	// has the win already.
	again := winAt(justNow, "old-win", "u1", "trivia-old", "mug")
	h.takes(t, again, "")
	r, err := h.store.Settle(t.Context(), h.claim(t, "old-win"), again, store.SettleOptions{Statement: time.Minute})
	if err != nil || r.Outcome != trivia.Awarded {
		t.Errorf("Settle = %+v, %v, want awarded", r, err)
	}
	h.want(t, `SELECT count(*)::text FROM prizes`, "2")
	h.want(t, `SELECT count(*)::text FROM pushes WHERE cause = 'win'`, "1")

	// An event whose delivery is there, and it is not, is known.
	h.takes(t, bounceAt(lately, "seen", "c@example.com"), "recorded")
	h.exec(t, `UPDATE events SET received_at = $1 WHERE event_id = 'seen'`, longAgo)
	if _, err := h.Prune(t.Context(), operator.Pruning{Before: cutOff}); err != nil {
		t.Fatal(err)
	}
	h.takes(t, bounceAt(justNow, "seen", "c@example.com"), "duplicate recorded")
	h.want(t, `SELECT event_id FROM events WHERE event_id = 'seen'`)
}

func TestWhatMayComeAgainIsNeverDeleted(t *testing.T) {
	t.Parallel()

	h := newHall(t, false)
	week := time.Now().Add(-7 * 24 * time.Hour)
	h.take(t, winAt(week, "w", "u1", "capitals", "mug"), clickAt(week, "e", "u1", "x"))
	for _, p := range []operator.Pruning{{Before: week.Add(time.Minute)}, {Before: time.Now()}, {BodiesBefore: time.Now().Add(time.Hour)}} {
		if _, err := h.PreviewPrune(t.Context(), p); !errors.Is(err, operator.ErrTooRecent) {
			t.Errorf("PreviewPrune(%+v) = %v, want that it is too recent", p, err)
		}
		if _, err := h.Prune(t.Context(), p); !errors.Is(err, operator.ErrTooRecent) {
			t.Errorf("Prune(%+v) = %v, want that it is too recent", p, err)
		}
	}
	// The statements themselves refuse, whoever asks.
	for _, what := range []store.Prunable{store.PruneEvents, store.PruneDeliveries, store.PrunePushes} {
		err := h.store.Act(t.Context(), func(act *store.Act) (store.Deed, error) {
			step, err := act.Prune(t.Context(), store.PruneSpan{What: what, Before: time.Now()}, store.PrunePlace{}, 100)
			if step.Gone > 0 {
				t.Errorf("%d %s went", step.Gone, what)
			}

			return store.Deed{}, err
		})
		if err != nil {
			t.Error(err)
		}
	}
	// What was repeated lately is no older than that.
	h.takes(t, winAt(longAgo, "often", "u2", "capitals", "mug"), "awarded")
	h.takes(t, winAt(justNow, "often", "u2", "capitals", "mug"), "duplicate awarded")
	if _, err := h.Prune(t.Context(), operator.Pruning{Before: cutOff}); err != nil {
		t.Error(err)
	}
	h.want(t, `SELECT key FROM deliveries ORDER BY key`, "e", "often", "w")
}

func TestPruningGoesBatchByBatchAndOnFromWhereItWasStopped(t *testing.T) {
	t.Parallel()

	h := newHall(t, false)
	const n = 12_500
	h.exec(t, `
		INSERT INTO deliveries (key, kind, body, body_sha256, state, outcome, received_at, last_seen_at, settled_at)
		SELECT 'k' || i, 'win', 'body', '\x00', CASE WHEN i % 5 = 0 THEN 'parked' ELSE 'done' END,
			CASE WHEN i % 5 = 0 THEN 'malformed' ELSE 'already_won' END,
			$1::timestamptz + (i / 700) * interval '1 s', $1, $1
		FROM generate_series(1, $2::int) AS i`, longAgo, n)

	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped by hand")
	p := operator.Pruning{Before: cutOff, Progress: func(int) { cancel(stopped) }}
	pruned, err := h.Prune(ctx, p)
	if !errors.Is(err, stopped) && !errors.Is(err, context.Canceled) {
		t.Errorf("Prune = %v, want that it was stopped", err)
	}
	first := 0
	for _, part := range pruned {
		first += part.Rows
	}
	if left := h.lines(t, `SELECT count(*)::text FROM deliveries`); left[0] != fmt.Sprint(n-first) {
		t.Errorf("%d went, and %s are left", first, left[0])
	}

	var steps []int
	p.Progress = func(done int) { steps = append(steps, done) }
	if _, err = h.Prune(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	h.want(t, `SELECT state || ' ' || count(*) FROM deliveries GROUP BY state`, fmt.Sprintf("parked %d", n/5))
	h.want(t, `SELECT sum((detail->>'rows')::int)::text FROM audit_log WHERE verb = 'prune deliveries'`, fmt.Sprint(n-n/5))
	if len(steps) < 3 || steps[len(steps)-1] != n-n/5-first {
		t.Errorf("progress = %v, want several steps up to %d", steps, n-n/5-first)
	}
}

func TestPruningWaitsForNobody(t *testing.T) {
	t.Parallel()

	h := newHall(t, false)
	h.stock(t)
	tx, err := h.db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `SELECT FROM deliveries WHERE key = 'old-win' FOR UPDATE`); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Prune(waiting.Context(t), operator.Pruning{Before: cutOff}); err != nil {
		t.Errorf("Prune beside a lock: %v", err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.want(t, `SELECT key FROM deliveries WHERE key LIKE 'old%' ORDER BY key`, "old-conflict", "old-late", "old-win")
	if _, err := h.Prune(t.Context(), operator.Pruning{Before: cutOff}); err != nil {
		t.Error(err)
	}
	h.want(t, `SELECT key FROM deliveries WHERE key LIKE 'old%' ORDER BY key`, "old-conflict", "old-late")
}

func TestWinsGoOnlyWithTheirTriviaForGood(t *testing.T) {
	t.Parallel()

	h := newHall(t, false)
	h.take(t,
		winAt(longAgo, "a", "u1", "capitals", "mug"), winAt(longAgo, "b", "u2", "capitals", "mug"),
		winAt(longAgo, "c", "u3", "capitals", "mug"), winAt(longAgo, "d", "u1", "rivers", "mug"))
	h.exec(t, `UPDATE pushes SET state = 'sent' WHERE person <> 'u3'`)
	p := operator.WinPruning{Trivia: "capitals", Reason: "season over"}

	refused := func(want error) {
		t.Helper()
		if _, err := h.PreviewPruneWins(t.Context(), p); !errors.Is(err, want) {
			t.Errorf("PreviewPruneWins = %v, want %v", err, want)
		}
		if _, err := h.PruneWins(t.Context(), p); !errors.Is(err, want) {
			t.Errorf("PruneWins = %v, want %v", err, want)
		}
	}
	refused(store.ErrTriviaOpen)
	h.exec(t, `INSERT INTO trivias (trivia_id) VALUES ('capitals')`)
	refused(store.ErrTriviaOpen)
	h.exec(t, `UPDATE trivias SET closed_at = now() - interval '59 minutes'`)
	refused(store.ErrTriviaJustClose)
	h.want(t, `SELECT count(*)::text FROM trivia_wins`, "4")

	h.exec(t, `UPDATE trivias SET closed_at = now() - interval '61 minutes'`)
	count, err := h.PreviewPruneWins(t.Context(), p)
	if count.Wins != 2 || count.Untold != 1 || count.Sealed || err != nil {
		t.Errorf("PreviewPruneWins = %+v, %v, want two, and one that stays", count, err)
	}
	h.want(t, `SELECT trivia_id FROM trivias WHERE sealed_at IS NOT NULL`)
	if n, err := h.PruneWins(t.Context(), p); n != 2 || err != nil {
		t.Errorf("PruneWins = %d, %v, want 2", n, err)
	}
	for _, table := range []string{"trivia_wins", "prizes"} {
		h.want(t, `SELECT user_id || ' ' || trivia_id FROM `+table+` ORDER BY 1`, "u1 rivers", "u3 capitals")
	}
	h.want(t, `SELECT trivia_id FROM trivias WHERE sealed_at IS NOT NULL`, "capitals")
	h.want(t, `SELECT concat_ws('|', verb, target, reason, detail->>'rows') FROM audit_log`, "prune wins|capitals|season over|2")

	h.takes(t, winAt(justNow, "e", "u1", "capitals", "mug"), "trivia_closed")
	if _, err := h.db.Exec(t.Context(), `UPDATE trivias SET closed_at = NULL`); err == nil || !strings.Contains(err.Error(), "check constraint") {
		t.Errorf("a sealed trivia was opened: %v", err)
	}
	h.exec(t, `UPDATE pushes SET state = 'sent'`)
	if n, err := h.PruneWins(t.Context(), p); n != 1 || err != nil {
		t.Errorf("PruneWins = %d, %v, want the one that stayed", n, err)
	}
}

func TestRetentionIsOneProcessAtATimeOnceADay(t *testing.T) {
	t.Parallel()

	h := newHall(t, false)
	h.stock(t)
	keep := operator.Retention{Events: 30 * 24 * time.Hour, Deliveries: 50 * 24 * time.Hour, Pushes: 50 * 24 * time.Hour, Bodies: 24 * time.Hour}
	var told []string
	retain := func(r operator.Retention) error {
		told = nil

		return h.Retain(t.Context(), r, func(p operator.Pruned) { told = append(told, fmt.Sprint(p.What, " ", p.Rows)) })
	}
	if err := retain(keep); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"events 2", "deliveries 3", "pushes 2", "bodies 3"}, told); diff != "" {
		t.Errorf("pruned (-want +got):\n%s", diff)
	}
	if err := retain(keep); !operator.IsNotDue(err) {
		t.Errorf("Retain = %v, want that it is not due", err)
	}
	h.want(t, `SELECT (due_at - now() BETWEEN interval '23 hours' AND interval '25 hours')::text FROM retention`, "true")

	// The next day it goes on from where it was: what ended behind it meanwhile
	// is found by the walk from the first row.
	h.exec(t, `UPDATE deliveries SET state = 'done' WHERE key = 'old-conflict'`)
	due := func() { h.exec(t, `UPDATE retention SET due_at = now()`) }
	due()
	if err := retain(keep); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"events 0", "deliveries 0", "pushes 0", "bodies 0"}, told); diff != "" {
		t.Errorf("the next day (-want +got):\n%s", diff)
	}
	h.exec(t, `UPDATE pruned SET whole_at = whole_at - interval '31 days'`)
	due()
	if err := retain(keep); err != nil || told[1] != "deliveries 1" {
		t.Errorf("a month later: %v, %q, want one delivery", err, told)
	}

	// Other settings begin anew.
	due()
	keep.Events = 15 * 24 * time.Hour
	if err := retain(keep); err != nil || told[0] != "events 2" {
		t.Errorf("with other settings: %v, %q, want two events", err, told)
	}
	h.want(t, `SELECT DISTINCT reason FROM audit_log ORDER BY 1`,
		"events are kept for 360h0m0s, deliveries are kept for 1200h0m0s, pushes are kept for 1200h0m0s, bodies are kept for 24h0m0s",
		"events are kept for 720h0m0s, deliveries are kept for 1200h0m0s, pushes are kept for 1200h0m0s, bodies are kept for 24h0m0s")
}

func TestWhoLosesTheLeasePrunesNoMore(t *testing.T) {
	t.Parallel()

	h := newHall(t, false)
	h.stock(t)
	err := h.Retain(t.Context(), operator.Retention{Events: 30 * 24 * time.Hour, Deliveries: 30 * 24 * time.Hour}, func(operator.Pruned) {
		h.exec(t, `UPDATE retention SET due_at = now() + interval '7 hours'`) // by another process
	})
	if !operator.IsNotDue(err) {
		t.Errorf("Retain = %v, want that the lease was lost", err)
	}
	h.want(t, `SELECT count(*)::text FROM events WHERE event_id LIKE 'old%'`, "0")
	h.want(t, `SELECT count(*)::text FROM deliveries WHERE key LIKE 'old%'`, "5")
}
