package store_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

// TestManyProcessesAwardEachWinOnce lets two services, with two commits under
// way each, and a stage that settles meanwhile loose on few users and few
// keys. A deadlock would be an error of one of them.
func TestManyProcessesAwardEachWinOnce(t *testing.T) {
	t.Parallel()

	for _, createUsers := range []bool{false, true} {
		t.Run(fmt.Sprintf("create_users=%v", createUsers), func(t *testing.T) {
			t.Parallel()
			opts := store.IntakeOptions{Conns: 2, CreateUsers: createUsers}
			b := newBench(t, opts)
			intakes := []*store.Intake{b.Intake, intakeAt(t, b.url, opts)}

			var (
				crowd errgroup.Group
				done  = make(chan struct{})
				stage errgroup.Group
			)
			for n := range 4 {
				crowd.Go(func() error { return pour(t, intakes[n%2], uint64(n)) })
			}
			stage.Go(func() error { return settleUntil(t, b.Store, createUsers, done) })
			if err := crowd.Wait(); err != nil {
				t.Error(err)
			}
			close(done)
			if err := stage.Wait(); err != nil {
				t.Error(err)
			}

			checkInvariants(t, b)
			b.want(t, `SELECT count(*) FROM deliveries WHERE state = 'pending' AND outcome IS DISTINCT FROM 'unknown_user'`, "0")
			// Whoever can have a prize has it, and has one.
			b.want(t, `
				SELECT d.user_id, d.trivia_id FROM deliveries AS d
				JOIN users AS u ON u.user_id = d.user_id
				LEFT JOIN trivia_wins AS w ON w.user_id = d.user_id AND w.trivia_id = d.trivia_id
				WHERE d.rival = '' AND d.kind = 'win' AND w.item IS NULL`)
			b.want(t, `SELECT count(*) > 300 FROM trivia_wins`, "true")
			b.want(t, `SELECT count(*) = sum(seen) FROM deliveries`, "false") // there were repeats
			b.want(t, `SELECT sum(seen) FROM deliveries`, fmt.Sprint(4*rounds*perRound))
		})
	}
}

const (
	rounds   = 40
	perRound = 25
)

// pour hands batch after batch to one intake.
func pour(t *testing.T, in *store.Intake, seed uint64) error {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 0))
	pick := func(prefix string, n int) string { return fmt.Sprint(prefix, 1+random.IntN(n)) }

	for round := range rounds {
		// Keys are shared with the other writers in every other round: who shares
		// them waits for each other before anything is awarded.
		keys := fmt.Sprintf("r%d-", round)
		if random.IntN(2) == 0 {
			keys = fmt.Sprintf("w%d-%s", seed, keys)
		}
		batch := make([]store.Arrival, perRound)
		for i := range batch {
			key, game := pick(keys, 60), pick(fmt.Sprintf("t%d-", round/4), 9)
			switch random.IntN(8) {
			case 0:
				batch[i] = event(key, "email", pick("metric", 2))
			case 1, 2:
				batch[i] = win(key, pick(fmt.Sprintf("stranger%d-", round/2), 12), game, "mug")
			default:
				batch[i] = win(key, pick("u", 9), game, pick("item", 2))
			}
		}

		commit := in.Take
		if random.IntN(5) == 0 {
			commit = in.Keep
		}
		if _, err := commit(t.Context(), batch); err != nil {
			return fmt.Errorf("writer %d, round %d: %w", seed, round, err)
		}
	}

	return nil
}

// settleUntil settles what is due, until done is closed and nothing is.
func settleUntil(t *testing.T, s *store.Store, createUsers bool, done <-chan struct{}) error {
	t.Helper()
	later := time.Hour
	opts := store.SettleOptions{CreateUsers: createUsers, Retry: &later, Statement: time.Minute}

	for last := false; ; {
		select {
		case <-done:
			last = true
		default:
		}
		refs, err := s.Due(t.Context(), 100)
		if err != nil {
			return err
		}
		if last && len(refs) == 0 {
			return nil
		}
		for _, ref := range refs {
			if err := settleOne(t, s, ref, opts); err != nil {
				return err
			}
		}
	}
}

func settleOne(t *testing.T, s *store.Store, ref store.Ref, opts store.SettleOptions) error {
	t.Helper()
	p, err := s.Claim(t.Context(), ref, time.Minute)
	if errors.Is(err, store.ErrBusy) {
		return nil
	}
	if err != nil {
		return err
	}

	a := store.Arrival{Kind: p.Kind, Key: p.Key, Body: p.Body, At: p.Received}
	if err := parse(&a); err != nil {
		return err
	}
	_, err = s.Settle(t.Context(), p, a, opts)
	if errors.Is(err, store.ErrBusy) {
		return s.Defer(t.Context(), p, 0, "busy")
	}

	return err
}

// parse reads a body that win or event has written.
func parse(a *store.Arrival) error {
	if a.Kind == trivia.KindEvent {
		a.Event = trivia.Event{ObjectType: "email", Metric: "opened"}
		return nil
	}
	_, err := fmt.Sscanf(string(a.Body), `{"user_id":%q,"trivia_id":%q,"item":%q}`, &a.Win.User, &a.Win.Trivia, &a.Win.Item)

	return err
}
