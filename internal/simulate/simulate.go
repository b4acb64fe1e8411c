// Package simulate plays Customer.io's two delivery machines against a hook at a
// URL, and adds up what the hook's answers cost.
//
// Reporting events come in streams: one at a time, in order, and an event that
// is not answered with a 2xx holds up all that are behind it until it is, or
// until its seven days are over. Some answers and errors make the sender wait
// an hour before it tries again; see [Answer.Verdict]. Campaign actions are
// independent of each other: each is tried again up to eleven times within
// about an hour, under the same keys, and is lost for good then.
//
// The clock is fast. Waiting is compressed: an hour of it takes Options.Hour.
// What a request takes is not: it counts as it is. Each stream and each action
// has a clock of its own, which is the sum of both, so that seven days and an
// hour end where they should. A hook that is away for a real second is
// therefore away for as much of an hour as a second is of Options.Hour.
package simulate

import (
	"context"
	"crypto/tls"
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"trivia/internal/signature"
	"trivia/internal/trivia"
)

// What the sender does, as far as it is known; where it is not, what is usual.
const (
	// Timeout is how long an answer may take.
	Timeout = 4 * time.Second
	// EventLife is how long an event is tried, from the first time on.
	EventLife = 7 * 24 * time.Hour
	// LongWait is what some answers and errors cost.
	LongWait = time.Hour
	// ActionRetries is how often an action is tried again.
	ActionRetries = 11

	eventBackoff  = 5 * time.Second         // the first; each is twice the one before it
	actionBackoff = 1760 * time.Millisecond // so that eleven, each twice the one before it, are an hour
)

// What Run takes where Options say nothing.
const (
	DefaultConcurrency = 16
	DefaultHour        = 10 * time.Second
	DefaultUsers       = 10_000
	DefaultTrivias     = 100
)

// Options say what is sent, where to and how. The zero value of a field takes
// the default that is named with it.
type Options struct {
	EventURL, WinURL string                            // the two routes
	Keys             func(trivia.Kind) signature.Key   // asked at each try, since keys may change; required unless Post is set
	Post             func(context.Context, Try) Answer // how a try is made; nil: over HTTP, as the fields below say

	Seed  uint64    // decides everything but the times
	Begun time.Time // when the events say that they begin to happen; zero: now

	Events, Wins       int             // how many are made; below 0: until Duration is over
	Duration           time.Duration   // nothing is made later than this; 0: however long it takes
	Until              <-chan struct{} // nothing is made after it is closed; nil: never
	EventRate, WinRate float64         // made per second, of real time; 0: the next when there is room for it

	Streams     int           // of events, each in order; 0: 1
	Concurrency int           // actions under way at once; 0: DefaultConcurrency
	Hour        time.Duration // how long an hour of waiting takes; 0: DefaultHour

	Users, Trivias int // whom the wins are about; 0: the defaults
	Pad            int // bytes that each body has more than it needs

	NewConnections float64       // share of the requests that come over a connection of their own, 0 to 1
	Skew           time.Duration // how far the sender's clock is ahead
	From           string        // address that the sender calls from; empty: the system's choice
	TLS            *tls.Config   // nil: the system's
	Agent          string        // User-Agent

	Now   func() time.Time  // required
	Watch func(Try, Answer) // is told of each answer, by several at once; nil: nobody
}

// Name returns what everything of a run is named after: sim-4f7k2m.
func (o Options) Name() string { return "sim-" + strconv.FormatUint(o.Seed, 36) }

// A Try is one request of the sender.
type Try struct {
	Kind   trivia.Kind
	N      int    // the number of the delivery among those of its kind
	Key    string // of the delivery
	Number int    // 1 is the first try of the delivery
	New    bool   // over a connection of its own
	Body   []byte
}

// Run sends until everything that was to be made is delivered or lost, and
// reports what it came to. When ctx ends, nothing more is made or tried again,
// what is under way is waited for, and what is not delivered yet is reported as
// undelivered; that is no error.
func Run(ctx context.Context, o Options) (*Report, error) {
	o = o.filled()
	if o.Post == nil {
		sender, err := newSender(o)
		if err != nil {
			return nil, err
		}
		defer sender.close()
		o.Post = sender.post
	}
	if (o.Events < 0 || o.Wins < 0) && o.Duration <= 0 && o.Until == nil {
		return nil, errors.New("simulate: deliveries without number need an end")
	}

	begun := o.Now()
	r := &run{Options: o, work: newWork(o), tally: newTally(), begun: begun}
	var group, watch errgroup.Group
	done := make(chan struct{})
	watch.Go(func() error {
		select {
		case <-o.Until:
			r.over.Store(int64(max(o.Now().Sub(begun), 1)))
		case <-done:
		}

		return nil
	})
	for i := range o.Streams {
		group.Go(func() error { r.stream(ctx, i); return nil })
	}
	group.Go(func() error { r.actions(ctx); return nil })
	_ = group.Wait() // none of them fails
	close(done)
	_ = watch.Wait()

	return r.tally.report(o, o.Now().Sub(begun)), nil
}

