package pushback

import (
	"encoding/json"
	"time"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

// What a win sets.
const (
	lastTrivia = "last_trivia_id"
	lastItem   = "last_trivia_item"
	lastWonAt  = "last_trivia_won_at"
	winCount   = "trivia_wins"
)

// A push is one that is due, with its attributes read.
type push struct {
	store.DuePush

	attributes map[string]json.RawMessage // numbers stay as they were written
}

func (p push) tellsOfWin() bool { return p.Kind == trivia.PushEvent }

// A merged is what several pushes say of a person together, in one call.
type merged struct {
	attributes map[string]any   // empty: nothing that is not known already
	since      map[string]int64 // attribute → when that came to be true, in Unix microseconds
	from       map[int64]bool   // the pushes that the call tells of
	at         time.Time        // when the latest of it came to be true
}

// byWins stands for the pushes that tell of wins, which all set the same.
const byWins = 0

// merge brings together what pushes say, in their order. Of two that set the
// same attribute the one counts that came to be true later, and so does what
// was told before. Those that tell of a win say how the wins stand.
func merge(pushes []push, won store.PersonWins, told map[string]int64) merged {
	m := merged{attributes: map[string]any{}, since: map[string]int64{}, from: map[int64]bool{}}
	by := map[string]int64{} // attribute → push
	set := func(id int64, name string, value any, at time.Time) {
		since := at.UnixMicro()
		if known, ok := told[name]; ok && since < known {
			return
		}
		if known, ok := m.since[name]; ok && since < known {
			return
		}
		m.attributes[name], m.since[name], by[name] = value, since, id
		if at.After(m.at) {
			m.at = at
		}
	}

	for _, p := range pushes {
		for name, value := range p.attributes {
			set(p.ID, name, value, p.At)
		}
		if p.tellsOfWin() {
			set(byWins, lastTrivia, won.Trivia, won.WonAt)
			set(byWins, lastItem, won.Item, won.WonAt)
			set(byWins, lastWonAt, won.WonAt.Unix(), won.WonAt)
			set(byWins, winCount, won.Count, won.WonAt)
		}
	}

	for _, id := range by {
		m.from[id] = true
	}
	if m.from[byWins] {
		delete(m.from, byWins)
		for _, p := range pushes {
			if p.tellsOfWin() {
				m.from[p.ID] = true
			}
		}
	}

	return m
}

// segments cuts pushes behind every one that suppresses: what comes after it
// must not be told before.
func segments(pushes []push) [][]push {
	var all [][]push
	begin := 0
	for i, p := range pushes {
		if p.Kind == trivia.PushSuppress || i == len(pushes)-1 {
			all = append(all, pushes[begin:i+1])
			begin = i + 1
		}
	}

	return all
}
