package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"trivia/internal/trivia"
)

// MostWinsCounted is where [Store.CountWinsOf] stops to count.
const MostWinsCounted = 1_000_000

// The words are those of [selectTrivia]: an equality could be planned as a walk
// through all wins by time.
const countWinsOf = `
	SELECT k.trivia_id, (
		SELECT count(*) FROM (
			SELECT FROM trivia_wins AS w WHERE w.trivia_id BETWEEN k.trivia_id AND k.trivia_id LIMIT $2) AS counted)
	FROM unnest($1::text[]) AS k (trivia_id)`

// CountWinsOf counts the wins of each trivia, up to [MostWinsCounted]. Nobody wins
// twice: so many are the winners, too.
func (s *Store) CountWinsOf(ctx context.Context, ids []trivia.ID) (map[trivia.ID]int64, error) {
	counts := make(map[trivia.ID]int64, len(ids))
	var (
		q pgx.Batch

		id trivia.ID
		n  int64
	)
	q.Queue(quick)
	q.Queue(countWinsOf, ids, MostWinsCounted).Query(func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{&id, &n}, func() error {
			counts[id] = n
			return nil
		})

		return err
	})
	if err := s.pool.SendBatch(ctx, &q).Close(); err != nil {
		return nil, fmt.Errorf("count the wins of %d trivias: %w", len(ids), err)
	}

	return counts, nil
}
