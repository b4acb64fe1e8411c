package diag

import (
	"maps"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// A family finds the metric for some label values. Reading takes no lock and
// allocates nothing; a key that is new costs a copy of the whole map, which is
// as small as the set of words it is keyed by.
type family[K comparable, M any] struct {
	resolve func(K) M

	known atomic.Pointer[map[K]M]
	mu    sync.Mutex // held while known is replaced
}

func newFamily[K comparable, M any](resolve func(K) M) *family[K, M] {
	f := &family[K, M]{resolve: resolve}
	f.known.Store(&map[K]M{})

	return f
}

// singles finds the counters of a vector with one label.
func singles(vec *prometheus.CounterVec) *family[string, prometheus.Counter] {
	return newFamily(func(value string) prometheus.Counter { return vec.WithLabelValues(value) })
}

// pairs finds the counters of a vector with two labels.
func pairs(vec *prometheus.CounterVec) *family[[2]string, prometheus.Counter] {
	return newFamily(func(values [2]string) prometheus.Counter { return vec.WithLabelValues(values[:]...) })
}

func (f *family[K, M]) get(key K) M {
	if metric, ok := (*f.known.Load())[key]; ok {
		return metric
	}

	f.mu.Lock()
	defer f.mu.Unlock()

	known := maps.Clone(*f.known.Load())
	known[key] = f.resolve(key) // the same one, if someone else was faster
	f.known.Store(&known)

	return known[key]
}

// A registry makes metrics and registers them.
type registry struct {
	*prometheus.Registry
}

func (r registry) counter(name, help string, labels ...string) *prometheus.CounterVec {
	vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	r.MustRegister(vec)

	return vec
}

func (r registry) histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	vec := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	r.MustRegister(vec)

	return vec
}
