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
)

const (
	allPushes = `SELECT concat_ws('|', id, person, kind, cause, cause_id, state, attempts, reason) FROM pushes ORDER BY id`
	pushDeeds = `SELECT concat_ws('|', verb, target, reason, detail) FROM audit_log ORDER BY at, target`
)

// somePushes are one of each state, for five people.
const somePushes = `
	INSERT INTO pushes (person, kind, cause, cause_id, occurred_at, state, attempts, status, reason, settled_at) VALUES
		('ann', 'event', 'win', 'capitals', now(), 'pending', 3, 503, 'busy', NULL),
		('bob', 'event', 'win', 'capitals', now(), 'parked',  1, 400, 'no such thing', now()),
		('cid', 'event', 'win', 'capitals', now(), 'held',    0, NULL, 'no credentials', NULL),
		('dan', 'event', 'win', 'capitals', now(), 'held',    0, NULL, 'held by eve', NULL),
		('eve', 'event', 'win', 'capitals', now(), 'sent',    1, 200, NULL, now())
	RETURNING person`

func TestPushesMoveWithALineInTheAuditLog(t *testing.T) {
	t.Parallel()

	tests := []struct {
		move operator.PushMove
		ids  []int64
		want []string // rows that are not as they were
	}{
		{operator.RetryPush, []int64{2}, []string{"2|bob|event|win|capitals|pending|0"}},
		{operator.HoldPush, []int64{3, 1, 2, 1}, []string{
			"1|ann|event|win|capitals|held|3|held by ann@desk: why not",
			"2|bob|event|win|capitals|held|1|held by ann@desk: why not",
			"3|cid|event|win|capitals|held|0|held by ann@desk: why not",
		}},
		{operator.ReleasePush, []int64{3, 4}, []string{"3|cid|event|win|capitals|pending|0", "4|dan|event|win|capitals|pending|0"}},
	}
	for _, tt := range tests {
		t.Run(string(tt.move), func(t *testing.T) {
			t.Parallel()

			d := newDesk(t)
			d.lines(t, somePushes)
			before := d.lines(t, allPushes)
			n, err := d.MovePushes(t.Context(), tt.move, tt.ids, "why not")
			if err != nil || n != len(tt.want) {
				t.Fatalf("MovePushes(%s, %v) = %d, %v, want %d", tt.move, tt.ids, n, err, len(tt.want))
			}

			var changed []string
			for i, row := range d.lines(t, allPushes) {
				if row != before[i] {
					changed = append(changed, row)
				}
			}
			if diff := cmp.Diff(tt.want, changed); diff != "" {
				t.Errorf("changed (-want +got):\n%s", diff)
			}
			if got := d.lines(t, pushDeeds); len(got) != 1 || !strings.HasPrefix(got[0], "push "+string(tt.move)+"|") {
				t.Errorf("audit log = %q, want one line", got)
			}
		})
	}
}

func TestPushesThatCannotBeMovedStayAllAsTheyAre(t *testing.T) {
	t.Parallel()

	d := newDesk(t)
	d.lines(t, somePushes)
	before := d.lines(t, allPushes)
	tests := []struct {
		move operator.PushMove
		ids  []int64
		is   error
		want string
	}{
		{operator.RetryPush, []int64{2, 9}, operator.ErrNotFound, "there is no push 9"},
		{operator.RetryPush, []int64{1, 2}, operator.ErrPushState, "push 1 is pending already"},
		{operator.HoldPush, []int64{1, 4, 5}, operator.ErrPushState, "push 4 is held: held by eve, push 5 is sent"},
		{operator.ReleasePush, []int64{1, 2, 5, 3}, operator.ErrPushState, "push 1 is pending already, push 2 is parked, push 5 is sent"},
	}
	for _, tt := range tests {
		n, err := d.MovePushes(t.Context(), tt.move, tt.ids, "")
		if n != 0 || !errors.Is(err, tt.is) || err.Error() != tt.want {
			t.Errorf("MovePushes(%s, %v) = %d, %v, want %s", tt.move, tt.ids, n, err, tt.want)
		}
	}
	if diff := cmp.Diff(before, d.lines(t, allPushes)); diff != "" {
		t.Errorf("pushes changed (-before +after):\n%s", diff)
	}
	if got := d.lines(t, allDeeds); len(got) > 0 {
		t.Errorf("audit log = %q, want nothing", got)
	}
}

