package pushback

import (
	"context"
	"errors"
	"sync"
	"time"

	"trivia/internal/store"
)

const (
	perCommit  = 128
	commitTime = 5 * time.Second
)

// A ledger writes down how turns ended. Those that end while it writes share
// the next commit.
type ledger struct {
	store *store.Store

	mu      sync.Mutex
	waiting []entry
	writing bool
}

type entry struct {
	end     store.TurnEnd
	written chan error
}

// write returns when the end of a turn is written. It does so also for somebody
// who is on the way out: else the person would wait for the lease to end.
func (l *ledger) write(ctx context.Context, end store.TurnEnd) error {
	written := make(chan error, 1)
	l.mu.Lock()
	l.waiting = append(l.waiting, entry{end, written})
	if l.writing {
		l.mu.Unlock()

		return <-written
	}
	l.writing = true
	for len(l.waiting) > 0 {
		n := min(len(l.waiting), perCommit)
		batch := l.waiting[:n:n]
		l.waiting = l.waiting[n:]
		l.mu.Unlock()
		l.commit(context.WithoutCancel(ctx), batch)
		l.mu.Lock()
	}
	l.writing, l.waiting = false, nil
	l.mu.Unlock()

	return <-written
}

func (l *ledger) commit(ctx context.Context, batch []entry) {
	ends := make([]store.TurnEnd, len(batch))
	for i, e := range batch {
		ends[i] = e.end
	}
	err := l.attempt(ctx, ends)
	for _, e := range batch {
		mine := err
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			mine = l.attempt(ctx, []store.TurnEnd{e.end}) // one must not spoil the others'
		}
		e.written <- mine
	}
}

func (l *ledger) attempt(ctx context.Context, ends []store.TurnEnd) error {
	ctx, cancel := context.WithTimeout(ctx, commitTime)
	defer cancel()

	return l.store.EndTurns(ctx, ends)
}
