package ctl

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"trivia/internal/drain"
	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/warehouse"
)

// How often a backfill tries again what failed, and how long it rests before.
const (
	fillAttempts = 5
	fillRest     = time.Second
	fillMostRest = 30 * time.Second
	fillRate     = 20_000
)

func (s *session) backfillCommand() *cli.Command {
	return &cli.Command{
		Name: "backfill", Usage: "send rows of a span of time once more", ArgsUsage: "--since TIME",
		Description: `Oldest first, by when they came or were won. What the warehouse has already
vanishes in the views whose names end in _latest. trivia-hook may go on sending
meanwhile. It can be stopped at any time, and says how to go on.

Examples:
  triviactl warehouse backfill --since 2026-01-31 --reason "table was emptied"
  triviactl warehouse backfill --since 2w --until 1w --table trivia_wins`,
		Flags: append(sinceFlags(),
			tableFlag(),
			&cli.StringFlag{Name: "after", Usage: "go on behind `CURSOR`, which a call that was stopped prints"},
			&cli.IntFlag{Name: "rate", Value: fillRate, Usage: "at most `N` rows a second; 0: no limit"},
			reasonFlag(),
		),
		Action: s.backfill,
	}
}

func (s *session) parseBackfill(c *cli.Context) (r operator.Refill, err error) {
	if _, err = plainWords(c); err != nil {
		return r, err
	}
	if !c.IsSet("since") {
		return r, usagef("as in --since yesterday", "%s wants --since", c.Command.HelpName)
	}
	if n := c.Int("rate"); n < 0 {
		return r, usagef("0 is for any number", "--rate is %d, want at least 0", n)
	}
	r = operator.Refill{After: store.Cursor(c.String("after")), Reason: c.String("reason")}
	if r.Tables, err = warehouseTables(c); err != nil {
		return r, err
	}
	if r.After != "" {
		if _, _, err := store.WarehousePlaceOf(r.After); err != nil {
			return r, err
		}
	}
	if r.Since, r.Until, err = parseSpan(c, s.Now()); err != nil {
		return r, err
	}
	if r.Until.IsZero() {
		r.Until = s.Now() // trivia-hook sends what comes from now on
	}

	return r, nil
}

// warehouseTables returns the tables that --table chooses.
func warehouseTables(c *cli.Context) ([]warehouse.Table, error) {
	table, err := oneOf(c, "table", wordsOf(warehouse.Tables()))
	if err != nil {
		return nil, err
	}
	if table != "" {
		return []warehouse.Table{warehouse.Table(table)}, nil
	}

	return warehouse.Tables(), nil
}

func (s *session) backfill(c *cli.Context) error {
	r, err := s.parseBackfill(c)
	if err != nil {
		return err
	}
	sink, err := s.sink(c.Context)
	if err != nil {
		return err
	}
	err = s.fill(c, sink, r)

	return errors.Join(err, sink.Close())
}

func (s *session) fill(c *cli.Context, sink warehouse.Sink, r operator.Refill) error {
	db, err := s.connect(c.Context)
	if err != nil {
		return err
	}
	defer db.Close()
	do := operator.New(db, s.actor())
	r.Sink = sink.Name()
	whole := s.fillSize(c.Context, do, r)
	if err := do.BeginRefill(c.Context, r); err != nil {
		return err
	}

	bar := s.progress("sending", "rows")
	sent := map[warehouse.Table]int{}
	fill := warehouse.Backfill{
		Store: db, Sink: sink, Tables: r.Tables, Since: r.Since, Until: r.Until, After: r.After, Rate: c.Int("rate"), Begun: s.Now(),
		Again: func(attempt int, why error) (time.Duration, bool) {
			if attempt >= fillAttempts {
				return 0, false
			}
			rest := drain.Backoff(attempt, fillRest, fillMostRest, 1-1e-9)
			s.say("%s; trying again in %s", oneLine(why.Error()), rest.Round(time.Second))

			return rest, true
		},
		Progress: func(table warehouse.Table, rows int) {
			sent[table] = rows
			total := 0
			for _, n := range sent {
				total += n
			}
			bar.set(total, int64(total), whole)
		},
	}
	done, err := fill.Run(c.Context)
	bar.stop()
	for _, table := range r.Tables {
		s.print("%s: %s sent to %s\n", table, plural(done.Rows[table], "row"), sink.Name())
	}
	if done.Refused > 0 {
		s.say("%s refused; see triviactl warehouse refused", pluralOf(done.Refused, "row was", "rows were"))
	}
	if err != nil {
		return hinted{err, "go on with: " + goOnFilling(c.Command.HelpName, r, done.Last)}
	}

	return nil
}

// fillSize counts rows for the progress bar, if somebody sees it and that does
// not take long.
func (s *session) fillSize(ctx context.Context, do *operator.Operator, r operator.Refill) (whole int64) {
	if !s.StderrTerminal || r.After != "" {
		return 0
	}
	ctx, cancel := context.WithTimeout(ctx, countTime)
	defer cancel()
	for _, table := range r.Tables {
		var (
			n   int64
			err error
		)
		if table == warehouse.Events {
			n, err = do.TallyEvents(ctx, store.EventFilter{Since: r.Since, Until: r.Until})
		} else {
			n, err = do.TallyWins(ctx, store.WinFilter{Since: r.Since, Until: r.Until})
		}
		if err != nil {
			return 0 // the bar does without
		}
		whole += n
	}

	return whole
}

// goOnFilling is the call that goes on where another was stopped.
func goOnFilling(called string, r operator.Refill, last store.Cursor) string {
	words := []string{fmt.Sprintf("%s --since %s --until %s", called, exact(r.Since), exact(r.Until))}
	if len(r.Tables) == 1 {
		words = append(words, "--table", string(r.Tables[0]))
	}
	if last != "" {
		words = append(words, "--after", string(last))
	}

	return strings.Join(words, " ")
}