func TestASweepMovesWholeSetsBatchByBatch(t *testing.T) {
	t.Parallel()

	d := newDesk(t)
	const n = 2500
	d.lines(t, fmt.Sprintf(`
		INSERT INTO pushes (person, kind, cause, cause_id, occurred_at, state)
		SELECT 'user-' || i %% 600, 'event', 'win', 'trivia-' || i, now(), 'pending' FROM generate_series(1, %d) AS i
		RETURNING person`, n))
	sweep := func(move operator.PushMove, set store.PushSet, want int) {
		t.Helper()
		steps := 0
		got, err := d.SweepPushes(t.Context(), move, operator.PushSweep{Set: set, Progress: func(done, whole int) {
			steps++
			if done > whole {
				t.Errorf("%d of %d are done", done, whole)
			}
		}})
		if err != nil || got != want || steps == 0 {
			t.Errorf("SweepPushes(%s, %+v) = %d, %v in %d steps, want %d", move, set, got, err, steps, want)
		}
	}

	sweep(operator.HoldPush, store.PushSet{Person: "user-7"}, 5)
	sweep(operator.HoldPush, store.PushSet{State: trivia.PushPending}, n-5)
	sweep(operator.HoldPush, store.PushSet{State: trivia.PushPending}, 0)
	sweep(operator.HoldPush, store.PushSet{Person: "user-7"}, 0)
	sweep(operator.ReleasePush, store.PushSet{State: trivia.PushHeld, Person: "user-8"}, 5)
	sweep(operator.ReleasePush, store.PushSet{State: trivia.PushHeld}, n-5)
	d.lines(t, `UPDATE pushes SET state = 'parked' WHERE id <= 1500 RETURNING person`)
	sweep(operator.RetryPush, store.PushSet{State: trivia.PushParked, Since: time.Now().Add(time.Hour)}, 0)
	sweep(operator.RetryPush, store.PushSet{State: trivia.PushParked}, 1500)

	if got := d.lines(t, `SELECT DISTINCT state FROM pushes`); len(got) != 1 || got[0] != "pending" {
		t.Errorf("states = %q, want only pending", got)
	}
	deeds := d.lines(t, `SELECT verb || ' ' || sum(jsonb_array_length(detail -> 'pushes')) || ' in ' || count(*) FROM audit_log GROUP BY verb ORDER BY verb`)
	want := []string{"push hold 2500 in 4", "push release 2500 in 4", "push retry 1500 in 2"}
	if diff := cmp.Diff(want, deeds); diff != "" {
		t.Errorf("audit log (-want +got):\n%s", diff)
	}
}

func TestAStoppedSweepGoesOn(t *testing.T) {
	t.Parallel()

	d := newDesk(t)
	d.lines(t, `
		INSERT INTO pushes (person, kind, cause, cause_id, occurred_at, state)
		SELECT 'user-' || i, 'event', 'win', 'capitals', now(), 'parked' FROM generate_series(1, 2500) AS i
		RETURNING person`)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	set := store.PushSet{State: trivia.PushParked}
	n, err := d.SweepPushes(ctx, operator.RetryPush, operator.PushSweep{Set: set, Progress: func(int, int) { cancel() }})
	if !errors.Is(err, context.Canceled) || n != 1000 {
		t.Errorf("SweepPushes = %d, %v, want that it was cancelled after a batch", n, err)
	}
	if n, err = d.SweepPushes(t.Context(), operator.RetryPush, operator.PushSweep{Set: set}); err != nil || n != 1500 {
		t.Errorf("SweepPushes again = %d, %v, want the rest", n, err)
	}
}

