package tui

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/bubbles/textinput"
	tea "github.com/charmbracelet/bubbletea"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

const (
	// triviaStretch is how many trivias are read at once, and mostTrivias how many
	// are held.
	triviaStretch = 200
	mostTrivias   = 3 * triviaStretch

	// mostLookedAt is how many trivias one question looks at for those that are
	// looked for.
	mostLookedAt = 20_000

	// triviasEvery is how often those that are seen are read again.
	triviasEvery = 3 * time.Second
)

// A triviaList shows trivias in the order of their identifiers: it holds a
// stretch of them that moves along with the cursor.
type triviaList struct {
	asker

	desk  *Desk
	theme theme
	keys  triviaKeys

	rows   []store.TriviaRow
	from   store.Cursor   // rows stand behind it
	before []store.Cursor // where the stretches began that were left behind
	behind store.Cursor   // what follows stands behind this
	ended  bool           // nothing does
	begun  bool           // something was answered
	err    error          // of the last question

	text   string           // only those whose identifiers have it
	input  *textinput.Model // nil unless it is typed
	order  triviaOrder
	places []trivia.ID // in that order; nil in the order of identifiers

	at, top, height int
	chosen          map[trivia.ID]store.TriviaRow
	wins            map[trivia.ID]int64
	counted         map[trivia.ID]time.Time // when each of wins was
	slice           int                     // how many to count at once
	read, count     question
	toEnd           bool // go on until nothing follows
}

// A triviaOrder is how those that are held are shown.
type triviaOrder int

const (
	byName triviaOrder = iota
	byLastWin
	byWins
	orders
)

// A stretch is what came of a question for trivias.
type stretch struct {
	rows   []store.TriviaRow
	from   store.Cursor
	behind store.Cursor
	ended  bool
	adds   bool // to what there is
	text   string
}

// winCounts is what came of a question for their wins.
type winCounts map[trivia.ID]int64

func newTrivias(d *Desk) screen {
	return &triviaList{
		asker: newAsker(), desk: d, theme: newTheme(d.Color), keys: newTriviaKeys(), height: 20,
		chosen: map[trivia.ID]store.TriviaRow{}, wins: map[trivia.ID]int64{}, counted: map[trivia.ID]time.Time{}, slice: 4,
	}
}

func (*triviaList) title() string  { return "trivias" }
func (l *triviaList) typing() bool { return l.input != nil }
func (l *triviaList) open() tea.Cmd {
	if !l.begun {
		l.read.next = time.Time{}
	}

	return l.look()
}

// look reads again what is held, and counts the wins of what is seen.
func (l *triviaList) look() tea.Cmd {
	return tea.Batch(l.again(), l.countSeen())
}

func (l *triviaList) again() tea.Cmd {
	if !l.read.may(l.desk.Now()) {
		return nil
	}

	return l.fetch(l.from, max(triviaStretch, len(l.rows)), false)
}

// fetch asks for up to n trivias behind a cursor.
func (l *triviaList) fetch(from store.Cursor, n int, adds bool) tea.Cmd {
	text := l.text

	return ask(l.desk, l.asker, func(ctx context.Context) (s stretch, err error) {
		s = stretch{from: from, behind: from, adds: adds, text: text, ended: true}
		looked := 0
		for row, err := range l.desk.Do.ListTrivias(ctx, store.Page{After: from}) {
			if err != nil {
				return s, err
			}
			if len(s.rows) == n || looked == mostLookedAt {
				s.ended = false
				break
			}
			looked++
			s.behind = row.Cursor()
			if strings.Contains(string(row.ID), text) {
				s.rows = append(s.rows, row)
			}
		}
		return s, nil
	})
}

// more reads on where the cursor comes near to the end of what is held.
func (l *triviaList) more() tea.Cmd {
	near := l.height + triviaStretch/4
	switch {
	case l.read.out || !l.begun:
		return nil
	case !l.ended && (l.toEnd || l.at+near >= len(l.rows)):
		l.read.out = true
		return l.fetch(l.behind, triviaStretch, true)
	case l.at < near && len(l.before) > 0:
		from := l.before[len(l.before)-1]
		l.before = l.before[:len(l.before)-1]
		l.read.out = true

		return l.fetch(from, mostTrivias, false)
	}

	return nil
}

