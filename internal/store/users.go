package store

import (
	"context"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"

	"trivia/internal/trivia"
)

// A UserRow is a user, and how often they won.
type UserRow struct {
	ID   trivia.UserID
	Wins int
}

// Cursor names the row in a listing of users.
func (u UserRow) Cursor() Cursor { return newCursor("users", string(u.ID)) }

// A UserFilter chooses users. A zero field fits everything.
type UserFilter struct {
	ID trivia.UserID
}

// Only user_id is known for certain: the table may be the product's own.
const (
	listUsers = `
	SELECT u.user_id, (SELECT count(*) FROM trivia_wins AS w WHERE w.user_id = u.user_id)
	FROM users AS u`

	usersByID = `
	ORDER BY u.user_id`
)

// Users yields users in the order of their identifiers. After an error it
// yields nothing more.
func (s *Store) Users(ctx context.Context, f UserFilter, page Page) iter.Seq2[UserRow, error] {
	return usersBy(f).rows(ctx, s.pool, page)
}

func usersBy(f UserFilter) listing[UserRow] {
	return listing[UserRow]{what: "users", query: f.query, scan: scanUser, cursor: UserRow.Cursor}
}

func (f UserFilter) query(after Cursor) (*query, error) {
	q := newQuery(listUsers, usersByID)
	if f.ID != "" {
		q.where("u.user_id = @user", "user", f.ID)
	}
	if after == "" {
		return q, nil
	}

	place, err := after.place("users", 1)
	if err != nil {
		return nil, err
	}
	q.where("u.user_id > @after_user", "after_user", place[0])

	return q, nil
}

func scanUser(row pgx.CollectableRow) (u UserRow, err error) {
	err = row.Scan(&u.ID, &u.Wins)

	return u, err
}

const findUser = `SELECT EXISTS (SELECT FROM users WHERE user_id = @user)`

// HasUser reports whether there is such a user.
func (s *Store) HasUser(ctx context.Context, id trivia.UserID) (bool, error) {
	var there bool
	if err := s.pool.QueryRow(ctx, findUser, pgx.NamedArgs{"user": id}).Scan(&there); err != nil {
		return false, fmt.Errorf("find user %s: %w", id, err)
	}

	return there, nil
}

// An Addition says what adding users came to.
type Addition struct {
	New int // users that were not there before
	Due int // deliveries that waited for one of the users, and are settled next
}

const (
	// Rows are locked in the order in which settling locks them, and before the
	// users, as intake does, so that neither waits for the other in a circle.
	wakeUnknown = `
	WITH waiting AS (
		SELECT key, kind, rival FROM deliveries
		WHERE user_id = ANY(@users::text[]) AND state = 'pending' AND outcome = 'unknown_user'
		ORDER BY kind, key, rival
		FOR UPDATE
	)
	UPDATE deliveries AS d SET due_at = now()
	FROM waiting AS w
	WHERE d.key = w.key AND d.kind = w.kind AND d.rival = w.rival`

	addUsers = `
	INSERT INTO users (user_id)
	SELECT DISTINCT a.user_id FROM unnest(@users::text[]) AS a (user_id) ORDER BY a.user_id
	ON CONFLICT (user_id) DO NOTHING`
)

// AddUsers adds those of ids that are not there yet, and makes wins that wait
// for one of ids due at once.
func (a *Act) AddUsers(ctx context.Context, ids []trivia.UserID) (Addition, error) {
	woken, err := a.tx.Exec(ctx, wakeUnknown, pgx.NamedArgs{"users": ids})
	if err != nil {
		return Addition{}, fmt.Errorf("wake deliveries of %d users: %w", len(ids), err)
	}
	added, err := a.tx.Exec(ctx, addUsers, pgx.NamedArgs{"users": ids})
	if err != nil {
		return Addition{}, fmt.Errorf("add %d users: %w", len(ids), err)
	}

	return Addition{New: int(added.RowsAffected()), Due: int(woken.RowsAffected())}, nil
}
