package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"trivia/internal/trivia"
)

// A Kept says what has become of deliveries that a hook has acknowledged.
type Kept struct {
	Rows    int // are there
	Pending int // of them, are not settled yet
	Parked  int // of them, wait for a person
	Settled int // of them, are done and have what that means: a win with its prize, an event
	Lost    int // are not there, or are done and have not; Prizes that are a team's own are not looked for
}

// Where prizes are a team's own, only the win can be looked for.
const (
	proveWins = `
	SELECT count(d.key),
		count(*) FILTER (WHERE d.state = 'pending'),
		count(*) FILTER (WHERE d.state = 'parked'),
		count(*) FILTER (WHERE d.state = 'done' AND w.item IS NOT NULL AND (p.item IS NOT NULL OR NOT here.ours)),
		count(*) FILTER (WHERE d.key IS NULL
			OR d.state = 'done' AND (w.item IS NULL OR p.item IS NULL AND here.ours))
	FROM unnest(@keys::text[]) AS k (key)
	CROSS JOIN (SELECT ` + prizesAreOurs + ` AS ours) AS here
	LEFT JOIN deliveries AS d ON d.key = k.key AND d.kind = 'win' AND d.rival = ''
	LEFT JOIN trivia_wins AS w ON w.user_id = d.user_id AND w.trivia_id = d.trivia_id
	LEFT JOIN prizes AS p ON p.user_id = d.user_id AND p.trivia_id = d.trivia_id`

	prizesAreOurs = `EXISTS (
		SELECT FROM pg_proc WHERE oid = to_regprocedure('grant_prize(text,text,text)') AND prosrc ~ '\mprizes\M')`

	proveEvents = `
	SELECT count(d.key),
		count(*) FILTER (WHERE d.state = 'pending'),
		count(*) FILTER (WHERE d.state = 'parked'),
		count(*) FILTER (WHERE d.state = 'done' AND e.event_id IS NOT NULL),
		count(*) FILTER (WHERE d.key IS NULL OR d.state = 'done' AND e.event_id IS NULL)
	FROM unnest(@keys::text[]) AS k (key)
	LEFT JOIN deliveries AS d ON d.key = k.key AND d.kind = 'event' AND d.rival = ''
	LEFT JOIN events AS e ON e.event_id = k.key`
)

// Prove looks what has become of the deliveries of these keys, the first body
// of each.
func (s *Store) Prove(ctx context.Context, kind trivia.Kind, keys []string) (k Kept, err error) {
	statement := proveWins
	if kind == trivia.KindEvent {
		statement = proveEvents
	}
	err = s.pool.QueryRow(ctx, statement, pgx.NamedArgs{"keys": keys}).Scan(&k.Rows, &k.Pending, &k.Parked, &k.Settled, &k.Lost)
	if err != nil {
		return Kept{}, fmt.Errorf("look for %d deliveries: %w", len(keys), err)
	}

	return k, nil
}

// An Awarded says what users have won.
type Awarded struct {
	Wins   int
	Prizes int
	Ours   bool // prizes are kept in our table, and not where a team's own grant_prize puts them
	Double int  // deliveries that were awarded although another one was, and prizes without a win
}

const countAwarded = `
	SELECT
		(SELECT count(*) FROM trivia_wins
			WHERE user_id = ANY(@users::text[]) AND (@trivia = '' OR trivia_id = @trivia)),
		(SELECT count(*) FROM prizes
			WHERE user_id = ANY(@users::text[]) AND (@trivia = '' OR trivia_id = @trivia)),
		` + prizesAreOurs + `,
		(SELECT coalesce(sum(n - 1), 0)::bigint FROM (
			SELECT count(*) AS n FROM deliveries
			WHERE user_id = ANY(@users::text[]) AND (@trivia = '' OR trivia_id = @trivia) AND outcome = 'awarded'
			GROUP BY user_id, trivia_id) AS d)
		+ (SELECT count(*) FROM prizes AS p
			WHERE p.user_id = ANY(@users::text[]) AND (@trivia = '' OR p.trivia_id = @trivia) AND NOT EXISTS (
				SELECT FROM trivia_wins AS w WHERE w.user_id = p.user_id AND w.trivia_id = p.trivia_id))`

