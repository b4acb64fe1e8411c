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

// A TriviaRow is what is known of a trivia. The zero times say that it is open,
// not sealed, and not won.
type TriviaRow struct {
	ID                trivia.ID
	ClosedAt          time.Time
	SealedAt          time.Time
	FirstWin, LastWin time.Time
	LastAnswer        time.Time
}

// State returns open, closed or sealed.
func (t TriviaRow) State() string {
	switch {
	case !t.SealedAt.IsZero():
		return "sealed"
	case !t.ClosedAt.IsZero():
		return "closed"
	}

	return "open"
}

// Cursor names the row in a listing of trivias.
func (t TriviaRow) Cursor() Cursor { return newCursor("trivias", string(t.ID)) }

const (
	// Each step looks up the next identifier in the four indexes, instead of
	// reading every win, answer and delivery of the one before.
	listTrivias = `
	WITH RECURSIVE known (trivia_id, place) AS (
		SELECT @after_trivia::text, 0
		UNION ALL
		SELECT least(
				(SELECT t.trivia_id FROM trivias AS t WHERE t.trivia_id > k.trivia_id ORDER BY t.trivia_id LIMIT 1),
				(SELECT w.trivia_id FROM trivia_wins AS w WHERE w.trivia_id > k.trivia_id ORDER BY w.trivia_id LIMIT 1),
				(SELECT r.trivia_id FROM responses AS r WHERE r.trivia_id > k.trivia_id ORDER BY r.trivia_id LIMIT 1),
				(SELECT d.trivia_id FROM deliveries AS d WHERE d.trivia_id > k.trivia_id ORDER BY d.trivia_id LIMIT 1)),
			k.place + 1
		FROM known AS k
		WHERE k.trivia_id IS NOT NULL AND k.place < @limit
	)` + selectTrivia + `
	FROM known AS k` + itsRow + `
	WHERE k.place > 0 AND k.trivia_id IS NOT NULL
	ORDER BY k.place`

	// Of an equality the planner may think that walking through all wins by time
	// is the shortest way to the first one of a trivia.
	selectTrivia = `
	SELECT k.trivia_id, t.closed_at, t.sealed_at,
		(SELECT w.won_at FROM trivia_wins AS w WHERE w.trivia_id BETWEEN k.trivia_id AND k.trivia_id
			ORDER BY w.trivia_id, w.won_at LIMIT 1),
		(SELECT w.won_at FROM trivia_wins AS w WHERE w.trivia_id BETWEEN k.trivia_id AND k.trivia_id
			ORDER BY w.trivia_id DESC, w.won_at DESC LIMIT 1),
		(SELECT r.answered_at FROM responses AS r WHERE r.trivia_id BETWEEN k.trivia_id AND k.trivia_id
			ORDER BY r.trivia_id DESC, r.answered_at DESC LIMIT 1)`

	// The limit keeps the planner from reading all rows.
	itsRow = `
	LEFT JOIN LATERAL (SELECT * FROM trivias WHERE trivia_id = k.trivia_id LIMIT 1) AS t ON true`
)

// Trivias yields the trivias that anything is known of, in the order of their
// identifiers. After an error it yields nothing more.
func (s *Store) Trivias(ctx context.Context, page Page) iter.Seq2[TriviaRow, error] {
	return listing[TriviaRow]{
		what: "trivias", query: triviasBehind, scan: scanTrivia, cursor: TriviaRow.Cursor,
	}.rows(ctx, s.pool, page)
}

func triviasBehind(after Cursor) (*query, error) {
	q := newQuery(listTrivias, "")
	q.args["after_trivia"] = ""
	if after == "" {
		return q, nil
	}

	place, err := after.place("trivias", 1)
	if err != nil {
		return nil, err
	}
	q.args["after_trivia"] = place[0]

	return q, nil
}

func scanTrivia(row pgx.CollectableRow) (t TriviaRow, err error) {
	var closed, sealed, first, last, answer *time.Time
	err = row.Scan(&t.ID, &closed, &sealed, &first, &last, &answer)
	t.ClosedAt, t.SealedAt = orZero(closed), orZero(sealed)
	t.FirstWin, t.LastWin, t.LastAnswer = orZero(first), orZero(last), orZero(answer)

	return t, err
}