func TestAttributesArePushedWithALineInTheAuditLog(t *testing.T) {
	t.Parallel()

	d := newDesk(t)
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	id, err := d.PushAttributes(t.Context(), "bob", map[string]any{"plan": "gold", "visits": 7, "vip": true}, at, "asked")
	if err != nil {
		t.Fatal(err)
	}
	p, err := d.ShowPush(t.Context(), id)
	if err != nil || p.State != trivia.PushPending || p.Kind != trivia.PushAttributes || p.Cause != trivia.CauseOperator ||
		p.CauseID != "ann@desk" || !p.OccurredAt.Equal(at) || string(p.Attributes) != `{"vip": true, "plan": "gold", "visits": 7}` {
		t.Errorf("ShowPush = %+v with %s, %v", p, p.Attributes, err)
	}
	want := fmt.Sprintf(`push attributes|bob|asked|{"push": %d, "attributes": {"vip": true, "plan": "gold", "visits": 7}}`, id)
	if got := d.lines(t, pushDeeds); len(got) != 1 || got[0] != want {
		t.Errorf("audit log = %q, want %s", got, want)
	}

	for want, try := range map[string]struct {
		person     string
		attributes map[string]any
	}{
		`push attributes of ".": "." is a step in a path`:                                                  {".", map[string]any{"a": 1}},
		`push attributes of "a\x00": the identifier is no text`:                                            {"a\x00", map[string]any{"a": 1}},
		`push attributes of "bob": there are no attributes`:                                                {"bob", nil},
		`push attributes of "bob": an attribute has no name`:                                               {"bob", map[string]any{"": 1}},
		`push attributes of "bob": the value of attribute "a" is neither a number nor true, false or text`: {"bob", map[string]any{"a": nil}},
	} {
		if _, err := d.PushAttributes(t.Context(), try.person, try.attributes, at, ""); err == nil || err.Error() != want {
			t.Errorf("error = %v, want %s", err, want)
		}
	}
	if _, err := d.ShowPush(t.Context(), id+1); !errors.Is(err, operator.ErrNotFound) {
		t.Errorf("ShowPush of another: error %v, want ErrNotFound", err)
	}
}

