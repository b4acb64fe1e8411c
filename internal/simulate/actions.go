package simulate

import (
	"context"
	"sync"

	"trivia/internal/trivia"
)

// actions delivers every win. Each is on its own; what they share are the
// places, of which each takes one for as long as a request of it is under way.
// So what an outage has held back comes in a burst.
func (r *run) actions(ctx context.Context) {
	var (
		all    sync.WaitGroup
		places = make(chan struct{}, r.Concurrency)
		wins   = maker{begun: r.begun, count: r.Wins, until: r.Duration, over: &r.over, rate: r.WinRate}
	)
	for n := 0; wins.await(ctx, n, r.Now); n++ {
		if wins.rate <= 0 { // it is made when there is a place, and has it
			if !take(ctx, places) {
				break
			}
			if _, ever := wins.due(n, r.Now()); !ever {
				<-places

				break
			}
		}
		r.tally.made(trivia.KindWin, n)
		all.Go(func() { r.action(ctx, n, places, wins.rate <= 0) })
	}
	all.Wait()
}

// action delivers the n-th win, or loses it. placed says that it has a place
// for its first try.
func (r *run) action(ctx context.Context, n int, places chan struct{}, placed bool) {
	body := r.work.body(trivia.KindWin, n)
	first := r.Now()
	for number := 1; ; number++ {
		if !placed && !take(ctx, places) {
			r.leave(trivia.KindWin)

			return
		}
		placed = false
		got := r.try(ctx, trivia.KindWin, n, number, body)
		<-places
		switch {
		case got.Verdict() == Delivered:
			r.tally.delivered(trivia.KindWin, n, r.Now().Sub(first))

			return
		case number > ActionRetries:
			r.tally.lost(trivia.KindWin)

			return
		case !r.wait(ctx, r.backoff(trivia.KindWin, n, number, actionBackoff)):
			r.leave(trivia.KindWin)

			return
		}
	}
}

// take waits for a place. It reports whether ctx let it.
func take(ctx context.Context, places chan<- struct{}) bool {
	select {
	case places <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}
