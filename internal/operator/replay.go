package operator

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"trivia/internal/customerio"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// A Replay says which deliveries are settled again, and how.
type Replay struct {
	Set         ReplaySet
	Reason      string // for the audit log
	CreateUsers bool   // insert a missing user with the win, as the service does
	Owing       store.Owing
	Rate        int                                 // deliveries settled in a second, at most; 0 means as fast as it goes
	Progress    func(so *Replayed, done, whole int) // may be nil
	Now         func() time.Time
}

// A ReplaySet is what is replayed: these rows, or all of a walk.
type ReplaySet struct {
	Rows  []store.DeliveryRow // if not nil, there is no walk
	Walk  store.DeliveryWalk
	After store.Cursor // go on behind the delivery that an earlier replay has ended with
	Limit int          // how many at most; 0 means all
}

// all yields the deliveries of the set, oldest first: of several that are after
// the same prize the first to come gets it.
func (o *Operator) all(ctx context.Context, set ReplaySet) iter.Seq2[store.DeliveryRow, error] {
	if set.Rows == nil {
		return o.store.OldestDeliveries(ctx, set.Walk, store.Page{After: set.After, Limit: set.Limit})
	}

	rows := slices.Clone(set.Rows)
	slices.SortStableFunc(rows, func(x, y store.DeliveryRow) int {
		return cmp.Or(x.ReceivedAt.Compare(y.ReceivedAt), strings.Compare(x.Key, y.Key))
	})

	return func(yield func(store.DeliveryRow, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

// CountReplay returns how many deliveries a set has.
func (o *Operator) CountReplay(ctx context.Context, set ReplaySet) (int, error) {
	if set.Rows != nil {
		return len(set.Rows), nil
	}

	n, err := o.store.CountDeliveries(ctx, set.Walk, set.After)
	if set.Limit > 0 {
		n = min(n, set.Limit)
	}

	return n, err
}

// PreviewReplay says what [Operator.Replay] would do. It does it, in
// transactions that are undone.
func (o *Operator) PreviewReplay(ctx context.Context, r Replay) (Replayed, error) {
	r.Rate = 0

	return o.replay(ctx, r, true)
}

// Replay settles deliveries again, with the statements and rules of the
// service, so that it awards nothing twice. What was awarded or recorded stays,
// as does a second body under an event's identifier, and what a repaired copy stands for. It
// holds no more than a batch in memory.
//
// Each batch is a commit of its own, with a line in the audit log for each
// delivery that is changed: a replay that stops halfway can be run again. After
// an error, Last says where to go on.
func (o *Operator) Replay(ctx context.Context, r Replay) (Replayed, error) {
	return o.replay(ctx, r, false)
}

func (o *Operator) replay(ctx context.Context, r Replay, rehearse bool) (Replayed, error) {
	whole, err := o.CountReplay(ctx, r.Set)
	if err != nil {
		return Replayed{}, err
	}

	run := &replaying{
		Operator: o, Replay: r, rehearse: rehearse, whole: whole, size: firstBatch,
		so: Replayed{Changes: map[Change]int{}, Last: r.Set.After}, begun: r.Now(),
		winners: map[prizeName]store.Again{},
	}
	err = run.all(ctx)

	return run.so, err
}

// How much is settled in one commit: as much as takes a moment, so that others
// who want the same rows wait no longer.
const (
	firstBatch = 16
	mostBatch  = 256
	mostBytes  = 8 << 20
	shortest   = 40 * time.Millisecond
	longest    = 150 * time.Millisecond
)

// A prizeName is what can be won once.
type prizeName struct {
	user trivia.UserID
	id   trivia.ID
}

// mostWinners bounds what a preview remembers: beyond that it may take several
// deliveries for awarded that are after the same prize.
const mostWinners = 200_000

// A replaying is a replay under way.
type replaying struct {
	*Operator
	Replay

	rehearse bool
	so       Replayed
	whole    int
	size     int // of the next batch
	tried    int // deliveries that were settled again
	begun    time.Time
	// Those that were awarded in earlier batches of a preview, and undone.
	winners map[prizeName]store.Again
}

func (run *replaying) all(ctx context.Context) error {
	var (
		batch []store.DeliveryRow
		bytes int
	)
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		if err := run.batch(ctx, batch); err != nil {
			return err
		}
		run.so.Last = batch[len(batch)-1].Place()
		batch, bytes = batch[:0], 0
		if run.Progress != nil {
			run.Progress(&run.so, run.so.Deliveries, run.whole)
		}

		return run.pace(ctx)
	}

	for d, err := range run.Operator.all(ctx, run.Set) {
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("replay: %w", context.Cause(ctx))
		}
		batch = append(batch, d)
		if bytes += d.Size; len(batch) < run.batchSize() && bytes < mostBytes {
			continue
		}
		if err := flush(); err != nil {
			return err
		}
	}

	return flush()
}

// batchSize keeps batches small enough for the rate to be even.
func (run *replaying) batchSize() int {
	if run.Rate == 0 {
		return run.size
	}

	return min(run.size, max(1, run.Rate/5))
}

// pace waits until no more is settled than the rate allows.
func (run *replaying) pace(ctx context.Context) error {
	if run.Rate == 0 {
		return nil
	}

	wait := time.Duration(float64(run.tried)/float64(run.Rate)*float64(time.Second)) - run.Now().Sub(run.begun)

	return pause(ctx, wait)
}

func pause(ctx context.Context, wait time.Duration) error {
	if wait <= 0 {
		return nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("replay: %w", context.Cause(ctx))
	}
}

// batch settles again what of rows can be, and tells of all of them.
func (run *replaying) batch(ctx context.Context, rows []store.DeliveryRow) error {
	list, err := run.ready(ctx, rows)
	if err != nil {
		return err
	}

	begun := run.Now()
	results, err := run.settle(ctx, list)
	if err != nil {
		return err
	}
	run.tried += len(list)
	switch took := run.Now().Sub(begun); {
	case took > longest:
		run.size = max(1, run.size/2)
	case took < shortest:
		run.size = min(mostBatch, run.size*2)
	}

	for _, d := range rows {
		name := rowName{d.Key, d.Kind, string(d.Rival)}
		if row, ok := results[name]; ok {
			run.tell(row)
			continue
		}
		run.tell(ReplayedRow{DeliveryRow: d, After: standingOf(d), Reason: d.Reason})
	}

	return nil
}

// A rowName is the primary key of a delivery.
type rowName struct {
	key   string
	kind  trivia.Kind
	rival string
}

func (run *replaying) tell(row ReplayedRow) {
	run.so.Deliveries++
	run.so.Changes[Change{standingOf(row.DeliveryRow), row.After}]++
	if len(run.so.First) < mostReplayed {
		row.Body = nil
		run.so.First = append(run.so.First, row)
	}
}

// ready returns those of rows that may come to something else than before,
// decoded anew.
func (run *replaying) ready(ctx context.Context, rows []store.DeliveryRow) ([]store.Again, error) {
	open, err := run.unsettled(ctx, rows)
	if err != nil {
		return nil, err
	}
	if err := run.store.ReadBodies(ctx, open); err != nil {
		return nil, err
	}

	list := make([]store.Again, 0, len(open))
	for _, d := range open {
		if d.Body == nil {
			continue // it is gone
		}
		now := arrivalOf(d)
		if d.Outcome == trivia.Malformed && now.Unusable != "" {
			continue
		}
		list = append(list, store.Again{DeliveryRow: d, Now: now})
	}

	return list, nil
}

// unsettled leaves out what stays what it is, whatever its body says.
func (run *replaying) unsettled(ctx context.Context, rows []store.DeliveryRow) ([]store.DeliveryRow, error) {
	var (
		open []store.DeliveryRow
		wins []trivia.Win // of those that were won already
		at   []int
	)
	for _, d := range rows {
		switch {
		case len(d.Rival) > 0, d.RepairedBy != "":
			continue
		case d.State == trivia.StateDone && (d.Outcome != trivia.AlreadyWon || d.Size == 0):
			continue // a blanked body says nothing any more
		case d.State == trivia.StateDone:
			wins, at = append(wins, d.Win), append(at, len(open))
		}
		open = append(open, d)
	}
	if len(wins) == 0 {
		return open, nil
	}

	held, err := run.store.Held(ctx, wins)
	if err != nil {
		return nil, err
	}
	for i, place := range slices.Backward(at) {
		if held[i] {
			open = slices.Delete(open, place, place+1)
		}
	}

	return open, nil
}

// arrivalOf decodes a kept delivery again: its bytes are the truth, and this
// program may know more about them than the one that kept them.
func arrivalOf(d store.DeliveryRow) store.Arrival {
	a := store.Arrival{Kind: d.Kind, Key: d.Key, Body: d.Body, SHA256: sha256.Sum256(d.Body), At: d.ReceivedAt}
	var err error
	switch d.Kind {
	case trivia.KindWin:
		a.Win, err = customerio.DecodeAction(d.Body)
	case trivia.KindEvent:
		_, a.Event, err = customerio.DecodeEvent(d.Body)
	}
	if err != nil {
		a.Win, a.Unusable = trivia.Win{}, err.Error()
	}

	return a
}
