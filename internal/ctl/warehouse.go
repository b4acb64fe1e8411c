package ctl

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"trivia/internal/config"
	"trivia/internal/store"
	"trivia/internal/tui"
	"trivia/internal/warehouse"
)

// warehouseVerbs are the verbs of warehouses that need no warehouse.
type warehouseVerbs interface {
	Warehouses(context.Context) ([]store.WarehouseState, error)
	OldestWriter(context.Context) (store.Writer, error)
	ListRefused(context.Context, store.WarehouseRefusedFilter, store.Page) iter.Seq2[store.WarehouseRefused, error]
	LeaveWarehouse(ctx context.Context, sink, reason string) (refused int, err error)
}

func (s *session) warehouseCommand() *cli.Command {
	return &cli.Command{
		Name: "warehouse", Category: mend, Usage: "the copy of events and wins in files or BigQuery",
		Subcommands: []*cli.Command{
			{
				Name: "init", Usage: "make the tables and views that are missing, or columns",
				Description: `Of BigQuery's tables that exist it only adds columns. The views whose names end
in _latest show each row once. A dataset is created only where --location says
where, for that cannot be changed later. Of files, it finds out whether they can
be written. Nothing is done twice: run it after each update.

Examples:
  export TRIVIA_WAREHOUSE=bigquery:my-project.trivia
  triviactl warehouse init --location EU
  triviactl warehouse init --dry-run`,
				Flags: []cli.Flag{
					&cli.StringFlag{Name: "location", Usage: "create a missing dataset in `PLACE`: EU, US, europe-west1 …"},
					&cli.BoolFlag{Name: "dry-run", Usage: "say what it would do, and do nothing"},
				},
				Action: s.initWarehouse,
			},
			{
				Name: "status", Usage: "how far each warehouse is",
				Description: `LAG is for how long the row that is next has waited. Exit code 1 if a warehouse
takes nothing now.

Examples:
  triviactl warehouse status
  triviactl warehouse status --output json | jq '.[] | select(.error != null)'`,
				Flags:  []cli.Flag{outputFlag(formats())},
				Action: s.warehouseStatus,
			},
			s.backfillCommand(), s.verifyWarehouseCommand(), s.refusedCommand(), s.leaveWarehouseCommand(),
		},
	}
}

// sink opens the warehouse that is set.
func (s *session) sink(ctx context.Context) (warehouse.Sink, error) {
	set, err := s.settings()
	if err != nil {
		return nil, err
	}
	sink, err := warehouse.Open(ctx, set.Warehouse)
	if errors.Is(err, warehouse.ErrNone) {
		return nil, usagef("as in "+config.WarehouseTo+"=bigquery:my-project.trivia, or files:/srv/warehouse", "%s is not set", config.WarehouseTo)
	}

	return sink, err
}

func (s *session) initWarehouse(c *cli.Context) error {
	if _, err := plainWords(c); err != nil {
		return err
	}
	sink, err := s.sink(c.Context)
	if err != nil {
		return err
	}
	switch big, ok := sink.(*warehouse.BigQuery); {
	case ok:
		big.Location = c.String("location")
	case c.IsSet("location"):
		return errors.Join(usagef("leave it out", "--location is for BigQuery, not for %s", sink.Name()), sink.Close())
	}
	err = s.prepare(c.Context, sink, c.Bool("dry-run"))

	return errors.Join(err, sink.Close())
}

// A planner says what a warehouse.Initer would do.
type planner interface {
	Plan(ctx context.Context) ([]string, error)
}

func (s *session) prepare(ctx context.Context, sink warehouse.Sink, dry bool) error {
	var (
		done []string
		err  error
	)
	plans, ok := sink.(planner)
	switch ready, isIniter := sink.(warehouse.Initer); {
	case dry && !ok:
		return usagef("leave it out", "%s has nothing to plan: --dry-run is for BigQuery", sink.Name())
	case dry:
		done, err = plans.Plan(ctx)
	case isIniter:
		done, err = ready.Init(ctx)
	}

	for _, line := range done {
		if dry {
			line = "not done yet: " + line
		}
		s.print("%s\n", oneLine(line))
	}
	if err == nil && len(done) == 0 {
		s.print("%s is ready: nothing to do\n", tui.Clean(sink.Name()))
	}

	return err
}

// A warehouseLine is a state, with what is to be known besides.
type warehouseLine struct {
	store.WarehouseState

	set bool // it is the one that this environment names
	now time.Time
}

// lag is for how long the next row has waited.
func (w warehouseLine) lag() time.Duration {
	if w.Oldest.IsZero() {
		return 0
	}

	return max(w.now.Sub(w.Oldest), 0)
}

