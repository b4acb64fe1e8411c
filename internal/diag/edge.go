package diag

import "github.com/prometheus/client_golang/prometheus"

// An edge counts what becomes of the public listener's connections.
type edge struct {
	registry     registry
	acceptErrors prometheus.Counter
	shed         prometheus.Counter
}

func newEdge(r registry) edge {
	return edge{
		registry: r,
		acceptErrors: r.counter("trivia_accept_errors_total",
			"Connections that could not be accepted, as when there are too many open files.").WithLabelValues(),
		shed: r.counter("trivia_connections_shed_total",
			"Idle connections that were closed because there were as many as may be.").WithLabelValues(),
	}
}

// AcceptFailed counts a connection that could not be accepted.
func (m *Metrics) AcceptFailed() { m.edge.acceptErrors.Inc() }

// ConnectionShed counts an idle connection that was closed for a new one.
func (m *Metrics) ConnectionShed() { m.edge.shed.Inc() }

// Connections sets what is asked for the number of connections at a scrape,
// and says how many there may be. It must be called once only.
func (m *Metrics) Connections(open func() int, most int) {
	m.edge.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "trivia_connections_open", Help: "Connections of the public listener.",
		}, func() float64 { return float64(open()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "trivia_connections_most", Help: "How many connections of the public listener there may be.",
		}, func() float64 { return float64(most) }))
}
