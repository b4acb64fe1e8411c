package operator_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"trivia/internal/diag"
	"trivia/internal/operator"
)

func TestTheDoctorLooksAtHowDeliveriesCome(t *testing.T) {
	t.Parallel()

	const event = `INSERT INTO deliveries (key, kind, body, body_sha256, state, outcome, received_at, last_seen_at)
		VALUES ('e', 'event', '', '', 'done', 'recorded', now() - '%[1]v'::interval, now() - '%[1]v'::interval);
		INSERT INTO trivia_wins (user_id, trivia_id, item, delivery_key, won_at) VALUES ('ann', 'capitals', 'mug', 'w', now() - '%[2]v'::interval)`
	const late = `INSERT INTO events (event_id, object_type, metric, received_at, occurred_at)
		SELECT 'e' || n || '-' || i, 'email', 'sent', at, at - lag
		FROM (VALUES (1, now(), '1 hour'::interval), (2, now() - '70 s'::interval, '%v'::interval)) AS v (n, at, lag), generate_series(1, 3) AS i;
		INSERT INTO deliveries (key, kind, body, body_sha256, state, outcome, received_at, last_seen_at)
		VALUES ('e', 'event', '', '', 'done', 'recorded', now(), now())`
	refusing := func(reason string) func(*diag.Refusals) {
		return func(rs *diag.Refusals) {
			rs.Add(diag.Refusal{Time: time.Now(), Status: 401, Reason: reason, Route: "event", Caller: "192.0.2.7"})
		}
	}
	for _, tt := range []struct {
		name    string
		sql     string
		limit   time.Duration
		refused func(*diag.Refusals)
		unready error
		want    []string
		mend    string // of the event route
	}{
		{
			"all is well", fmt.Sprintf(event, "1 s", "1 s"), 0, nil, nil,
			[]string{"ok: of wins: flowing: the last win came ", "ok: of events: flowing: the last event came "},
			"",
		},
		{
			"only wins come", fmt.Sprintf(event, "3 days", "1 s"), 0, nil, nil,
			[]string{"ok: of wins: flowing: ", "warning: of events: quiet: the last event came 3 days ago"},
			"is this one switched on in Customer.io",
		},
		{
			"nobody wins", fmt.Sprintf(event, "1 s", "9 days"), 0, nil, nil,
			[]string{"ok: of wins: quiet: the last win came 9 days ago", "ok: of events: flowing: "},
			"",
		},
		{
			"nothing comes, as far as is known", fmt.Sprintf(event, "3 days", "4 days"), 0, nil, nil,
			[]string{"warning: of wins: unreachable: ", "warning: of events: unreachable: nothing has come for 3 days; no event was refused"},
			"can Customer.io reach the address",
		},
		{
			"nothing comes, and it has to", fmt.Sprintf(event, "3 hours", "4 hours"), time.Hour, nil, nil,
			[]string{"failed: of wins: unreachable: ", "failed: of events: unreachable: nothing has come for 3 h; the limit is 60 min"},
			"can Customer.io reach the address",
		},
		{
			"something has come in time", fmt.Sprintf(event, "10 min", "4 hours"), time.Hour, nil, nil,
			[]string{"warning: of wins: quiet: ", "ok: of events: quiet: the last event came 10 min ago"},
			"",
		},
		{
			"another key", fmt.Sprintf(event, "3 days", "4 days"), 0, refusing("mismatch"), nil,
			[]string{"failed: of events: blocked: no event kept for 3 days; 1 refused (mismatch, from 192.0.2.7), the last "},
			"compare the signing key",
		},
		{
			"another address", fmt.Sprintf(event, "3 days", "4 days"), 0, refusing("not_listed"), nil,
			[]string{"failed: of events: blocked: "},
			"triviactl sources check 192.0.2.7 tells by which rule",
		},
		{
			"a clock that is off", fmt.Sprintf(event, "3 days", "4 days"), 0, refusing("stale"), nil,
			[]string{"failed: of events: blocked: "},
			"keep time with NTP",
		},
		{
			"something else", fmt.Sprintf(event, "3 days", "4 days"), 0, refusing("too_large"), nil,
			[]string{"failed: of events: blocked: "},
			"tell more of too_large",
		},
		{
			"not ready", fmt.Sprintf(event, "1 hour", "1 hour"), 0, nil, errors.New("the disk is full"),
			[]string{"failed: of events: blocked: no event kept for 60 min; trivia-hook is not ready: the disk is full"},
			"mostly it is that",
		},
		{
			"late, and less so", fmt.Sprintf(late, "2 hours"), 0, nil, nil,
			[]string{"warning: of events: draining: events come 60 min late, caught up in about "},
			"wait; the log",
		},
		{
			"late, and more so", fmt.Sprintf(late, "59 min"), 0, nil, nil,
			[]string{"failed: of events: falling behind: events come 60 min late"},
			"Customer.io sends one after the other",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			d, url := deskAt(t)
			if _, err := d.db.Exec(t.Context(), `INSERT INTO users (user_id) VALUES ('ann'); `+tt.sql); err != nil {
				t.Fatal(err)
			}
			refusals, metrics := &diag.Refusals{}, diag.New()
			metrics.Queue(func() int { return 0 })
			if tt.refused != nil {
				tt.refused(refusals)
			}
			server := httptest.NewServer(diag.Handler(metrics, refusals, func(context.Context) error { return tt.unready }))
			t.Cleanup(server.Close)

			c := healthy(t, url)
			c.AdminURL, c.Settings.QuietAfter = server.URL, tt.limit
			found := operator.Examine(t.Context(), c)
			wantFinding(t, found, "stream", tt.want...)
			var mend string
			for _, f := range found {
				if f.Check == "stream" {
					mend = f.Mend
				}
			}
			if (tt.mend == "") != (mend == "") {
				t.Errorf("it says to mend %q, want %q", mend, tt.mend)
			}
			if tt.mend != "" {
				wantFinding(t, []operator.Finding{{Check: "mend", Says: mend}}, "mend", tt.mend)
			}
		})
	}
}
