package operator

import (
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// A Standing is what a delivery's row says of it.
type Standing struct {
	State   trivia.State
	Outcome trivia.Outcome
}

// String says it in a word or two.
func (s Standing) String() string {
	switch {
	case s.Outcome == trivia.Unsettled && s.State == trivia.StateParked:
		return "refused"
	case s.Outcome == trivia.Unsettled:
		return string(s.State)
	case s.State == trivia.StatePending:
		return string(s.Outcome) + " (pending)"
	}

	return string(s.Outcome)
}

func standingOf(d store.DeliveryRow) Standing { return Standing{d.State, d.Outcome} }

// A Change is what a replay makes of deliveries. It is none if both are the
// same.
type Change struct{ Before, After Standing }

// A ReplayedRow is a delivery as it was before a replay, and what it came to.
type ReplayedRow struct {
	store.DeliveryRow

	After  Standing
	Reason string // for what it came to; why it was left alone, if it was
}

// Replayed says what a replay came to, or would.
type Replayed struct {
	Deliveries int // looked at
	Changes    map[Change]int
	Left       int           // could not be settled now, and are as they were
	First      []ReplayedRow // the first of them
	Last       store.Cursor  // of the delivery looked at last, if there was any
}

// mostReplayed is how many rows a [Replayed] shows.
const mostReplayed = 50

// Changed returns how many deliveries are not what they were.
func (r *Replayed) Changed() (n int) {
	for change, m := range r.Changes {
		if change.Before != change.After {
			n += m
		}
	}

	return n
}

// Awarded returns how many have earned a prize by it.
func (r *Replayed) Awarded() (n int) {
	for change, m := range r.Changes {
		if change.Before != change.After && change.After.Outcome == trivia.Awarded {
			n += m
		}
	}

	return n
}
