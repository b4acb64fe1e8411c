package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"trivia/internal/customerio"
)

// Traffic is gentle and mixed: a few senders with wins and events in turns,
// each of them until it is answered 200 within Customer.io's patience, and some
// of them once more after that, as when the answer was lost on its way.
type traffic struct {
	*sender

	base atomic.Pointer[string]
	stop context.CancelFunc
	done sync.WaitGroup

	mu       sync.Mutex
	wins     []sent
	events   []toldEvent
	repeated []answer // to what was acknowledged before
}

// A toldEvent is an event and its answer.
type toldEvent struct {
	id, user string
	bounced  bool
	answer
}

func (e toldEvent) taken() bool { return e.err == nil && e.status == http.StatusOK }

const (
	gentle    = 3  // senders
	everyNth  = 5  // is sent again
	bouncesIn = 10 // events
)

// startTraffic sends to the service at base until the traffic ends.
func startTraffic(t *testing.T, base string) *traffic {
	t.Helper()

	ctx, cancel := context.WithCancel(context.Background())
	tr := &traffic{sender: newSender(t, gentle), stop: cancel}
	tr.aim(base)
	for worker := range gentle {
		tr.done.Go(func() {
			for n := worker; ctx.Err() == nil; n += gentle {
				tr.one(ctx, n)
			}
		})
	}
	t.Cleanup(func() { tr.end() })

	return tr
}

// aim sends what follows to base.
func (tr *traffic) aim(base string) { tr.base.Store(&base) }

// one sends the n-th win and the n-th event, each until it is taken.
func (tr *traffic) one(ctx context.Context, n int) {
	pace := time.NewTicker(interval)
	defer pace.Stop()
	until := func(send func() bool) {
		for taken := false; !taken; {
			select {
			case <-pace.C:
			case <-ctx.Done():
				return
			}
			taken = send()
		}
	}

	w, e := nthWin(n), toldEvent{id: fmt.Sprint("event-", n), user: fmt.Sprintf("user-%d", n%users), bounced: n%bouncesIn == 0}
	until(func() bool { return tr.sendWin(w) })
	until(func() bool { return tr.sendEvent(e) })
	if n%everyNth == 0 {
		tr.mu.Lock()
		took := tr.acknowledged(w)
		tr.mu.Unlock()
		if took {
			a := tr.win(*tr.base.Load(), w)
			tr.mu.Lock()
			tr.repeated = append(tr.repeated, a)
			tr.mu.Unlock()
		}
	}
}

func (tr *traffic) acknowledged(w win) bool {
	return slices.ContainsFunc(tr.wins, func(s sent) bool { return s.win == w && s.taken() })
}

func (tr *traffic) sendWin(w win) bool {
	s := sent{w, tr.win(*tr.base.Load(), w)}
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.wins = append(tr.wins, s)

	return s.taken()
}

func (tr *traffic) sendEvent(e toldEvent) bool {
	metric := "opened"
	if e.bounced {
		metric = "bounced"
	}
	e.answer = tr.post(*tr.base.Load()+customerio.PathEvent, tr.event, fmt.Appendf(nil,
		`{"event_id":%q,"object_type":"email","metric":%q,"timestamp":1777896000,"data":{"delivery_id":"d-%s","identifiers":{"id":%q},"note":%q}}`,
		e.id, metric, e.id, e.user, bodySecret), nil)
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.events = append(tr.events, e)

	return e.taken()
}

// taken returns how many wins and events were acknowledged so far.
func (tr *traffic) taken() int {
	tr.mu.Lock()
	defer tr.mu.Unlock()

	n := count(tr.wins, sent.taken)
	for _, e := range tr.events {
		if e.taken() {
			n++
		}
	}

	return n
}

// await waits until some more are acknowledged.
func (tr *traffic) await(t *testing.T, what string) {
	t.Helper()

	const enough = 4 * gentle // more than were under way
	mark := tr.taken()
	wait(t, what, func() bool { return tr.taken() >= mark+enough })
}

// end waits for the answers that are still to come.
func (tr *traffic) end() {
	tr.stop()
	tr.done.Wait()
}

// checkKept fails unless each that was acknowledged is kept once, and each win
// has its prize. A service must run meanwhile, for what is not settled yet.
func (tr *traffic) checkKept(t *testing.T, db postgres) {
	t.Helper()

	tr.end()
	db.checkPrizes(t, tr.wins)
	db.checkKeptOnce(t, tr.wins)

	told := map[string]bool{}
	for _, e := range tr.events {
		if e.taken() {
			told[e.id] = true
		}
	}
	for _, table := range []string{`SELECT key FROM deliveries WHERE kind = 'event' AND key = ANY($1)`, `SELECT event_id FROM events WHERE event_id = ANY($1)`} {
		got := db.column(t, table, slices.Collect(maps.Keys(told)))
		if len(got) != len(told) {
			t.Errorf("%s: %d rows of %d events that were acknowledged", table, len(got), len(told))
		}
	}
	if len(told) == 0 {
		t.Error("no event was acknowledged, so nothing of them was tested")
	}
	for _, a := range tr.repeated {
		if a.err == nil && a.status == http.StatusOK && a.Status != "duplicate" {
			t.Errorf("what was acknowledged before was answered %+v, want that it is a duplicate", a)
		}
	}
}

// checkTold fails unless Customer.io was told of every win, by one event, which
// may have come twice, and knows of everybody what is true now. Nobody's wins
// may ever have become less.
func (api *trackAPI) checkTold(t *testing.T, db postgres, tr *traffic) {
	t.Helper()

	db.waitTold(t)
	api.mu.Lock()
	defer api.mu.Unlock()

	won := map[string]float64{}
	for _, w := range db.column(t, `SELECT user_id || ' ' || trivia_id FROM trivia_wins`) {
		if ids := api.events[w]; len(ids) != 1 {
			t.Errorf("%s is told as the events %v, want one, perhaps repeated", w, ids)
		}
	}
	for _, row := range db.column(t, `SELECT user_id || ' ' || count(*) FROM trivia_wins GROUP BY user_id`) {
		var (
			user string
			n    float64
		)
		if _, err := fmt.Sscan(row, &user, &n); err != nil {
			t.Fatal(err)
		}
		won[user] = n
		if got := api.set[user]["trivia_wins"]; got != n {
			t.Errorf("Customer.io knows of %s: %v wins, want %v", user, got, n)
		}
	}
	for user, counts := range api.counts {
		if !slices.IsSorted(counts) || won[user] == 0 {
			t.Errorf("Customer.io was told of %s, in turn: %v wins, of %v", user, counts, won[user])
		}
	}
	for _, e := range tr.events {
		if e.bounced && e.taken() && api.set[e.user]["email_bounced"] != true {
			t.Errorf("Customer.io does not know that email to %s bounced", e.user)
		}
	}
}
