package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

const (
	makeForgetKey = `INSERT INTO forget_key (key) VALUES (@key) ON CONFLICT (single) DO NOTHING`

	// The mark stands in the audit log where the person stood.
	forgetMark = `SELECT 'forgotten ' || left(encode(forgotten_hash(key, @user, ''), 'hex'), 16) FROM forget_key`

	hashWins = `
	INSERT INTO forgotten (hash)
	SELECT forgotten_hash(k.key, w.user_id, w.trivia_id)
	FROM forget_key AS k
	CROSS JOIN (
		SELECT user_id, trivia_id FROM trivia_wins WHERE user_id = @user
		UNION
		SELECT user_id, trivia_id FROM prizes WHERE user_id = @user) AS w
	ON CONFLICT (hash) DO NOTHING`
)

// BeginForgetting writes the hash of each win of a person, so that nobody wins
// it again, and returns by what the person is called from now on and how many
// hashes are new. newKey is used if nobody was ever forgotten before.
//
// An award that has begun before this is committed does not see the hashes: see
// [Store.AwardsUnderWay].
func (a *Act) BeginForgetting(ctx context.Context, p Person, newKey []byte) (mark string, hashes int, err error) {
	if _, err = a.tx.Exec(ctx, makeForgetKey, pgx.NamedArgs{"key": newKey}); err != nil {
		return "", 0, fmt.Errorf("make the key of what is forgotten: %w", err)
	}
	if err = a.tx.QueryRow(ctx, forgetMark, pgx.NamedArgs{"user": p.User}).Scan(&mark); err != nil {
		return "", 0, fmt.Errorf("make a mark for %s: %w", p.User, err)
	}
	tag, err := a.tx.Exec(ctx, hashWins, pgx.NamedArgs{"user": p.User})
	if err != nil {
		return "", 0, fmt.Errorf("keep the hashes of what %s has won: %w", p.User, err)
	}

	return mark, int(tag.RowsAffected()), nil
}

// An award locks the table of wins, in the mode that every writer of it has,
// before it looks at what there is. So one that does not see what was committed
// a moment ago holds that lock now, or is over.
const awardsUnderWay = `
	SELECT DISTINCT virtualtransaction
	FROM pg_locks
	WHERE locktype = 'relation' AND relation = 'trivia_wins'::regclass AND mode = 'RowExclusiveLock' AND granted
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
		AND (@of::text[] IS NULL OR virtualtransaction = ANY(@of))`

// AwardsUnderWay returns those of transactions that still write wins, or all
// that do if of is nil.
func (s *Store) AwardsUnderWay(ctx context.Context, of []string) ([]string, error) {
	rows, err := s.pool.Query(ctx, awardsUnderWay, pgx.NamedArgs{"of": of})
	if err != nil {
		return nil, fmt.Errorf("look for awards under way: %w", err)
	}
	under, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("look for awards under way: %w", err)
	}

	return under, nil
}

// The key and the SHA-256 of the body stay, so that a repeat is still known for
// one: else it would be kept anew, with all that it says. Whatever waited,
// waits no more.
const blank = `
	UPDATE deliveries AS d
	SET body = '', user_id = NULL, item = NULL, caller = '', reason = 'the person was forgotten',
		state = 'done', due_at = NULL, settled_at = coalesce(d.settled_at, now())
	FROM theirs AS t
	WHERE d.key = t.key AND d.kind = t.kind AND d.rival = t.rival`

const (
	blankWins = `
	WITH theirs AS MATERIALIZED (
		SELECT key, kind, rival FROM deliveries
		WHERE user_id = @user
		ORDER BY kind, key, rival
		LIMIT @limit
		FOR UPDATE
	)` + blank

	findTheirEvents = `
	SELECT e.event_id FROM events AS e WHERE e.person = @name
	UNION ALL
	SELECT e.event_id FROM events AS e WHERE e.customer_id = @name AND e.customer_id <> e.person
	LIMIT @limit`

	blankEventDeliveries = `
	WITH theirs AS MATERIALIZED (
		SELECT key, kind, rival FROM deliveries
		WHERE kind = 'event' AND key = ANY(@events::text[])
		ORDER BY kind, key, rival
		FOR UPDATE
	)` + blank

	// What happened to which message of which campaign, and when, stays: for
	// counting.
	blankEvents = `
	UPDATE events
	SET person = NULL, customer_id = NULL, email = NULL, cio_id = NULL, delivery_id = NULL,
		href = NULL, tracked_response = NULL, failure_message = NULL,
		owed = CASE WHEN owed IS NOT NULL THEN 'nobody' END
	WHERE event_id = ANY(@events::text[])`

	// A warehouse may say in its reason what it has refused.
	forgetRefusedEvents = `DELETE FROM warehouse_refused WHERE what = 'customerio_events' AND key = ANY(@events::text[])`
	forgetRefusedWins   = `DELETE FROM warehouse_refused WHERE what = 'trivia_wins' AND key = @user`
)

