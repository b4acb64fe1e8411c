package warehouse

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"trivia/internal/diag"
	"trivia/internal/drain"
	"trivia/internal/store"
)

// How a stage paces itself.
const (
	leaseTime = 20 * time.Second // after a crash another process takes over
	everyTime = time.Minute

	// How long an unreachable sink is left alone.
	firstRest   = time.Second
	longestRest = 2 * time.Minute
)

// Options are what a stage works with. Every, Lease, Rows and Spare may be left
// out.
type Options struct {
	Store   *store.Store
	Sink    Sink
	Metrics *diag.Metrics
	Log     *slog.Logger
	Now     func() time.Time
	Jitter  func() float64 // in [0, 1)

	Every time.Duration // for how long a sink that gathers may do so; 0 means a minute
	Lease time.Duration // after a crash, rows wait for so long; 0 means 20 s
	Rows  int           // in one piece at most; 0 means [PieceRows]

	// Spare returns for how long to leave the machine to others after a piece
	// that took so long; nil means not at all.
	Spare func(took time.Duration) time.Duration
}

// A Stage sends events and wins to one sink. Make one with [NewStage].
type Stage struct {
	Options

	walks []*walk
}

// NewStage returns a stage.
func NewStage(opts Options) *Stage {
	opts.Every, opts.Lease = cmp.Or(opts.Every, everyTime), cmp.Or(opts.Lease, leaseTime)
	opts.Rows = cmp.Or(opts.Rows, PieceRows)
	st := &Stage{Options: opts}
	for _, table := range Tables() {
		st.walks = append(st.walks, &walk{
			Stage: st, table: table, reader: opts.Store.WarehouseReader(opts.Rows, PieceBytes),
		})
	}
	opts.Metrics.WarehouseUp(opts.Sink.Name(), true)

	return st
}

// Step takes a piece of each table to the sink and returns how many rows. An
// error is the database's: what is wrong with the sink is said once in the log,
// kept for who asks, and tried again later.
func (st *Stage) Step(ctx context.Context) (n int, err error) {
	for _, w := range st.walks {
		rows, failed := w.step(ctx)
		n += rows
		err = errors.Join(err, failed)
	}

	return n, err
}

// Flush hands over what is gathered, at once.
func (st *Stage) Flush(ctx context.Context) (err error) {
	for _, w := range st.walks {
		err = errors.Join(err, w.flush(ctx))
	}

	return err
}

// Close hands over what is gathered, gives the tables back to other processes,
// and closes the sink.
func (st *Stage) Close(ctx context.Context) (err error) {
	for _, w := range st.walks {
		err = errors.Join(err, w.flush(ctx), w.giveBack(ctx))
	}

	return errors.Join(err, st.Sink.Close())
}

// A mood says how the sink takes a table.
type mood struct {
	failures int       // in a row
	rest     time.Time // until then it is left alone
	since    time.Time // when it began to fail
}

// failed notes that the sink did not take anything of w.
func (st *Stage) failed(ctx context.Context, w *walk, why error) {
	m := &w.mood
	m.failures++
	m.rest = st.Now().Add(drain.Backoff(m.failures, firstRest, longestRest, st.Jitter()))
	if m.failures > 1 {
		return
	}
	m.since = st.Now()
	st.Metrics.WarehouseUp(st.Sink.Name(), false)
	st.Log.ErrorContext(ctx, "the warehouse takes nothing; it is tried again, and nothing is lost",
		slog.String("sink", st.Sink.Name()), slog.String("table", string(w.table)), slog.Any("error", why))
}

// went notes that the sink took something of w.
func (st *Stage) went(ctx context.Context, w *walk) {
	if w.mood.failures == 0 {
		return
	}
	st.Log.InfoContext(ctx, "the warehouse takes rows again", slog.String("sink", st.Sink.Name()),
		slog.String("table", string(w.table)), slog.Duration("after", st.Now().Sub(w.mood.since)))
	w.mood = mood{}
	well := !slices.ContainsFunc(st.walks, func(w *walk) bool { return w.mood.failures > 0 })
	st.Metrics.WarehouseUp(st.Sink.Name(), well)
}
