package ctl

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"trivia/internal/tui"
)

// A sink takes the rows of a listing, one after the other.
type sink[T any] interface {
	row(T) error
	end() error
}

func newSink[T any](s *session, n noun[T], format string) sink[T] {
	switch format {
	case formatJSON:
		return &jsonSink[T]{w: s.Stdout, fields: n.fields}
	case formatCSV:
		return newCSVSink(s.Stdout, named(n.fields))
	default:
		return newTableSink(s, n.fields)
	}
}

// named leaves out the fields that only tables show.
func named[T any](fields []field[T]) []field[T] {
	return slices.DeleteFunc(slices.Clone(fields), func(f field[T]) bool { return f.name == "" })
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
	if object, ok := value.(json.RawMessage); ok {
		return string(object)
	}
	if is, ok := value.(bool); ok {
		return map[bool]string{true: "yes", false: "no"}[is]
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
func object[T any](fields []field[T], row T) string { return namedObject(named(fields), row) }

// namedObject is object of fields that all have names.
func namedObject[T any](fields []field[T], row T) string {
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
		case json.RawMessage:
			record[i] = string(value)
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
