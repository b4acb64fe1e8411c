package store

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// A Mark says how many rows came since a moment, and how far they are counted.
type Mark struct {
	Count int64
	More  bool // and more, which the next count goes on with

	base   Cursor // what comes before it in the listing is new
	passed any    // what lies before this place is counted for good; nil: nothing is
	kept   int64  // how many that are
}

// MarkAt begins to count what is newer than a row, in a listing that has the
// newest first.
func MarkAt(newest Cursor) Mark { return Mark{base: newest} }

// Above returns a mark that counts as m does, but nothing that is no newer than a
// row that was found.
func (m Mark) Above(newest Cursor) Mark {
	m.base = newest

	return m
}

// settling is how long others may still write rows behind those that are there:
// intake gives up within four seconds, and clocks differ. What is younger is
// counted anew each time.
const settling = "interval '6 seconds'"

// mostArrivals is how many rows are counted at once. If there are more, whoever
// asks again gets to know.
const mostArrivals = 100_000

const countArrivals = `
	SELECT count(*), count(*) FILTER (WHERE place < @settled), greatest(@settled, @passed), max(place)
	FROM (%s
		LIMIT @most
	) AS new`

// Arrived is part of [Reader].
func (r reader[F, T]) Arrived(ctx context.Context, f F, since Mark) (Mark, error) {
	l, err := r.listing(ctx, f)
	if err != nil {
		return since, err
	}
	if since, err = r.arrived(ctx, l, since); err != nil {
		return since, fmt.Errorf("count new %s: %w", l.what, err)
	}

	return since, nil
}

func (r reader[F, T]) arrived(ctx context.Context, l listing[T], since Mark) (Mark, error) {
	settled, err := r.settled(ctx)
	if err != nil {
		return since, err
	}
	now, err := r.countedTo(ctx, l, since, settled)
	if err == nil && now.all == int64(cmp.Or(r.most, mostArrivals)) {
		since.More = true
		now, err = r.countedTo(ctx, l, since, now.last) // which others may share
	} else {
		since.More = false
	}
	if err != nil {
		return since, err
	}
	since.Count = since.kept + now.all
	if now.old > 0 || !since.More {
		since.kept, since.passed = since.kept+now.old, now.passed
	}

	return since, nil
}

// newRows are what is new, what of it lies before a place, and where it ends.
type newRows struct {
	all, old     int64
	passed, last any
}

func (r reader[F, T]) countedTo(ctx context.Context, l listing[T], since Mark, settled any) (c newRows, err error) {
	sql, args, err := r.arrivals(l, since, settled)
	if err != nil {
		return c, err
	}
	err = r.db.QueryRow(ctx, sql, args).Scan(&c.all, &c.old, &c.passed, &c.last)

	return c, err
}

// arrivals is the statement that goes on counting.
func (r reader[F, T]) arrivals(l listing[T], since Mark, settled any) (string, pgx.NamedArgs, error) {
	q, err := l.query(since.base)
	if err != nil {
		return "", nil, err
	}
	_, from, _ := strings.Cut(q.head, fromLine)
	q.head = "\n\tSELECT " + r.place + " AS place" + fromLine + from
	q.tail = "\n\tORDER BY " + r.place
	q.oldest = true
	if since.passed != nil {
		q.where(r.place + " >= @passed")
	}
	q.set([]any{"most", cmp.Or(r.most, mostArrivals), "settled", settled, "passed", since.passed})

	return fmt.Sprintf(countArrivals, q.all(q.fits)), q.args, nil
}

// settled returns the place before which nothing is written any more.
func (r reader[F, T]) settled(ctx context.Context) (any, error) {
	var at time.Time
	if err := r.db.QueryRow(ctx, "SELECT now() - "+settling).Scan(&at); err != nil {
		return nil, err
	}
	if r.placeAt == nil {
		return at, nil
	}

	return r.placeAt(ctx, at)
}
