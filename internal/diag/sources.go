package diag

import (
	"math"
	"time"
)

// SourceRefresh counts one attempt to refresh Customer.io's addresses.
func (m *Metrics) SourceRefresh(result string) { m.refreshes.get(result).Inc() }

// SourceAge sets what is asked at a scrape for how long ago Customer.io last
// said where it calls from. It is known only if Customer.io ever did. A nil fn
// says that nobody goes by what it said.
func (m *Metrics) SourceAge(fn func() (age time.Duration, known bool)) {
	if fn == nil {
		m.live.sources.Store(nil)
		return
	}
	m.live.sources.Store(&fn)
}

// sourceAge is infinite where nobody knows, so that an alarm about an old list
// also sounds for one that could never be refreshed.
func sourceAge(fn func() (time.Duration, bool)) float64 {
	age, known := fn()
	if !known {
		return math.Inf(1)
	}

	return age.Seconds()
}
