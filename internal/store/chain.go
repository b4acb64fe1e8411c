package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"trivia/internal/trivia"
)

// A Chain is all that stands between a user and the prize of a trivia, at one
// moment.
type Chain struct {
	User   trivia.UserID
	Trivia TriviaRow // its zero times say that nothing is known

	UserThere   bool
	ForgottenAt time.Time // zero unless the user won this and was forgotten since

	Won   bool
	Win   WinRow // zero unless won
	Prize Prize  // zero also where a grant_prize of the team's own keeps prizes elsewhere

	Ends       []OutcomeCount   // of all deliveries that name both
	Deliveries Cut[DeliveryRow] // the one that was awarded, then the newest
	Answers    Cut[ResponseRow] // newest first
	Pushes     Cut[PushRow]     // that tell of the win or of the prize, newest first
	Deeds      Cut[DeedRow]     // acts on any of these, newest first
}

// A Cut is the beginning of a list, and says how long the list is.
type Cut[T any] struct {
	Rows []T
	All  int
}

// chainTime is how long one statement of a chain may take.
const chainTime = 10 * time.Second

// Chain returns what is known of a user and a trivia, each part cut after most
// rows. Deliveries under one of keys come first.
func (s *Store) Chain(ctx context.Context, user trivia.UserID, id trivia.ID, most int, keys ...string) (c Chain, err error) {
	c.User = user
	err = s.look(ctx, chainTime, func(tx pgx.Tx) error {
		return c.read(ctx, tx, id, most, keys)
	})
	if err != nil {
		return Chain{}, fmt.Errorf("explain trivia %s of user %s: %w", id, user, err)
	}

	return c, nil
}

func (c *Chain) read(ctx context.Context, tx pgx.Tx, id trivia.ID, most int, keys []string) error {
	if err := c.readStanding(ctx, tx, id); err != nil {
		return err
	}

	if c.Won {
		keys = append([]string{c.Win.Key}, keys...)
	}
	named := pgx.NamedArgs{"user": c.User, "trivia": id, "limit": most, "keys": keys}
	var errs [5]error
	c.Ends, errs[0] = all(ctx, tx, chainEnds, named, pgx.RowToStructByPos[OutcomeCount])
	c.Deliveries, errs[1] = cutAll(ctx, tx, chainDeliveries, named,
		func(row pgx.CollectableRow, whole *int) (DeliveryRow, error) { return scanDelivery(row, whole) })
	c.Answers, errs[2] = cutAll(ctx, tx, chainAnswers, named,
		func(row pgx.CollectableRow, whole *int) (r ResponseRow, err error) {
			return r, row.Scan(&r.User, &r.Trivia, &r.EventID, &r.Answer, &r.At, &r.Right, whole)
		})
	c.Pushes, errs[3] = cutAll(ctx, tx, chainPushes, named,
		func(row pgx.CollectableRow, whole *int) (PushRow, error) { return scanPushAnd(row, whole) })
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	c.Deeds, errs[4] = cutAll(ctx, tx, deedsAbout, c.subject().args(most),
		func(row pgx.CollectableRow, whole *int) (DeedRow, error) { return scanDeed(row, whole) })

	return errs[4]
}

const chainStanding = `
	SELECT
		EXISTS (SELECT FROM users AS u WHERE u.user_id = @user),
		(SELECT f.forgotten_at FROM forgotten AS f
			WHERE f.hash = (SELECT forgotten_hash(k.key, @user::text, @trivia::text) FROM forget_key AS k))`

// readStanding reads what there is one of.
func (c *Chain) readStanding(ctx context.Context, tx pgx.Tx, id trivia.ID) (err error) {
	c.Trivia, err = findTriviaIn(ctx, tx, id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	c.Trivia.ID = id

	var forgotten *time.Time
	err = tx.QueryRow(ctx, chainStanding, pgx.NamedArgs{"user": c.User, "trivia": id}).Scan(&c.UserThere, &forgotten)
	if err != nil {
		return err
	}
	c.ForgottenAt = orZero(forgotten)

	c.Win, c.Prize, err = findWinIn(ctx, tx, c.User, id)
	c.Won = err == nil
	if errors.Is(err, ErrNotFound) {
		return nil
	}

	return err
}

const (
	chainEnds = `
	SELECT coalesce(outcome, ''), state, count(*)
	FROM deliveries
	WHERE user_id = @user AND trivia_id = @trivia
	GROUP BY 1, 2
	ORDER BY 3 DESC, 1, 2`

	chainDeliveries = deliveryColumns + `, count(*) OVER ()
	FROM deliveries
	WHERE user_id = @user AND trivia_id = @trivia
	ORDER BY coalesce(array_position(@keys::text[], key), 1000), rival, received_at DESC
	LIMIT @limit`

	chainAnswers = `
	SELECT r.user_id, r.trivia_id, r.event_id, r.answer, r.answered_at,
		EXISTS (SELECT FROM trivia_wins AS w WHERE w.user_id = @user AND w.trivia_id = @trivia), count(*) OVER ()
	FROM responses AS r
	WHERE r.user_id = @user AND r.trivia_id = @trivia
	ORDER BY r.answered_at DESC, r.event_id
	LIMIT @limit`

	// What an operator lets Customer.io know of a prize that was taken back names
	// the trivia.
	chainPushes = selectPush + `, count(*) OVER ()
	FROM pushes
	WHERE (person = @user AND state = 'pending' OR person = @user AND state <> 'pending')
		AND (cause = 'win' AND cause_id = @trivia
			OR cause = 'operator' AND attributes ->> 'trivia_prize_revoked_id' = @trivia)
	ORDER BY id DESC
	LIMIT @limit`
)

// subject names what an act may have been about.
func (c *Chain) subject() deedSubject {
	s := deedSubject{User: c.User, Trivia: c.Trivia.ID}
	for _, d := range c.Deliveries.Rows {
		s.Keys = append(s.Keys, d.Key)
	}
	for _, p := range c.Pushes.Rows {
		s.Pushes = append(s.Pushes, p.ID)
	}

	return s
}

func all[T any](ctx context.Context, db querier, sql string, args pgx.NamedArgs, scan pgx.RowToFunc[T]) ([]T, error) {
	rows, err := db.Query(ctx, sql, args)
	if err != nil {
		return nil, err
	}

	return pgx.CollectRows(rows, scan)
}

// cutAll reads rows that say in their last column how many there are.
func cutAll[T any](ctx context.Context, db querier, sql string, args pgx.NamedArgs,
	scan func(pgx.CollectableRow, *int) (T, error),
) (c Cut[T], err error) {
	c.Rows, err = all(ctx, db, sql, args, func(row pgx.CollectableRow) (T, error) { return scan(row, &c.All) })

	return c, err
}
