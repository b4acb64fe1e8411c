package diag

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Audits tell what the checks on a timer find. Nothing shows before the first
// one has ended.
type audits struct {
	breaches       *prometheus.GaugeVec
	seconds, ended *prometheus.GaugeVec
	failed         prometheus.Counter
}

func newAudits(r registry) audits {
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		vec := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
		r.MustRegister(vec)

		return vec
	}

	return audits{
		breaches: gauge("trivia_audit_breaches", "Rows that the last audit found wrong, by check.", "check"),
		seconds:  gauge("trivia_audit_seconds", "Time that the last audit took."),
		ended:    gauge("trivia_audit_last_run_timestamp_seconds", "When the last audit ended, in Unix seconds."),
		failed:   r.counter("trivia_audit_failures_total", "Audits that could not be made.").WithLabelValues(),
	}
}

// Audited tells what an audit has found: rows that are wrong, by check.
func (m *Metrics) Audited(breaches map[string]int, took time.Duration, at time.Time) {
	m.audits.breaches.Reset()
	for check, n := range breaches {
		m.audits.breaches.WithLabelValues(check).Set(float64(n))
	}
	m.audits.seconds.WithLabelValues().Set(took.Seconds())
	m.audits.ended.WithLabelValues().Set(float64(at.Unix()))
}

// AuditFailed counts an audit that could not be made.
func (m *Metrics) AuditFailed() { m.audits.failed.Inc() }
