package pgembed

import "time"

// WithRenewEvery makes a cluster look for upgraded binaries more often.
func WithRenewEvery(o Options, every time.Duration) Options {
	o.renewEvery = every

	return o
}

// AdviceFor is adviceFor.
func AdviceFor(goos, osRelease string, major int) string { return adviceFor(goos, osRelease, major) }
