package diag

import "github.com/prometheus/client_golang/prometheus"

// A schema says how far the database is migrated, and whether that is further
// than this program knows.
type schema struct {
	version, newer prometheus.Gauge
}

func newSchema(r registry) schema {
	s := schema{
		version: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "trivia_schema_version", Help: "How far the database is migrated; 0 before it was looked at.",
		}),
		newer: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "trivia_schema_newer", Help: "1 if a later release has migrated the database: a rollout is under way, or this program was left out of it.",
		}),
	}
	r.MustRegister(s.version, s.newer)

	return s
}

// Schema sets how far the database is migrated, and whether that is newer than
// this program.
func (m *Metrics) Schema(version int, newer bool) {
	m.schema.version.Set(float64(version))
	m.schema.newer.Set(0)
	if newer {
		m.schema.newer.Set(1)
	}
}
