package operator_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// aTrial is one of three users, of which everything is as it should be: two
// wins each, with their prizes. Somebody else has won, too.
const aTrial = `
	INSERT INTO users (user_id) VALUES ('bench-xy-u0'), ('bench-x');
	INSERT INTO trivia_wins (user_id, trivia_id, item, delivery_key)
		SELECT 'bench-x-u' || n % 3, 'bench-x-t' || n / 3, 'mug', 'bench-x-' || n FROM generate_series(0, 5) AS n
		UNION ALL SELECT 'bench-xy-u0', 't', 'mug', 'bench-xy-0';
	INSERT INTO prizes (user_id, trivia_id, item) SELECT user_id, trivia_id, item FROM trivia_wins;
	INSERT INTO deliveries (key, kind, body, body_sha256, state, outcome, user_id, trivia_id, item, received_at, last_seen_at)
		SELECT delivery_key, 'win', '', '', 'done', 'awarded', user_id, trivia_id, item, now(), now() FROM trivia_wins;
	INSERT INTO pushes (person, kind, cause, cause_id, occurred_at, state)
		SELECT user_id, 'event', 'win', trivia_id, now(), CASE user_id WHEN 'bench-x-u0' THEN 'pending' ELSE 'sent' END FROM trivia_wins;
	INSERT INTO push_people (person, leased_until) SELECT user_id, now() FROM users;
	INSERT INTO events (event_id, object_type, metric, received_at) VALUES ('bench-x-0', 'email', 'sent', now()), ('bench-xy-0', 'email', 'sent', now());
	INSERT INTO responses (user_id, trivia_id, event_id, answer, answered_at)
		VALUES ('bench-x-u0', 't', 'bench-x-0', 'a', now()), ('bench-xy-u0', 't', 'bench-xy-0', 'a', now())`

func newTrial(t *testing.T) (desk, operator.Trial) {
	t.Helper()

	d := newDesk(t)
	trial := operator.Trial{Name: "bench-x", Kind: trivia.KindWin, Users: 3, Trivias: 2}
	if err := d.AddTrialUsers(t.Context(), trial, "a test"); err != nil {
		t.Fatal(err)
	}
	want := []string{`ann@desk|users import|3 users|a test|{"new": 3, "source": "bench-x", "until_line": 4}`}
	if diff := cmp.Diff(want, d.lines(t, allDeeds)); diff != "" {
		t.Errorf("audit log (-want +got):\n%s", diff)
	}
	if _, err := d.db.PgConn().Exec(t.Context(), aTrial).ReadAll(); err != nil {
		t.Fatal(err)
	}

	return d, trial
}

func TestATrialIsProvedByItsRows(t *testing.T) {
	t.Parallel()

	well := operator.TrialProof{
		Kept: store.Kept{Rows: 6, Settled: 6}, Awarded: store.Awarded{Wins: 6, Prizes: 6},
	}
	tests := []struct {
		name, fault string
		want        func(*operator.TrialProof)
	}{
		{"all is well", ``, func(*operator.TrialProof) {}},
		{"a delivery is gone", `DELETE FROM deliveries WHERE key = 'bench-x-3'`, func(p *operator.TrialProof) {
			p.Rows, p.Settled, p.Lost = 5, 5, 1
		}},
		{"a win is gone", `DELETE FROM trivia_wins WHERE delivery_key = 'bench-x-3'`, func(p *operator.TrialProof) {
			p.Settled, p.Lost, p.Wins, p.Double = 5, 1, 5, 1 // the prize that is left has no win
		}},
		{"a prize is gone", `DELETE FROM prizes WHERE user_id = 'bench-x-u0' AND trivia_id = 'bench-x-t0'`, func(p *operator.TrialProof) {
			p.Settled, p.Lost, p.Prizes = 5, 1, 5
		}},
		{"two deliveries were awarded the same win", `
			UPDATE deliveries SET trivia_id = 'bench-x-t0' WHERE key = 'bench-x-3'`, func(p *operator.TrialProof) {
			p.Double = 1
		}},
		{"one is pending", `UPDATE deliveries SET state = 'pending', outcome = NULL, due_at = now() WHERE key = 'bench-x-3'`, func(p *operator.TrialProof) {
			p.Settled, p.Pending = 5, 1
		}},
		{"one is parked", `UPDATE deliveries SET state = 'parked', outcome = 'malformed' WHERE key = 'bench-x-3'`, func(p *operator.TrialProof) {
			p.Settled, p.Parked = 5, 1
		}},
		{
			"prizes are a team's own", `
			CREATE OR REPLACE FUNCTION grant_prize(user_id text, item text, trivia_id text) RETURNS void LANGUAGE sql AS 'SELECT';
			DELETE FROM prizes`, func(p *operator.TrialProof) { p.Prizes = 0 },
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			d, trial := newTrial(t)
			if _, err := d.db.PgConn().Exec(t.Context(), tt.fault).ReadAll(); err != nil {
				t.Fatal(err)
			}
			want := well
			tt.want(&want)
			told := 0
			keys := []string{trial.Key(0), trial.Key(1), trial.Key(2), trial.Key(3), trial.Key(4), trial.Key(5)}
			got, err := d.ProveTrial(t.Context(), trial, slices.Values(keys), func(done int) { told = done })
			if diff := cmp.Diff(want, got); err != nil || diff != "" || told != 6 {
				t.Errorf("ProveTrial, %v, told of %d (-want +got):\n%s", err, told, diff)
			}
			if n, err := d.PendingTrial(t.Context(), trial); err != nil || n != want.Pending {
				t.Errorf("PendingTrial = %d, %v, want %d", n, err, want.Pending)
			}
		})
	}
}

