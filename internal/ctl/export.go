package ctl

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// The formats of exports, besides formatCSV.
const (
	formatNDJSON  = "ndjson" // an object per line
	formatParquet = "parquet"
)

func exportFormats() []string { return []string{formatCSV, formatNDJSON, formatParquet} }

// stdout is how the name of a file says standard output.
const stdout = "-"

// countTime is how long counting may take before an export, which only the
// progress bar needs.
const countTime = 2 * time.Second

// exportVerbs are the verbs of exports, besides those of listings.
type exportVerbs interface {
	ListDeliveriesWithBodies(context.Context, store.DeliveryFilter, store.Page) iter.Seq2[store.DeliveryRow, error]
	TallyWins(context.Context, store.WinFilter) (int64, error)
	TallyEvents(context.Context, store.EventFilter) (int64, error)
	TallyDeliveries(context.Context, store.DeliveryFilter) (int64, error)
}

const exportWords = `All rows that fit are written, newest first, with the columns that --output csv
of the listing has: typed in Parquet. Any number of them needs the same memory.

FILE appears when all of it is there: an export that fails or is interrupted
leaves what was called so before. - is standard output.

Examples:
`

func (s *session) exportCommand() *cli.Command {
	return &cli.Command{
		Name: "export", Category: look, Usage: "write wins, events or deliveries into a file",
		Subcommands: []*cli.Command{
			{
				Name: "wins", Usage: "export wins", ArgsUsage: "-o FILE|-",
				Description: exportWords + `  triviactl export wins -o wins.parquet
  triviactl export wins --trivia capitals --since 7d -o - | gzip > wins.csv.gz`,
				Flags: exportFlags(
					&cli.StringFlag{Name: "user", Usage: "only those of `USER`"},
					&cli.StringFlag{Name: "trivia", Usage: "only those of `TRIVIA`"},
					&cli.StringFlag{Name: "item", Usage: "only those that earned `ITEM`"},
				),
				Action: s.exportWins,
			},
			{
				Name: "events", Usage: "export events", ArgsUsage: "-o FILE|-",
				Description: exportWords + `  triviactl export events --metric bounced --since yesterday -o bounces.csv
  triviactl export events --format ndjson -o - | jq .person`,
				Flags: exportFlags(
					&cli.StringFlag{Name: "user", Usage: "only those of `PERSON`, as Customer.io knows them"},
					&cli.StringFlag{Name: "object", Usage: "only of `TYPE`: email, in_app, customer …"},
					&cli.StringFlag{Name: "metric", Usage: "only where `METRIC` happened: sent, clicked, bounced …"},
					&cli.StringFlag{Name: "campaign", Usage: "only of campaign `ID`"},
				),
				Action: s.exportEvents,
			},
			{
				Name: "deliveries", Usage: "export deliveries, with their bodies if asked", ArgsUsage: "-o FILE|-",
				Description: exportWords + `  triviactl export deliveries --state parked -o parked.csv
  triviactl export deliveries --until 30d --bodies -o old.parquet`,
				Flags: exportFlags(
					&cli.StringFlag{Name: "user", Usage: "only wins of `USER`"},
					&cli.StringFlag{Name: "trivia", Usage: "only wins of `TRIVIA`"},
					&cli.StringFlag{Name: "item", Usage: "only wins that earn `ITEM`"},
					&cli.StringFlag{Name: "kind", Usage: "only `KIND`: " + strings.Join(wordsOf(trivia.Kinds()), ", ")},
					&cli.StringFlag{Name: "state", Usage: "only `STATE`: " + strings.Join(wordsOf(trivia.States()), ", ")},
					&cli.StringFlag{Name: "outcome", Usage: "only `OUTCOME`: awarded, malformed, unknown_user …"},
					&cli.BoolFlag{Name: "bodies", Usage: "with the bodies: bytes in Parquet, else in base64"},
				),
				Action: s.exportDeliveries,
			},
		},
	}
}

