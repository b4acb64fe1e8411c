package diag

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Warehouses count what is copied there.
type warehouses struct {
	rows, refused *family[[2]string, prometheus.Counter]
	seconds       *family[[2]string, prometheus.Observer]
	up            *prometheus.GaugeVec
}

func newWarehouses(r registry) warehouses {
	// From 1 ms, a small file, to 65 s, longer than a call to BigQuery may take.
	seconds := r.histogram("trivia_warehouse_send_seconds", "Time that sending a batch to a warehouse took.",
		prometheus.ExponentialBuckets(0.001, 2, 17), "sink", "table")
	up := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "trivia_warehouse_up",
		Help: "1 if the warehouse took what it was last sent, 0 if not.",
	}, []string{"sink"})
	r.MustRegister(up)

	return warehouses{
		rows: pairs(r.counter("trivia_warehouse_rows_total", "Rows that a warehouse has taken.", "sink", "table")),
		refused: pairs(r.counter("trivia_warehouse_refused_total",
			"Rows that a warehouse would never take; triviactl warehouse refused lists them.", "sink", "table")),
		seconds: newFamily(func(of [2]string) prometheus.Observer { return seconds.WithLabelValues(of[:]...) }),
		up:      up,
	}
}

// WarehouseSent counts one batch of a table that a sink took, but for the rows
// that it refused.
func (m *Metrics) WarehouseSent(sink, table string, rows, refused int, d time.Duration) {
	of := [2]string{sink, table}
	m.warehouses.rows.get(of).Add(float64(max(rows, 0)))
	m.warehouses.refused.get(of).Add(float64(max(refused, 0)))
	m.warehouses.seconds.get(of).Observe(d.Seconds())
}

// WarehouseUp says whether a sink can be reached.
func (m *Metrics) WarehouseUp(sink string, up bool) {
	value := 0.0
	if up {
		value = 1
	}
	m.warehouses.up.WithLabelValues(sink).Set(value)
}

// A WarehouseLag is how long the oldest row of a table has waited for a sink.
type WarehouseLag struct {
	Sink, Table string
	Lag         time.Duration // 0 if none waits
}

// WarehouseLag sets what is asked at a scrape for how far warehouses lag behind.
// It is given a second.
func (m *Metrics) WarehouseLag(fn func(context.Context) ([]WarehouseLag, error)) {
	m.registry.MustRegister(&warehouseLag{
		read: fn,
		desc: prometheus.NewDesc("trivia_warehouse_lag_seconds",
			"Time since the oldest row was received or won that a warehouse was not sent yet; 0 if there is none.",
			[]string{"sink", "table"}, nil),
	})
}

// A warehouseLag is read at each scrape, and left out if it could not be read.
type warehouseLag struct {
	read func(context.Context) ([]WarehouseLag, error)
	desc *prometheus.Desc
}

// Describe implements [prometheus.Collector].
func (l *warehouseLag) Describe(descs chan<- *prometheus.Desc) { descs <- l.desc }

// Collect implements [prometheus.Collector].
func (l *warehouseLag) Collect(metrics chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), backlogDeadline)
	defer cancel()

	lags, err := l.read(ctx)
	if err != nil {
		return
	}
	for _, lag := range lags {
		metrics <- prometheus.MustNewConstMetric(l.desc, prometheus.GaugeValue, lag.Lag.Seconds(), lag.Sink, lag.Table)
	}
}
