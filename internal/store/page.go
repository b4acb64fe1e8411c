package store

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrCursor says that a [Cursor] does not come from the listing that it was
// given to.
var ErrCursor = errors.New("not a cursor of this listing")

// pageSize is how many rows a listing asks for at once: it holds no more in
// memory, and no transaction between two pages.
const pageSize = 500

// A Cursor names a row of a listing, so that a later call can go on behind it,
// however many rows came or went meanwhile. The zero value stands before the
// first row.
type Cursor string

// A Page says which part of a listing is wanted.
type Page struct {
	After  Cursor // only what comes behind it
	Limit  int    // how many rows at most; 0 means all of them
	Oldest bool   // the other way round, for listings that have a [Reader]
}

// newCursor packs a row's place in the listing called name.
func newCursor(name string, place ...string) Cursor {
	// Strings always marshal.
	text, _ := json.Marshal(append([]string{name}, place...))

	return Cursor(base64.RawURLEncoding.EncodeToString(text))
}

// place unpacks what newCursor packed: n words.
func (c Cursor) place(name string, n int) ([]string, error) {
	text, err := base64.RawURLEncoding.DecodeString(string(c))
	if err != nil {
		return nil, fmt.Errorf("%q: %w", string(c), ErrCursor)
	}

	var words []string
	if err := json.Unmarshal(text, &words); err != nil || len(words) != n+1 || words[0] != name {
		return nil, fmt.Errorf("%q: %w", string(c), ErrCursor)
	}

	return words[1:], nil
}

// instant and parseInstant keep a timestamp's microseconds, which is all that
// the database has.
func instant(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func parseInstant(c Cursor, word string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, word)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q: %w", string(c), ErrCursor)
	}

	return t, nil
}

// A query is a statement under construction. Only conditions for filters that
// were given enter it, so that the planner sees which index fits.
type query struct {
	head   string
	conds  []string
	args   pgx.NamedArgs
	tail   string
	fits   string // what no index helps with: a condition that is looked for row by row
	behind keyset
	oldest bool // the other way round
}

// A keyset is a place in a listing: columns, and the values of a row.
type keyset struct{ columns, values string }

func newQuery(head, tail string) *query {
	return &query{head: head, args: pgx.NamedArgs{}, tail: tail}
}

// where adds a condition and its arguments, as name and value in turn.
func (q *query) where(cond string, args ...any) {
	q.conds = append(q.conds, cond)
	q.set(args)
}

func (q *query) set(args []any) {
	for i := 0; i+1 < len(args); i += 2 {
		name, _ := args[i].(string)
		q.args[name] = args[i+1]
	}
}

// after goes on behind a place in a listing that has the newest rows first.
func (q *query) after(columns, values string, args ...any) {
	q.behind = keyset{columns, values}
	q.set(args)
}

// during limits a timestamp to from ≤ t < to; a zero time is no limit.
func (q *query) during(column string, from, to time.Time) {
	if !from.IsZero() {
		q.where(column+" >= @since", "since", from)
	}
	if !to.IsZero() {
		q.where(column+" < @until", "until", to)
	}
}

// text returns the statement for at most limit rows.
func (q *query) text(limit int) (string, pgx.NamedArgs) {
	q.args["limit"] = limit

	return q.all(q.fits) + "\n\tLIMIT @limit", q.args
}

// all is the statement without a limit, with more conditions.
func (q *query) all(more ...string) string {
	conds := slices.Clone(q.conds)
	tail, comes := q.tail, " < "
	if q.oldest {
		tail, comes = strings.ReplaceAll(tail, " DESC", ""), " > "
	}
	if q.behind != (keyset{}) {
		conds = append(conds, q.behind.columns+comes+q.behind.values)
	}
	for _, cond := range more {
		if cond != "" {
			conds = append(conds, cond)
		}
	}
	if len(conds) == 0 {
		return q.head + tail
	}

	return q.head + "\n\tWHERE " + strings.Join(conds, "\n\t  AND ") + tail
}

// A listing knows how to read one kind of row page by page.
type listing[T any] struct {
	what   string // plural, for errors
	query  func(after Cursor) (*query, error)
	scan   pgx.RowToFunc[T]
	cursor func(T) Cursor
	size   int // rows of a page; 0 means pageSize
	search int // rows that one statement looks through for text; 0 means stretch
}

// rows yields what page asks for. It ends after the first error.
func (l listing[T]) rows(ctx context.Context, db querier, page Page) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T

		next, left := page, page.Limit
		for {
			next.Limit = cmp.Or(l.size, pageSize)
			if page.Limit > 0 {
				next.Limit = min(next.Limit, left)
			}
			found, err := l.look(ctx, db, next)
			if err != nil {
				yield(none, fmt.Errorf("list %s: %w", l.what, err))
				return
			}

			for _, row := range found.Rows {
				if !yield(row, nil) {
					return
				}
			}
			left -= len(found.Rows)
			if found.End || page.Limit > 0 && left == 0 {
				return
			}
			next.After = found.After
		}
	}
}
