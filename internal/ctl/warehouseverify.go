package ctl

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"trivia/internal/store"
	"trivia/internal/tui"
	"trivia/internal/warehouse"
)

func (s *session) verifyWarehouseCommand() *cli.Command {
	return &cli.Command{
		Name: "verify", Usage: "compare a warehouse with the database, day by day",
		Description: `Counts different rows of each day in UTC, here and there. What is not sent yet,
and what was refused, need not be there. More may be there than here: what was
pruned, and what was sent since. Exit code 1 if anything is missing. It looks at
every row of the span: BigQuery charges for two columns of it.

Examples:
  triviactl warehouse verify
  triviactl warehouse verify --since 2026-01-01 --table trivia_wins --output csv`,
		Flags:  append(sinceFlags(), tableFlag(), outputFlag(formats())),
		Action: s.verifyWarehouse,
	}
}

// A verification is what is to be compared.
type verification struct {
	tables       []warehouse.Table
	since, until time.Time
	format       string
}

func (s *session) parseVerify(c *cli.Context) (v verification, err error) {
	if _, err = plainWords(c); err != nil {
		return v, err
	}
	if v.format, err = oneOf(c, "output", formats()); err != nil {
		return v, err
	}
	if v.tables, err = warehouseTables(c); err != nil {
		return v, err
	}
	if v.since, v.until, err = parseSpan(c, s.Now()); err != nil {
		return v, err
	}
	const day = 24 * time.Hour
	if v.until.IsZero() {
		v.until = s.Now()
	}
	if v.since.IsZero() {
		v.since = v.until.UTC().Truncate(day).Add(-6 * day)
	}

	return v, nil
}

func (s *session) verifyWarehouse(c *cli.Context) error {
	v, err := s.parseVerify(c)
	if err != nil {
		return err
	}
	sink, err := s.sink(c.Context)
	if err != nil {
		return err
	}
	err = s.compare(c.Context, sink, v)

	return errors.Join(err, sink.Close())
}

func (s *session) compare(ctx context.Context, sink warehouse.Sink, v verification) error {
	counter, ok := sink.(warehouse.Counter)
	if !ok {
		return fmt.Errorf("%s cannot be asked what it has", sink.Name())
	}
	db, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer db.Close()

	days, err := countBoth(ctx, db, sink.Name(), counter, v)
	if err != nil {
		return err
	}
	out := newSink(s, dayNoun(), v.format)
	missing, first := 0, ""
	for _, d := range days {
		if err := out.row(d); err != nil {
			return err
		}
		if n := d.Missing(); n > 0 {
			missing += n
			if first == "" || d.Day < first {
				first = d.Day
			}
		}
	}
	if len(days) > 0 || v.format != formatTable {
		if err := out.end(); err != nil {
			return err
		}
	}
	switch {
	case missing > 0:
		return hinted{
			fmt.Errorf("%s missing in %s", pluralOf(missing, "row is", "rows are"), sink.Name()),
			"triviactl warehouse backfill --since " + first + "T00:00:00Z sends them",
		}
	case len(days) == 0:
		s.say("there are no rows of that time, here or there")
	default:
		s.say("nothing is missing in %s", sink.Name())
	}

	return nil
}

// countBoth counts here first: what is sent meanwhile is then only more there.
func countBoth(ctx context.Context, db *store.Store, sink string, counter warehouse.Counter, v verification) (days []warehouse.Day, err error) {
	for _, table := range v.tables {
		here, err := db.WarehouseDays(ctx, sink, table, v.since, v.until)
		if err != nil {
			return nil, err
		}
		there, err := counter.CountDays(ctx, table, v.since, v.until)
		if err != nil {
			return nil, err
		}
		days = append(days, warehouse.Compare(table, here, there)...)
	}

	return days, nil
}

func dayNoun() noun[warehouse.Day] {
	type row = warehouse.Day
	verdicts := &tui.Column{Title: "STATE", Rigid: true, Tone: func(cell string) tui.Tone {
		switch {
		case cell == "ok":
			return tui.Good
		case cell != "more there":
			return tui.Bad
		}

		return tui.Plain
	}}
	verdict := func(d row) any {
		switch n := d.Missing(); {
		case n > 0:
			return "missing"
		case n < 0:
			return "more there"
		}

		return "ok"
	}

	return noun[row]{plural: "days", fields: []field[row]{
		{name: "day", value: func(d row) any { return d.Day }, column: rigid("DAY")},
		{name: "table", value: func(d row) any { return d.Table }, column: rigid("TABLE")},
		{name: "rows", value: func(d row) any { return d.Rows }, column: number("HERE")},
		{name: "waiting", value: func(d row) any { return d.Waiting }, column: number("WAITING")},
		{name: "refused", value: func(d row) any { return d.Refused }, column: number("REFUSED")},
		{name: "warehouse", value: func(d row) any { return d.There }, column: number("THERE")},
		{name: "missing", value: func(d row) any { return max(d.Missing(), 0) }, column: number("MISSING")},
		{name: "state", value: verdict, column: verdicts},
	}}
}
