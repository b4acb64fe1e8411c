package main

import (
	"context"
	"time"

	"trivia/internal/diag"
	"trivia/internal/store"
)

// lastDeliveries tells of what came before this process.
func lastDeliveries(s *store.Store) diag.LastDeliveriesFunc {
	return func(ctx context.Context) (map[string]time.Time, error) {
		streams, err := s.Streams(ctx)
		if err != nil {
			return nil, err
		}
		last := make(map[string]time.Time, len(streams))
		for kind, sight := range streams {
			last[string(kind)] = sight.Kept
		}

		return last, nil
	}
}
