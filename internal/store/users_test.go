package store_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

func TestAddingUsersWakesTheWinsThatWaitForThem(t *testing.T) {
	t.Parallel()

	s := newShelf(t)
	s.exec(t, `INSERT INTO users (user_id) VALUES ('ann')`)
	s.exec(t, `
		INSERT INTO deliveries (key, kind, body, body_sha256, state, outcome, user_id, received_at, last_seen_at, due_at)
		SELECT key, 'win', '', '', state, outcome, user_id, now(), now(),
			CASE WHEN state = 'pending' THEN now() + interval '20 minutes' END
		FROM (VALUES
			('waits',    'pending', 'unknown_user', 'bob'),
			('another',  'pending', 'unknown_user', 'eve'),
			('unjudged', 'pending', NULL,           'bob'),
			('given up', 'parked',  'unknown_user', 'bob')
		) AS v (key, state, outcome, user_id)`)

	var got store.Addition
	err := s.Act(t.Context(), func(a *store.Act) (deed store.Deed, err error) {
		got, err = a.AddUsers(t.Context(), []trivia.UserID{"cid", "bob", "ann", "bob"})

		return store.Deed{Actor: "me@here", Verb: "users add", Target: "3 users", Detail: map[string]any{"n": 3}}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(store.Addition{New: 2, Due: 1}, got); diff != "" {
		t.Errorf("AddUsers (-want +got):\n%s", diff)
	}
	if n := s.count(t, `SELECT count(*) FROM users`); n != 3 {
		t.Errorf("there are %d users, want 3", n)
	}
	if n := s.count(t, `SELECT count(*) FROM deliveries WHERE due_at <= now() AND key = 'waits'`); n != 1 {
		t.Error("the win that waits for bob is not due")
	}
	if n := s.count(t, `SELECT count(*) FROM deliveries WHERE due_at <= now()`); n != 1 {
		t.Errorf("%d deliveries are due, want one", n)
	}
	if n := s.count(t, `
		SELECT count(*) FROM audit_log
		WHERE actor = 'me@here' AND verb = 'users add' AND target = '3 users' AND reason = '' AND detail = '{"n": 3}'`); n != 1 {
		t.Error("the audit log does not say who added users")
	}
}

func TestActsAtOnceDoNotWaitForEachOtherInACircle(t *testing.T) {
	t.Parallel()

	s := newShelf(t)
	s.exec(t, `
		INSERT INTO deliveries (key, kind, body, body_sha256, state, outcome, user_id, received_at, last_seen_at, due_at)
		SELECT 'key-' || i, 'win', '', '', 'pending', 'unknown_user', 'user-' || i % 100, now(), now(), now()
		FROM generate_series(1, 300) AS i`)

	var group errgroup.Group
	for n := range 8 {
		group.Go(func() error {
			ids := make([]trivia.UserID, 100)
			for i := range ids {
				ids[i] = trivia.UserID(fmt.Sprint("user-", (i*37+n*13)%100)) // each in another order
			}

			return s.Act(t.Context(), func(a *store.Act) (store.Deed, error) {
				_, err := a.AddUsers(t.Context(), ids)

				return store.Deed{Verb: "users add"}, err
			})
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	if n := s.count(t, `SELECT count(*) FROM users`); n != 100 {
		t.Errorf("there are %d users, want 100", n)
	}
}

func TestAnActThatFailsHasNotHappened(t *testing.T) {
	t.Parallel()

	s := newShelf(t)
	changed := errors.New("changed my mind")
	err := s.Act(t.Context(), func(a *store.Act) (store.Deed, error) {
		if _, err := a.AddUsers(t.Context(), []trivia.UserID{"bob"}); err != nil {
			return store.Deed{}, err
		}

		return store.Deed{}, changed
	})
	if !errors.Is(err, changed) {
		t.Errorf("Act = %v, want %v", err, changed)
	}
	if n := s.count(t, `SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM audit_log)`); n != 0 {
		t.Errorf("%d rows were left behind", n)
	}
}

func TestUsersMayBeAddedToATableOfTheProductsOwn(t *testing.T) {
	t.Parallel()

	s := newShelf(t)
	s.exec(t, `ALTER TABLE users RENAME TO people`)
	s.exec(t, `CREATE TABLE users (id serial PRIMARY KEY, user_id varchar(80) NOT NULL UNIQUE, email text)`)
	err := s.Act(t.Context(), func(a *store.Act) (store.Deed, error) {
		added, err := a.AddUsers(t.Context(), []trivia.UserID{"bob"})
		if added.New != 1 {
			t.Errorf("AddUsers added %d users, want 1", added.New)
		}

		return store.Deed{Verb: "users add"}, err
	})
	if err != nil {
		t.Error(err)
	}
}
