package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"trivia/internal/trivia"
)

// Why wins of a trivia cannot be pruned.
var (
	ErrTriviaOpen      = errors.New("trivia is open")
	ErrTriviaJustClose = errors.New("trivia was closed only just now")
)

// ClosedFor is how long a trivia must be closed before its wins can go: longer
// than any award lasts that began when it was open.
const ClosedFor = time.Hour

// A WinsCount says what pruning the wins of a trivia comes to.
type WinsCount struct {
	Wins   int       // with their prizes
	Untold int       // wins that stay, since Customer.io or a warehouse is still to be told of them
	Oldest time.Time // zero if there is none
	Sealed bool      // the trivia can never be opened again already
}

const (
	findClosing = `
	SELECT closed_at, closed_at <= now() - @closed::interval, sealed_at IS NOT NULL
	FROM trivias
	WHERE trivia_id = @trivia`

	lockClosing = findClosing + ` FOR UPDATE`

	countOldWins = `
	SELECT count(*) FILTER (WHERE NOT ` + winStays + `), count(*) FILTER (WHERE ` + winStays + `), min(won_at)
	FROM trivia_wins AS w
	WHERE w.trivia_id = @trivia AND w.won_at < @before`
)

// CountPruneWins says what [Act.PruneWins] would come to.
func (s *Store) CountPruneWins(ctx context.Context, id trivia.ID, before time.Time) (c WinsCount, err error) {
	if c.Sealed, err = closing(ctx, s.pool, findClosing, id); err != nil {
		return c, err
	}
	var oldest *time.Time
	err = s.pool.QueryRow(ctx, countOldWins, pgx.NamedArgs{"trivia": id, "before": before}).Scan(&c.Wins, &c.Untold, &oldest)
	if err != nil {
		return c, fmt.Errorf("count old wins of trivia %s: %w", id, err)
	}
	if oldest != nil {
		c.Oldest = *oldest
	}

	return c, nil
}

// closing returns nil if wins of a trivia may go: it is closed, and has been
// for long enough.
func closing(ctx context.Context, db querier, statement string, id trivia.ID) (sealed bool, err error) {
	var (
		closed *time.Time
		enough *bool
	)
	err = db.QueryRow(ctx, statement, pgx.NamedArgs{"trivia": id, "closed": ClosedFor}).Scan(&closed, &enough, &sealed)
	switch {
	case errors.Is(err, pgx.ErrNoRows), err == nil && closed == nil:
		return false, fmt.Errorf("trivia %s: %w", id, ErrTriviaOpen) // one without a row is open, too
	case err != nil:
		return false, fmt.Errorf("find trivia %s: %w", id, err)
	case !*enough:
		return false, fmt.Errorf("trivia %s: %w", id, ErrTriviaJustClose)
	}

	return sealed, nil
}

const winStays = `(` + toldOf + ` OR ` + winIsUnsent + `)`

const sealTrivia = `UPDATE trivias SET sealed_at = now() WHERE trivia_id = @trivia AND sealed_at IS NULL`

const pruneWins = `
	WITH walked AS MATERIALIZED (
		SELECT w.user_id, w.trivia_id, w.won_at, NOT ` + winStays + ` AS may
		FROM trivia_wins AS w
		WHERE w.trivia_id = @trivia AND w.won_at < @before AND (w.won_at, w.user_id) > (@at, @user)
		ORDER BY w.won_at, w.user_id
		LIMIT @limit
	), prizeless AS (
		DELETE FROM prizes AS p USING walked AS o WHERE o.may AND p.user_id = o.user_id AND p.trivia_id = o.trivia_id
	), gone AS (
		DELETE FROM trivia_wins AS w USING walked AS o WHERE o.may AND w.user_id = o.user_id AND w.trivia_id = o.trivia_id
		RETURNING w.user_id
	)
	SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM walked), won_at, user_id
	FROM walked
	ORDER BY won_at DESC, user_id DESC
	LIMIT 1`

// PruneWins deletes those wins of a trivia, with their prizes, that were won
// before a time, among up to limit of them that come behind a place. The trivia
// must be closed, and is sealed in the same commit: it can never be opened
// again, and so nobody wins it twice.
//
// A win of which Customer.io or a warehouse is still to be told stays.
func (a *Act) PruneWins(ctx context.Context, id trivia.ID, before time.Time, after PrunePlace, limit int) (step PruneStep, err error) {
	if _, err = closing(ctx, a.tx, lockClosing, id); err != nil {
		return step, err
	}
	if _, err = a.tx.Exec(ctx, byIndex); err != nil {
		return step, fmt.Errorf("prune wins of trivia %s: %w", id, err)
	}
	if _, err = a.tx.Exec(ctx, sealTrivia, pgx.NamedArgs{"trivia": id}); err != nil {
		return step, fmt.Errorf("seal trivia %s: %w", id, err)
	}

	var walked int
	err = a.tx.QueryRow(ctx, pruneWins, pgx.NamedArgs{
		"trivia": id, "before": before, "at": after.at, "user": after.key, "limit": limit,
	}).Scan(&step.Gone, &walked, &step.After.at, &step.After.key)
	if errors.Is(err, pgx.ErrNoRows) {
		return PruneStep{End: true}, nil
	}
	if err != nil {
		return step, fmt.Errorf("prune wins of trivia %s: %w", id, err)
	}
	step.End = walked < limit

	return step, nil
}
