package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// A target may go on behind the name of the person, but 1 is nobody's in
	// "1 user".
	targetNames    = `(target = n.name OR starts_with(target, n.name || ' ') AND NOT target ~ '^[0-9]+ (user|push|win|row|deliver|event|prize)')`
	targetIsTheirs = `EXISTS (SELECT FROM unnest(@names::text[]) AS n (name) WHERE ` + targetNames + `)`
	detailIsTheirs = `EXISTS (SELECT FROM unnest(@names::text[]) AS n (name) WHERE position(to_jsonb(n.name)::text IN detail::text) > 0)`
	namesThem      = `(` + targetIsTheirs + ` OR ` + detailIsTheirs + `)`

	// In the text of JSON a name with its quotes is a word of its own: inside of
	// other text, quotes have a backslash.
	forgetDetail = `
	UPDATE audit_log
	SET detail = replace(detail::text, to_jsonb(@name::text)::text, to_jsonb(@mark::text)::text)::jsonb
	WHERE position(to_jsonb(@name::text)::text IN detail::text) > 0`

	forgetTarget = `
	UPDATE audit_log
	SET target = @mark || substr(target, length(n.name) + 1), reason = ''
	FROM (VALUES (@name::text)) AS n (name)
	WHERE ` + targetNames
)

// ForgetActs puts a mark in the place of a person's names in the audit log. It
// reads all of it.
func (a *Act) ForgetActs(ctx context.Context, p Person, mark string) (f Forgotten, err error) {
	const countActs = `SELECT count(*) FROM audit_log WHERE ` + namesThem
	if err = a.tx.QueryRow(ctx, countActs, pgx.NamedArgs{"names": p.all()}).Scan(&f.Acts); err != nil || f.Acts == 0 {
		return f, err
	}
	for _, name := range p.all() {
		args := pgx.NamedArgs{"name": name, "mark": mark}
		for _, sql := range []string{forgetDetail, forgetTarget} {
			if _, err = a.tx.Exec(ctx, sql, args); err != nil {
				return f, fmt.Errorf("forget %s in the audit log: %w", p.User, err)
			}
		}
	}

	return f, nil
}

// Why a user stays in the table of users.
var (
	ErrNotOurUsers = errors.New("the users table is the product's own")
	ErrUserInUse   = errors.New("something else refers to the user")
)

const (
	oursByComment = `SELECT coalesce(obj_description(to_regclass('users'), 'pg_class') LIKE 'who may win; made by trivia%', false)`

	forgetUser = `
	DELETE FROM users WHERE user_id = @user
		AND NOT EXISTS (SELECT FROM trivia_wins WHERE user_id = @user)
		AND NOT EXISTS (SELECT FROM prizes WHERE user_id = @user)`
)

// ForgetUser removes a person from the users table, unless it is the product's
// own or something refers to the row. Then why says so.
func (a *Act) ForgetUser(ctx context.Context, p Person) (f Forgotten, why, err error) {
	var ours, there bool
	if err = a.tx.QueryRow(ctx, findUser, pgx.NamedArgs{"user": p.User}).Scan(&there); err != nil || !there {
		return f, nil, err
	}
	if err = a.tx.QueryRow(ctx, oursByComment).Scan(&ours); err != nil {
		return f, nil, fmt.Errorf("find out whose table users is: %w", err)
	}
	if !ours {
		return f, ErrNotOurUsers, nil
	}

	err = pgx.BeginFunc(ctx, a.tx, func(inner pgx.Tx) error {
		return (&Act{inner}).counting(ctx, &f.Users, forgetUser, pgx.NamedArgs{"user": p.User})
	})
	const foreignKey = "23503"
	refusal, refused := errors.AsType[*pgconn.PgError](err)
	switch {
	case refused && refusal.Code == foreignKey, err == nil && f.Users == 0:
		return Forgotten{}, ErrUserInUse, nil
	case err != nil:
		return f, nil, fmt.Errorf("remove user %s: %w", p.User, err)
	}

	return f, nil, nil
}
