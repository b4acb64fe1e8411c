package store

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// A WarehouseReader reads what is to be copied, in pieces. It is for one
// goroutine, and what it returns lasts until it reads again: the memory is used
// for the next piece.
type WarehouseReader struct {
	store *Store
	limit pieceLimit
	rows  int
	bytes int

	texts  texture
	events []WarehouseEvent
	wins   []WarehouseWin
}

// WarehouseReader returns a reader whose pieces have at most so many rows, and
// end with the row that makes them as long as so many bytes.
func (s *Store) WarehouseReader(rows, bytes int) *WarehouseReader {
	return &WarehouseReader{store: s, rows: rows, bytes: bytes}
}

// What every transaction sees that is not over yet, and those to come, is not
// read before they are. What this server has not counted up to was written in
// another one, and restored here.
const (
	isOver = `written < pg_snapshot_xmin(pg_current_snapshot())`

	// The index is entered there, and not where $1 is: that would be at its very
	// beginning.
	yetToCount  = `pg_snapshot_xmax(pg_current_snapshot())`
	isCounted   = `$1::xid8 < ` + yetToCount
	behindAhead = `(CASE WHEN ` + isCounted + ` THEN ` + yetToCount + ` ELSE $1::xid8 END,
		CASE WHEN ` + isCounted + ` THEN '-infinity' ELSE $2::timestamptz END, CASE WHEN ` + isCounted + ` THEN '' ELSE $3 END`

	eventsBehind  = `(e.written, e.received_at, e.event_id) > ($1::xid8, $2::timestamptz, $3)`
	eventsInOrder = ` ORDER BY e.written, e.received_at, e.event_id LIMIT $4`
	writtenEvents = warehouseEventColumns + ` WHERE ` + eventsBehind + ` AND e.` + isOver + eventsInOrder
	aheadEvents   = warehouseEventColumns + ` WHERE (e.written, e.received_at, e.event_id) > ` + behindAhead + `)` + eventsInOrder

	winsBehind  = `(w.written, w.won_at, w.user_id, w.trivia_id) > ($1::xid8, $2::timestamptz, $3, $4)`
	winsInOrder = ` ORDER BY w.written, w.won_at, w.user_id, w.trivia_id LIMIT $5`
	writtenWins = warehouseWinColumns + ` WHERE ` + winsBehind + ` AND w.` + isOver + winsInOrder
	aheadWins   = warehouseWinColumns + ` WHERE (w.written, w.won_at, w.user_id, w.trivia_id) > ` + behindAhead + `,
		CASE WHEN ` + isCounted + ` THEN '' ELSE $4 END)` + winsInOrder

	// By when they came, for who wants all since then.
	receivedEvents = warehouseEventColumns + `
	WHERE (e.received_at, e.event_id) > ($1::timestamptz, $2) AND e.received_at < $3::timestamptz
	ORDER BY e.received_at, e.event_id LIMIT $4`
	wonWins = warehouseWinColumns + `
	WHERE (w.won_at, w.user_id, w.trivia_id) > ($1::timestamptz, $2, $3) AND w.won_at < $4::timestamptz
	ORDER BY w.won_at, w.user_id, w.trivia_id LIMIT $5`
)

// inOrder begins every reading: through an index that has the order, whatever
// the statistics. It does not keep rows of one time from being put in order.
const inOrder = `SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
	set_config('enable_sort', 'off', true), set_config('jit', 'off', true)`

// Events returns the events that come next behind a place: those that this
// server has counted up to, or those ahead of that. Nothing means that there
// are none now.
func (r *WarehouseReader) Events(ctx context.Context, after WarehousePlace, ahead bool) ([]WarehouseEvent, error) {
	sql := writtenEvents
	if ahead {
		sql = aheadEvents
	}

	return r.readEvents(ctx, sql, after.Written, after.At, after.Key)
}

// EventsReceived is [WarehouseReader.Events] in the order in which they came,
// before until. Of the place behind which to go on, the transaction is not
// looked at.
func (r *WarehouseReader) EventsReceived(ctx context.Context, after WarehousePlace, until time.Time) ([]WarehouseEvent, error) {
	return r.readEvents(ctx, receivedEvents, after.At, after.Key, until)
}

func (r *WarehouseReader) readEvents(ctx context.Context, sql string, args ...any) ([]WarehouseEvent, error) {
	r.reset()
	limit := r.limit.next(r.rows)
	cut, err := r.read(ctx, sql, append(args, limit), func(row *rawRow) {
		if len(r.events) == cap(r.events) {
			r.events = slices.Grow(r.events, min(max(64, len(r.events)), limit-len(r.events)))
		}
		r.events = r.events[:len(r.events)+1]
		row.event(&r.events[len(r.events)-1])
	})
	r.limit.learn(len(r.events), cut)

	return r.events, wrapRead(WarehouseEvents, err)
}

// reset forgets what was read before.
func (r *WarehouseReader) reset() {
	clear(r.events)
	clear(r.wins)
	r.events, r.wins = r.events[:0], r.wins[:0]
	r.texts.reset()
}

// Wins is [WarehouseReader.Events] for wins.
func (r *WarehouseReader) Wins(ctx context.Context, after WarehousePlace, ahead bool) ([]WarehouseWin, error) {
	sql := writtenWins
	if ahead {
		sql = aheadWins
	}

	return r.readWins(ctx, sql, after.Written, after.At, after.Key, after.Key2)
}

// WinsWon is [WarehouseReader.EventsReceived] for wins.
func (r *WarehouseReader) WinsWon(ctx context.Context, after WarehousePlace, until time.Time) ([]WarehouseWin, error) {
	return r.readWins(ctx, wonWins, after.At, after.Key, after.Key2, until)
}

func (r *WarehouseReader) readWins(ctx context.Context, sql string, args ...any) ([]WarehouseWin, error) {
	r.reset()
	limit := r.limit.next(r.rows)
	cut, err := r.read(ctx, sql, append(args, limit), func(row *rawRow) {
		r.wins = append(r.wins, WarehouseWin{})
		row.win(&r.wins[len(r.wins)-1])
	})
	r.limit.learn(len(r.wins), cut)

	return r.wins, wrapRead(WarehouseWins, err)
}

func (r *WarehouseReader) read(ctx context.Context, sql string, args []any, read func(*rawRow)) (cut bool, err error) {
	var q pgx.Batch
	q.Queue(inOrder)
	q.Queue(sql, args...).Query(func(rows pgx.Rows) (err error) {
		cut, err = readRaw(rows, &r.texts, r.bytes, read)

		return err
	})

	return cut, r.store.pool.SendBatch(ctx, &q).Close()
}
