package ctl

import (
	"context"
	"fmt"
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
	name   string      // in JSON and CSV; empty: only in tables
	value  func(T) any // a string, an int, a bool, a time.Time, a json.RawMessage, or nil
	column *tui.Column // nil: not in tables
	wide   bool        // only in tables that have room for it
}

// flexible and rigid are columns that are cut first, and last.
func flexible(title string) *tui.Column { return &tui.Column{Title: title} }
func rigid(title string) *tui.Column    { return &tui.Column{Title: title, Rigid: true} }
func number(title string) *tui.Column   { return &tui.Column{Title: title, Rigid: true, Right: true} }

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

// listAction returns what a command does that lists: parse reads its flags, and find
// is the verb that knows the rows.
func listAction[F, T any](
	s *session, n noun[T], parse func(*cli.Context, time.Time) (F, error),
	find func(verbs, context.Context, F, store.Page) iter.Seq2[T, error],
) cli.ActionFunc {
	return func(c *cli.Context) error {
		if _, err := plainWords(c); err != nil {
			return err
		}
		f, err := parse(c, s.Now())
		if err != nil {
			return err
		}
		v, err := parseView(c)
		if err != nil {
			return err
		}
		do, done, err := s.open(c.Context)
		if err != nil {
			return err
		}
		defer done()

		return list(s, n, v, func(p store.Page) iter.Seq2[T, error] { return find(do, c.Context, f, p) })
	}
}

// list writes rows, and says on standard error if there are more. rows is
// asked for one more than is shown.
func list[T any](s *session, n noun[T], v view, rows func(store.Page) iter.Seq2[T, error]) error {
	page := store.Page{After: v.after}
	if v.limit > 0 {
		page.Limit = v.limit + 1
	}

	out := newSink(s, n, v.format)

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
