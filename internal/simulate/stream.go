package simulate

import (
	"context"
	"time"

	"trivia/internal/trivia"
)

// stream delivers every event of one workspace, in order. Its queue has as many
// events as are made and not through yet, the one at its head included.
func (r *run) stream(ctx context.Context, index int) {
	events := r.eventsOf(index)
	for i := 0; events.await(ctx, i, r.Now); i++ {
		n := i*r.Streams + index
		r.tally.made(trivia.KindEvent, n)
		queue := func() int {
			if events.rate <= 0 {
				return 1
			}

			return max(events.made(r.Now())-i, 1)
		}
		if !r.event(ctx, n, queue) {
			// What has been made behind it will never be sent.
			r.tally.leftBehind(trivia.KindEvent, queue()-1)

			break
		}
	}
}

// eventsOf returns when the events of one of the streams are made: it has every
// Streams-th of them.
func (r *run) eventsOf(index int) maker {
	m := maker{begun: r.begun, count: r.Events, until: r.Duration, over: &r.over, rate: r.EventRate / float64(r.Streams)}
	if r.Events >= 0 {
		m.count = (r.Events - index + r.Streams - 1) / r.Streams
	}

	return m
}

// event delivers the n-th event, and is done when it is through or its time is
// over. It returns false when ctx has ended before that.
func (r *run) event(ctx context.Context, n int, queue func() int) bool {
	var (
		body  = r.work.body(trivia.KindEvent, n)
		first = r.Now()
		age   time.Duration // of the event since its first try, on the fast clock
		soft  int           // tries that cost the ordinary backoff
	)
	for number := 1; ; number++ {
		got := r.try(ctx, trivia.KindEvent, n, number, body)
		age += got.Took
		r.tally.queued(trivia.KindEvent, queue())

		var wait time.Duration
		verdict := got.Verdict()
		switch verdict {
		case Delivered:
			r.tally.delivered(trivia.KindEvent, n, r.Now().Sub(first))

			return true
		case Stall:
			wait = LongWait
		case Backoff:
			soft++
			wait = r.backoff(trivia.KindEvent, n, soft, eventBackoff)
		}

		left := EventLife - age
		r.tally.held(verdict, got.Cause(), max(min(wait, left), 0))
		if wait >= left {
			if !r.wait(ctx, left) {
				return r.leave(trivia.KindEvent)
			}
			r.tally.lost(trivia.KindEvent)

			return true
		}
		age += wait
		if !r.wait(ctx, wait) {
			return r.leave(trivia.KindEvent)
		}
		r.tally.queued(trivia.KindEvent, queue())
	}
}

// leave takes down that a delivery is given up because the run ends.
func (r *run) leave(kind trivia.Kind) bool {
	r.tally.left(kind)

	return false
}
