package ctl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"trivia/internal/trivia"
)

// What is remembered of each delivery of a load.
const (
	benchSent     = 1 << iota
	benchAccepted // answered 2xx at least once
	benchAwarded  // answered as awarded, and not as a duplicate
)

// A benchTally adds up the answers of a load. It is safe for concurrent use.
type benchTally struct {
	mu        sync.Mutex
	counts    map[string]int // of answers, by what they said
	answered  int
	mute      int    // requests that were never answered
	bad       answer // one that is not 2xx
	twice     int    // deliveries that were answered as awarded more than once
	latencies *hdrhistogram.Histogram
	marks     []byte // by the number of the delivery
}

// The latencies that are told apart, in microseconds, to three digits.
const (
	leastLatency = 1
	mostLatency  = int64(2 * time.Minute / time.Microsecond)
	digits       = 3
)

func newBenchTally() *benchTally {
	return &benchTally{counts: map[string]int{}, latencies: hdrhistogram.New(leastLatency, mostLatency, digits)}
}

// add takes in the answer to the n-th delivery.
func (t *benchTally) add(n int, a answer, took time.Duration) {
	mark := byte(benchSent)
	if a.ok() {
		mark |= benchAccepted
	}
	if a.status == "accepted" && a.outcome == string(trivia.Awarded) {
		mark |= benchAwarded
	}

	t.mu.Lock()
	defer t.mu.Unlock()

	t.answered++
	if !a.ok() {
		t.bad = a
	}
	t.counts[answerWords(a)]++
	if t.marked(n)&benchAwarded != 0 && mark&benchAwarded != 0 {
		t.twice++
	}
	t.mark(n, mark)
	_ = t.latencies.RecordValue(min(max(took.Microseconds(), leastLatency), mostLatency)) // in bounds
}

// addMute takes in that the n-th delivery has got no answer. It reports
// whether there was any answer before.
func (t *benchTally) addMute(n int, err error) (answered bool) {
	t.mu.Lock()
	defer t.mu.Unlock()

	t.mute++
	t.counts["no answer: "+muteWords(err)]++
	t.mark(n, benchSent)

	return t.answered > 0
}

func (t *benchTally) marked(n int) byte {
	if n >= len(t.marks) {
		return 0
	}

	return t.marks[n]
}

func (t *benchTally) mark(n int, mark byte) {
	if n >= len(t.marks) {
		t.marks = append(t.marks, make([]byte, n+1-len(t.marks))...)
	}
	t.marks[n] |= mark
}

// count returns how many deliveries have a mark.
func (t *benchTally) count(mark byte) (n int) {
	for _, m := range t.marks {
		if m&mark != 0 {
			n++
		}
	}

	return n
}

// keys yields the keys of all deliveries that have a mark.
func (t *benchTally) keys(mark byte, key func(n int) string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for n, m := range t.marks {
			if m&mark != 0 && !yield(key(n)) {
				return
			}
		}
	}
}

// answerWords say what kind of answer it was.
func answerWords(a answer) string {
	said := a.outcome
	if !a.ok() {
		said = a.fault
	}

	return strings.TrimRight(fmt.Sprintf("%d %s: %s", a.code, a.status, said), ": ")
}

// muteWords say why there was no answer, without what differs each time.
func muteWords(err error) string {
	if number, ok := errors.AsType[syscall.Errno](err); ok {
		return number.Error()
	}
	if timeout, ok := errors.AsType[net.Error](err); errors.Is(err, context.DeadlineExceeded) || ok && timeout.Timeout() {
		return "none in " + sendTimeout.String()
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "connection closed"
	}
	if call, ok := errors.AsType[*url.Error](err); ok {
		err = call.Err
	}

	return err.Error()
}
