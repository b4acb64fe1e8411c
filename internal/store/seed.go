package store

import (
	"context"
	"fmt"
)

const seedUsers = `
	INSERT INTO users (user_id)
	SELECT unnest($1::text[])
	WHERE NOT EXISTS (SELECT FROM users)
	ON CONFLICT (user_id) DO NOTHING`

// SeedUsers inserts users into a database that has none, and does nothing in
// one that has.
func (s *Store) SeedUsers(ctx context.Context, ids []string) error {
	if _, err := s.pool.Exec(ctx, seedUsers, ids); err != nil {
		return fmt.Errorf("seed %d users: %w", len(ids), err)
	}

	return nil
}
