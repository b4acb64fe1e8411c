package warehouse

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"time"

	"trivia/internal/faultpoint"
	"trivia/internal/store"
)

const (
	readTime = 30 * time.Second // for the database to read one piece
	noteTime = 10 * time.Second // and to write down what was sent, even if we are told to stop
)

// A walk goes through one table.
type walk struct {
	*Stage

	table  Table
	reader *store.WarehouseReader
	mood   mood

	lease    *store.WarehouseLease // nil: not ours
	renew    time.Time             // when the lease is to be made longer
	until    time.Time             // until when it is ours for sure
	caughtUp bool                  // with what other servers wrote, that was restored here
	gathered gathered
}

// Gathered is what was read and is not sent yet.
type gathered struct {
	Gathering // nil: nothing

	began time.Time // when the first of it was gathered
	rows  int
	ahead bool
	last  store.WarehousePlace // of its last row
}

// step takes one piece to the sink, or into what is gathered for it, and
// returns how many rows went well.
func (w *walk) step(ctx context.Context) (n int, err error) {
	if ok, err := w.hold(ctx); !ok {
		return 0, err
	}
	if w.Now().Before(w.mood.rest) {
		return 0, nil
	}
	if w.isTime() {
		if ok, err := w.end(ctx); !ok {
			return 0, err
		}
	}

	begun := w.Now()
	b, ahead, err := w.read(ctx)
	if err != nil || b.Rows() == 0 {
		return 0, err
	}
	faultpoint.At(faultpoint.CopyRead)
	mend(b.Events, w.Sink)
	if ok, err := w.take(ctx, b, ahead); !ok {
		return 0, err
	}
	w.spare(ctx, w.Now().Sub(begun))

	return b.Rows(), nil
}

// isTime reports whether what is gathered has waited for long enough. Where the
// sink failed, it is tried with little.
func (w *walk) isTime() bool {
	return w.gathered.Gathering != nil && (w.Now().Sub(w.gathered.began) >= w.Every || w.mood.failures > 0)
}

