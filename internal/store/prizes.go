package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"trivia/internal/trivia"
)

// A PrizeRow is a prize, as the default grant_prize keeps it.
type PrizeRow struct {
	User   trivia.UserID
	Trivia trivia.ID
	Prize

	place time.Time // what it is listed by
}

// Cursor names the row in a listing of prizes.
func (p PrizeRow) Cursor() Cursor {
	return newCursor("prizes", instant(p.place), string(p.User), string(p.Trivia))
}

// A PrizeFilter chooses prizes: those that fit all of its fields. A zero field
// fits everything.
type PrizeFilter struct {
	User         trivia.UserID
	Trivia       trivia.ID
	Item         trivia.Item
	Revoked      bool      // only those
	Since, Until time.Time // Since ≤ granted < Until
}

// A prize is granted in the commit that records its win, and the win has the
// indexes. The limit keeps the planner from reading all prizes. Of those that
// were taken back there are few.
const (
	listPrizes = `
	SELECT p.user_id, p.trivia_id, p.item, p.granted_at, p.revoked_at, coalesce(p.revoked_reason, ''), w.won_at
	FROM trivia_wins AS w
	CROSS JOIN LATERAL (SELECT * FROM prizes WHERE user_id = w.user_id AND trivia_id = w.trivia_id LIMIT 1) AS p`

	newestPrizes = `
	ORDER BY w.won_at DESC, w.user_id DESC, w.trivia_id DESC`

	listRevoked = `
	SELECT p.user_id, p.trivia_id, p.item, p.granted_at, p.revoked_at, coalesce(p.revoked_reason, ''), p.granted_at
	FROM prizes AS p`

	newestRevoked = `
	ORDER BY p.granted_at DESC, p.user_id DESC, p.trivia_id DESC`
)

// Prizes yields prizes, newest first. After an error it yields nothing more.
func (s *Store) Prizes(ctx context.Context, f PrizeFilter, page Page) iter.Seq2[PrizeRow, error] {
	return prizesBy(f).rows(ctx, s.pool, page)
}

func prizesBy(f PrizeFilter) listing[PrizeRow] {
	return listing[PrizeRow]{what: "prizes", query: f.query, scan: scanPrize, cursor: PrizeRow.Cursor}
}

func (f PrizeFilter) query(after Cursor) (*query, error) {
	q, table, place := newQuery(listPrizes, newestPrizes), "w", "w.won_at"
	if f.Revoked {
		q, table, place = newQuery(listRevoked, newestRevoked), "p", "p.granted_at"
		q.where("p.revoked_at IS NOT NULL")
	}
	if f.User != "" {
		q.where(table+".user_id = @user", "user", f.User)
	}
	if f.Trivia != "" {
		q.where(table+".trivia_id = @trivia", "trivia", f.Trivia)
	}
	if f.Item != "" {
		q.where("p.item = @item", "item", f.Item)
	}
	q.during(place, f.Since, f.Until)
	if after == "" {
		return q, nil
	}

	words, err := after.place("prizes", 3)
	if err != nil {
		return nil, err
	}
	at, err := parseInstant(after, words[0])
	if err != nil {
		return nil, err
	}
	q.where(fmt.Sprintf("(%s, %s.user_id, %s.trivia_id) < (@after_at, @after_user, @after_trivia)", place, table, table),
		"after_at", at, "after_user", words[1], "after_trivia", words[2])

	return q, nil
}

func scanPrize(row pgx.CollectableRow) (p PrizeRow, err error) {
	var revoked *time.Time
	err = row.Scan(&p.User, &p.Trivia, &p.Item, &p.At, &revoked, &p.RevokedReason, &p.place)
	p.RevokedAt = orZero(revoked)

	return p, err
}

// The lock keeps two operators from taking back the same prize. What they look
// at is read behind it.
const lockWin = `
	SELECT FROM trivia_wins WHERE user_id = @user AND trivia_id = @trivia FOR UPDATE`

// LockWin returns a win and its prize as [Store.Win] does, and keeps other acts
// from doing the same before this one ends.
func (a *Act) LockWin(ctx context.Context, user trivia.UserID, id trivia.ID) (WinRow, Prize, error) {
	if _, err := a.tx.Exec(ctx, lockWin, pgx.NamedArgs{"user": user, "trivia": id}); err != nil {
		return WinRow{}, Prize{}, fmt.Errorf("lock win of trivia %s by user %s: %w", id, user, err)
	}

	return findWinIn(ctx, a.tx, user, id)
}

const revokedBefore = `
	SELECT at, reason FROM audit_log
	WHERE verb = 'prizes revoke' AND detail @> jsonb_build_object('user', @user::text, 'trivia', @trivia::text)
	ORDER BY at DESC
	LIMIT 1`

// RevokedBefore returns when an operator has taken back what this win earned,
// and why; the zero time if nobody has. It also knows of prizes that are kept
// elsewhere.
func (a *Act) RevokedBefore(ctx context.Context, user trivia.UserID, id trivia.ID) (at time.Time, reason string, err error) {
	err = a.tx.QueryRow(ctx, revokedBefore, pgx.NamedArgs{"user": user, "trivia": id}).Scan(&at, &reason)
	if errors.Is(err, pgx.ErrNoRows) {
		return time.Time{}, "", nil
	}
	if err != nil {
		return time.Time{}, "", fmt.Errorf("look for an earlier revocation: %w", err)
	}

	return at, reason, nil
}

const revokePrize = `SELECT revoke_prize(@user, @item, @trivia, @reason)`

// RevokePrize calls the function of that name, which marks the row in prizes or
// does what a team has put in its place. The win stays.
func (a *Act) RevokePrize(ctx context.Context, w trivia.Win, reason string) error {
	_, err := a.tx.Exec(ctx, revokePrize, pgx.NamedArgs{
		"user": w.User, "item": w.Item, "trivia": w.Trivia, "reason": reason,
	})
	if err != nil {
		return fmt.Errorf("revoke the prize of user %s for trivia %s: %w", w.User, w.Trivia, err)
	}

	return nil
}
