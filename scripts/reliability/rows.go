package main

import (
	"context"
	"fmt"
	"time"
)

// rows are all of them, in the order of the page.
func rows() []row {
	return concat(plainRows(), restartRows(), databaseRows(), poolerRows(), serverRows(), senderRows(), strangerRows(), ruleRows())
}

func concat(groups ...[]row) (all []row) {
	for _, g := range groups {
		all = append(all, g...)
	}

	return all
}

func plainRows() []row {
	return []row{{name: "quiet", what: "nothing is done to it, for comparison", do: func(ctx context.Context, s *stage) error {
		if err := s.usual(ctx); err != nil {
			return err
		}

		return s.play(ctx, func(ctx context.Context) error {
			pause(ctx, s.seconds(8))

			return nil
		})
	}}}
}

// usual is a database and one hook.
func (s *stage) usual(ctx context.Context) error {
	if err := s.withDatabase(ctx); err != nil {
		return err
	}
	_, err := s.start(ctx, nil)

	return err
}

// during does something, lets it be for a while, and undoes it.
func (s *stage) during(ctx context.Context, d time.Duration, do, undo func() error) error {
	if err := do(); err != nil {
		return fmt.Errorf("begin the trouble: %w", err)
	}
	pause(ctx, d)
	if err := undo(); err != nil {
		return fmt.Errorf("end the trouble: %w", err)
	}
	pause(ctx, 2*time.Second)

	return nil
}
