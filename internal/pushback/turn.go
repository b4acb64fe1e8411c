package pushback

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"time"

	"trivia/internal/customerio"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// What is written on pushes that were never sent.
const (
	reasonKnown = "told already: newer is known"
	reasonGone  = "the win that it tells of is gone"
)

// winEvent is what Customer.io calls a win.
const winEvent = "trivia_prize_awarded"

// A turn is what is done for one person before others get theirs.
type turn struct {
	*Stage
	*store.PushTurn

	until time.Time // the lease, by our clock, or less
	trial bool      // it goes first, to see whether Customer.io is there again

	ended map[int64]store.PushEnd
	moved bool // something is sent
	calls int
	rest  time.Duration
	over  bool // nothing more may be sent in this turn
	more  bool // there is more to send, at once
}

// run sends what can be sent now and returns how it ended.
func (tn *turn) run(ctx context.Context) store.TurnEnd {
	for _, segment := range segments(tn.usable()) {
		if tn.over {
			break
		}
		tn.segment(ctx, segment)
	}

	if tn.moved && tn.rest == 0 {
		tn.Failures = 0
	}
	end := store.TurnEnd{Turn: tn.PushTurn, Rest: tn.rest}
	for _, p := range tn.Pushes {
		if e, ok := tn.ended[p.ID]; ok {
			end.Ends = append(end.Ends, e)
		}
	}
	if len(tn.Pushes) == perTurn && tn.rest == 0 {
		tn.more = true
	}

	return end
}

// usable returns the pushes that can be sent, and parks the others.
func (tn *turn) usable() []push {
	all := make([]push, 0, len(tn.Pushes))
	for _, due := range tn.Pushes {
		p := push{DuePush: due}
		if len(due.Attributes) > 0 {
			if err := json.Unmarshal(due.Attributes, &p.attributes); err != nil {
				tn.end(due.ID, store.PushEnd{State: trivia.PushParked, Reason: fmt.Sprintf("its attributes are no object: %v", err)})
				continue
			}
		}
		if p.tellsOfWin() && p.WonAt.IsZero() {
			tn.end(due.ID, store.PushEnd{State: trivia.PushParked, Reason: reasonGone})
			continue
		}
		all = append(all, p)
	}

	return all
}

// segment sends pushes of which only the last one may suppress: first all
// attributes in one call, then what else there is, one by one.
func (tn *turn) segment(ctx context.Context, pushes []push) {
	m := merge(pushes, tn.Wins, tn.Told)
	if len(m.attributes) > 0 {
		v := tn.call(ctx, "attributes", func(ctx context.Context) error {
			return tn.Client.SetAttributes(ctx, tn.Person, m.attributes, latest(m.at, tn.ToldAt))
		})
		if v.Status == http.StatusBadRequest && len(m.from) > 1 {
			// One of them is bad, and must not park its neighbours.
			for _, p := range pushes {
				if tn.over {
					return
				}
				tn.segment(ctx, []push{p})
			}

			return
		}
		switch v.State {
		case trivia.PushSent:
			tn.tell(m)
		case trivia.PushPending, trivia.PushParked, trivia.PushHeld:
			for id := range m.from {
				tn.end(id, v)
			}
			// What these have not told in the end, others may still tell.
			if !tn.over {
				tn.segment(ctx, tn.left(pushes))
			}

			return
		}
	}

	if tn.over {
		return
	}
	tn.endTold(pushes, m.from)
	for _, p := range tn.left(pushes) {
		tn.end(p.ID, tn.act(ctx, p))
		if tn.over {
			return
		}
	}
}

// left returns the pushes that have not ended.
func (tn *turn) left(pushes []push) []push {
	var all []push
	for _, p := range pushes {
		if _, ended := tn.ended[p.ID]; !ended {
			all = append(all, p)
		}
	}

	return all
}

// endTold ends the pushes that have nothing more to say than attributes.
func (tn *turn) endTold(pushes []push, from map[int64]bool) {
	for _, p := range pushes {
		switch {
		case p.Kind == trivia.PushSuppress, p.Kind == trivia.PushEvent:
		case from[p.ID]:
			tn.end(p.ID, store.PushEnd{State: trivia.PushSent, Status: http.StatusOK, Tried: true})
		default:
			tn.end(p.ID, store.PushEnd{State: trivia.PushSent, Reason: reasonKnown})
		}
	}
}

// act does what a push asks for beside attributes.
func (tn *turn) act(ctx context.Context, p push) store.PushEnd {
	if p.Kind == trivia.PushSuppress {
		return tn.call(ctx, "suppress", func(ctx context.Context) error { return tn.Client.Suppress(ctx, tn.Person) })
	}

	return tn.call(ctx, "event", func(ctx context.Context) error {
		return tn.Client.Track(ctx, tn.Person, customerio.TrackEvent{
			ID: customerio.EventID(p.WonAt, winEvent, tn.Person, p.CauseID), Name: winEvent, At: p.WonAt,
			Data: map[string]any{"trivia_id": p.CauseID, "item": p.Item, "won_at": p.WonAt.Unix()},
		})
	})
}

// tell takes note of what Customer.io knows now.
func (tn *turn) tell(m merged) {
	if tn.Told == nil {
		tn.Told = make(map[string]int64, len(m.since))
	}
	maps.Copy(tn.Told, m.since)
	tn.ToldAt = latest(tn.ToldAt, m.at)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}

	return b
}

// end takes note of what becomes of a push. One for which there was no call,
// and nothing else to say, stays as it is.
func (tn *turn) end(id int64, e store.PushEnd) {
	if e.State == "" {
		return
	}
	e.ID = id
	tn.ended[id] = e
	tn.moved = tn.moved || e.State == trivia.PushSent
	if e.State == trivia.PushParked && e.Status != http.StatusUnauthorized { // that has an alarm of its own
		tn.Log.Warn("push parked", slog.Int64("push", id), slog.Int("status", e.Status), slog.String("reason", e.Reason))
	}
}
