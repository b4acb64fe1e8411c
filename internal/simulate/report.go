package simulate

import (
	"cmp"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"trivia/internal/trivia"
)

// A Report is what a run came to.
type Report struct {
	Run          string
	Seed         uint64
	Begun        time.Time     // when the events say that they began to happen
	Took         time.Duration // real
	Hour         time.Duration // how long an hour of waiting took
	Events, Wins Machine
	Stalls       []Hold // what heads of streams waited for because an answer costs an hour, most first
	Holds        []Hold // and what they waited for by the ordinary backoff
	Answers      []Count
	Timeouts     int // tries that were not answered within Timeout
	P50, P99     time.Duration
	Max          time.Duration // of the latencies of all answers, real

	work *work
}

// A Machine is what one of the two has done.
type Machine struct {
	Made         int           // deliveries that were due
	Sent         int           // requests
	Delivered    int           // deliveries that were answered with a 2xx
	Duplicates   int           // of them, with one that says it came before
	Lost         int           // deliveries that the sender has given up for good
	Undelivered  int           // deliveries that were still tried when the run ended
	LongestQueue int           // the most deliveries that waited at once, in one stream if they are events
	Slowest      time.Duration // the longest that a delivery took from its first try to its 2xx, real

	acknowledged []bool
	end          int // one more than the highest number of a delivery
}

// A Hold is how long heads of streams waited for one cause, on the fast clock.
type Hold struct {
	Cause string // an answer's status, or an error
	Times int
	Wait  time.Duration
}

// A Count is how many answers were of one kind.
type Count struct {
	Words string
	N     int
}

// Stalled returns how long heads of streams waited in all because of answers
// that cost an hour, on the fast clock.
func (r *Report) Stalled() time.Duration { return total(r.Stalls) }

// Held returns how long they waited in all by the ordinary backoff.
func (r *Report) Held() time.Duration { return total(r.Holds) }

// Lost returns how many deliveries the sender has given up.
func (r *Report) Lost() int { return r.Events.Lost + r.Wins.Lost }

// Undelivered returns how many were still tried when the run ended.
func (r *Report) Undelivered() int { return r.Events.Undelivered + r.Wins.Undelivered }

// Acknowledged yields the keys of all deliveries of a kind that were answered
// with a 2xx.
func (r *Report) Acknowledged(kind trivia.Kind) iter.Seq[string] {
	m := r.Wins
	if kind == trivia.KindEvent {
		m = r.Events
	}

	return func(yield func(string) bool) {
		for n, acknowledged := range m.acknowledged {
			if acknowledged && !yield(r.work.key(kind, n)) {
				return
			}
		}
	}
}

// Sent yields the keys of all deliveries of a kind that were made.
func (r *Report) Sent(kind trivia.Kind) iter.Seq[string] {
	most := r.Wins.end
	if kind == trivia.KindEvent {
		most = r.Events.end
	}

	return func(yield func(string) bool) {
		for n := range most {
			if !yield(r.work.key(kind, n)) {
				return
			}
		}
	}
}

func total(holds []Hold) (sum time.Duration) {
	for _, h := range holds {
		sum += h.Wait
	}

	return sum
}

// A tally adds up a run. It is safe for concurrent use.
type tally struct {
	mu           sync.Mutex
	events, wins Machine
	stalls       map[string]Hold
	holds        map[string]Hold
	answers      map[string]int
	timeouts     int
	latencies    *hdrhistogram.Histogram
}

// The latencies that are told apart, in microseconds, to three digits.
const (
	leastLatency = 1
	mostLatency  = int64(time.Minute / time.Microsecond)
	digits       = 3
)

func newTally() *tally {
	return &tally{
		stalls: map[string]Hold{}, holds: map[string]Hold{}, answers: map[string]int{},
		latencies: hdrhistogram.New(leastLatency, mostLatency, digits),
	}
}

// of returns a machine; mu must be held.
func (t *tally) of(kind trivia.Kind) *Machine {
	if kind == trivia.KindEvent {
		return &t.events
	}

	return &t.wins
}

// made takes in that the n-th delivery is due. How long the queue of events is, their
// stream knows.
func (t *tally) made(kind trivia.Kind, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	m := t.of(kind)
	m.Made++
	m.end = max(m.end, n+1)
	if kind == trivia.KindWin {
		m.LongestQueue = max(m.LongestQueue, m.Made-m.Delivered-m.Lost-m.Undelivered)
	}
}

func (t *tally) queued(kind trivia.Kind, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	m := t.of(kind)
	m.LongestQueue = max(m.LongestQueue, n)
}

func (t *tally) answered(try Try, a Answer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	m := t.of(try.Kind)
	m.Sent++
	t.answers[a.Words()]++
	if a.Code > 0 {
		_ = t.latencies.RecordValue(min(max(a.Took.Microseconds(), leastLatency), mostLatency)) // in bounds
	}
	if a.Cause() == causeTimeout {
		t.timeouts++
	}
	if a.Verdict() == Delivered && a.Status == "duplicate" {
		m.Duplicates++
	}
}

func (t *tally) delivered(kind trivia.Kind, n int, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	m := t.of(kind)
	m.Delivered++
	m.Slowest = max(m.Slowest, took)
	if n >= len(m.acknowledged) {
		m.acknowledged = append(m.acknowledged, make([]bool, n+1-len(m.acknowledged))...)
	}
	m.acknowledged[n] = true
}

func (t *tally) lost(kind trivia.Kind) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.of(kind).Lost++
}

// left takes in that a delivery stays undelivered.
func (t *tally) left(kind trivia.Kind) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.of(kind).Undelivered++
}

// leftBehind takes in that n are made behind a delivery that stays undelivered.
func (t *tally) leftBehind(kind trivia.Kind, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	m := t.of(kind)
	m.Made += n
	m.Undelivered += n
}

func (t *tally) held(v Verdict, cause string, wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	holds := t.holds
	if v == Stall {
		holds = t.stalls
	}
	h := holds[cause]
	holds[cause] = Hold{cause, h.Times + 1, h.Wait + wait}
}

func (t *tally) report(o Options, took time.Duration) *Report {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := &Report{
		Run: o.Name(), Seed: o.Seed, Begun: o.Begun, Took: took, Hour: o.Hour, Events: t.events, Wins: t.wins,
		Stalls: sorted(t.stalls), Holds: sorted(t.holds), Timeouts: t.timeouts, work: newWork(o),
		P50: t.latency(50), P99: t.latency(99), Max: t.latency(100),
	}
	for words, n := range t.answers {
		r.Answers = append(r.Answers, Count{words, n})
	}
	slices.SortFunc(r.Answers, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Words, b.Words))
	})

	return r
}

func (t *tally) latency(percent float64) time.Duration {
	return time.Duration(t.latencies.ValueAtQuantile(percent)) * time.Microsecond
}

// sorted returns holds, the longest first.
func sorted(holds map[string]Hold) []Hold {
	var all []Hold
	for _, h := range holds {
		all = append(all, h)
	}
	slices.SortFunc(all, func(a, b Hold) int {
		return cmp.Or(cmp.Compare(b.Wait, a.Wait), cmp.Compare(a.Cause, b.Cause))
	})

	return all
}