func (l *triviaList) arrived(a answer[stretch]) tea.Cmd {
	s := a.value
	l.read.answered(a.at, a.took, a.err)
	if a.err == nil {
		l.read.next = later(l.read.next, a.at.Add(triviasEvery))
	}
	l.err = a.err
	if a.err != nil || s.text != l.text {
		l.toEnd = false
		l.read.next = a.at

		return nil
	}

	here, held := l.row()
	first := !l.begun
	l.begun = true
	if s.adds {
		l.rows = append(l.rows, s.rows...)
		if len(l.rows) > mostTrivias {
			l.before = append(l.before, l.from)
			l.from = l.rows[triviaStretch-1].Cursor()
			l.rows = append([]store.TriviaRow(nil), l.rows[triviaStretch:]...)
		}
	} else {
		l.rows, l.from = s.rows, s.from
	}
	l.behind, l.ended = s.behind, s.ended
	for _, row := range l.rows {
		if _, ok := l.chosen[row.ID]; ok {
			l.chosen[row.ID] = row
		}
	}
	if held {
		l.moveTo(here.ID)
	}
	if l.toEnd && l.ended {
		l.toEnd = false
		l.at = len(l.rows) - 1
	}
	l.scroll()
	if first {
		return tea.Batch(l.more(), l.countSeen())
	}

	return l.more()
}

// later returns the later one of two times.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}

	return b
}

// countSeen asks for the wins of the trivias that are seen.
func (l *triviaList) countSeen() tea.Cmd {
	var ids []trivia.ID
	for _, row := range l.seen() {
		ids = append(ids, row.ID)
	}
	slices.SortStableFunc(ids, func(a, b trivia.ID) int { return l.counted[a].Compare(l.counted[b]) })
	ids = ids[:min(len(ids), l.slice)]
	if len(ids) == 0 || !l.count.may(l.desk.Now()) {
		return nil
	}

	return ask(l.desk, l.asker, func(ctx context.Context) (winCounts, error) {
		return l.desk.Do.CountWinsOf(ctx, ids)
	})
}

// countedSome takes the wins of some, and goes on at once with those that were
// never counted.
func (l *triviaList) countedSome(a answer[winCounts]) tea.Cmd {
	l.count.answered(a.at, a.took, a.err)
	if a.err != nil || a.took > easyQuestion {
		l.slice = max(1, l.slice/2)
	} else {
		l.slice = min(2*l.slice, mostTrivias)
	}
	if a.err != nil {
		return nil
	}
	held := make(map[trivia.ID]bool, len(l.rows))
	for _, row := range l.rows {
		held[row.ID] = true
	}
	gone := func(id trivia.ID) bool { return !held[id] }
	maps.DeleteFunc(l.wins, func(id trivia.ID, _ int64) bool { return gone(id) })
	maps.DeleteFunc(l.counted, func(id trivia.ID, _ time.Time) bool { return gone(id) })
	for id, n := range a.value {
		l.wins[id], l.counted[id] = n, a.at
	}
	for _, row := range l.seen() {
		if _, ok := l.wins[row.ID]; !ok && len(a.value) > 0 {
			l.count.next = time.Time{}
			return l.countSeen()
		}
	}

	return nil
}

func (l *triviaList) update(msg tea.Msg) (screen, tea.Cmd) {
	switch msg := msg.(type) {
	case answer[stretch]:
		if msg.to == l.asker {
			return l, l.arrived(msg)
		}
	case answer[winCounts]:
		if msg.to == l.asker {
			return l, l.countedSome(msg)
		}
	case tea.KeyMsg:
		if l.input != nil {
			return l, l.typed(msg)
		}

		return l, l.pressed(msg)
	case tea.MouseMsg:
		return l, l.pointed(msg)
	}

	return l, nil
}
