package store

import (
	"cmp"
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
)

// A Found is a part of a listing.
type Found[T any] struct {
	Rows  []T    // of those that were looked at, what the filter chooses
	Last  T      // the last one that was looked at; zero if there was none
	After Cursor // names it: what comes behind has not been looked at
	End   bool   // there is nothing behind
	Since Mark   // of a [Reader]: counts what has come since
}

// stretch is how many rows one statement looks through for text: as many as take
// a moment, so that whoever waits can be told how far it has come.
const stretch = 20_000

// look reads the next part of a listing: as many rows as page says or, where
// text is looked for, those that are in the next stretch.
func (l listing[T]) look(ctx context.Context, db querier, page Page) (f Found[T], err error) {
	q, err := l.query(page.After)
	if err != nil {
		return f, err
	}
	q.oldest = page.Oldest
	if q.fits != "" {
		return l.lookThrough(ctx, db, q, page)
	}

	sql, args := q.text(page.Limit)
	rows, err := db.Query(ctx, sql, args)
	if err != nil {
		return f, err
	}
	f.Rows, err = pgx.CollectRows(rows, l.scan)
	f.End, f.After = len(f.Rows) < page.Limit, page.After
	if n := len(f.Rows); n > 0 {
		f.Last = f.Rows[n-1]
		f.After = l.cursor(f.Last)
	}

	return f, err
}

// lookThrough looks for text in the next stretch. Its statement also returns the
// last row of the stretch, be it as it may.
func (l listing[T]) lookThrough(ctx context.Context, db querier, q *query, page Page) (f Found[T], err error) {
	most := cmp.Or(l.search, stretch)
	rows, err := db.Query(ctx, q.through(), q.searching(page.Limit, most))
	if err != nil {
		return f, err
	}
	f.After = page.After
	last := 0
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (looked[T], error) {
		var r looked[T]
		one, err := l.scan(alsoRow{row, []any{&r.fits, &r.n}})
		r.row = one

		return r, err
	})
	for _, r := range all {
		f.Last, last = r.row, r.n
		f.After = l.cursor(r.row)
		if r.fits {
			f.Rows = append(f.Rows, r.row)
		}
	}
	f.End = len(f.Rows) < page.Limit && last < most

	return f, err
}

// A looked row may be one that does not fit, the last of its stretch.
type looked[T any] struct {
	row  T
	fits bool
	n    int
}

// An alsoRow is a row with further columns behind those that its reader knows.
type alsoRow struct {
	pgx.CollectableRow

	also []any
}

func (r alsoRow) Scan(dest ...any) error { return r.CollectableRow.Scan(append(dest, r.also...)...) }

// through is the statement that looks through a stretch.
func (q *query) through() string {
	inner := *q
	columns, from, _ := strings.Cut(q.head, fromLine)
	inner.head = columns + ", coalesce(" + q.fits + ", false) AS fits" + fromLine + from

	return `
	SELECT * FROM (
		SELECT *, row_number() OVER () AS n FROM (` + inner.all() + `
			LIMIT @stretch
		) AS looked
	) AS numbered
	WHERE fits OR n = @stretch
	ORDER BY n
	LIMIT @limit`
}

func (q *query) searching(limit, stretch int) pgx.NamedArgs {
	q.args["limit"], q.args["stretch"] = limit, stretch

	return q.args
}

// fromLine is how the part of a head that follows its columns begins.
const fromLine = "\n\tFROM "

// find looks for text as a part of columns, as it is written.
func (q *query) find(text string, columns ...string) {
	if text == "" {
		return
	}
	q.args["text"] = text
	conds := make([]string, len(columns))
	for i, column := range columns {
		conds[i] = "strpos(" + column + ", @text) > 0"
	}
	q.fits = "(" + strings.Join(conds, " OR ") + ")"
}
