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

// A WinRow is a win as it is kept.
type WinRow struct {
	trivia.Win
	Key string // of the delivery that was awarded
	At  time.Time
}

// Cursor names the row in a listing of wins.
func (w WinRow) Cursor() Cursor {
	return newCursor("wins", instant(w.At), string(w.User), string(w.Trivia))
}

// A WinFilter chooses wins: those that fit all of its fields. A zero field
// fits everything.
type WinFilter struct {
	User         trivia.UserID
	Trivia       trivia.ID
	Item         trivia.Item
	Key          string
	Text         string    // a part of the user, the trivia or the key, as it is written
	Since, Until time.Time // Since ≤ won < Until
}

const (
	listWins = `
	SELECT user_id, trivia_id, item, delivery_key, won_at
	FROM trivia_wins`

	newestWins = `
	ORDER BY won_at DESC, user_id DESC, trivia_id DESC`
)

// Wins yields wins, newest first. After an error it yields nothing more.
func (s *Store) Wins(ctx context.Context, f WinFilter, page Page) iter.Seq2[WinRow, error] {
	return winsBy(f).rows(ctx, s.pool, page)
}

func winsBy(f WinFilter) listing[WinRow] {
	return listing[WinRow]{what: "wins", query: f.query, scan: scanWin, cursor: WinRow.Cursor}
}

func (f WinFilter) query(after Cursor) (*query, error) {
	q := newQuery(listWins, newestWins)
	if f.User != "" {
		q.where("user_id = @user", "user", f.User)
	}
	if f.Trivia != "" {
		q.where("trivia_id = @trivia", "trivia", f.Trivia)
	}
	if f.Item != "" {
		q.where("item = @item", "item", f.Item)
	}
	if f.Key != "" {
		q.where("delivery_key = @key", "key", f.Key)
	}
	q.during("won_at", f.Since, f.Until)
	q.find(f.Text, "user_id", "trivia_id", "delivery_key")
	if after == "" {
		return q, nil
	}

	place, err := after.place("wins", 3)
	if err != nil {
		return nil, err
	}
	at, err := parseInstant(after, place[0])
	if err != nil {
		return nil, err
	}
	q.after("(won_at, user_id, trivia_id)", "(@after_at, @after_user, @after_trivia)",
		"after_at", at, "after_user", place[1], "after_trivia", place[2])

	return q, nil
}

func scanWin(row pgx.CollectableRow) (w WinRow, err error) {
	err = row.Scan(&w.User, &w.Trivia, &w.Item, &w.Key, &w.At)

	return w, err
}

// A Prize is what a win earned, as the default grant_prize keeps it.
type Prize struct {
	Item          trivia.Item
	At            time.Time
	RevokedAt     time.Time // zero unless it was taken back
	RevokedReason string
}

const findWin = `
	SELECT w.user_id, w.trivia_id, w.item, w.delivery_key, w.won_at, coalesce(p.item, ''), p.granted_at,
		p.revoked_at, coalesce(p.revoked_reason, '')
	FROM trivia_wins AS w
	LEFT JOIN prizes AS p ON p.user_id = w.user_id AND p.trivia_id = w.trivia_id
	WHERE w.user_id = @user AND w.trivia_id = @trivia`

// Win returns one win and its row in prizes, or [ErrNotFound]. The prize is
// the zero value where a grant_prize of the team's own keeps prizes elsewhere.
func (s *Store) Win(ctx context.Context, user trivia.UserID, id trivia.ID) (WinRow, Prize, error) {
	return findWinIn(ctx, s.pool, user, id)
}

func findWinIn(ctx context.Context, db querier, user trivia.UserID, id trivia.ID) (w WinRow, p Prize, err error) {
	var granted, revoked *time.Time
	err = db.QueryRow(ctx, findWin, pgx.NamedArgs{"user": user, "trivia": id}).
		Scan(&w.User, &w.Trivia, &w.Item, &w.Key, &w.At, &p.Item, &granted, &revoked, &p.RevokedReason)
	if errors.Is(err, pgx.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return WinRow{}, Prize{}, fmt.Errorf("find win of trivia %s by user %s: %w", id, user, err)
	}
	p.At, p.RevokedAt = orZero(granted), orZero(revoked)

	return w, p, nil
}
