package receiver

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"trivia/internal/faultpoint"
	"trivia/internal/store"
	"trivia/internal/stream"
	"trivia/internal/trivia"
)

// settle takes one batch in and answers everybody in it. It has a context of
// its own: a sender that hangs up must not undo the others, and the service
// that stops must not either.
func (in *Intake) settle(batch []*ticket) {
	batch = in.present(batch)
	if len(batch) == 0 {
		return
	}
	arrivals := make([]store.Arrival, len(batch))
	for i, t := range batch {
		arrivals[i] = t.arrival
	}

	if !in.breaker.closed(in.now()) {
		in.keep(batch, arrivals)
		return
	}

	receipts, err := in.try(in.inbox.Take, arrivals, takeTime)
	if err == nil {
		in.breaker.succeeded()
		in.answer(batch, arrivals, receipts)

		return
	}

	// A database that takes the same batch without the award is all right, so
	// the award is not.
	if in.keep(batch, arrivals) {
		in.breaker.failed(in.now(), err)
		in.metrics.Fallback(fault(err))
		in.log.Warn("award of a batch failed; it is kept, to be settled one by one",
			slog.Int("deliveries", len(batch)), slog.Any("error", err))

		return
	}
	// It may be the award that has ended its session, and with it the server: when
	// the senders come again, it is kept without.
	if store.Broke(err) {
		in.breaker.failed(in.now(), err)
	}
}

// keep keeps a batch without settling it. What the database refuses for what one
// row says is found by halves, and the others are kept without it; what it
// refuses for another reason it would refuse for each of them. It reports
// whether any were kept.
func (in *Intake) keep(batch []*ticket, arrivals []store.Arrival) bool {
	receipts, err := in.try(in.inbox.Keep, arrivals, keepTime)
	if err == nil {
		in.answer(batch, arrivals, receipts)

		return true
	}
	if len(batch) > 1 && store.OfRow(err) {
		half := len(batch) / 2
		front := in.keep(batch[:half], arrivals[:half])
		back := in.keep(batch[half:], arrivals[half:])

		return front || back
	}

	if !store.OfRow(err) {
		in.wasNotKept()
	}
	in.log.Error("deliveries were not kept; their senders are told to come again",
		slog.Int("deliveries", len(batch)), slog.Any("error", err))
	for _, t := range batch {
		t.done <- result{err: err}
	}

	return false
}

type commit func(context.Context, []store.Arrival) ([]store.Receipt, error)

func (in *Intake) try(commit commit, arrivals []store.Arrival, most time.Duration) ([]store.Receipt, error) {
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()

	start := in.now()
	faultpoint.At(faultpoint.BeforeCommit)
	receipts, err := commit(ctx, arrivals)
	if err == nil {
		faultpoint.At(faultpoint.AfterCommit)
		in.wasKept()
		in.metrics.Batch(len(arrivals), in.now().Sub(start))
	}

	return receipts, err
}

// present leaves out those who have stopped waiting: their senders will come
// again, and until the database keeps up there is enough to do.
func (in *Intake) present(batch []*ticket) []*ticket {
	now := in.now()
	here := batch[:0]
	for _, t := range batch {
		if now.Before(t.gone) {
			here = append(here, t)
		}
	}

	return here
}

// answer hands everybody in the batch their receipt, and counts them. What is
// still to be settled is left to the stage behind.
func (in *Intake) answer(batch []*ticket, arrivals []store.Arrival, receipts []store.Receipt) {
	unsettled := false
	for i, t := range batch {
		t.done <- result{receipt: receipts[i]}
		unsettled = unsettled || receipts[i].State == trivia.StatePending && receipts[i].Outcome == trivia.Unsettled
	}
	in.count(arrivals, receipts)
	if unsettled {
		in.nudge()
	}
}

func (in *Intake) count(arrivals []store.Arrival, receipts []store.Receipt) {
	type column struct {
		kind    trivia.Kind
		outcome string
	}
	counts, latest := make(map[column]int, 4), make(map[trivia.Kind]time.Time, 2)
	for i, r := range receipts {
		a := &arrivals[i]
		if a.At.After(latest[a.Kind]) {
			latest[a.Kind] = a.At
		}
		if lag, ok := stream.Lag(a.Event.At, a.At); ok {
			in.metrics.EventLag(lag)
		}
		outcome := string(r.Outcome)
		if r.Duplicate {
			outcome = "duplicate"
		}
		counts[column{a.Kind, outcome}]++
		for _, mark := range a.Marks {
			in.metrics.Marked(string(a.Kind), string(mark))
		}
		if r.Reused && !r.Duplicate {
			in.metrics.Marked(string(a.Kind), string(trivia.MarkReusedKey))
		}
	}
	for c, n := range counts {
		in.metrics.Delivery(string(c.kind), c.outcome, n)
	}
	for kind, at := range latest {
		in.metrics.Kept(string(kind), at)
	}
}

// fault names an error for the metrics.
func fault(err error) string {
	switch {
	case store.TooSlow(err):
		return "timeout"
	case store.Passing(err):
		return "unavailable"
	}

	return "refused"
}

// A breaker lets awards rest after they failed, so that a slow or broken rule
// costs the requests behind it as little as possible.
type breaker struct {
	mu       sync.Mutex
	failures int // in a row
	until    time.Time
}

// Rests after a failure. One row that is refused is no reason to spare the
// next batch the try; a rule that hangs is.
const (
	restRefused = 100 * time.Millisecond
	restSlow    = time.Second
	restMost    = 15 * time.Second
)

func (b *breaker) closed(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()

	return !now.Before(b.until)
}

func (b *breaker) succeeded() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures = 0
}

func (b *breaker) failed(now time.Time, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures++

	switch {
	case store.Passing(err):
		b.until = now.Add(rest(b.failures, restSlow))
	case b.failures > 1:
		b.until = now.Add(rest(b.failures-1, restRefused))
	}
}

// rest doubles with every failure in a row. Nobody fails together with this
// process, so there is no jitter.
func rest(failures int, first time.Duration) time.Duration {
	return min(first<<min(failures-1, 10), restMost)
}