// ForgetEvents blanks up to limit events of somebody called name, and their
// deliveries.
func (a *Act) ForgetEvents(ctx context.Context, name string, limit int) (f Forgotten, err error) {
	rows, err := a.tx.Query(ctx, findTheirEvents, pgx.NamedArgs{"name": name, "limit": limit})
	if err != nil {
		return f, fmt.Errorf("find events of %s: %w", name, err)
	}
	events, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(events) == 0 {
		return f, err
	}

	args := pgx.NamedArgs{"events": events}
	err = errors.Join(
		a.counting(ctx, &f.Deliveries, blankEventDeliveries, args),
		a.counting(ctx, &f.Events, blankEvents, args),
		a.counting(ctx, new(int), forgetRefusedEvents, args))
	if err != nil {
		return f, fmt.Errorf("blank events of %s: %w", name, err)
	}

	return f, nil
}

func (a *Act) counting(ctx context.Context, n *int, sql string, args pgx.NamedArgs) error {
	tag, err := a.tx.Exec(ctx, sql, args)
	*n += int(tag.RowsAffected())

	return err
}

const (
	forgetResponses = `
	DELETE FROM responses AS r
	USING (SELECT user_id, trivia_id, event_id FROM responses WHERE user_id = ANY(@names::text[]) LIMIT @limit) AS t
	WHERE r.user_id = t.user_id AND r.trivia_id = t.trivia_id AND r.event_id = t.event_id`

	forgetPushes = `
	WITH theirs AS MATERIALIZED (
		SELECT id, person FROM pushes
		WHERE (person = ANY(@names::text[]) AND state = 'pending' OR person = ANY(@names) AND state <> 'pending')
			AND NOT ` + suppressing + `
		ORDER BY id
		LIMIT @limit
		FOR UPDATE
	)
	DELETE FROM pushes AS p USING theirs AS t WHERE p.id = t.id AND p.person = t.person`

	// Whose suppression waits to be sent needs the lease, and nothing else.
	forgetPeople = `
	DELETE FROM push_people AS k
	WHERE k.person = ANY(@names::text[]) AND NOT EXISTS (
		SELECT FROM pushes WHERE person = k.person AND state = 'pending')`

	forgetTold = `
	UPDATE push_people SET told = '{}' WHERE person = ANY(@names::text[]) AND told <> '{}'`

	// Only what can never be won again goes. Of a win that came this moment,
	// the hash is not there yet.
	isHashed = `(SELECT true FROM forgotten AS f
			WHERE f.hash = (SELECT forgotten_hash(k.key, o.user_id, o.trivia_id) FROM forget_key AS k)) IS TRUE`

	forgetPrizes = `DELETE FROM prizes AS o WHERE o.user_id = @user AND ` + isHashed
	forgetWins   = `DELETE FROM trivia_wins AS o WHERE o.user_id = @user AND ` + isHashed
)

// Forget removes all that is kept of a person besides events, up to limit rows
// of each table. It locks deliveries before wins, as intake does. It must not
// run before all awards have ended that do not see the hashes of what the
// person has won.
func (a *Act) Forget(ctx context.Context, p Person, limit int) (f Forgotten, err error) {
	if _, err = a.tx.Exec(ctx, byIndex); err != nil {
		return f, fmt.Errorf("forget %s: %w", p.User, err)
	}

	args := pgx.NamedArgs{"user": p.User, "names": p.all(), "limit": limit}
	for _, step := range []struct {
		n   *int
		sql string
	}{
		{&f.Deliveries, blankWins},
		{&f.Responses, forgetResponses},
		{&f.Pushes, forgetPushes},
		{&f.People, forgetPeople},
		{new(int), forgetTold},
		{new(int), forgetRefusedWins},
		{&f.Prizes, forgetPrizes},
		{&f.Wins, forgetWins},
	} {
		if err = a.counting(ctx, step.n, step.sql, args); err != nil {
			return f, fmt.Errorf("forget %s: %w", p.User, err)
		}
	}

	return f, nil
}
