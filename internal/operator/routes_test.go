package operator_test

import (
	"testing"
	"time"

	"trivia/internal/diag"
	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/stream"
	"trivia/internal/trivia"
)

func TestRoutesAreJudgedByTheDatabaseAndTheHook(t *testing.T) {
	t.Parallel()

	noon := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	ago := func(win, event time.Duration) store.Streams {
		return store.Streams{
			trivia.KindWin:   {Now: noon, Kept: noon.Add(-win)},
			trivia.KindEvent: {Now: noon, Kept: noon.Add(-event)},
		}
	}
	refused := func(route, reason string, ago time.Duration) diag.Refusal {
		return diag.Refusal{Time: noon.Add(-ago), Route: route, Reason: reason, Caller: "192.0.2.7", Peer: "10.0.0.1:5"}
	}
	probe := refused("event", "mismatch", time.Second)
	probe.Probe = true
	const day = 24 * time.Hour
	never := store.Streams{trivia.KindWin: {Now: noon}, trivia.KindEvent: {Now: noon}}
	for _, tt := range []struct {
		name       string
		known      store.Streams
		hook       *operator.Hook
		limit      time.Duration
		win, event string
	}{
		{"nothing ever", never, nil, 0, "quiet: no win has ever come", "quiet: no event has ever come"},
		{"a hook reached by nothing", never, &operator.Hook{}, time.Hour, "quiet: no win has ever come", "quiet: no event has ever come"},
		{
			"nobody reaches it", ago(3*day, 2*day), nil, 0,
			"unreachable: nothing has come for 3 days", "unreachable: nothing has come for 2 days",
		},
		{
			"nobody reaches it, and it refuses nobody", ago(3*day, 2*day), &operator.Hook{}, 0,
			"unreachable: nothing has come for 3 days; no win was refused", "unreachable: nothing has come for 2 days; no event was refused",
		},
		{
			"events come, and nobody wins", ago(9*day, time.Second), nil, 0,
			"quiet: the last win came 9 days ago", "flowing: the last event came 1 s ago",
		},
		{
			"one came within the limit", ago(2*time.Hour, 10*time.Minute), nil, time.Hour,
			"quiet: the last win came 2 h ago", "quiet: the last event came 10 min ago",
		},
		{
			"wins are refused", ago(2*day, time.Second),
			&operator.Hook{Refusals: []diag.Refusal{
				refused("event", "stale", 0), refused("win", "mismatch", time.Minute), refused("win", "stale", time.Hour),
				refused("win", "mismatch", 2*time.Hour), refused("win", "mismatch", 3*day), refused("other", "no_route", 0),
			}},
			0, "blocked: no win kept for 2 days; 3 refused (mismatch, from 192.0.2.7), the last 60 s ago",
			"flowing: the last event came 1 s ago",
		},
		{
			"only doctors are refused", ago(2*day, 2*day), &operator.Hook{Refusals: []diag.Refusal{probe}}, 0,
			"unreachable: nothing has come for 2 days; no win was refused", "unreachable: nothing has come for 2 days; no event was refused",
		},
		{
			"it cannot keep anything", ago(time.Hour, 5*time.Minute), &operator.Hook{Unready: "not ready: read-only"}, 0,
			"blocked: no win kept for 60 min; trivia-hook is not ready: read-only",
			"blocked: no event kept for 5 min; trivia-hook is not ready: read-only",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			want := map[trivia.Kind]string{trivia.KindWin: tt.win, trivia.KindEvent: tt.event}
			for _, r := range operator.JudgeRoutes(tt.known, tt.hook, tt.limit) {
				if got := r.Says(string(r.Kind), string(r.Kind)+"s"); got != want[r.Kind] {
					t.Errorf("of %s it says\n%s\nwant\n%s", r.Kind, got, want[r.Kind])
				}
			}
		})
	}
}

func TestAPauseIsLookedForOnce(t *testing.T) {
	t.Parallel()

	d := newDesk(t)
	if _, err := d.db.Exec(t.Context(), `
		INSERT INTO events (event_id, object_type, metric, received_at)
		SELECT 'e' || i, 'email', 'sent', now() - '20 hours'::interval - i * '8 hours'::interval FROM generate_series(0, 9) AS i`); err != nil {
		t.Fatal(err)
	}
	find := func() stream.Judgement {
		t.Helper()
		routes, err := d.Routes(t.Context(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}

		return routes[1].Judgement
	}
	if j := find(); j.State != stream.Unreachable || j.Pause < 470*time.Minute || j.Pause > 490*time.Minute {
		t.Errorf("after 20 hours, it is %s, and the longest pause before %v; want unreachable, and about 8 hours", j.State, j.Pause)
	}
	if _, err := d.db.Exec(t.Context(), `DELETE FROM events WHERE event_id <> 'e0'`); err != nil {
		t.Fatal(err)
	}
	if j := find(); j.Pause == 0 {
		t.Error("the pause before the last event was looked for again")
	}
	if j, err := d.Routes(t.Context(), nil, time.Hour); err != nil || j[1].State != stream.Unreachable || j[1].Patience() != time.Hour {
		t.Errorf("with a limit, it is %+v, %v", j[1], err)
	}
}