// spare leaves the machine to others for a while.
func (w *walk) spare(ctx context.Context, took time.Duration) {
	if w.Spare == nil {
		return
	}
	pause := w.Spare(took)
	if pause <= 0 {
		return
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// read returns the next rows behind what is sent or gathered.
func (w *walk) read(ctx context.Context) (b Batch, ahead bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()

	if b, err = w.rowsBehind(ctx, w.behind(w.lease.Place, false), false); err != nil || b.Rows() > 0 || w.caughtUp {
		return b, false, err
	}

	// Nothing more is restored while we are here: that it is over is found out
	// once.
	b, err = w.rowsBehind(ctx, w.behind(w.lease.Ahead, true), true)
	w.caughtUp = err == nil && b.Rows() == 0

	return b, true, err
}

func (w *walk) behind(sent store.WarehousePlace, ahead bool) store.WarehousePlace {
	if w.gathered.Gathering != nil && w.gathered.ahead == ahead {
		return w.gathered.last
	}

	return sent
}

func (w *walk) rowsBehind(ctx context.Context, after store.WarehousePlace, ahead bool) (b Batch, err error) {
	b.Table = w.table
	if w.table == Events {
		b.Events, err = w.reader.Events(ctx, after, ahead)
	} else {
		b.Wins, err = w.reader.Wins(ctx, after, ahead)
	}

	return b, err
}

// take sends b, or gathers it. It reports whether all of it went well.
func (w *walk) take(ctx context.Context, b Batch, ahead bool) (ok bool, err error) {
	gatherer, ok := w.Sink.(Gatherer)
	if !ok {
		return w.send(ctx, b, ahead)
	}
	if w.gathered.Gathering != nil && w.gathered.ahead != ahead {
		if ok, err := w.end(ctx); !ok {
			return false, err
		}
	}

	for {
		if w.gathered.Gathering == nil {
			w.gathered = gathered{
				Gathering: gatherer.Gather(w.table, w.place(b, ahead), w.lease.Turn), began: w.Now(), ahead: ahead,
			}
		}
		taken, err := w.gathered.Add(ctx, b)
		if err == nil && taken == 0 && w.gathered.rows == 0 {
			err = errors.New("the sink has no room for a single row")
		}
		if err != nil {
			return false, w.unsent(ctx, err)
		}
		if taken > 0 {
			w.gathered.rows += taken
			w.gathered.last = b.last(taken)
		}
		if taken == b.Rows() {
			return true, nil
		}
		if ok, err := w.end(ctx); !ok {
			return false, err
		}
		b = b.from(taken)
	}
}

// place names where a batch begins.
func (w *walk) place(b Batch, ahead bool) string {
	first := b.first()
	h := fnv.New32a()
	_, _ = h.Write([]byte(first.Key + "\x00" + first.Key2))
	way := "a"
	if ahead {
		way = "b"
	}

	return fmt.Sprintf("%s-%s%012x-%014x-%08x", w.lease.Begun.UTC().Format("20060102T150405"), way,
		first.Written, max(first.At.UnixMicro(), 0), h.Sum32())
}

// flush hands over what is gathered.
func (w *walk) flush(ctx context.Context) error {
	if w.gathered.Gathering == nil {
		return nil
	}
	_, err := w.end(ctx)

	return err
}

// end hands over what is gathered. It reports whether that went well.
func (w *walk) end(ctx context.Context) (ok bool, err error) {
	begun := w.Now()
	if err := w.holding(ctx, w.gathered.End); err != nil {
		return false, w.unsent(ctx, err)
	}
	sent := store.WarehouseSent{Rows: w.gathered.rows, Last: w.gathered.last, Ahead: w.gathered.ahead}
	w.drop()

	return w.sent(ctx, sent, begun)
}

// drop forgets what is gathered: it is read again.
func (w *walk) drop() {
	if w.gathered.Gathering != nil {
		w.gathered.Drop()
	}
	w.gathered = gathered{}
}

// send hands over one batch. It reports whether that went well.
func (w *walk) send(ctx context.Context, b Batch, ahead bool) (ok bool, err error) {
	b.Place, b.Turn = w.place(b, ahead), w.lease.Turn
	var refused []Refusal
	begun := w.Now()
	err = w.holding(ctx, func(ctx context.Context) (err error) {
		refused, err = w.Sink.Send(ctx, b)

		return err
	})
	if err != nil {
		return false, w.unsent(ctx, err)
	}

	sent := store.WarehouseSent{Rows: b.Rows(), Last: b.last(b.Rows()), Ahead: ahead}
	for _, r := range refused {
		place := b.from(r.Row).first()
		sent.Refused = append(sent.Refused, store.WarehouseRefusal{Key: place.Key, Key2: place.Key2, Reason: r.Reason})
	}
	if len(refused) > 0 {
		w.Log.WarnContext(ctx, "the warehouse refused rows: they are set aside", slog.String("sink", w.Sink.Name()),
			slog.String("table", string(w.table)), slog.Int("rows", len(refused)), slog.String("reason", refused[0].Reason))
	}

	return w.sent(ctx, sent, begun)
}

// sent writes down what the sink has.
func (w *walk) sent(ctx context.Context, sent store.WarehouseSent, begun time.Time) (ok bool, err error) {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTime)
	defer cancel()
	noted := w.Now()
	faultpoint.At(faultpoint.CopySent)
	if err := w.Store.SentWarehouse(limited, w.lease, sent, w.Lease); err != nil {
		return false, w.lost(ctx, err)
	}
	faultpoint.At(faultpoint.CopySaved)
	w.renewed(noted)
	w.went(ctx, w)
	w.Metrics.WarehouseSent(w.Sink.Name(), string(w.table), sent.Rows-len(sent.Refused), len(sent.Refused), w.Now().Sub(begun))

	return true, nil
}

// unsent says why nothing could be sent. It comes again.
func (w *walk) unsent(ctx context.Context, why error) error {
	w.drop()
	select {
	case <-ctx.Done():
		return nil // we are told to stop: the sink is not at fault
	default:
	}
	if errors.Is(why, store.ErrWarehouseHeld) {
		return w.lost(ctx, why)
	}
	w.failed(ctx, w, why)
	noted := w.Now()
	if err := w.Store.FailedWarehouse(ctx, w.lease, why.Error(), w.Lease); err != nil {
		return w.lost(ctx, err)
	}
	w.renewed(noted)

	return nil
}
