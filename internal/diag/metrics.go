// Package diag is what the service tells its operators while it runs: metrics,
// profiles and health, for a listener that the public does not reach.
package diag

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Metrics counts what the service does. Its methods may be called from
// anywhere at once, and but for the first call with the same words they do not
// allocate. Words become labels, so they must come from a closed set and never
// from a request.
type Metrics struct {
	registry *prometheus.Registry
	live     *live

	requests   *family[[2]string, prometheus.Counter]
	latency    *family[string, prometheus.Observer]
	refused    *family[string, prometheus.Counter]
	deliveries *family[[2]string, prometheus.Counter]
	marked     *family[[2]string, prometheus.Counter]
	stamps     *family[string, prometheus.Observer]
	keys       *prometheus.GaugeVec
	fallbacks  *family[string, prometheus.Counter]
	settled    *family[string, prometheus.Counter]
	refreshes  *family[string, prometheus.Counter]
	batchSize  prometheus.Observer
	commit     prometheus.Observer
	pushes     pushes
	audits     audits
	arrivals   *arrivals
	pruned     *family[string, prometheus.Counter]
	warehouses warehouses
	edge       edge
	schema     schema
	stages     stages
}

// New returns metrics with a registry of their own, which also holds those of
// the Go runtime and of the process.
func New() *Metrics {
	var (
		// From 0.25 ms, less than a commit takes, to 4 s, after which Customer.io
		// hangs up.
		seconds = prometheus.ExponentialBuckets(0.00025, 2, 15)
		// Requests are stamped when they are sent: all but a few are within a second.
		distances = []float64{-86400, -3600, -600, -300, -60, -5, 0, 5, 60, 300, 600, 3600, 86400}
		sizes     = prometheus.ExponentialBuckets(1, 2, 11) // 1 to 1024

		r = registry{prometheus.NewRegistry()}
		m = &Metrics{registry: r.Registry, live: newLive()}
	)

	m.requests = pairs(r.counter("trivia_requests_total", "Requests, by route and status.", "route", "answer"))
	latency := r.histogram("trivia_request_seconds", "Time from the first byte of a request to its answer.", seconds, "route")
	m.latency = newFamily(func(route string) prometheus.Observer { return latency.WithLabelValues(route) })
	m.refused = singles(r.counter("trivia_refused_total", "Requests that were refused, by reason.", "reason"))
	m.deliveries = pairs(r.counter("trivia_deliveries_total",
		"Deliveries at intake, by kind and outcome; pending are those left to the stage behind.", "kind", "outcome"))
	m.marked = pairs(r.counter("trivia_marked_total",
		"Deliveries that came in an odd way, by kind and mark: late, reused_key.", "kind", "mark"))
	stamps := r.histogram("trivia_stamp_distance_seconds",
		"How long before they came requests were stamped, by our clock and the sender's; below zero where theirs is ahead.", distances, "route")
	m.stamps = newFamily(func(route string) prometheus.Observer { return stamps.WithLabelValues(route) })
	m.keys = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "trivia_signing_key", Help: "1 for the fingerprint of each key that a route takes.",
	}, []string{"route", "key"})
	r.MustRegister(m.keys)
	m.fallbacks = singles(r.counter("trivia_award_fallbacks_total",
		"Batches that were kept without being awarded, by reason.", "reason"))
	m.settled = singles(r.counter("trivia_settled_total", "Deliveries settled after intake, by outcome.", "outcome"))
	m.refreshes = singles(r.counter("trivia_source_refresh_total",
		"Attempts to refresh Customer.io's addresses, by result: changed, unchanged, failed.", "result"))
	m.batchSize = r.histogram("trivia_batch_size", "Deliveries that shared one commit.", sizes).WithLabelValues()
	m.commit = r.histogram("trivia_commit_seconds", "Time that one commit of a batch took.", seconds).WithLabelValues()

	m.pushes = newPushes(r)
	m.audits = newAudits(r)
	m.arrivals = newArrivals(r)
	m.warehouses = newWarehouses(r)
	m.edge = newEdge(r)
	m.schema = newSchema(r)
	m.stages = newStages(r)
	m.pruned = singles(r.counter("trivia_pruned_total",
		"Rows that were past their use and are deleted or, of bodies, blanked.", "table"))

	r.MustRegister(m.live, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))

	return m
}

// Request counts one request by its route and the status of its answer.
func (m *Metrics) Request(route, answer string, d time.Duration) {
	m.requests.get([2]string{route, answer}).Inc()
	m.latency.get(route).Observe(d.Seconds())
}

// Refused counts one request that was refused.
func (m *Metrics) Refused(reason string) { m.refused.get(reason).Inc() }

// Batch counts one commit of size deliveries.
func (m *Metrics) Batch(size int, commit time.Duration) {
	m.batchSize.Observe(float64(size))
	m.commit.Observe(commit.Seconds())
}

// Delivery counts n deliveries that came in. An empty outcome counts as
// pending.
func (m *Metrics) Delivery(kind, outcome string, n int) {
	if n <= 0 {
		return // a counter cannot fall
	}
	m.deliveries.get([2]string{kind, pendingIfEmpty(outcome)}).Add(float64(n))
}

// Marked counts one delivery that came in an odd way.
func (m *Metrics) Marked(kind, mark string) { m.marked.get([2]string{kind, mark}).Inc() }

// SigningKeys notes the fingerprints of the keys that a route takes from now on.
func (m *Metrics) SigningKeys(route string, fingerprints []string) {
	m.keys.DeletePartialMatch(prometheus.Labels{"route": route})
	for _, key := range fingerprints {
		m.keys.WithLabelValues(route, key).Set(1)
	}
}

// Stamp notes how long before now a request was stamped.
func (m *Metrics) Stamp(route string, before time.Duration) {
	m.stamps.get(route).Observe(before.Seconds())
}

// Fallback counts one batch that was kept without being awarded.
func (m *Metrics) Fallback(reason string) { m.fallbacks.get(reason).Inc() }

// Settled counts one delivery that was settled after intake. An empty outcome
// counts as pending: it was tried, and will be again.
func (m *Metrics) Settled(outcome string) { m.settled.get(pendingIfEmpty(outcome)).Inc() }

func pendingIfEmpty(outcome string) string {
	if outcome == "" {
		return "pending"
	}

	return outcome
}
