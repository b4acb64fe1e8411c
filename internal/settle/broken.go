package settle

import (
	"sync"

	"trivia/internal/store"
)

// brokenAttempts is how often an award may end its session at the database
// before it is parked. Such an award may end all other sessions too, as when the
// kernel kills a process of the server for its memory.
const brokenAttempts = 3

const brokenReason = "its award ended the database's session again and again: "

// A broken counts the deliveries under which a session has ended, and which
// are suspected of it. The first time they may have been bystanders; so each is
// tried alone from then on. The count is this process's own: it outlives the
// database, and what another process has counted is counted again. The zero
// value suspects none.
type broken struct {
	mu     sync.Mutex
	counts map[store.Ref]int
}

// count adds one for ref and returns how many there were.
func (b *broken) count(ref store.Ref) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.counts == nil {
		b.counts = make(map[store.Ref]int)
	}
	b.counts[ref]++

	return b.counts[ref]
}

func (b *broken) forget(ref store.Ref) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.counts, ref)
}

// part divides refs into those that may be settled side by side and those that
// are suspected.
func (b *broken) part(refs []store.Ref) (others, suspects []store.Ref) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, ref := range refs {
		if b.counts[ref] > 0 {
			suspects = append(suspects, ref)
			continue
		}
		others = append(others, ref)
	}

	return others, suspects
}
