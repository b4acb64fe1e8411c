package tui

import (
	"cmp"
	"slices"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

// sort takes the next order. It stays as it is now, so that no row moves when
// its numbers change.
func (l *triviaList) sort() {
	here, _ := l.row()
	l.order = (l.order + 1) % orders
	rows := slices.Clone(l.rows)
	switch l.order {
	case byLastWin:
		slices.SortStableFunc(rows, func(a, b store.TriviaRow) int { return b.LastWin.Compare(a.LastWin) })
	case byWins:
		slices.SortStableFunc(rows, func(a, b store.TriviaRow) int { return cmp.Compare(l.wins[b.ID], l.wins[a.ID]) })
	case byName, orders:
	}
	l.places = nil
	if l.order != byName {
		for _, row := range rows {
			l.places = append(l.places, row.ID)
		}
	}
	l.moveTo(here.ID)
	l.scroll()
}

// words say what is seen first.
func (o triviaOrder) words(all bool) string {
	text := ""
	switch o {
	case byLastWin:
		text = "latest win first"
	case byWins:
		text = "most wins first"
	case byName, orders:
		return "by identifier"
	}
	if !all {
		text += ", within those loaded"
	}

	return text
}

// shown are the rows in the order in which they are shown. Those that came since
// it was chosen follow.
func (l *triviaList) shown() []store.TriviaRow {
	if l.places == nil {
		return l.rows
	}
	place := make(map[trivia.ID]int, len(l.places))
	for i, id := range l.places {
		place[id] = i
	}
	rows := slices.Clone(l.rows)
	at := func(row store.TriviaRow) int {
		if i, ok := place[row.ID]; ok {
			return i
		}

		return len(place)
	}
	slices.SortStableFunc(rows, func(a, b store.TriviaRow) int { return cmp.Compare(at(a), at(b)) })

	return rows
}
