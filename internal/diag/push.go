package diag

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Pushes count what is sent to Customer.io.
type pushes struct {
	calls   *family[[2]string, prometheus.Counter]
	latency *family[string, prometheus.Observer]
	settled *family[string, prometheus.Counter]
	paused  *prometheus.GaugeVec
}

func newPushes(r registry) pushes {
	// From 1 ms, beside a stand-in, to 16 s, longer than a call may take.
	latency := r.histogram("trivia_push_seconds", "Time that a call to Customer.io took.",
		prometheus.ExponentialBuckets(0.001, 2, 15), "call")
	paused := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "trivia_push_paused",
		Help: "1 while all sending to Customer.io is paused, by reason: credentials, rate, down.",
	}, []string{"reason"})
	r.MustRegister(paused)

	return pushes{
		calls: pairs(r.counter("trivia_push_calls_total", "Calls to Customer.io, by status; none if there was no answer.",
			"call", "answer")),
		latency: newFamily(func(call string) prometheus.Observer { return latency.WithLabelValues(call) }),
		settled: singles(r.counter("trivia_pushes_settled_total",
			"Pushes that were tried, by state; pending are those that will be tried again.", "state")),
		paused: paused,
	}
}

// PushCall counts one call to Customer.io by the status of its answer.
func (m *Metrics) PushCall(call, answer string, d time.Duration) {
	m.pushes.calls.get([2]string{call, answer}).Inc()
	m.pushes.latency.get(call).Observe(d.Seconds())
}

// PushSettled counts one push by the state that it came to.
func (m *Metrics) PushSettled(state string) { m.pushes.settled.get(state).Inc() }

// PushPaused says why all sending is paused; empty means that it is not. There
// is one reason at a time.
func (m *Metrics) PushPaused(reason string) {
	m.pushes.paused.Reset()
	if reason != "" {
		m.pushes.paused.WithLabelValues(reason).Set(1)
	}
}

// A PushBacklogFunc counts the pushes that are not sent.
type PushBacklogFunc = func(ctx context.Context) (pending, held, parked int64, err error)

// PushBacklog sets what is asked for the pushes that wait at a scrape. It is
// given a second, and must not count for longer, however many there are.
func (m *Metrics) PushBacklog(fn PushBacklogFunc) {
	m.registry.MustRegister(&pushBacklog{
		read: fn,
		waiting: prometheus.NewDesc("trivia_pushes_waiting",
			"Pushes that will be sent. It is counted up to 100000.", nil, nil),
		held: prometheus.NewDesc("trivia_pushes_held",
			"Pushes that wait for credentials or for an operator. It is counted up to 100000.", nil, nil),
		parked: prometheus.NewDesc("trivia_pushes_parked",
			"Pushes that Customer.io refused. It is counted up to 100000.", nil, nil),
	})
}

// A pushBacklog is read at each scrape. One that could not be read is left out.
type pushBacklog struct {
	read                  PushBacklogFunc
	waiting, held, parked *prometheus.Desc
}

// Describe implements [prometheus.Collector].
func (b *pushBacklog) Describe(descs chan<- *prometheus.Desc) {
	descs <- b.waiting
	descs <- b.held
	descs <- b.parked
}

// Collect implements [prometheus.Collector].
func (b *pushBacklog) Collect(metrics chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), backlogDeadline)
	defer cancel()

	waiting, held, parked, err := b.read(ctx)
	if err != nil {
		return
	}
	metrics <- prometheus.MustNewConstMetric(b.waiting, prometheus.GaugeValue, float64(waiting))
	metrics <- prometheus.MustNewConstMetric(b.held, prometheus.GaugeValue, float64(held))
	metrics <- prometheus.MustNewConstMetric(b.parked, prometheus.GaugeValue, float64(parked))
}