// exportFlags are those of every export, and filters.
func exportFlags(filters ...cli.Flag) []cli.Flag {
	return slices.Concat([]cli.Flag{
		&cli.StringFlag{Name: "out", Aliases: []string{"o"}, Usage: "write `FILE`; - is standard output"},
		&cli.StringFlag{Name: "format", Usage: "as `FORMAT`: csv, ndjson, parquet (default: by FILE)"},
	}, filters, sinceFlags())
}

// exportOptions say where an export goes, and how.
type exportOptions struct {
	file, format string
}

func parseExport(c *cli.Context) (o exportOptions, err error) {
	if _, err = plainWords(c); err != nil {
		return o, err
	}
	if o.format, err = oneOf(c, "format", exportFormats()); err != nil {
		return o, err
	}
	if o.file = c.String("out"); o.file == "" {
		return o, usagef("as in -o "+c.Command.Name+".csv; - is standard output", "%s wants -o FILE", c.Command.HelpName)
	}
	if o.format == "" {
		o.format = formatOf(o.file)
	}
	if o.file == stdout && o.format == formatParquet {
		return o, usagef("give it a FILE, or take csv or ndjson", "parquet is not for standard output")
	}

	return o, nil
}

// formatOf returns the format that the name of a file asks for.
func formatOf(file string) string {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".parquet":
		return formatParquet
	case ".ndjson", ".jsonl":
		return formatNDJSON
	}

	return formatCSV
}

func (s *session) exportWins(c *cli.Context) error {
	o, err := parseExport(c)
	if err != nil {
		return err
	}
	win := winFilter(c)
	f := store.WinFilter{User: win.User, Trivia: win.Trivia, Item: win.Item}
	if f.Since, f.Until, err = parseSpan(c, s.Now()); err != nil {
		return err
	}
	do, done, err := s.open(c.Context)
	if err != nil {
		return err
	}
	defer done()

	return export(c.Context, s, o, exported[store.WinRow]{
		noun: winNoun(), rows: do.ListWins(c.Context, f, store.Page{}), parquet: operator.WinsParquet,
		count: func(ctx context.Context) (int64, error) { return do.TallyWins(ctx, f) },
	})
}

func (s *session) exportEvents(c *cli.Context) error {
	o, err := parseExport(c)
	if err != nil {
		return err
	}
	f, err := parseEventFilter(c, s.Now())
	if err != nil {
		return err
	}
	do, done, err := s.open(c.Context)
	if err != nil {
		return err
	}
	defer done()

	return export(c.Context, s, o, exported[store.EventRow]{
		noun: eventNoun(), rows: do.ListEvents(c.Context, f, store.Page{}), parquet: operator.EventsParquet,
		count: func(ctx context.Context) (int64, error) { return do.TallyEvents(ctx, f) },
	})
}

func (s *session) exportDeliveries(c *cli.Context) error {
	o, err := parseExport(c)
	if err != nil {
		return err
	}
	win := winFilter(c)
	f := store.DeliveryFilter{User: win.User, Trivia: win.Trivia, Item: win.Item}
	if f.Since, f.Until, err = parseSpan(c, s.Now()); err != nil {
		return err
	}
	kind, kindErr := oneOf(c, "kind", wordsOf(trivia.Kinds()))
	state, stateErr := oneOf(c, "state", wordsOf(trivia.States()))
	outcome, outcomeErr := oneOf(c, "outcome", wordsOf(trivia.Outcomes()))
	for _, err := range []error{kindErr, stateErr, outcomeErr} {
		if err != nil {
			return err
		}
	}
	f.Kind, f.State, f.Outcome = trivia.Kind(kind), trivia.State(state), trivia.Outcome(outcome)
	do, done, err := s.open(c.Context)
	if err != nil {
		return err
	}
	defer done()

	what := exported[store.DeliveryRow]{
		noun: deliveryNoun(), parquet: operator.DeliveriesParquet,
		count: func(ctx context.Context) (int64, error) { return do.TallyDeliveries(ctx, f) },
	}
	if c.Bool("bodies") {
		what.noun.fields = append(what.noun.fields, field[store.DeliveryRow]{
			name: "body_base64", value: func(d store.DeliveryRow) any { return base64.StdEncoding.EncodeToString(d.Body) },
		})
		what.rows, what.parquet = do.ListDeliveriesWithBodies(c.Context, f, store.Page{}), operator.BodiesParquet
	} else {
		what.rows = do.ListDeliveries(c.Context, f, store.Page{})
	}

	return export(c.Context, s, o, what)
}

