package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"trivia/internal/trivia"
)

// partReused takes the wins out of the rivals: those that take a key of their own,
// since what names a win is in no signed byte and must not decide about it. They
// come in the order in which they arrived.
func (b *batch) partReused() (wins []*slip) {
	others := b.rivals[:0]
	for _, s := range b.rivals {
		if s.Kind == trivia.KindWin {
			wins = append(wins, s)
			continue
		}
		others = append(others, s)
	}
	b.rivals = others
	slices.SortFunc(wins, func(x, y *slip) int { return cmp.Compare(x.place, y.place) })

	return wins
}

// takeReused keeps and settles wins whose key another body has, behind the
// others and by the same statements. Where their award is refused, they are
// kept without it: the others are kept already.
func (in *Intake) takeReused(ctx context.Context, wins []*slip, settle bool) error {
	if len(wins) == 0 {
		return nil
	}
	arrivals, err := in.rename(ctx, wins)
	if err != nil {
		return err
	}

	b, err := in.takeRenamed(ctx, wins, arrivals, settle)
	if err != nil && settle && ctx.Err() == nil {
		b, err = in.takeRenamed(ctx, wins, arrivals, settledLater)
	}
	if err != nil {
		return err
	}
	for _, s := range b.firsts {
		if !s.fresh && !s.receipt.Duplicate {
			return fmt.Errorf("%s is another body's", s.Key)
		}
		win := wins[s.place]
		win.fresh, win.receipt = s.fresh, s.receipt
		win.receipt.Reused = s.Reuses != ""
	}

	return nil
}

func (in *Intake) takeRenamed(ctx context.Context, wins []*slip, arrivals []Arrival, settle bool) (*batch, error) {
	b := newBatch(arrivals)
	for _, s := range b.firsts {
		s.count = wins[s.place].count
	}

	return b, in.takeFirsts(ctx, b, settle)
}

const findHolders = `
	SELECT d.key, d.body_sha256
	FROM deliveries AS d
	WHERE d.key = ANY($1::text[]) AND d.kind = 'win' AND d.rival = ''`

// rename returns wins as they arrived, under keys of their own. The key of one
// may be its own after all, if another one of the same batch was tried in its
// place.
func (in *Intake) rename(ctx context.Context, wins []*slip) ([]Arrival, error) {
	keys := make(words, len(wins))
	for i, s := range wins {
		keys[i] = s.Key
	}
	holders := make(map[string]string, len(wins))
	err := in.run(ctx, func(q *pgx.Batch) {
		q.Queue(findHolders, keys).Query(func(rows pgx.Rows) error {
			var (
				key string
				sum []byte
			)
			_, err := pgx.ForEachRow(rows, []any{&key, &sum}, func() error {
				holders[key] = string(sum)

				return nil
			})

			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("find who has the keys: %w", err)
	}

	arrivals := make([]Arrival, len(wins))
	for i, s := range wins {
		a := *s.Arrival
		if holders[a.Key] != string(a.SHA256[:]) {
			a.Reuses, a.Key = a.Key, trivia.BodyKey(a.Key, a.SHA256)
			a.Marks = append(slices.Clip(a.Marks), trivia.MarkReusedKey)
		}
		arrivals[i] = a
	}

	return arrivals, nil
}
