package diag

import "github.com/prometheus/client_golang/prometheus"

// Stages count what goes wrong inside the service itself.
type stages struct {
	panics *prometheus.CounterVec
}

func newStages(r registry) stages {
	return stages{panics: r.counter("trivia_stage_panics_total",
		"Faults of the service's own that interrupted a stage, which then was started again.", "stage")}
}

// StagePanicked counts a fault that interrupted a stage.
func (m *Metrics) StagePanicked(stage string) { m.stages.panics.WithLabelValues(stage).Inc() }
