package ctl

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
	"trivia/internal/tui"
)

// pollEvery is how often a delivery that is not settled is looked at again.
const pollEvery = 100 * time.Millisecond

// waitFor waits until what was sent under keys is settled, and says how.
func (s *session) waitFor(ctx context.Context, sd *sender, do verbs, keys []string) error {
	waiting, cancel := context.WithTimeout(ctx, sd.wait)
	defer cancel()

	slices.Sort(keys)
	ends := map[string]int{}
	var last store.DeliveryRow
	for _, key := range keys {
		d, err := settled(waiting, do, sd.kind, key, sd.body(key))
		if err != nil {
			return s.notSettled(ctx, sd, d, err)
		}
		last = d
		ends[fmt.Sprintf("%s: %s", d.State, d.Outcome)]++
	}

	if len(keys) == 1 {
		words := fmt.Sprintf("%s: %s", last.State, last.Outcome)
		if last.Reason != "" {
			words += ", " + last.Reason
		}
		s.print("%s\n", tui.Clean(words))

		return nil
	}
	words := make([]string, 0, len(ends))
	for end := range ends {
		words = append(words, end)
	}
	slices.Sort(words)
	s.print("in the database:\n")
	for _, end := range words {
		s.print("  %7d  %s\n", ends[end], end)
	}

	return nil
}

// settled looks at a delivery until it is no longer pending. It returns what
// it saw last.
func settled(
	ctx context.Context, do verbs, kind trivia.Kind, key string, body []byte,
) (store.DeliveryRow, error) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()

	last := store.DeliveryRow{Key: key}
	for {
		d, err := do.FindDelivery(ctx, kind, key, body)
		if err != nil {
			return last, err
		}
		if d.State != trivia.StatePending {
			return d, nil
		}
		last = d
		select {
		case <-ctx.Done():
			return d, ctx.Err()
		case <-tick.C:
		}
	}
}

func (s *session) notSettled(ctx context.Context, sd *sender, d store.DeliveryRow, err error) error {
	if errors.Is(err, operator.ErrNotFound) {
		return hinted{
			errors.New("the hook accepted it, but it is not in this database"),
			"the hook works on another one: compare its DATABASE_URL with yours",
		}
	}
	if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
		return err
	}

	word := "not settled yet"
	if d.Outcome == trivia.UnknownUser {
		word = "unknown_user"
	}
	err = fmt.Errorf("%s is still pending after %s: %s", d.Key, sd.wait, word)
	if d.Outcome == trivia.UnknownUser {
		return hinted{err, "it is tried again by itself for an hour; add the user with: triviactl users add USER"}
	}

	return hinted{err, "is trivia-hook running? it settles what is pending"}
}
