package receiver

import (
	"sync"
	"sync/atomic"
	"time"

	"trivia/internal/signature"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// A ring is what one route verifies with. It is replaced as a whole, so that a
// request is judged by one ring from beginning to end.
type ring struct {
	signature.Verifier
	uses []*uses // of each of Keys
}

// Uses count how often a key of a route has matched since they were last
// collected. They are added to without a lock.
type uses struct {
	n           atomic.Int64
	first, last atomic.Int64 // Unix microseconds
}

func (u *uses) add(at time.Time) {
	micros := at.UnixMicro()
	u.first.CompareAndSwap(0, micros)
	u.last.Store(micros)
	u.n.Add(1) // last, so that who collects it finds the times
}

// count counts a match of key.
func (r *ring) count(key signature.Key, at time.Time) {
	for i, k := range r.Keys {
		if k == key {
			r.uses[i].add(at)
			return
		}
	}
}

// A keyBook holds the uses of every key that was ever on a ring, so that none
// is lost with a ring that requests still go by.
type keyBook struct {
	mu   sync.Mutex // held when rings are made and when uses are collected
	uses map[keyName]*uses
}

type keyName struct {
	kind        trivia.Kind
	fingerprint string
}

func (b *keyBook) ring(kind trivia.Kind, v signature.Verifier) *ring {
	b.mu.Lock()
	defer b.mu.Unlock()

	r := &ring{Verifier: v}
	for _, key := range v.Keys {
		name := keyName{kind, key.Fingerprint()}
		if b.uses[name] == nil {
			b.uses[name] = &uses{}
		}
		r.uses = append(r.uses, b.uses[name])
	}

	return r
}

// Rekey replaces what the routes verify with. Requests whose signature is being
// checked are judged by what was there before; none waits and none is dropped.
func (rc *Receiver) Rekey(action, event signature.Verifier) {
	rc.action.Store(rc.book.ring(trivia.KindWin, action))
	rc.event.Store(rc.book.ring(trivia.KindEvent, event))
	for kind, v := range map[trivia.Kind]signature.Verifier{trivia.KindWin: action, trivia.KindEvent: event} {
		names := make([]string, len(v.Keys))
		for i, key := range v.Keys {
			names[i] = key.Fingerprint()
		}
		rc.Metrics.SigningKeys(string(kind), names)
	}
}

// CollectKeyUses returns what was counted since the last call, by key.
func (rc *Receiver) CollectKeyUses() []store.KeyUse {
	rc.book.mu.Lock()
	defer rc.book.mu.Unlock()

	var all []store.KeyUse
	for name, u := range rc.book.uses {
		n := u.n.Swap(0)
		if n == 0 {
			continue
		}
		// A request that is counted this moment may have lost its first time to an
		// earlier call.
		last := u.last.Load()
		first := u.first.Swap(0)
		if first == 0 || first > last {
			first = last
		}
		all = append(all, store.KeyUse{
			Kind: name.kind, Fingerprint: name.fingerprint, Uses: n, First: time.UnixMicro(first), Last: time.UnixMicro(last),
		})
	}

	return all
}
