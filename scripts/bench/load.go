package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// A load is what one run sends: distinct wins or events over keep-alive connections,
// each connection sending the next one when it has its answer.
type load struct {
	addr     string
	conns    int
	warm     time.Duration // not measured
	measured time.Duration
	requests [][]byte // as they go over the wire
}

// A tally is what came of a load's measured part.
type tally struct {
	took      time.Duration
	accepted  int
	refused   int
	latencies []time.Duration // of the accepted, sorted
}

func (t tally) rate() float64 { return float64(t.accepted) / t.took.Seconds() }

func (t tally) quantile(q float64) time.Duration {
	if len(t.latencies) == 0 {
		return 0
	}

	return t.latencies[min(int(q*float64(len(t.latencies))), len(t.latencies)-1)]
}

// run sends until the time is over. The gauge is called when measuring starts
// and when it ends.
func (l load) run(ctx context.Context, gauge func()) (tally, error) {
	ctx, cancel := context.WithTimeout(ctx, l.warm+l.measured)
	defer cancel()
	var (
		next    atomic.Int64
		group   sync.WaitGroup
		workers = make([]worker, l.conns)
	)
	start := time.Now()
	for i := range workers {
		workers[i] = worker{load: &l, next: &next, from: start.Add(l.warm), until: start.Add(l.warm + l.measured)}
		group.Go(func() { workers[i].err = workers[i].run(ctx) })
	}
	time.Sleep(l.warm)
	gauge()
	time.Sleep(time.Until(start.Add(l.warm + l.measured)))
	gauge()
	group.Wait()

	out := tally{took: l.measured}
	for _, w := range workers {
		if w.err != nil {
			return out, w.err
		}
		out.accepted += len(w.latencies)
		out.refused += w.refused
		out.latencies = append(out.latencies, w.latencies...)
	}
	slices.Sort(out.latencies)

	return out, nil
}

// A worker is one connection.
type worker struct {
	*load

	next        *atomic.Int64
	from, until time.Time
	latencies   []time.Duration
	refused     int
	err         error
}

var errUsedUp = errors.New("all prepared requests are sent: prepare more with -requests")

func (w *worker) run(ctx context.Context) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", w.addr)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	answers := bufio.NewReader(conn)

	for {
		i := w.next.Add(1) - 1
		if i >= int64(len(w.requests)) {
			return errUsedUp
		}
		sent := time.Now()
		if sent.After(w.until) {
			return nil
		}
		if _, err := conn.Write(w.requests[i]); err != nil {
			return err
		}
		status, err := readAnswer(answers)
		if err != nil {
			return err
		}
		got := time.Now()
		switch {
		case got.Before(w.from) || got.After(w.until):
		case status == http.StatusOK:
			w.latencies = append(w.latencies, got.Sub(sent))
		default:
			w.refused++
		}
	}
}

// readAnswer reads as little of an answer as tells where the next one starts:
// the load shares its processors with what it measures.
func readAnswer(r *bufio.Reader) (status int, err error) {
	length := 0
	for first := true; ; first = false {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		switch {
		case first:
			if len(line) < 12 {
				return 0, fmt.Errorf("status line %q", line)
			}
			if status, err = strconv.Atoi(string(line[9:12])); err != nil {
				return 0, err
			}
		case len(line) <= 2:
			_, err = r.Discard(length)
			return status, err
		case len(line) > 16 && string(line[:16]) == "Content-Length: ":
			if length, err = strconv.Atoi(string(line[16 : len(line)-2])); err != nil {
				return 0, err
			}
		}
	}
}