func TestATrialOfEventsIsProvedByItsRows(t *testing.T) {
	t.Parallel()

	d := newDesk(t)
	trial := operator.Trial{Name: "bench-x", Kind: trivia.KindEvent, Users: 3, Trivias: 2}
	d.exec(t, `INSERT INTO deliveries (key, kind, body, body_sha256, state, outcome, received_at, last_seen_at)
		SELECT 'bench-x-' || n, 'event', '', '', 'done', 'recorded', now(), now() FROM generate_series(0, 2) AS n`)
	d.exec(t, `INSERT INTO events (event_id, object_type, metric, received_at)
		SELECT 'bench-x-' || n, 'email', 'sent', now() FROM generate_series(1, 3) AS n`)
	keys := []string{trial.Key(0), trial.Key(1), trial.Key(2), trial.Key(3)}
	got, err := d.ProveTrial(t.Context(), trial, slices.Values(keys), func(int) {})
	want := operator.TrialProof{Kept: store.Kept{Rows: 3, Settled: 2, Lost: 2}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("ProveTrial, %v (-want +got):\n%s", err, diff)
	}
}

func TestManyDeliveriesAreProvedPieceByPiece(t *testing.T) {
	t.Parallel()

	d := newDesk(t)
	trial := operator.Trial{Name: "bench-x", Kind: trivia.KindWin, Users: 4500, Trivias: 1}
	if err := d.AddTrialUsers(t.Context(), trial, ""); err != nil {
		t.Fatal(err)
	}
	d.exec(t, `INSERT INTO trivia_wins (user_id, trivia_id, item, delivery_key)
		SELECT user_id, 'bench-x-t0', 'mug', 'bench-x-' || substr(user_id, 10) FROM users`)
	d.exec(t, `INSERT INTO prizes (user_id, trivia_id, item) SELECT user_id, trivia_id, item FROM trivia_wins`)
	d.exec(t, `INSERT INTO deliveries (key, kind, body, body_sha256, state, outcome, user_id, trivia_id, item, received_at, last_seen_at)
		SELECT delivery_key, 'win', '', '', 'done', 'awarded', user_id, trivia_id, item, now(), now() FROM trivia_wins`)
	var keys []string
	for n := range 4500 {
		keys = append(keys, trial.Key(n))
	}
	var told []int
	got, err := d.ProveTrial(t.Context(), trial, slices.Values(keys), func(done int) { told = append(told, done) })
	want := operator.TrialProof{Kept: store.Kept{Rows: 4500, Settled: 4500}, Awarded: store.Awarded{Wins: 4500, Prizes: 4500}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" || !slices.Equal(told, []int{2000, 4000, 4500}) {
		t.Errorf("ProveTrial, %v, told of %d (-want +got):\n%s", err, told, diff)
	}

	rows, err := d.RemoveTrial(t.Context(), trial, slices.Values(keys), "")
	if err != nil || rows != 4*4500 {
		t.Errorf("RemoveTrial = %d, %v, want %d", rows, err, 4*4500)
	}
}

func TestRemovingATrialTouchesNothingElse(t *testing.T) {
	t.Parallel()

	d, trial := newTrial(t)
	// Whatever keys are given: one that is not the trial's stays.
	keys := []string{"bench-x-0", "bench-x-1", "bench-x-2", "bench-x-3", "bench-x-4", "bench-x-5", "bench-xy-0"}
	rows, err := d.RemoveTrial(t.Context(), trial, slices.Values(keys), "done with it")
	if err != nil || rows != 6+1+1+6+3+6+6+3 {
		t.Errorf("RemoveTrial = %d, %v, want 32", rows, err)
	}
	for _, table := range []string{"deliveries", "events", "responses", "pushes", "prizes", "trivia_wins"} {
		if diff := cmp.Diff([]string{"1"}, d.lines(t, `SELECT count(*)::text FROM `+table)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", table, diff)
		}
	}
	for _, sql := range []string{allUsers, `SELECT person FROM push_people ORDER BY person`} {
		if diff := cmp.Diff([]string{"bench-x", "bench-xy-u0"}, d.lines(t, sql)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", sql, diff)
		}
	}
	if got, want := d.lines(t, allDeeds)[1], `ann@desk|test cleanup|bench-x|done with it|{"rows": 32}`; got != want {
		t.Errorf("audit log: %s, want %s", got, want)
	}

	for _, name := range []string{"", "bench-", "demo", "scenario-", "x-bench-1"} {
		if _, err := d.RemoveTrial(t.Context(), operator.Trial{Name: name, Users: 3}, slices.Values(keys), ""); err == nil {
			t.Errorf("the rows of %q were removed", name)
		}
	}
}

func TestCountingWhatAScenarioLeft(t *testing.T) {
	t.Parallel()

	d, trial := newTrial(t)
	if n, err := d.CountKept(t.Context(), []string{trial.Key(0), trial.Key(1), "nothing"}); err != nil || n != 2 {
		t.Errorf("CountKept = %d, %v, want 2", n, err)
	}
	got, err := d.CountWins(t.Context(), trial.User(0), trial.Trivia(1))
	if want := (store.Awarded{Wins: 1, Prizes: 1, Ours: true}); err != nil || got != want {
		t.Errorf("CountWins = %+v, %v, want %+v", got, err, want)
	}
}
