package ctl

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"trivia/internal/store"
	"trivia/internal/tui"
)

// The formats of listings.
const (
	formatTable = "table"
	formatJSON  = "json" // one array, a row per line, written as rows come
	formatCSV   = "csv"
)

func formats() []string { return []string{formatTable, formatJSON, formatCSV} }

// defaultLimit is how many rows a listing shows unless told otherwise.
const defaultLimit = 50

// chunk is how many rows a table takes at once to measure its columns.
const chunk = 500

// wide is the width from which tables show their further columns.
const wide = 120

// A field is one value of a row, in every format.
type field[T any] struct {
	name   string      // in JSON and CSV
	value  func(T) any // a string, an int, a time.Time, or nil
	column *tui.Column // nil: not in tables
	wide   bool        // only in tables that have room for it
}

// A noun is a kind of row that is listed.
type noun[T any] struct {
	plural string
	fields []field[T]
	cursor func(T) store.Cursor
}

// A view says which part of a listing is shown, and how.
type view struct {
	format string
	after  store.Cursor
	limit  int // 0: all
}

func viewFlags() []cli.Flag {
	return []cli.Flag{
		&cli.IntFlag{Name: "limit", Value: defaultLimit, Usage: "show at most `N`"},
		&cli.BoolFlag{Name: "all", Usage: "show all, however many"},
		&cli.StringFlag{Name: "after", Usage: "go on behind `CURSOR`, which a cut listing prints"},
		outputFlag(formats()),
	}
}

func outputFlag(formats []string) cli.Flag {
	return &cli.StringFlag{Name: "output", Value: formatTable, Usage: "as `FORMAT`: " + strings.Join(formats, ", ")}
}

func parseView(c *cli.Context) (view, error) {
	v := view{after: store.Cursor(c.String("after")), limit: c.Int("limit")}
	var err error
	if v.format, err = oneOf(c, "output", formats()); err != nil {
		return v, err
	}

	switch {
	case c.Bool("all") && c.IsSet("limit"):
		return v, usagef("take one of them", "--all and --limit exclude each other")
	case c.Bool("all"):
		v.limit = 0
	case v.limit < 1:
		return v, usagef("--all shows all", "--limit is %d, want at least 1", v.limit)
	}

	return v, nil
}

// oneOf returns the value of a flag that takes one of a few words.
func oneOf(c *cli.Context, flag string, words []string) (string, error) {
	got := c.String(flag)
	if got == "" || slices.Contains(words, got) {
		return got, nil
	}
	list := "it takes " + strings.Join(words, ", ")

	return "", usagef(didYouMean(got, words, list), "--%s cannot be %q", flag, got)
}

// A sink takes the rows of a listing, one after the other.
type sink[T any] interface {
	row(T) error
	end() error
}

// list writes rows, and says on standard error if there are more. rows is
// asked for one more than is shown.
func list[T any](s *session, n noun[T], v view, rows func(store.Page) iter.Seq2[T, error]) error {
	page := store.Page{After: v.after}
	if v.limit > 0 {
		page.Limit = v.limit + 1
	}

	var out sink[T]
	switch v.format {
	case formatJSON:
		out = &jsonSink[T]{w: s.Stdout, fields: n.fields}
	case formatCSV:
		out = newCSVSink(s.Stdout, n.fields)
	default:
		out = newTableSink(s, n.fields)
	}

	var last T
	shown, more := 0, false
	for row, err := range rows(page) {
		if err != nil {
			// What came is shown. An array stays open, so that nobody takes it
			// for the whole.
			if v.format != formatJSON {
				_ = out.end()
			}

			return err
		}
		if more = v.limit > 0 && shown == v.limit; more {
			break
		}
		if err := out.row(row); err != nil {
			return fmt.Errorf("write %s: %w", n.plural, err)
		}
		last = row
		shown++
	}
	if shown == 0 && v.format == formatTable {
		s.say("no %s match", n.plural)

		return nil
	}
	if err := out.end(); err != nil {
		return fmt.Errorf("write %s: %w", n.plural, err)
	}
	if more {
		s.say("%d shown, there are more: go on with --after %s, or take --all", shown, n.cursor(last))
	}

	return nil
}