// filled returns o with its defaults.
func (o Options) filled() Options {
	o.Streams = orElse(o.Streams, 1)
	o.Concurrency = orElse(o.Concurrency, DefaultConcurrency)
	o.Hour = orElse(o.Hour, DefaultHour)
	o.Users = orElse(o.Users, DefaultUsers)
	o.Trivias = orElse(o.Trivias, DefaultTrivias)
	if o.Begun.IsZero() {
		o.Begun = o.Now()
	}
	o.Begun = o.Begun.Truncate(time.Second) // as they say it; so a run can be repeated by what is printed

	return o
}

func orElse[T ~int | ~int64](given, otherwise T) T {
	if given == 0 {
		return otherwise
	}

	return given
}

// A run is one simulation that is under way.
type run struct {
	Options

	work  *work
	tally *tally
	begun time.Time
	over  atomic.Int64 // how long after begun the last could be made; 0: nobody knows yet
}

// try makes one try of a delivery, and takes down what came of it. A try that
// has begun is not broken off by the end of ctx.
func (r *run) try(ctx context.Context, kind trivia.Kind, n, number int, body []byte) Answer {
	t := Try{
		Kind: kind, N: n, Key: r.work.key(kind, n), Number: number, Body: body,
		New: r.work.chance(kind, n, saltConnection+uint64(number)) < r.NewConnections, //nolint:gosec // a try has a small number
	}
	got := r.Post(context.WithoutCancel(ctx), t)
	r.tally.answered(t, got)
	if r.Watch != nil {
		r.Watch(t, got)
	}

	return got
}

// wait lets d pass on the fast clock. It reports whether ctx let it.
func (r *run) wait(ctx context.Context, d time.Duration) bool {
	return sleep(ctx, time.Duration(float64(d)/float64(time.Hour)*float64(r.Hour)))
}

// sleep lets real time pass.
func sleep(ctx context.Context, d time.Duration) bool {
	if ctx.Err() != nil {
		return false
	}
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// backoff returns the wait before the n-th retry, from 1 on: doubled each time,
// up to an hour, and spread by a tenth to either side.
func (r *run) backoff(kind trivia.Kind, delivery, n int, first time.Duration) time.Duration {
	d := min(LongWait, first<<min(n-1, 12))                                  // an hour by then, and no overflow later
	spread := 0.9 + 0.2*r.work.chance(kind, delivery, saltBackoff+uint64(n)) //nolint:gosec // n counts retries

	return time.Duration(float64(d) * spread)
}

// A maker says when the deliveries of a machine are made.
type maker struct {
	begun time.Time
	count int           // below 0: without number
	rate  float64       // 0: when there is room
	until time.Duration // 0: without end
	over  *atomic.Int64 // see run
}

// end returns how long after begun the last may be made; 0: without end.
func (m maker) end() time.Duration {
	if over := time.Duration(m.over.Load()); over > 0 && (m.until <= 0 || over < m.until) {
		return over
	}

	return m.until
}

// due returns when the n-th is made, and whether it ever is. Without a rate, it
// is made now.
func (m maker) due(n int, now time.Time) (time.Time, bool) {
	at := now
	if m.rate > 0 {
		at = m.begun.Add(time.Duration(float64(n) / m.rate * float64(time.Second)))
	}

	end := m.end()

	return at, (m.count < 0 || n < m.count) && (end <= 0 || at.Sub(m.begun) < end)
}

// await waits until the n-th is made. It reports whether it ever is, and ctx let it.
func (m maker) await(ctx context.Context, n int, now func() time.Time) bool {
	due, ever := m.due(n, now())
	if !ever || !sleep(ctx, due.Sub(now())) {
		return false
	}
	_, ever = m.due(n, now()) // the end may have come meanwhile

	return ever
}

// made returns how many have been made by now. It means something only where
// there is a rate.
func (m maker) made(now time.Time) int {
	passed := now.Sub(m.begun)
	if end := m.end(); end > 0 {
		passed = min(passed, end)
	}
	n := int(passed.Seconds()*m.rate) + 1
	if m.count >= 0 {
		n = min(n, m.count)
	}

	return n
}
