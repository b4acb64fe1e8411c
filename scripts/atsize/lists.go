package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

// seen is how many rows of a list are on a large screen, and page how many the
// screens take at once.
const (
	seen = 50
	page = 100
)

// measureLists prints how long what the lists of triviactl tui ask takes, each
// question asked a few times, a second's pause between two counts.
func measureLists(ctx context.Context, opts options, url string) error {
	db, err := store.Open(ctx, url)
	if err != nil {
		return err
	}
	defer db.Close()
	if opts.load > 0 {
		stop, err := startLoad(ctx, opts, url)
		if err != nil {
			return err
		}
		defer stop()
	}

	fmt.Println("| list | question | median | most | |\n|---|---|--:|--:|---|")
	m := listMeasure{opts.rounds}
	parked := store.DeliveryFilter{State: trivia.StateParked}
	text := store.DeliveryFilter{Text: "no such text"}
	for _, try := range []func() error{
		func() error { return measureOverview(ctx, m, db) },
		func() error { return ask(ctx, m, "wins", db.ReadWins(), store.WinFilter{}) },
		func() error {
			return ask(ctx, m, "wins of a trivia", db.ReadWins(), store.WinFilter{Trivia: "trivia-7"})
		},
		func() error { return ask(ctx, m, "deliveries", db.ReadDeliveries(), store.DeliveryFilter{}) },
		func() error { return ask(ctx, m, "what is parked", db.ReadDeliveries(), parked) },
		func() error { return ask(ctx, m, "text in deliveries", db.ReadDeliveries(), text) },
		func() error { return ask(ctx, m, "events", db.ReadEvents(), store.EventFilter{}) },
		func() error { return ask(ctx, m, "pushes", db.ReadPushes(), store.PushFilter{}) },
		func() error { return ask(ctx, m, "acts", db.ReadDeeds(), store.DeedFilter{}) },
	} {
		if err := try(); err != nil {
			return err
		}
	}

	return nil
}

type listMeasure struct{ rounds int }

func (m listMeasure) row(list, question string, pause time.Duration, once func() (string, error)) error {
	var (
		took []time.Duration
		note string
	)
	for range m.rounds {
		begin := time.Now()
		said, err := once()
		if err != nil {
			return fmt.Errorf("%s, %s: %w", list, question, err)
		}
		took = append(took, time.Since(begin))
		note = said
		time.Sleep(pause)
	}
	slices.Sort(took)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	fmt.Printf("| %s | %s | %.1f ms | %.1f ms | %s |\n", list, question, ms(took[len(took)/2]), ms(took[len(took)-1]), note)

	return nil
}

// ask asks what a list asks: rows from the top, further ones, those from the end,
// what arrives, the rows on the screen again, and how many there are.
func ask[F, T any](ctx context.Context, m listMeasure, list string, r store.Reader[F, T], f F) error {
	var (
		top   store.Found[T]
		after store.Cursor
		since store.Mark
	)
	look := func(p func() store.Page, keep func(store.Found[T])) func() (string, error) {
		return func() (string, error) {
			found, err := r.Look(ctx, f, p())
			keep(found)

			return fmt.Sprintf("%d rows", len(found.Rows)), err
		}
	}
	for _, q := range []struct {
		question string
		pause    time.Duration
		once     func() (string, error)
	}{
		{"from the top", 0, look(func() store.Page { return store.Page{Limit: page} }, func(found store.Found[T]) {
			top, after, since = found, found.After, found.Since
		})},
		{"further", 0, look(func() store.Page { return store.Page{Limit: page, After: after} }, func(found store.Found[T]) { after = found.After })},
		{"before", 0, look(func() store.Page { return store.Page{Limit: page, After: after, Oldest: true} }, func(store.Found[T]) {})},
		{"from the end", 0, look(func() store.Page { return store.Page{Limit: page, Oldest: true} }, func(store.Found[T]) {})},
		{"what arrives", time.Second, func() (said string, err error) {
			since, err = r.Arrived(ctx, f, since)
			return fmt.Sprintf("%d new", since.Count), err
		}},
		{"rows again", 0, func() (string, error) {
			now, err := r.Again(ctx, top.Rows[:min(seen, len(top.Rows))])
			return fmt.Sprintf("%d rows", len(now)), err
		}},
		{"how many", 0, func() (string, error) {
			n, err := r.Tally(ctx, f)
			return fmt.Sprint(n), err
		}},
	} {
		if err := m.row(list, q.question, q.pause, q.once); err != nil {
			return err
		}
	}

	return nil
}