type tableSink[T any] struct {
	s       *session
	fields  []field[T]
	table   *tui.Table
	waiting [][]string
}

func newTableSink[T any](s *session, fields []field[T]) *tableSink[T] {
	width := 0
	if s.StdoutTerminal {
		width = s.Width
	}
	fields = slices.DeleteFunc(slices.Clone(fields), func(f field[T]) bool {
		return f.column == nil || f.wide && width > 0 && width < wide
	})
	columns := make([]tui.Column, len(fields))
	for i, f := range fields {
		columns[i] = *f.column
	}

	return &tableSink[T]{s: s, fields: fields, table: tui.NewTable(columns, width, s.colorful(s.StdoutTerminal))}
}

func (t *tableSink[T]) row(row T) error {
	cells := make([]string, len(t.fields))
	for i, f := range t.fields {
		cells[i] = t.s.text(f.value(row))
	}
	t.waiting = append(t.waiting, cells)
	if len(t.waiting) < chunk {
		return nil
	}

	return t.end()
}

func (t *tableSink[T]) end() error {
	if len(t.waiting) == 0 {
		return nil
	}
	_, err := io.WriteString(t.s.Stdout, t.table.Draw(t.waiting))
	t.waiting = t.waiting[:0]

	return err
}

// text writes a value for a person.
func (s *session) text(value any) string {
	at, ok := value.(time.Time)
	switch {
	case value == nil, ok && at.IsZero():
		return ""
	case ok && s.StdoutTerminal:
		return relative(at, s.Now())
	case ok:
		return exact(at)
	}

	return fmt.Sprint(value)
}

type jsonSink[T any] struct {
	w      io.Writer
	fields []field[T]
	begun  bool
}

func (j *jsonSink[T]) row(row T) error {
	begin := ",\n"
	if !j.begun {
		begin = "[\n"
	}
	j.begun = true

	_, err := io.WriteString(j.w, begin+object(j.fields, row))

	return err
}

func (j *jsonSink[T]) end() error {
	end := "\n]\n"
	if !j.begun {
		end = "[]\n"
	}
	_, err := io.WriteString(j.w, end)

	return err
}

// object writes a row as a JSON object, its members in the order of fields.
func object[T any](fields []field[T], row T) string {
	var text bytes.Buffer
	encode := json.NewEncoder(&text)
	encode.SetEscapeHTML(false)
	for i, f := range fields {
		text.WriteString(map[bool]string{true: "{", false: ","}[i == 0])
		value := f.value(row)
		if at, ok := value.(time.Time); ok {
			value = exact(at)
			if at.IsZero() {
				value = nil
			}
		}
		for j, part := range []any{f.name, value} {
			if j > 0 {
				text.WriteByte(':')
			}
			_ = encode.Encode(part) // strings and numbers always encode
			text.Truncate(text.Len() - 1)
		}
	}
	text.WriteByte('}')

	return text.String()
}

type csvSink[T any] struct {
	w      *csv.Writer
	fields []field[T]
}

func newCSVSink[T any](w io.Writer, fields []field[T]) *csvSink[T] {
	c := &csvSink[T]{w: csv.NewWriter(w), fields: fields}
	header := make([]string, len(fields))
	for i, f := range fields {
		header[i] = f.name
	}
	_ = c.w.Write(header) // it keeps its errors for later

	return c
}

func (c *csvSink[T]) row(row T) error {
	record := make([]string, len(c.fields))
	for i, f := range c.fields {
		switch value := f.value(row).(type) {
		case nil:
		case time.Time:
			if !value.IsZero() {
				record[i] = exact(value)
			}
		default:
			record[i] = fmt.Sprint(value)
		}
	}

	return c.w.Write(record)
}

func (c *csvSink[T]) end() error {
	c.w.Flush()

	return c.w.Error()
}
