package warehouse

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"golang.org/x/time/rate"

	"trivia/internal/store"
)

// A Backfill sends what came in a span of time once more, oldest first. What
// the warehouse has already vanishes in its views. The stage may go on beside
// it: how far that is stays as it is.
type Backfill struct {
	Store        *store.Store
	Sink         Sink
	Tables       []Table
	Since, Until time.Time
	After        store.Cursor // go on behind what an earlier one has ended with; empty: from Since
	Rate         int          // rows a second at most; 0: any number
	Begun        time.Time    // names its files: no two backfills may have begun at once

	// Again says how long to rest before what failed is tried again, or that it
	// is not.
	Again func(attempt int, why error) (time.Duration, bool)

	Progress func(table Table, rows int) // rows of this table so far; may be nil
}

// Backfilled says what came of a [Backfill].
type Backfilled struct {
	Rows    map[Table]int // that were sent, with those that were refused
	Refused int
	Last    store.Cursor // behind which to go on; empty: nothing was sent
}

// Run sends. After an error, Last says where to go on.
func (b Backfill) Run(ctx context.Context) (done Backfilled, err error) {
	done = Backfilled{Rows: map[Table]int{}, Last: b.After}
	begin := store.WarehousePlace{At: b.Since.Add(-time.Microsecond)} // behind every row before
	var from Table
	if b.After != "" {
		if from, begin, err = store.WarehousePlaceOf(b.After); err != nil {
			return done, err
		}
	}

	run := &refilling{Backfill: b, done: &done, pace: rate.NewLimiter(rate.Inf, 0)}
	if b.Rate > 0 {
		run.pace = rate.NewLimiter(rate.Limit(b.Rate), PieceRows)
	}
	run.reader = b.Store.WarehouseReader(PieceRows, PieceBytes)
	for _, table := range b.Tables {
		if from != "" && table != from {
			continue
		}
		if err := run.table(ctx, table, begin); err != nil {
			return done, fmt.Errorf("send %s again: %w", table, err)
		}
		from, begin = "", store.WarehousePlace{At: b.Since.Add(-time.Microsecond)}
	}

	return done, nil
}

// A refilling is a [Backfill] under way.
type refilling struct {
	Backfill

	done   *Backfilled
	pace   *rate.Limiter
	reader *store.WarehouseReader
	safe   store.WarehousePlace // of the last row that was sent for good

	gathering Gathering // nil: nothing is gathered
	gathered  int       // rows
	last      store.WarehousePlace
}

// table sends a table, and after an error goes on behind what was sent for
// good, as long as that may help.
func (r *refilling) table(ctx context.Context, table Table, after store.WarehousePlace) error {
	r.safe = after
	for attempt := 1; ; attempt++ {
		begun := r.safe
		err := r.walk(ctx, table)
		r.drop()
		if err == nil || ctx.Err() != nil || r.Again == nil {
			return err
		}
		if r.safe != begun {
			attempt = 1
		}
		rest, again := r.Again(attempt, err)
		if !again {
			return err
		}
		timer := time.NewTimer(rest)
		select {
		case <-ctx.Done():
			timer.Stop()

			return err
		case <-timer.C:
		}
	}
}

func (r *refilling) walk(ctx context.Context, table Table) error {
	for after := r.safe; ; {
		piece, err := r.read(ctx, table, after)
		if err != nil {
			return err
		}
		n := piece.Rows()
		if n == 0 {
			return r.end(ctx, table)
		}
		mend(piece.Events, r.Sink)
		after = piece.last(n)
		if gatherer, ok := r.Sink.(Gatherer); ok {
			err = r.gather(ctx, gatherer, piece)
		} else {
			err = r.send(ctx, piece)
		}
		if err != nil {
			return err
		}
		if err := r.pace.WaitN(ctx, n); err != nil {
			return context.Cause(ctx)
		}
	}
}

func (r *refilling) read(ctx context.Context, table Table, after store.WarehousePlace) (b Batch, err error) {
	b.Table = table
	if table == Events {
		b.Events, err = r.reader.EventsReceived(ctx, after, r.Until)
	} else {
		b.Wins, err = r.reader.WinsWon(ctx, after, r.Until)
	}

	return b, err
}

// place names where a batch begins. It is of a series of its own, so that files
// of it are neither the stage's nor another backfill's.
func (r *refilling) place(b Batch) string {
	first, begun := b.first(), r.Begun.UTC()
	h := fnv.New32a()
	_, _ = h.Write([]byte(first.Key + "\x00" + first.Key2))

	return fmt.Sprintf("backfill%s%06d-%014x-%08x",
		begun.Format("20060102T150405"), begun.Nanosecond()/1000, max(first.At.UnixMicro(), 0), h.Sum32())
}

func (r *refilling) send(ctx context.Context, b Batch) error {
	b.Place = r.place(b)
	refused, err := r.Sink.Send(ctx, b)
	if err != nil {
		return err
	}

	places := make([]store.WarehousePlace, b.Rows())
	for i := range places {
		places[i] = b.last(i + 1)
	}
	refusals := make([]store.WarehouseRefusal, len(refused))
	for i, f := range refused {
		refusals[i] = store.WarehouseRefusal{Key: places[f.Row].Key, Key2: places[f.Row].Key2, Reason: f.Reason}
	}
	if err := r.Store.ResentWarehouse(ctx, r.Sink.Name(), b.Table, places, refusals); err != nil {
		return err
	}
	r.sent(b.Table, len(places), len(refused), places[len(places)-1])

	return nil
}

func (r *refilling) sent(table Table, rows, refused int, last store.WarehousePlace) {
	r.done.Rows[table] += rows
	r.done.Refused += refused
	r.safe = last
	r.done.Last = last.Cursor(table)
	if r.Progress != nil {
		r.Progress(table, r.done.Rows[table])
	}
}

// gather hands b to a sink that takes many batches at once.
func (r *refilling) gather(ctx context.Context, sink Gatherer, b Batch) error {
	for b.Rows() > 0 {
		if r.gathering == nil {
			r.gathering = sink.Gather(b.Table, r.place(b), 0)
		}
		taken, err := r.gathering.Add(ctx, b)
		if err == nil && taken == 0 && r.gathered == 0 {
			err = errors.New("the sink has no room for a single row")
		}
		if err != nil {
			return err
		}
		if taken > 0 {
			r.gathered += taken
			r.last = b.last(taken)
		}
		if b = b.from(taken); b.Rows() > 0 {
			if err := r.end(ctx, b.Table); err != nil {
				return err
			}
		}
	}

	return nil
}

// end hands over what is gathered.
func (r *refilling) end(ctx context.Context, table Table) error {
	if r.gathering == nil {
		return nil
	}
	if err := r.gathering.End(ctx); err != nil {
		return err
	}
	rows, last := r.gathered, r.last
	r.drop()
	r.sent(table, rows, 0, last)

	return nil
}

func (r *refilling) drop() {
	if r.gathering != nil {
		r.gathering.Drop()
	}
	r.gathering, r.gathered = nil, 0
}
