package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"trivia/internal/trivia"
)

// A KeyUse says how often a signing key has matched requests of a kind, and
// when.
type KeyUse struct {
	Kind        trivia.Kind
	Fingerprint string
	Uses        int64
	First, Last time.Time
}

// In one order, so that services that write at once wait for each other.
const addKeyUses = `
	INSERT INTO key_uses (kind, fingerprint, first_used, last_used, uses)
	SELECT kind, fingerprint, first_used, last_used, uses
	FROM unnest(@kinds::text[], @fingerprints::text[], @firsts::timestamptz[], @lasts::timestamptz[], @uses::bigint[])
		AS u (kind, fingerprint, first_used, last_used, uses)
	ORDER BY fingerprint, kind
	ON CONFLICT (fingerprint, kind) DO UPDATE SET
		first_used = least(key_uses.first_used, excluded.first_used),
		last_used = greatest(key_uses.last_used, excluded.last_used),
		uses = key_uses.uses + excluded.uses`

// AddKeyUses adds to what is known of how keys are used. No key is in uses
// twice with the same kind.
func (s *Store) AddKeyUses(ctx context.Context, uses []KeyUse) error {
	var (
		kinds, fingerprints []string
		firsts, lasts       []time.Time
		counts              []int64
	)
	for _, u := range uses {
		kinds, fingerprints = append(kinds, string(u.Kind)), append(fingerprints, u.Fingerprint)
		firsts, lasts, counts = append(firsts, u.First), append(lasts, u.Last), append(counts, u.Uses)
	}
	_, err := s.pool.Exec(ctx, addKeyUses, pgx.NamedArgs{
		"kinds": kinds, "fingerprints": fingerprints, "firsts": firsts, "lasts": lasts, "uses": counts,
	})
	if err != nil {
		return fmt.Errorf("write down how signing keys are used: %w", err)
	}

	return nil
}

// mostKeyUses bounds what [Store.KeyUses] returns. A key is rotated a few times
// a year.
const mostKeyUses = 1000

const listKeyUses = `
	SELECT kind, fingerprint, uses, first_used, last_used
	FROM key_uses
	ORDER BY last_used DESC, fingerprint, kind
	LIMIT @limit`

// KeyUses returns all signing keys that have ever matched, the last one first.
func (s *Store) KeyUses(ctx context.Context) ([]KeyUse, error) {
	rows, err := s.pool.Query(ctx, listKeyUses, pgx.NamedArgs{"limit": mostKeyUses})
	if err != nil {
		return nil, fmt.Errorf("list the uses of signing keys: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[KeyUse])
	if err != nil {
		return nil, fmt.Errorf("list the uses of signing keys: %w", err)
	}

	return all, nil
}
