package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// A report is one run of one version.
type report struct {
	tally

	cpu    usage
	memory int64 // bytes, at most
	copied int   // rows that were handed to the warehouse while it was measured
}

// A usage is processor time, by who used it.
type usage struct {
	service, postgres, load time.Duration
}

func (u usage) minus(v usage) usage {
	return usage{u.service - v.service, u.postgres - v.postgres, u.load - v.load}
}

func (r report) each(d time.Duration) float64 {
	if r.accepted == 0 {
		return 0
	}

	return float64(d.Microseconds()) / float64(r.accepted)
}

func (r report) String() string {
	copied := ""
	if r.copied > 0 {
		copied = fmt.Sprintf("  copied %.0f/s", float64(r.copied)/r.took.Seconds())
	}

	return fmt.Sprintf("%8.0f/s  p50 %5.2f ms  p99 %6.2f ms  µs of CPU each: service %5.1f, Postgres %5.1f, load %4.1f  %4d MiB  refused %d"+copied,
		r.rate(), milliseconds(r.quantile(.5)), milliseconds(r.quantile(.99)),
		r.each(r.cpu.service), r.each(r.cpu.postgres), r.each(r.cpu.load), r.memory>>20, r.refused)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func printMedians(kind workload, conns int, versions []version, runs map[string][]report) {
	name := versions[1].name
	plain, hook := runs[versions[0].name], runs[name]
	ratios, tails := make([]float64, len(plain)), make([]float64, len(plain))
	for i := range plain {
		ratios[i] = hook[i].rate() / plain[i].rate()
		tails[i] = float64(hook[i].quantile(.99)) / float64(plain[i].quantile(.99))
	}
	fmt.Printf("%d connections, medians: %s takes %.2f× as many %s a second (%.0f to %.0f), p99 is %.2f× as long\n\n",
		conns, name, median(ratios), kind.name, median(rates(plain)), median(rates(hook)), median(tails))
}

func rates(rs []report) []float64 {
	out := make([]float64, len(rs))
	for i, r := range rs {
		out[i] = r.rate()
	}

	return out
}

func median[T cmp.Ordered](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
