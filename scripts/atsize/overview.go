package main

import (
	"context"
	"fmt"
	"time"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

// measureOverview prints how long what the overview and the page of trivias ask
// takes, again and again as they do.
func measureOverview(ctx context.Context, m listMeasure, db *store.Store) error {
	minutes := func(n int) func() (string, error) {
		return func() (string, error) {
			until := time.Now().UTC().Truncate(time.Minute).Add(time.Minute)
			all, err := db.Minutes(ctx, until.Add(-time.Duration(n)*time.Minute), until)
			total := 0
			for _, of := range all {
				total += of.Total()
			}

			return fmt.Sprintf("%d deliveries", total), err
		}
	}
	for _, q := range []struct {
		page, question string
		pause          time.Duration
		once           func() (string, error)
	}{
		{"overview", "how things stand", time.Second, func() (string, error) {
			o, err := db.Overview(ctx)

			return fmt.Sprintf("%d parked, %d pending", o.Parked(), o.Pending+o.Expected), err
		}},
		{"overview", "the minute of now", time.Second, minutes(1)},
		{"overview", "five minutes, once", 0, minutes(5)},
		{"overview", "an hour at once", 0, minutes(store.MostMinutes)},
		{"trivias", "wins of all 20", 0, func() (string, error) {
			var ids []trivia.ID
			for i := range 20 {
				ids = append(ids, trivia.ID(fmt.Sprint("trivia-", i)))
			}
			counts, err := db.CountWinsOf(ctx, ids)
			total := int64(0)
			for _, n := range counts {
				total += n
			}

			return fmt.Sprintf("%d wins", total), err
		}},
	} {
		if err := m.row(q.page, q.question, q.pause, q.once); err != nil {
			return err
		}
	}

	return nil
}
