package receiver

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"trivia/internal/diag"
	"trivia/internal/store"
)

// An Inbox is where batches go; [store.Intake] is one. Receipts come in the
// order of the arrivals. On an error nothing of the batch was kept.
type Inbox interface {
	// Take keeps the arrivals and settles them, in one commit.
	Take(ctx context.Context, arrivals []store.Arrival) ([]store.Receipt, error)
	// Keep keeps the arrivals in one commit, to be settled later.
	Keep(ctx context.Context, arrivals []store.Arrival) ([]store.Receipt, error)
	// Probe returns nil if Keep would work. If it is to be thorough, it writes
	// what it takes back.
	Probe(ctx context.Context, thorough bool) error
}

// The time that a request may take in all is divided so that it is answered
// well within the sender's 4 s, whatever the database does: an award that is
// too slow still leaves time to keep the batch without it.
const (
	takeTime = time.Second
	keepTime = 750 * time.Millisecond
	patience = 1900 * time.Millisecond // of a request, with the batch before its own
)

const (
	maxQueue = 4096 // requests that wait; beyond it they are told to come again
	maxBatch = 512  // a larger batch does not gain, and makes its first wait
	minBatch = 32   // is worth a commit beside another one; fewer wait for that to end
)

// Errors of Submit. The edge answers all of them the same way.
var (
	errStarting  = errors.New("the service is starting: there is no database yet")
	errQueueFull = errors.New("the intake queue is full")
	errTooSlow   = errors.New("the database did not take the delivery in time")
)

// A ticket is one request that waits for its batch.
type ticket struct {
	arrival store.Arrival
	gone    time.Time // when the request stops waiting
	done    chan result
}

type result struct {
	receipt store.Receipt
	err     error
}

// An Intake lets requests that come together share one commit. There is no
// timer: a writer that is idle takes what is there at once, and what comes
// while it commits is its next batch.
type Intake struct {
	inbox   Inbox
	metrics *diag.Metrics
	log     *slog.Logger
	now     func() time.Time
	nudge   func() // wakes the stage that settles what was only kept

	wake   chan struct{}
	opened atomic.Bool // there is an inbox

	mu    sync.Mutex
	queue []*ticket
	busy  int // writers that have a commit under way

	breaker   breaker
	readiness readiness
}

// NewIntake returns an intake into inbox. Nothing is taken in until [Intake.Run]
// runs. Without an inbox, everything is refused until [Intake.Open] brings one.
// Nudge is called after a batch was kept without being settled.
func NewIntake(inbox Inbox, metrics *diag.Metrics, log *slog.Logger, now func() time.Time, nudge func()) *Intake {
	in := &Intake{metrics: metrics, log: log, now: now, nudge: nudge, wake: make(chan struct{}, 1)}
	if inbox != nil {
		in.Open(inbox)
	}

	return in
}

// Open lets requests in, which inbox keeps from now on. It must be called
// before [Intake.Run], and once.
func (in *Intake) Open(inbox Inbox) {
	in.inbox = inbox
	in.opened.Store(true)
}

// Submit waits until the arrival is durably kept and returns its receipt. On
// an error it may or may not have been kept: the sender has to send it again,
// and will then be told that it is a duplicate if it was.
func (in *Intake) Submit(a store.Arrival) (store.Receipt, error) {
	if !in.opened.Load() {
		return store.Receipt{}, errStarting
	}
	t := &ticket{arrival: a, gone: in.now().Add(patience), done: make(chan result, 1)}
	if !in.enqueue(t) {
		return store.Receipt{}, errQueueFull
	}

	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case r := <-t.done:
		return r.receipt, r.err
	case <-timer.C:
		return store.Receipt{}, errTooSlow
	}
}

// Waiting returns how many requests wait for a batch.
func (in *Intake) Waiting() int {
	in.mu.Lock()
	defer in.mu.Unlock()

	return len(in.queue)
}

func (in *Intake) enqueue(t *ticket) bool {
	in.mu.Lock()
	if len(in.queue) >= maxQueue {
		in.mu.Unlock()
		return false
	}
	in.queue = append(in.queue, t)
	in.mu.Unlock()
	in.rouse()

	return true
}

func (in *Intake) rouse() {
	select {
	case in.wake <- struct{}{}:
	default:
	}
}

// Run takes batches until ctx ends, and then whatever still waits. Several may
// run at once; each has one commit under way.
func (in *Intake) Run(ctx context.Context) {
	for ended := false; !ended; {
		select {
		case <-in.wake:
		case <-ctx.Done():
			ended = true
		}
		for batch := in.gather(); len(batch) > 0; batch = in.gather() {
			in.take(batch) //nolint:contextcheck // a batch has a context of its own
		}
	}
}

// take settles a batch. A fault of ours costs that batch and nothing else: its
// senders are told to come again.
func (in *Intake) take(batch []*ticket) {
	defer in.rest()
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		in.metrics.StagePanicked("intake")
		in.log.Error("fault while a batch was taken in; its senders are told to come again", slog.Int("deliveries", len(batch)),
			slog.Any("fault", p), slog.String("stack", string(debug.Stack())))
		for _, t := range batch {
			select {
			case t.done <- result{err: errPanic}:
			default: // is answered
			}
		}
	}()

	in.settle(batch)
}

// gather returns the next batch, the longest waiting first, and leaves the
// rest to another writer. Beside another commit it takes no small one: two
// small batches cost more than one of twice the size.
func (in *Intake) gather() []*ticket {
	in.mu.Lock()
	defer in.mu.Unlock()

	n := min(len(in.queue), maxBatch)
	if n == 0 || in.busy > 0 && n < minBatch {
		return nil
	}
	in.busy++
	batch := in.queue[:n:n]
	if n == len(in.queue) {
		in.queue = nil
		return batch
	}
	in.queue = in.queue[n:]
	in.rouse()

	return batch
}

// rest ends a writer's commit. What has gathered meanwhile is the business of
// whoever gathers next, and that may be another writer.
func (in *Intake) rest() {
	in.mu.Lock()
	defer in.mu.Unlock()

	in.busy--
}
