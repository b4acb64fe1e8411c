package tui

import (
	tea "github.com/charmbracelet/bubbletea"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

// A spot is a line of the overview that leads to what it counts.
type spot struct {
	label string
	tone  Tone
	count int64 // of what waits; -1: what comes is counted instead
	of    func(store.Minute) int64
	park  int64

	page  pageName
	words []string
}

func (s spot) open() tea.Cmd { return turn(s.page, s.words...) }

// A place is where a spot was drawn.
type place struct{ spot, line, from, until int }

// spots returns the lines that lead somewhere: first what came of deliveries,
// then what waits.
func (o *overview) spots() []spot { return append(o.outcomeSpots(), o.waitingSpots()...) }

func (o *overview) outcomeSpots() []spot {
	all := make([]spot, 0, len(trivia.Outcomes())+1)
	for _, outcome := range trivia.Outcomes() {
		s := spot{
			label: string(outcome), count: -1, of: outcomeOf(outcome, ""), park: o.now.ParkedAs[outcome],
			page: pageDeliveries, words: []string{"--outcome", string(outcome)},
		}
		if s.park > 0 {
			s.tone = Bad
		}
		all = append(all, s)
	}
	if n := o.now.ParkedAs[trivia.Unsettled]; n > 0 {
		all = append(all, spot{
			label: "not settled", tone: Bad, count: -1, of: outcomeOf(trivia.Unsettled, trivia.StateParked), park: n,
			page: pageDeliveries, words: []string{"--state", string(trivia.StateParked)},
		})
	}

	return all
}

func (o *overview) waitingSpots() []spot {
	deliveries := func(label string, n int64, words ...string) spot {
		return spot{label: label, count: n, page: pageDeliveries, words: words}
	}
	pushes := func(label string, n int64, state trivia.PushState) spot {
		return spot{label: label, count: n, page: pagePushes, words: []string{"--state", string(state)}}
	}
	all := []spot{
		deliveries("deliveries", o.now.Pending, "--state", string(trivia.StatePending)),
		deliveries("for their user", o.now.Expected, "--state", string(trivia.StatePending), "--outcome", string(trivia.UnknownUser)),
		deliveries("parked", o.now.Parked(), "--state", string(trivia.StateParked)),
		pushes("pushes", o.now.PushesOwed, trivia.PushPending),
		pushes("pushes held", o.now.PushesHeld, trivia.PushHeld),
		pushes("pushes parked", o.now.PushesLost, trivia.PushParked),
	}
	for i, tone := range []Tone{Plain, Plain, Bad, Plain, Waiting, Bad} {
		if all[i].count > 0 {
			all[i].tone = tone
		}
	}

	return all
}
