package diag_test

import (
	"testing"
	"time"

	"trivia/internal/diag"
)

func TestTheAgeOfTheAddressesIsInfiniteUntilItIsKnown(t *testing.T) {
	t.Parallel()

	m := diag.New()
	if lines := scrape(t, m, "trivia_source_"); len(lines) != 0 {
		t.Errorf("/metrics has %q, want nothing of addresses that nobody asks for", lines)
	}

	known := false
	m.SourceAge(func() (time.Duration, bool) { return 90 * time.Second, known })
	checkLines(t, m, "trivia_source_list_age_seconds +Inf")
	known = true
	m.SourceRefresh("changed")
	m.SourceRefresh("failed")
	m.SourceRefresh("failed")
	checkLines(t, m, "trivia_source_list_age_seconds 90",
		`trivia_source_refresh_total{result="changed"} 1`, `trivia_source_refresh_total{result="failed"} 2`)
}
