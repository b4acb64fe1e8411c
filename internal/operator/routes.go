package operator

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"trivia/internal/diag"
	"trivia/internal/store"
	"trivia/internal/stream"
	"trivia/internal/trivia"
)

// A Route is how the deliveries of one kind come.
type Route struct {
	stream.Judgement

	Kind trivia.Kind
}

// JudgeRoutes tells how deliveries come, of each kind, by what the database knows
// and what a hook says; nil if none was asked. Limit is how long nothing may
// come; 0 goes by what was usual.
func JudgeRoutes(known store.Streams, h *Hook, limit time.Duration) []Route {
	var routes []Route
	for _, kind := range trivia.Kinds() {
		sight := known[kind]
		sight.Limit = limit
		for other, s := range known {
			s.Limit = limit
			came := !s.Kept.IsZero() || !s.Heard.IsZero()
			sight.Elsewhere = sight.Elsewhere || other != kind && came && !s.Silent()
		}
		if h != nil {
			sight.Unready, sight.Refused = h.Unready, refusedSince(h.Refusals, kind, sight.Kept)
		}
		routes = append(routes, Route{stream.Judge(sight), kind})
	}

	return routes
}

// refusedSince sums up what was refused of a route after a time. What a doctor
// tries is no sign of anything.
func refusedSince(newest []diag.Refusal, kind trivia.Kind, since time.Time) stream.Refused {
	sum, reasons := stream.Refused{Known: true}, map[string]int{}
	for _, r := range newest {
		if r.Route != string(kind) || r.Probe || !r.Time.After(since) {
			continue
		}
		if sum.Count == 0 {
			sum.Last, sum.From = r.Time, cmp.Or(r.Caller, r.Peer)
		}
		sum.Count++
		reasons[r.Reason]++
	}
	for reason, n := range reasons {
		if most := reasons[sum.Reason]; n > most || n == most && reason < sum.Reason {
			sum.Reason = reason
		}
	}

	return sum
}

// Routes tells how deliveries come, as [JudgeRoutes] does.
func (o *Operator) Routes(ctx context.Context, h *Hook, limit time.Duration) ([]Route, error) {
	known, err := o.store.Streams(ctx)
	if err != nil {
		return nil, err
	}
	for kind, sight := range known {
		sight.Limit = limit
		known[kind] = sight
	}
	if err := o.addPauses(ctx, known); err != nil {
		return nil, err
	}

	return JudgeRoutes(known, h, limit), nil
}

// Pauses remembers the longest pause before a delivery: that of the past does
// not change.
type pauses struct {
	mu    sync.Mutex
	known map[trivia.Kind]pauseBefore
}

type pauseBefore struct {
	until   time.Time
	longest time.Duration
}

// addPauses finds out the pauses of those that cannot be judged without.
func (o *Operator) addPauses(ctx context.Context, streams store.Streams) error {
	o.pauses.mu.Lock()
	defer o.pauses.mu.Unlock()

	for _, kind := range trivia.Kinds() {
		sight := streams[kind]
		until := slices.MaxFunc([]time.Time{sight.Kept, sight.Heard}, time.Time.Compare)
		if !sight.NeedsPause() {
			continue
		}
		p, ok := o.pauses.known[kind]
		if !ok || !p.until.Equal(until) {
			longest, err := o.store.LongestPause(ctx, kind, until)
			if err != nil {
				return err
			}
			if o.pauses.known == nil {
				o.pauses.known = make(map[trivia.Kind]pauseBefore)
			}
			p = pauseBefore{until, longest}
			o.pauses.known[kind] = p
		}
		sight.Pause = p.longest
		streams[kind] = sight
	}

	return nil
}
