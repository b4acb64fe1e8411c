package store

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"trivia/internal/trivia"
)

// A WinSpan is many wins: those that fit all of its fields. A zero field fits
// everything.
type WinSpan struct {
	Trivia       trivia.ID
	Since, Until time.Time // Since ≤ won < Until
}

const (
	walkWins = `
	SELECT w.user_id, w.trivia_id, w.item, w.delivery_key, w.won_at
	FROM trivia_wins AS w`

	oldestWins = `
	ORDER BY w.won_at, w.user_id, w.trivia_id`
)

// OldestWins yields wins, oldest first. After an error it yields nothing more.
func (s *Store) OldestWins(ctx context.Context, f WinSpan, page Page) iter.Seq2[WinRow, error] {
	return oldestWinsBy(f).rows(ctx, s.pool, page)
}

func oldestWinsBy(f WinSpan) listing[WinRow] {
	return listing[WinRow]{what: "wins", query: f.query, scan: scanWin, cursor: WinRow.Place}
}

// Place names the row in a listing of wins that begins with the oldest.
func (w WinRow) Place() Cursor {
	return newCursor("oldest wins", instant(w.At), string(w.User), string(w.Trivia))
}

func (f WinSpan) query(after Cursor) (*query, error) {
	q := newQuery(walkWins, oldestWins)
	f.words(q)
	if after == "" {
		return q, nil
	}

	return q, f.behind(q, after)
}

func (f WinSpan) words(q *query) {
	if f.Trivia != "" {
		q.where("w.trivia_id = @trivia", "trivia", f.Trivia)
	}
	q.during("w.won_at", f.Since, f.Until)
}

func (WinSpan) behind(q *query, after Cursor) error {
	place, err := after.place("oldest wins", 3)
	if err != nil {
		return err
	}
	at, err := parseInstant(after, place[0])
	if err != nil {
		return err
	}
	q.where("(w.won_at, w.user_id, w.trivia_id) > (@after_at, @after_user, @after_trivia)",
		"after_at", at, "after_user", place[1], "after_trivia", place[2])

	return nil
}

// toldOf holds for a win w whose push waits, by itself or for credentials. It
// asks for values: of an EXISTS the planner may think that it is cheaper to
// read all pushes first.
const toldOf = `(
		(SELECT p.id FROM pushes AS p
		WHERE p.person = w.user_id AND p.state = 'pending' AND p.cause = 'win' AND p.cause_id = w.trivia_id LIMIT 1) IS NOT NULL
		OR
		(SELECT p.id FROM pushes AS p
		WHERE p.person = w.user_id AND p.state = 'held' AND p.cause = 'win' AND p.cause_id = w.trivia_id LIMIT 1) IS NOT NULL
	)`

const (
	countWins = `
	SELECT count(*) FROM trivia_wins AS w`

	// A plan that asks for each win on its own would take long for many.
	countUntold = `
	SELECT count(*) FROM trivia_wins AS w
	LEFT JOIN (
		SELECT DISTINCT person, cause_id FROM pushes WHERE state IN ('pending', 'held') AND cause = 'win'
	) AS p ON p.person = w.user_id AND p.cause_id = w.trivia_id`
)

// CountWins returns how many wins a span has behind a cursor of
// [Store.OldestWins].
func (s *Store) CountWins(ctx context.Context, f WinSpan, after Cursor) (int, error) {
	return s.countWins(ctx, newQuery(countWins, ""), f, after)
}

// CountUntoldWins counts only those for which no push waits.
func (s *Store) CountUntoldWins(ctx context.Context, f WinSpan, after Cursor) (int, error) {
	q := newQuery(countUntold, "")
	q.where("p.person IS NULL")

	return s.countWins(ctx, q, f, after)
}

func (s *Store) countWins(ctx context.Context, q *query, f WinSpan, after Cursor) (n int, err error) {
	f.words(q)
	if after != "" {
		if err := f.behind(q, after); err != nil {
			return 0, fmt.Errorf("count wins: %w", err)
		}
	}
	sql, args := q.text(1)
	if err := s.pool.QueryRow(ctx, sql, args).Scan(&n); err != nil {
		return 0, fmt.Errorf("count wins: %w", err)
	}

	return n, nil
}

const toldOfEach = `
	SELECT ` + toldOf + `
	FROM unnest(@users::text[], @trivias::text[]) WITH ORDINALITY AS w (user_id, trivia_id, place)
	ORDER BY w.place`

// Told says of each win whether a push waits that tells of it.
func (s *Store) Told(ctx context.Context, wins []WinRow) ([]bool, error) {
	rows, err := s.pool.Query(ctx, toldOfEach, winArgs(wins))
	if err != nil {
		return nil, fmt.Errorf("find pushes of %d wins: %w", len(wins), err)
	}
	told, err := pgx.CollectRows(rows, pgx.RowTo[bool])
	if err != nil {
		return nil, fmt.Errorf("find pushes of %d wins: %w", len(wins), err)
	}

	return told, nil
}

const pushWins = `
	INSERT INTO pushes (person, kind, cause, cause_id, occurred_at, state)
	SELECT w.user_id, 'event', 'win', w.trivia_id, w.won_at, 'pending'
	FROM unnest(@users::text[], @trivias::text[], @won::timestamptz[]) WITH ORDINALITY
		AS w (user_id, trivia_id, won_at, place)
	WHERE NOT ` + toldOf + `
	ORDER BY w.place`

// PushWins writes a push for each win for which none waits, and returns how
// many it wrote.
func (a *Act) PushWins(ctx context.Context, wins []WinRow) (int, error) {
	tag, err := a.tx.Exec(ctx, pushWins, winArgs(wins))
	if err != nil {
		return 0, fmt.Errorf("write pushes of %d wins: %w", len(wins), err)
	}

	return int(tag.RowsAffected()), nil
}

func winArgs(wins []WinRow) pgx.NamedArgs {
	users, trivias := make([]string, len(wins)), make([]string, len(wins))
	won := make([]time.Time, len(wins))
	for i, w := range wins {
		users[i], trivias[i], won[i] = string(w.User), string(w.Trivia), w.At
	}

	return pgx.NamedArgs{"users": users, "trivias": trivias, "won": won}
}