func TestTellingOfWinsGoesOnWhereItWasStopped(t *testing.T) {
	t.Parallel()

	d := newDesk(t)
	const n = 1200
	d.lines(t, fmt.Sprintf(`INSERT INTO users (user_id) SELECT 'user-' || i FROM generate_series(1, %d) AS i RETURNING user_id`, n))
	d.lines(t, fmt.Sprintf(`
		INSERT INTO trivia_wins (user_id, trivia_id, item, delivery_key, won_at)
		SELECT 'user-' || i, 'trivia-' || i %% 2, 'hat', 'key-' || i, '2026-05-04'::timestamptz + i / 10 * interval '1 s'
		FROM generate_series(1, %d) AS i RETURNING item`, n))
	d.lines(t, `
		INSERT INTO pushes (person, kind, cause, cause_id, occurred_at, state)
		SELECT 'user-' || i, 'event', 'win', 'trivia-' || i % 2, now(), CASE WHEN i < 3 THEN 'held' ELSE 'pending' END
		FROM generate_series(1, 5) AS i RETURNING person`)

	preview, err := d.PreviewWins(t.Context(), operator.WinPushes{})
	if err != nil || preview.Wins != n || preview.Pushed != n-5 || len(preview.First) != 10 || preview.First[0].User != "user-6" {
		t.Errorf("PreviewWins = %d, %d, %+v, %v", preview.Wins, preview.Pushed, preview.First, err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	so, err := d.PushWins(ctx, operator.WinPushes{Reason: "new", Progress: func(so operator.PushedWins, whole int) {
		if whole != n {
			t.Errorf("of %d, want %d", whole, n)
		}
		cancel()
	}})
	if !errors.Is(err, context.Canceled) || so.Wins != 500 || so.Pushed != 495 || so.Last == "" {
		t.Errorf("PushWins = %+v, %v, want that it was cancelled after a batch", so, err)
	}
	rest, err := d.PushWins(t.Context(), operator.WinPushes{After: so.Last})
	if err != nil || rest.Wins != 700 || rest.Pushed != 700 {
		t.Errorf("PushWins from there = %+v, %v, want the rest", rest, err)
	}
	again, err := d.PushWins(t.Context(), operator.WinPushes{Span: store.WinSpan{Trivia: "trivia-1"}})
	if err != nil || again.Wins != 600 || again.Pushed != 0 {
		t.Errorf("PushWins again = %+v, %v, want nothing new", again, err)
	}
	if got := d.lines(t, `SELECT count(*)::text FROM pushes WHERE kind = 'event' AND cause = 'win' AND attributes IS NULL`); got[0] != "1200" {
		t.Errorf("there are %s pushes, want one for each win", got[0])
	}
	if got := d.lines(t, `SELECT DISTINCT verb || '|' || target FROM audit_log ORDER BY 1`); len(got) != 3 || got[0] != "push wins|100 wins" {
		t.Errorf("audit log = %q, want a line for each batch", got)
	}
	if _, err := d.PushWins(t.Context(), operator.WinPushes{After: "x"}); !errors.Is(err, store.ErrCursor) {
		t.Errorf("PushWins behind nonsense: error %v, want ErrCursor", err)
	}
}

func TestEventsAndWinsComeWithWhatTheyLedTo(t *testing.T) {
	t.Parallel()

	d := newDesk(t)
	d.lines(t, `INSERT INTO users (user_id) VALUES ('bob') RETURNING user_id`)
	d.lines(t, `INSERT INTO trivia_wins (user_id, trivia_id, item, delivery_key) VALUES ('bob', 'capitals', 'hat', 'k') RETURNING item`)
	d.lines(t, `
		INSERT INTO events (event_id, object_type, metric, received_at, person, owed)
		VALUES ('e1', 'email', 'bounced', now(), 'bob', 'suppress'), ('e2', 'email', 'bounced', now(), NULL, 'nobody') RETURNING metric`)
	d.lines(t, `
		INSERT INTO responses (user_id, trivia_id, event_id, answer, answered_at)
		VALUES ('bob', 'capitals', 'e3', 'Paris', now()), ('bob', 'rivers', 'e4', 'Nile', now()) RETURNING answer`)
	d.lines(t, `
		INSERT INTO pushes (person, kind, cause, cause_id, occurred_at, state) VALUES
			('bob', 'suppress', 'event', 'e1', now(), 'sent'), ('bob', 'event', 'win', 'capitals', now(), 'pending'),
			('bob', 'event', 'win', 'rivers', now(), 'pending') RETURNING kind`)

	e, err := d.ShowEvent(t.Context(), "e1")
	if err != nil || len(e.Pushes) != 1 || e.Pushes[0].Kind != trivia.PushSuppress {
		t.Errorf("ShowEvent(e1) = %+v, %v, want its push", e, err)
	}
	if e, err := d.ShowEvent(t.Context(), "e2"); err != nil || len(e.Pushes) > 0 {
		t.Errorf("ShowEvent(e2) = %+v, %v, want no push", e, err)
	}
	if _, err := d.ShowEvent(t.Context(), "e9"); !errors.Is(err, operator.ErrNotFound) || err.Error() != `there is no event "e9"` {
		t.Errorf("ShowEvent(e9): error %v, want ErrNotFound", err)
	}
	w, err := d.ShowWin(t.Context(), "bob", "capitals")
	if err != nil || len(w.Answers) != 1 || !w.Answers[0].Right || len(w.Pushes) != 1 || w.Pushes[0].CauseID != "capitals" {
		t.Errorf("ShowWin = %+v, %v, want one answer and one push", w, err)
	}
}
