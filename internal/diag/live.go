package diag

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	backlogDeadline = time.Second // a scrape waits no longer for the database
	backlogKept     = time.Second // scrapes within this time share one reading
)

// A BacklogFunc counts the deliveries that wait for us (pending), and for a
// person (parked, by outcome), and says how old the oldest pending one is.
type BacklogFunc = func(ctx context.Context) (pending int64, parked map[string]int64, oldest time.Duration, err error)

// Backlog sets what is asked for the backlog at a scrape. It is given a second,
// and what it says is kept for another one.
func (m *Metrics) Backlog(fn BacklogFunc) {
	m.live.backlog.Store(&backlog{read: fn})
}

// Queue sets what is asked for the length of intake's queue at a scrape.
func (m *Metrics) Queue(fn func() int) { m.live.queue.Store(&fn) }

// live collects what is read at each scrape instead of being counted.
type live struct {
	backlog atomic.Pointer[backlog]
	queue   atomic.Pointer[func() int]
	sources atomic.Pointer[func() (time.Duration, bool)]
	ready   atomic.Pointer[func(context.Context) error]

	pending, parked, oldest, up, length, age, readiness *prometheus.Desc
}

func newLive() *live {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}

	return &live{
		pending: desc("trivia_pending", "Deliveries that are kept and not settled yet."),
		parked:  desc("trivia_parked", "Deliveries that wait for a person, by outcome.", "outcome"),
		oldest:  desc("trivia_oldest_pending_seconds", "Age of the oldest delivery that is not settled yet; 0 if there is none."),
		up:      desc("trivia_backlog_up", "1 if the backlog could be read for this scrape, 0 if not."),
		length:  desc("trivia_queue_length", "Requests that wait for their commit."),
		age:     desc("trivia_source_list_age_seconds", "Time since Customer.io last said where it calls from; +Inf if it never did."),

		readiness: desc("trivia_ready", "1 if deliveries can be kept, 0 if not."),
	}
}

// Describe implements [prometheus.Collector].
func (l *live) Describe(descs chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{l.pending, l.parked, l.oldest, l.up, l.length, l.age, l.readiness} {
		descs <- d
	}
}

// Collect implements [prometheus.Collector]. What nobody set is left out, and
// so is a backlog that could not be read: an old number would look like news.
func (l *live) Collect(metrics chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}

	if queue := l.queue.Load(); queue != nil {
		gauge(l.length, float64((*queue)()))
	}
	if age := l.sources.Load(); age != nil {
		gauge(l.age, sourceAge(*age))
	}
	if ready := l.ready.Load(); ready != nil {
		gauge(l.readiness, readiness(*ready))
	}

	b := l.backlog.Load()
	if b == nil {
		return
	}
	r := b.reading()
	if r.err != nil {
		gauge(l.up, 0)

		return
	}

	gauge(l.up, 1)
	gauge(l.pending, float64(r.pending))
	gauge(l.oldest, r.oldest.Seconds())
	for outcome, n := range r.parked {
		gauge(l.parked, float64(n), outcome)
	}
}

// readiness is 1 if nothing is wrong. A scrape brings no context.
func readiness(check func(context.Context) error) float64 {
	ctx, cancel := context.WithTimeout(context.Background(), readyDeadline)
	defer cancel()

	if check(ctx) != nil {
		return 0
	}

	return 1
}

// A backlog remembers its last reading for a moment, so that many scrapers
// load the database no more than one.
type backlog struct {
	read BacklogFunc

	mu   sync.Mutex // held during a reading: who comes meanwhile shares it
	last *reading   // nil when it is too old
}

type reading struct {
	pending int64
	parked  map[string]int64
	oldest  time.Duration
	err     error
}

func (b *backlog) reading() reading {
	b.mu.Lock()
	defer b.mu.Unlock()

	if b.last != nil {
		return *b.last
	}

	// A scrape brings no context, only this deadline.
	ctx, cancel := context.WithTimeout(context.Background(), backlogDeadline)
	defer cancel()

	var r reading
	r.pending, r.parked, r.oldest, r.err = b.read(ctx)
	b.last = &r
	time.AfterFunc(backlogKept, b.forget)

	return r
}

func (b *backlog) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()

	b.last = nil
}
