package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// How hard a load presses: enough for requests to be under way at any moment,
// and little enough to leave the machine to the other tests.
const (
	workers  = 16
	interval = 20 * time.Millisecond // between two requests of a worker
)

// A load sends wins that are all different from several connections at once.
// As Customer.io does, it sends again, under the same key, what was not
// answered 200.
type load struct {
	*sender

	first int
	base  atomic.Pointer[string]
	stop  context.CancelFunc
	done  sync.WaitGroup

	mu   sync.Mutex
	sent []sent
}

// sent is one request and its answer.
type sent struct {
	win
	answer
}

func (s sent) taken() bool   { return s.err == nil && s.status == http.StatusOK }
func (s sent) refused() bool { return s.err == nil && s.status == http.StatusServiceUnavailable }

// startLoad sends to the service at base until the load is ended.
func startLoad(t *testing.T, base string) *load {
	t.Helper()

	return startLoadFrom(t, base, 0, actionKey)
}

// startLoadFrom sends the wins from the first on, signed with key.
func startLoadFrom(t *testing.T, base string, first int, key string) *load {
	t.Helper()

	ctx, cancel := context.WithCancel(context.Background())
	l := &load{sender: newSender(t, workers), first: first, stop: cancel}
	l.action = keyOf(t, key)
	l.aim(base)
	for worker := range workers {
		l.done.Go(func() { l.work(ctx, worker) })
	}
	t.Cleanup(func() { l.end() })

	return l
}

// aim sends what follows to base.
func (l *load) aim(base string) { l.base.Store(&base) }

func (l *load) work(ctx context.Context, worker int) {
	pace := time.NewTicker(interval)
	defer pace.Stop()

	for n := l.first + worker; ; n += workers {
		w := nthWin(n)
		for taken := false; !taken; {
			select {
			case <-pace.C:
			case <-ctx.Done():
				return
			}
			taken = l.send(w)
		}
	}
}

func (l *load) send(w win) (taken bool) {
	s := sent{w, l.win(*l.base.Load(), w)}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent = append(l.sent, s)

	return s.taken()
}

// nthWin is the win of one of the users that every database here has.
func nthWin(n int) win {
	return win{
		key:  fmt.Sprintf("load-%d", n),
		user: fmt.Sprintf("user-%d", n%users), trivia: fmt.Sprintf("trivia-%d", n/users), item: "mug",
	}
}

// since returns what was sent, and answered, after the first n.
func (l *load) since(n int) []sent {
	l.mu.Lock()
	defer l.mu.Unlock()

	return slices.Clone(l.sent[n:])
}

// await waits until some more requests, answered from now on, are of a kind.
func (l *load) await(t *testing.T, what string, kind func(sent) bool) {
	t.Helper()

	const enough = workers
	mark := len(l.since(0))
	wait(t, what, func() bool { return count(l.since(mark), kind) >= enough })
}

// end waits for the answers that are still to come and returns all.
func (l *load) end() []sent {
	l.stop()
	l.done.Wait()

	return l.since(0)
}

func count(all []sent, kind func(sent) bool) int {
	n := 0
	for _, s := range all {
		if kind(s) {
			n++
		}
	}

	return n
}

// checkRefusals fails unless every one that was not taken was told to come again,
// while Customer.io would have waited for the answer.
func checkRefusals(t *testing.T, all []sent) {
	t.Helper()

	refused := 0
	for _, s := range all {
		switch {
		case s.taken():
			continue
		case !s.refused():
			t.Errorf("win %s was answered %d, %v; want 200 or 503", s.key, s.status, s.err)
		case s.retryAfter == "":
			t.Errorf("win %s was answered 503 without Retry-After", s.key)
		}
		refused++
	}
	t.Logf("%d refusals", refused)
}
