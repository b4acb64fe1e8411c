package ctl

import (
	"errors"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"trivia/internal/config"
	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/tui"
	"trivia/internal/warehouse"
)

func (s *session) refusedCommand() *cli.Command {
	return &cli.Command{
		Name: "refused", Usage: "list rows that a warehouse refused, newest first",
		Description: `They do not hold up others. When what was wrong is mended, warehouse backfill
sends them once more, and those that are taken then are no longer listed.

Examples:
  triviactl warehouse refused --since yesterday
  triviactl warehouse refused --table trivia_wins --output json`,
		Flags: append(append([]cli.Flag{
			&cli.StringFlag{Name: "sink", Usage: "only by `SINK`, as warehouse status calls it"},
			tableFlag(),
		}, sinceFlags()...), viewFlags()...),
		Action: listAction(s, refusedNoun(), parseRefused, verbs.ListRefused),
	}
}

func tableFlag() cli.Flag {
	return &cli.StringFlag{Name: "table", Usage: "only `TABLE`: " + strings.Join(wordsOf(warehouse.Tables()), ", ")}
}

func parseRefused(c *cli.Context, now time.Time) (f store.WarehouseRefusedFilter, err error) {
	table, err := oneOf(c, "table", wordsOf(warehouse.Tables()))
	if err != nil {
		return f, err
	}
	f = store.WarehouseRefusedFilter{Sink: c.String("sink"), Table: warehouse.Table(table)}
	f.Since, f.Until, err = parseSpan(c, now)

	return f, err
}

func refusedNoun() noun[store.WarehouseRefused] {
	type row = store.WarehouseRefused

	return noun[row]{
		plural: "refused rows", cursor: row.Cursor,
		fields: []field[row]{
			{name: "at", value: func(r row) any { return r.At }, column: rigid("REFUSED")},
			{name: "sink", value: func(r row) any { return r.Sink }, column: flexible("SINK"), wide: true},
			{name: "table", value: func(r row) any { return r.Table }, column: rigid("TABLE")},
			{name: "key", value: func(r row) any { return r.Key }, column: flexible("KEY")},
			{name: "key2", value: func(r row) any { return orNil(r.Key2) }, column: flexible("KEY2")},
			{name: "reason", value: func(r row) any { return r.Reason }, column: flexible("REASON")},
		},
	}
}

func (s *session) leaveWarehouseCommand() *cli.Command {
	return &cli.Command{
		Name: "leave", Usage: "forget a warehouse that is no longer sent to", ArgsUsage: "SINK",
		Description: `Pruning waits for every warehouse that rows were ever sent to: this ends that.
What it has stays there. If it is sent to once more, all rows are sent anew.

Examples:
  triviactl warehouse leave files:/srv/old --reason "moved to BigQuery"`,
		Flags:  []cli.Flag{yesFlag(), reasonFlag()},
		Action: s.leaveWarehouse,
	}
}

func (s *session) leaveWarehouse(c *cli.Context) error {
	words, err := plainWords(c, "SINK")
	if err != nil {
		return err
	}
	do, done, err := s.open(c.Context)
	if err != nil {
		return err
	}
	defer done()
	if err := s.confirmUntil(c.Context, c.Bool("yes"), 1, "Forget how far "+tui.Clean(words[0])+" is"); err != nil {
		return err
	}

	refused, err := do.LeaveWarehouse(c.Context, words[0], c.String("reason"))
	switch {
	case errors.Is(err, store.ErrWarehouseHeld):
		return hinted{err, "stop trivia-hook, or set " + config.WarehouseTo + " to another place, and restart it; then wait for half a minute"}
	case errors.Is(err, operator.ErrNotFound):
		return hinted{err, "names are in: triviactl warehouse status"}
	case err != nil:
		return err
	}
	s.print("%s is forgotten, with %s that it refused\n", tui.Clean(words[0]), plural(refused, "row"))

	return nil
}
