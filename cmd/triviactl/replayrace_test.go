package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"trivia/internal/diag"
	"trivia/internal/operator"
	"trivia/internal/settle"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// pendingToo adds the users who were missing, and a pending win of each user.
const pendingToo = `
	INSERT INTO users (user_id) SELECT 'user-' || i FROM generate_series(1, %[1]d) AS i ON CONFLICT DO NOTHING;
	INSERT INTO deliveries (key, kind, body, body_sha256, state, user_id, trivia_id, item, received_at, last_seen_at, due_at)
	SELECT 'pending-' || i, 'win', body::bytea, sha256(body::bytea), 'pending', 'user-' || i, 't1', 'mug', now(), now(), now()
	FROM generate_series(1, %[1]d) AS i, LATERAL (SELECT format('{"user_id":"user-%%s","trivia_id":"t1","item":"mug"}', i)) AS b (body)`

// While two operators replay and look at previews, two stages settle what is
// pending, and intake takes repeats of the same keys and new wins of the same
// people.
func TestAReplayAmongAllOthersAwardsOnce(t *testing.T) {
	t.Parallel()

	const n = 150 // users, with two parked deliveries each, a pending one, and one that arrives
	p := newParked(t, n)
	s, err := store.Open(t.Context(), p.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	owing := store.Owing{Policy: trivia.DefaultPolicy()}
	in, err := store.OpenIntake(t.Context(), p.url, store.IntakeOptions{Conns: 2, Statement: time.Minute, Owing: owing})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(in.Close)
	if _, err := p.db.Exec(t.Context(), fmt.Sprintf(pendingToo, n)); err != nil {
		t.Fatal(err)
	}

	o := operator.New(s, "ann@desk")
	everything := operator.Replay{Owing: owing, Now: time.Now}
	group, ctx := errgroup.WithContext(t.Context())
	for range 2 {
		group.Go(func() error {
			if _, err := o.PreviewReplay(ctx, everything); err != nil {
				return err
			}
			_, err := o.Replay(ctx, everything)

			return err
		})
		group.Go(func() error { return settleAll(ctx, s, owing, n) })
		group.Go(func() error { return takeAll(ctx, in, n) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	// What stood in each other's way is settled now.
	if _, err := o.Replay(t.Context(), everything); err != nil {
		t.Fatal(err)
	}

	for query, want := range map[string]string{
		`SELECT count(*)::text FROM granted`:                                                  fmt.Sprint(n),
		`SELECT count(DISTINCT (user_id, trivia_id))::text FROM granted`:                      fmt.Sprint(n),
		`SELECT count(*)::text FROM trivia_wins JOIN prizes USING (user_id, trivia_id, item)`: fmt.Sprint(n),
		`SELECT count(*)::text FROM pushes`:                                                   fmt.Sprint(n),
		`SELECT count(*)::text FROM deliveries`:                                               fmt.Sprint(4 * n),
		`SELECT count(*)::text FROM deliveries WHERE outcome = 'awarded'`:                     fmt.Sprint(n),
		`SELECT count(*)::text FROM deliveries AS d JOIN trivia_wins AS w ON w.delivery_key = d.key AND (w.user_id, w.trivia_id, w.item) = (d.user_id, d.trivia_id, d.item)
			WHERE outcome = 'awarded'`: fmt.Sprint(n),
		`SELECT count(*)::text FROM deliveries WHERE state = 'pending' OR outcome = 'unknown_user'`:                                                                     "0",
		`SELECT count(*)::text FROM deliveries WHERE (outcome IN ('awarded', 'already_won')) <> (state = 'done') OR (outcome = 'prize_conflict') <> (state = 'parked')`: "0",
	} {
		if got := p.lines(t, query); got[0] != want {
			t.Errorf("%s = %s, want %s", query, got[0], want)
		}
	}
	// Each delivery that a replay has changed has one line, and it is true.
	if diff := cmp.Diff([]string{}, p.lines(t, `
		SELECT concat_ws(' ', a.target, a.detail->>'after', d.outcome) FROM audit_log AS a JOIN deliveries AS d ON d.key = a.target
		WHERE a.detail->>'after' IS DISTINCT FROM d.outcome OR (SELECT count(*) FROM audit_log AS b WHERE b.target = a.target) > 1`)); diff != "" {
		t.Errorf("audit log (-want +got):\n%s", diff)
	}
}

// settleAll is the stage behind intake, for a while.
func settleAll(ctx context.Context, s *store.Store, owing store.Owing, steps int) error {
	st := &settle.Stage{
		Store: s, Owing: owing, Metrics: diag.New(), Log: slog.New(slog.DiscardHandler), Now: time.Now, Jitter: rand.Float64,
	}
	for range steps {
		if _, err := st.Step(ctx); err != nil {
			return err
		}
	}

	return nil
}

// takeAll takes in repeats of the parked deliveries, and a new one of each user.
func takeAll(ctx context.Context, in *store.Intake, n int) error {
	for _, i := range rand.Perm(n) {
		var batch []store.Arrival
		for _, key := range []string{"key-%d-1", "key-%d-2", "new-%d"} {
			item := "mug"
			if key == "key-%d-2" && (i+1)%2 == 0 {
				item = "hat"
			}
			body := fmt.Appendf(nil, `{"user_id":"user-%d","trivia_id":"t1","item":%q}`, i+1, item)
			batch = append(batch, store.Arrival{
				Kind: trivia.KindWin, Key: fmt.Sprintf(key, i+1), Body: body, SHA256: sha256.Sum256(body), At: time.Now(),
				Win: trivia.Win{User: trivia.UserID(fmt.Sprintf("user-%d", i+1)), Trivia: "t1", Item: trivia.Item(item)},
			})
		}
		if _, err := in.Take(ctx, batch); err != nil {
			return err
		}
	}

	return nil
}