func (w warehouseLine) state() string {
	switch {
	case w.Error != "":
		return "failing"
	case w.Held:
		return "sending"
	case w.set:
		return "waiting"
	}

	return "left"
}

func warehouseNoun() noun[warehouseLine] {
	type row = warehouseLine
	states := &tui.Column{Title: "STATE", Rigid: true, Tone: func(cell string) tui.Tone {
		return map[string]tui.Tone{"sending": tui.Good, "waiting": tui.Waiting, "failing": tui.Bad}[cell]
	}}

	return noun[row]{plural: "warehouses", fields: []field[row]{
		{name: "sink", value: func(w row) any { return w.Sink }, column: flexible("SINK")},
		{name: "table", value: func(w row) any { return w.Table }, column: rigid("TABLE")},
		{name: "state", value: func(w row) any { return w.state() }, column: states},
		{name: "sent", value: func(w row) any { return w.Sent - w.Refused }, column: number("SENT")},
		{name: "refused", value: func(w row) any { return w.Refused }, column: number("REFUSED")},
		{name: "waiting", value: func(w row) any { return w.Waiting }, column: number("WAITING")},
		{name: "lag_seconds", value: func(w row) any { return int(w.lag().Seconds()) }},
		{value: func(w row) any { return lagWords(w.lag()) }, column: number("LAG")},
		{name: "last_row_at", value: func(w row) any { return orNever(w.LastRow) }, column: rigid("LAST ROW"), wide: true},
		{name: "last_sent_at", value: func(w row) any { return w.LastSent }, column: rigid("LAST SENT")},
		{name: "begun_at", value: func(w row) any { return w.Begun }},
		{name: "error", value: func(w row) any { return orNil(w.Error) }},
		{name: "error_since", value: func(w row) any { return w.ErrorSince }},
		{name: "configured", value: func(w row) any { return w.set }},
	}}
}

func lagWords(d time.Duration) string {
	if d < time.Second {
		return "0s"
	}
	if words := span(d); words != "" {
		return words
	}

	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

// orNever leaves out the time before the first row.
func orNever(t time.Time) time.Time {
	if t.Year() <= 1 {
		return time.Time{}
	}

	return t
}

func (s *session) warehouseStatus(c *cli.Context) error {
	if _, err := plainWords(c); err != nil {
		return err
	}
	format, err := oneOf(c, "output", formats())
	if err != nil {
		return err
	}
	set, err := s.settings()
	if err != nil {
		return err
	}
	do, done, err := s.open(c.Context)
	if err != nil {
		return err
	}
	defer done()
	states, err := do.Warehouses(c.Context)
	if err != nil {
		return err
	}

	name := set.Warehouse.Name()
	lines := make([]warehouseLine, len(states))
	for i, state := range states {
		lines[i] = warehouseLine{state, state.Sink == name, s.Now()}
	}
	out := newSink(s, warehouseNoun(), format)
	for _, line := range lines {
		if err := out.row(line); err != nil {
			return err
		}
	}
	if len(lines) > 0 || format != formatTable {
		if err := out.end(); err != nil {
			return err
		}
	}
	s.explainStatus(c.Context, do, lines, name, format)
	if slices.ContainsFunc(lines, func(w warehouseLine) bool { return w.Error != "" && (w.set || name == "") }) {
		return errQuiet
	}

	return nil
}

// explainStatus says what stands in no column.
func (s *session) explainStatus(ctx context.Context, do verbs, lines []warehouseLine, name, format string) {
	known := slices.ContainsFunc(lines, func(w warehouseLine) bool { return w.set })
	switch {
	case name == "":
		s.say("%s is not set here: trivia-hook may know another", config.WarehouseTo)
	case !known:
		s.say("nothing was sent to %s yet; trivia-hook sends when it runs with the same %s", name, config.WarehouseTo)
	}
	behind := false
	for _, w := range lines {
		behind = behind || w.lag() > time.Minute
		if w.Error != "" && format == formatTable {
			s.say("%s of %s: nothing is taken since %s: %s", w.Table, w.Sink, relative(w.ErrorSince, s.Now()), oneLine(w.Error))
		}
		if w.state() == "left" && w.Waiting > 0 && format == formatTable {
			s.say("pruning waits for %s, which nobody sends to: triviactl warehouse leave %s ends that", w.Sink, shellWord(w.Sink))
		}
	}
	if !behind {
		return
	}
	writer, err := do.OldestWriter(ctx)
	if err == nil && s.Now().Sub(writer.Since) > time.Minute {
		s.say("a transaction has been writing since %s (process %d, %s): what came since is sent when it is over",
			relative(writer.Since, s.Now()), writer.PID, tui.Clean(strings.TrimSpace(writer.Name)))
	}
}
