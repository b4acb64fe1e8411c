package diag

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Arrivals tell when deliveries came, and how long after what they tell of.
type arrivals struct {
	lag  prometheus.Histogram
	last *family[string, *atomic.Int64] // by route, in Unix nanoseconds; 0: none came yet
	desc *prometheus.Desc

	mu     sync.Mutex // held while before is read
	read   LastDeliveriesFunc
	before map[string]time.Time // what came before this process; nil until it is known
}

// lagBuckets go from what is no delay to the week after which Customer.io gives
// up, in seconds.
func lagBuckets() []float64 {
	const minute, hour, day = 60, 60 * 60, 24 * 60 * 60

	return []float64{
		1, 2, 5, 10, 30, minute, 2 * minute, 5 * minute, 10 * minute, 30 * minute,
		hour, 2 * hour, 6 * hour, 12 * hour, day, 2 * day, 4 * day, 7 * day,
	}
}

func newArrivals(r registry) *arrivals {
	a := &arrivals{
		lag: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "trivia_event_lag_seconds", Buckets: lagBuckets(),
			Help: "Time from what an event tells of to its arrival; times that make no sense are left out.",
		}),
		last: newFamily(func(string) *atomic.Int64 { return new(atomic.Int64) }),
		desc: prometheus.NewDesc("trivia_last_delivery_timestamp_seconds",
			"When the last delivery came that was kept, repeats included, in Unix seconds.", []string{"route"}, nil),
	}
	r.MustRegister(a.lag, a)

	return a
}

// EventLag tells how long after it happened an event arrived.
func (m *Metrics) EventLag(d time.Duration) { m.arrivals.lag.Observe(d.Seconds()) }

// Kept tells when a delivery came that was kept.
func (m *Metrics) Kept(route string, at time.Time) {
	last, now := m.arrivals.last.get(route), at.UnixNano()
	for was := last.Load(); was < now && !last.CompareAndSwap(was, now); {
		was = last.Load()
	}
}

// A LastDeliveriesFunc tells when the last delivery of each route came.
type LastDeliveriesFunc = func(context.Context) (map[string]time.Time, error)

// LastDeliveries sets what tells of deliveries that came before this process, so
// that a restart does not look like silence. It is asked at scrapes, for a second
// at most, until it has answered once.
func (m *Metrics) LastDeliveries(fn LastDeliveriesFunc) {
	m.arrivals.mu.Lock()
	defer m.arrivals.mu.Unlock()

	m.arrivals.read, m.arrivals.before = fn, nil
}

// earlier returns what came before this process, as far as that is known.
func (a *arrivals) earlier() map[string]time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()

	if a.before != nil || a.read == nil {
		return a.before
	}
	ctx, cancel := context.WithTimeout(context.Background(), backlogDeadline)
	defer cancel()

	before, err := a.read(ctx)
	if err != nil {
		return nil
	}
	a.before = make(map[string]time.Time, len(before))
	maps.Copy(a.before, before)

	return a.before
}

// Describe implements [prometheus.Collector].
func (a *arrivals) Describe(descs chan<- *prometheus.Desc) { descs <- a.desc }

// Collect implements [prometheus.Collector]. A route of which nothing is known is
// left out.
func (a *arrivals) Collect(metrics chan<- prometheus.Metric) {
	latest := map[string]time.Time{}
	maps.Copy(latest, a.earlier())
	for route, last := range *a.last.known.Load() {
		if at := time.Unix(0, last.Load()); at.After(latest[route]) {
			latest[route] = at
		}
	}
	for route, at := range latest {
		if !at.IsZero() {
			metrics <- prometheus.MustNewConstMetric(a.desc, prometheus.GaugeValue, float64(at.UnixMilli())/1000, route)
		}
	}
}
