// Package warehouse brings every recorded event and every win to the company's
// data warehouse. It reads what is committed, behind the back of intake, and
// remembers for each sink how far it has come: a crash sends at most one batch
// again.
package warehouse

import (
	"context"
	"time"

	"trivia/internal/store"
)

// A Table is one of the two that a warehouse gets. Its value is its name there.
type Table = store.WarehouseTable

// The tables.
const (
	Events = store.WarehouseEvents
	Wins   = store.WarehouseWins
)

// Tables are all tables.
func Tables() []Table { return []Table{Events, Wins} }

// A Sink is a place to which rows are sent.
type Sink interface {
	// Name is the one under which the position is kept: that of
	// [config.Warehouse], such as "files:/srv/warehouse" or
	// "bigquery:project.dataset". Another place is another sink, and gets all.
	Name() string

	// Send hands a batch over, for good when it returns without an error. After
	// an error nothing may be taken for sent, and the batch comes again, perhaps
	// with more rows behind it. Rows that the sink would never take are no error:
	// they are returned with the reason, and do not hold up the others. The rows
	// last until it returns.
	Send(ctx context.Context, b Batch) (refused []Refusal, err error)

	// Close gives back what the sink holds. What was sent is sent.
	Close() error
}

// A Batch is a stretch of one table.
type Batch struct {
	Table  Table
	Place  string  // names where it begins: the same for the same first row; letters, digits and "-"; sorts as the batches do
	Turn   int64   // rises with every process that takes over: of two batches of one place the later one counts
	Events []Event // if the table is Events
	Wins   []Win   // if the table is Wins
}

// Rows returns how many rows there are.
func (b Batch) Rows() int { return len(b.Events) + len(b.Wins) }

// from returns b without its first n rows.
func (b Batch) from(n int) Batch {
	if b.Table == Events {
		b.Events = b.Events[n:]
	} else {
		b.Wins = b.Wins[n:]
	}

	return b
}

// last returns where row n-1 stands: the last of n rows.
func (b Batch) last(n int) store.WarehousePlace {
	if b.Table == Events {
		return b.Events[n-1].Place()
	}

	return b.Wins[n-1].Place()
}

// first returns where the first row stands.
func (b Batch) first() store.WarehousePlace { return b.last(1) }

// The most that the stage hands over in one batch. A sink that has narrower
// limits splits it.
const (
	PieceRows  = 2500
	PieceBytes = 4 << 20 // of all columns, as text; one row more may make it longer
)

// A Gatherer is a sink that rather takes more than one batch at once: it gathers
// batches until it is full or time is up, and only then has them for good.
type Gatherer interface {
	Sink

	// Gather begins to gather batches of one table. Place and turn are those of
	// the first one.
	Gather(table Table, place string, turn int64) Gathering
}

// A Gathering is batches that are not sent for good yet.
type Gathering interface {
	// Add takes a stretch, or the beginning of it: it returns how many rows. If
	// that is not all, nothing more fits. The rows last until it returns.
	Add(ctx context.Context, b Batch) (taken int, err error)

	// End hands all over, for good when it returns without an error.
	End(ctx context.Context) error

	// Drop gives up what End has not handed over, and is harmless behind it.
	Drop()
}

// An Initer is a sink that can be prepared, such as by making tables.
type Initer interface {
	// Init prepares the sink and returns what was done, a line each. Again, it
	// does only what is still to be done.
	Init(ctx context.Context) (done []string, err error)
}

// A Counter is a sink that can be asked what it has.
type Counter interface {
	// CountDays returns how many different rows there are of each day in UTC, as
	// in 2026-11-22, that were received or won from since and before until.
	CountDays(ctx context.Context, table Table, since, until time.Time) (map[string]int, error)
}

// A Refusal is a row that a sink does not take.
type Refusal struct {
	Row    int    // its index in the batch
	Reason string // in the sink's words
}

// An Event is a row of customerio_events.
type Event = store.WarehouseEvent

// A Win is a row of trivia_wins.
type Win = store.WarehouseWin
