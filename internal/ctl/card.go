package ctl

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/tui"
)

// cardFormats are the formats of what shows one thing.
func cardFormats() []string { return []string{formatTable, formatJSON} }

// A line of a card: a label, and values that stand behind it.
type line struct {
	label  string
	values []any
}

// card writes lines below each other, labels and values aligned. Lines without
// a value are left out.
func (s *session) card(lines ...line) {
	width := 0
	for _, l := range lines {
		width = max(width, len(l.label))
	}
	for _, l := range lines {
		var words []string
		for _, value := range l.values {
			if word := tui.Word(s.longText(value)); word != "" {
				words = append(words, word)
			}
		}
		if len(words) > 0 {
			s.print("%-*s  %s\n", width, l.label, strings.Join(words, ", "))
		}
	}
}

// longText writes a value where there is room: times are exact, and relative
// besides on a terminal.
func (s *session) longText(value any) string {
	at, ok := value.(time.Time)
	switch {
	case value == nil, ok && at.IsZero():
		return ""
	case ok && s.StdoutTerminal:
		return at.In(s.Now().Location()).Format("2006-01-02 15:04:05.000 MST") + " (" + relative(at, s.Now()) + ")"
	case ok:
		return exact(at)
	}

	return fmt.Sprint(value)
}

// body writes a body for the eye: as text if it is text, else in hex.
func (s *session) body(body []byte) {
	text := string(body)
	if !utf8.Valid(body) || strings.ContainsRune(text, 0) {
		text = hex.Dump(body)
	}
	for l := range strings.Lines(text) {
		s.print("  %s\n", tui.Clean(strings.TrimRight(l, "\r\n")))
	}
}

// rawObjects are rows inside of another JSON value.
func rawObjects[T any](fields []field[T], rows []T) []json.RawMessage {
	all := make([]json.RawMessage, len(rows))
	for i, row := range rows {
		all[i] = json.RawMessage(object(fields, row))
	}

	return all
}

// hintMissing gives an error about a thing that is not there a next step.
func hintMissing(err error, hint string) error {
	if errors.Is(err, operator.ErrNotFound) {
		return hinted{err, hint}
	}

	return err
}

// jsonArray writes rows as one JSON array, a row per line.
func jsonArray[T any](fields []field[T], rows []T) string {
	lines := make([]string, len(rows))
	for i, row := range rows {
		lines[i] = object(fields, row)
	}

	return "[\n" + strings.Join(lines, ",\n") + "\n]"
}

// withBody are the fields of a delivery and its body.
func withBody() []field[store.DeliveryRow] {
	return append(deliveryNoun().fields, bodyFields("body", func(d store.DeliveryRow) []byte { return d.Body })...)
}

// bodyFields are the fields of a body: as text, or in base64 where it is no
// UTF-8.
func bodyFields[T any](name string, body func(T) []byte) []field[T] {
	return []field[T]{
		{name: name, value: func(row T) any {
			if b := body(row); b != nil && utf8.Valid(b) {
				return string(b)
			}

			return nil
		}},
		{name: name + "_base64", value: func(row T) any {
			if b := body(row); !utf8.Valid(b) {
				return base64.StdEncoding.EncodeToString(b)
			}

			return nil
		}},
	}
}

// storyFields are the fields of a row that is part of something larger.
func storyFields[T, S any](fields []field[T], of func(S) T) []field[S] {
	all := make([]field[S], len(fields))
	for i, f := range fields {
		all[i] = field[S]{name: f.name, value: func(story S) any { return f.value(of(story)) }}
	}

	return all
}

// section writes rows below a card, if there are any.
func section[T any](s *session, fields []field[T], rows []T) error {
	if len(rows) == 0 {
		return nil
	}

	s.print("\n")
	out := newTableSink(s, fields)
	for _, row := range rows {
		if err := out.row(row); err != nil {
			return err
		}
	}

	return out.end()
}

// noSuchBody says that a key is there, but not with the body asked for.
func noSuchBody(key string) error {
	return fmt.Errorf("delivery %q has no such body: %w", key, operator.ErrNotFound)
}