// Awarded counts what users have won, of one trivia or, if id is empty, of any.
func (s *Store) Awarded(ctx context.Context, users []trivia.UserID, id trivia.ID) (a Awarded, err error) {
	err = s.pool.QueryRow(ctx, countAwarded, pgx.NamedArgs{"users": users, "trivia": id}).Scan(&a.Wins, &a.Prizes, &a.Ours, &a.Double)
	if err != nil {
		return Awarded{}, fmt.Errorf("count the wins of %d users: %w", len(users), err)
	}

	return a, nil
}

const countPendingOf = `
	SELECT count(*) FROM deliveries WHERE state = 'pending' AND starts_with(key, @prefix)`

// PendingOf returns how many deliveries are not settled yet whose key begins
// with prefix.
func (s *Store) PendingOf(ctx context.Context, prefix string) (n int, err error) {
	if err := s.pool.QueryRow(ctx, countPendingOf, pgx.NamedArgs{"prefix": prefix}).Scan(&n); err != nil {
		return 0, fmt.Errorf("count what is pending of %s: %w", prefix, err)
	}

	return n, nil
}

const countKept = `
	SELECT count(*) FROM deliveries WHERE key = ANY(@keys::text[]) OR reuses = ANY(@keys::text[])`

// CountKept returns how many rows there are that came under these keys, by
// either route.
func (s *Store) CountKept(ctx context.Context, keys []string) (n int, err error) {
	if err := s.pool.QueryRow(ctx, countKept, pgx.NamedArgs{"keys": keys}).Scan(&n); err != nil {
		return 0, fmt.Errorf("count %d deliveries: %w", len(keys), err)
	}

	return n, nil
}

// What a test has written, in the order in which it can go. Users must be the
// test's own.
const (
	removeDeliveries = `
	DELETE FROM deliveries
	WHERE (key = ANY(@keys::text[]) OR reuses = ANY(@keys::text[])) AND starts_with(key, @prefix)`

	removeEvents = `
	DELETE FROM events WHERE event_id = ANY(@keys::text[]) AND starts_with(event_id, @prefix)`
)

// RemoveDeliveries removes the deliveries that came under those keys that begin
// with prefix, and their events. It returns how many rows are gone.
func (a *Act) RemoveDeliveries(ctx context.Context, prefix string, keys []string) (n int, err error) {
	return a.remove(ctx, pgx.NamedArgs{"keys": keys, "prefix": prefix}, removeDeliveries, removeEvents)
}

const (
	removeResponses = `
	DELETE FROM responses WHERE user_id = ANY(@users::text[]) AND starts_with(user_id, @prefix)`

	removePushes = `
	DELETE FROM pushes
	WHERE starts_with(person, @prefix)
		AND (person = ANY(@users::text[]) AND state = 'pending' OR person = ANY(@users::text[]) AND state <> 'pending')`

	removePushPeople = `
	DELETE FROM push_people WHERE person = ANY(@users::text[]) AND starts_with(person, @prefix)`

	removePrizes = `
	DELETE FROM prizes WHERE user_id = ANY(@users::text[]) AND starts_with(user_id, @prefix)`

	removeWins = `
	DELETE FROM trivia_wins WHERE user_id = ANY(@users::text[]) AND starts_with(user_id, @prefix)`

	removeUsers = `
	DELETE FROM users WHERE user_id = ANY(@users::text[]) AND starts_with(user_id, @prefix)`
)

// RemoveUsers removes those users whose name begins with prefix, and all that
// they have won, answered and are owed, but not the deliveries that say so. It
// returns how many rows are gone.
func (a *Act) RemoveUsers(ctx context.Context, prefix string, users []trivia.UserID) (n int, err error) {
	return a.remove(ctx, pgx.NamedArgs{"users": users, "prefix": prefix},
		removeResponses, removePushes, removePushPeople, removePrizes, removeWins, removeUsers)
}

func (a *Act) remove(ctx context.Context, args pgx.NamedArgs, statements ...string) (n int, err error) {
	for _, statement := range statements {
		tag, err := a.tx.Exec(ctx, statement, args)
		if err != nil {
			return n, fmt.Errorf("remove the rows of a test: %w", err)
		}
		n += int(tag.RowsAffected())
	}

	return n, nil
}