// Exported is what an export writes.
type exported[T any] struct {
	noun    noun[T]
	rows    iter.Seq2[T, error]
	count   func(context.Context) (int64, error) // of rows
	parquet func(io.Writer) *operator.ParquetFile[T]
}

// export writes rows to where they are to go. A file appears when it is whole,
// or not at all.
func export[T any](ctx context.Context, s *session, o exportOptions, what exported[T]) error {
	if o.file == stdout {
		n, err := writeRows(ctx, s, o, what, s.Stdout)
		if err != nil {
			return fmt.Errorf("export %s after %d: %w", what.noun.plural, n, err)
		}
		s.say("%d %s written", n, what.noun.plural)

		return nil
	}

	file, err := createPart(o.file)
	if err != nil {
		return err
	}
	n, err := writeRows(ctx, s, o, what, file)
	if err != nil {
		err = errors.Join(err, file.abort())
	} else {
		err = file.commit()
	}
	if err != nil {
		return hinted{
			fmt.Errorf("export %s after %d: %w", what.noun.plural, n, err),
			"nothing was written; what was called " + o.file + " before is as it was",
		}
	}
	s.print("%d %s written to %s\n", n, what.noun.plural, o.file)

	return nil
}

func writeRows[T any](ctx context.Context, s *session, o exportOptions, what exported[T], to io.Writer) (n int, err error) {
	buffer := bufio.NewWriterSize(to, 1<<18)
	out := exportSink(o.format, what, buffer)
	bar, whole := progressBar{}, int64(0)
	if s.StderrTerminal && (o.file != stdout || !s.StdoutTerminal) {
		counting, cancel := context.WithTimeout(ctx, countTime)
		if whole, err = what.count(counting); err != nil {
			whole = 0 // the bar does without
		}
		cancel()
		bar = s.progress("exporting", what.noun.plural)
	}
	defer bar.stop()

	for row, err := range what.rows {
		if err != nil {
			return n, errors.Join(err, buffer.Flush()) // on standard output, what came is shown
		}
		if err := out.row(row); err != nil {
			return n, err
		}
		n++
		bar.set(n, int64(n), whole)
	}
	if err := ctx.Err(); err != nil {
		return n, err
	}
	if err := out.end(); err != nil {
		return n, err
	}

	return n, buffer.Flush()
}

func exportSink[T any](format string, what exported[T], w io.Writer) sink[T] {
	switch format {
	case formatParquet:
		return parquetSink[T]{what.parquet(w)}
	case formatNDJSON:
		return ndjsonSink[T]{w, named(what.noun.fields)}
	}

	return newCSVSink(w, named(what.noun.fields))
}

type parquetSink[T any] struct{ file *operator.ParquetFile[T] }

func (p parquetSink[T]) row(row T) error { return p.file.Row(row) }
func (p parquetSink[T]) end() error      { return p.file.End() }

type ndjsonSink[T any] struct {
	w      io.Writer
	fields []field[T]
}

func (n ndjsonSink[T]) row(row T) error {
	_, err := io.WriteString(n.w, namedObject(n.fields, row)+"\n")

	return err
}

func (ndjsonSink[T]) end() error { return nil }
