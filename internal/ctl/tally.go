package ctl

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"trivia/internal/tui"
)

// A tally adds up the answers of many requests.
type tally struct {
	counts map[string]int // by what is shown of an answer
	bad    answer         // one that is not 2xx
	failed int
	keys   map[string]struct{}
	took   []time.Duration
}

func newTally() *tally { return &tally{counts: map[string]int{}, keys: map[string]struct{}{}} }

func (t *tally) add(a answer) {
	said := a.outcome
	if !a.ok() {
		t.failed++
		t.bad = a
		said = a.fault
	}
	t.counts[strings.TrimRight(fmt.Sprintf("%d %s: %s", a.code, a.status, said), ": ")]++
	t.keys[a.key] = struct{}{}
	t.took = append(t.took, a.took)
}

// percentile returns the time within which p of 100 answers came; took is
// sorted.
func percentile(took []time.Duration, p int) time.Duration {
	if len(took) == 0 {
		return 0
	}

	return took[max(0, (len(took)*p+99)/100-1)]
}

func (s *session) sendMany(ctx context.Context, sd *sender, do verbs) error {
	all := newTally()
	begun := s.Now()
	progress := s.progress("sending", "requests")
	err := sd.all(ctx, func(a answer) {
		all.add(a)
		progress.set(len(all.took), int64(len(all.took)), int64(sd.repeat))
	})
	progress.stop()
	s.printTally(all, s.Now().Sub(begun))

	switch {
	case err != nil:
		if n := len(all.took); n > 0 && !errors.Is(err, context.Canceled) {
			err = fmt.Errorf("after %d answers: %w", n, err)
		}

		return err
	case all.failed > 0:
		err := notAccepted(all.bad)

		return hinted{fmt.Errorf("%d of %d were not accepted", all.failed, sd.repeat), hintOf(err)}
	case sd.wait > 0:
		keys := make([]string, 0, len(all.keys))
		for key := range all.keys {
			keys = append(keys, key)
		}

		return s.waitFor(ctx, sd, do, keys)
	}

	return nil
}

func (s *session) printTally(t *tally, took time.Duration) {
	if len(t.took) == 0 {
		return
	}

	rate := float64(len(t.took)) / max(took.Seconds(), 0.001)
	s.print("%s in %.2f s, %.0f per second, under %s\n",
		plural(len(t.took), "answer"), took.Seconds(), rate, plural(len(t.keys), "key"))
	said := make([]string, 0, len(t.counts))
	for words := range t.counts {
		said = append(said, words)
	}
	slices.Sort(said)
	for _, words := range said {
		s.print("  %7d  %s\n", t.counts[words], tui.Clean(words))
	}
	slices.Sort(t.took)
	s.print("latency: p50 %s, p99 %s, most %s\n",
		millis(percentile(t.took, 50)), millis(percentile(t.took, 99)), millis(t.took[len(t.took)-1]))
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}

	return strconv.Itoa(n) + " " + noun + "s"
}