func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}

	return *t
}

const findTrivia = selectTrivia + `,
		t.trivia_id IS NOT NULL
			OR EXISTS (SELECT FROM trivia_wins AS w WHERE w.trivia_id = k.trivia_id)
			OR EXISTS (SELECT FROM responses AS r WHERE r.trivia_id = k.trivia_id)
			OR EXISTS (SELECT FROM deliveries AS d WHERE d.trivia_id = k.trivia_id)
	FROM (VALUES (@trivia::text)) AS k (trivia_id)` + itsRow

// Trivia returns what is known of a trivia, or [ErrNotFound] if nothing is.
func (s *Store) Trivia(ctx context.Context, id trivia.ID) (TriviaRow, error) {
	return findTriviaIn(ctx, s.pool, id)
}

func findTriviaIn(ctx context.Context, db querier, id trivia.ID) (t TriviaRow, err error) {
	var (
		closed, sealed, first, last, answer *time.Time
		known                               bool
	)
	err = db.QueryRow(ctx, findTrivia, pgx.NamedArgs{"trivia": id}).
		Scan(&t.ID, &closed, &sealed, &first, &last, &answer, &known)
	if err == nil && !known {
		err = ErrNotFound
	}
	if err != nil {
		return TriviaRow{}, fmt.Errorf("find trivia %s: %w", id, err)
	}
	t.ClosedAt, t.SealedAt = orZero(closed), orZero(sealed)
	t.FirstWin, t.LastWin, t.LastAnswer = orZero(first), orZero(last), orZero(answer)

	return t, nil
}

// Trivia returns what is known of a trivia, or [ErrNotFound]. If it has a row,
// that is locked.
func (a *Act) Trivia(ctx context.Context, id trivia.ID) (TriviaRow, error) {
	const lock = `SELECT FROM trivias WHERE trivia_id = @trivia FOR UPDATE`
	if _, err := a.tx.Exec(ctx, lock, pgx.NamedArgs{"trivia": id}); err != nil {
		return TriviaRow{}, fmt.Errorf("lock trivia %s: %w", id, err)
	}

	return findTriviaIn(ctx, a.tx, id)
}

const closeTrivia = `
	INSERT INTO trivias AS t (trivia_id, closed_at)
	VALUES (@trivia, now())
	ON CONFLICT (trivia_id) DO UPDATE SET closed_at = excluded.closed_at
	WHERE t.closed_at IS NULL
	RETURNING closed_at`

// CloseTrivia lets nobody win a trivia from now on. It returns since when it is
// closed, and false if it was closed before.
func (a *Act) CloseTrivia(ctx context.Context, id trivia.ID) (since time.Time, changed bool, err error) {
	err = a.tx.QueryRow(ctx, closeTrivia, pgx.NamedArgs{"trivia": id}).Scan(&since)
	if errors.Is(err, pgx.ErrNoRows) {
		const closedSince = `SELECT closed_at FROM trivias WHERE trivia_id = @trivia`
		err = a.tx.QueryRow(ctx, closedSince, pgx.NamedArgs{"trivia": id}).Scan(&since)
	} else {
		changed = err == nil
	}
	if err != nil {
		return time.Time{}, false, fmt.Errorf("close trivia %s: %w", id, err)
	}

	return since, changed, nil
}

const openTrivia = `
	UPDATE trivias SET closed_at = NULL
	WHERE trivia_id = @trivia AND closed_at IS NOT NULL AND sealed_at IS NULL`

// OpenTrivia lets people win a closed trivia again. It returns false if it was
// not closed, or is sealed.
func (a *Act) OpenTrivia(ctx context.Context, id trivia.ID) (changed bool, err error) {
	tag, err := a.tx.Exec(ctx, openTrivia, pgx.NamedArgs{"trivia": id})
	if err != nil {
		return false, fmt.Errorf("open trivia %s: %w", id, err)
	}

	return tag.RowsAffected() > 0, nil
}
