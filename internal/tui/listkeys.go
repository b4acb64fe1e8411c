package tui

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
)

// listKeys are the keys of a list.
type listKeys struct {
	Up, Down, PageUp, PageDown, HalfUp, HalfDown, Newest, End key.Binding
	Open, Filter, Follow, Sort, SortBy, Select, All, Act      key.Binding
	Win, Delivery, Person, Left, Right, Back                  key.Binding
}

func newListKeys() listKeys {
	bind := func(help, desc string, keys ...string) key.Binding {
		return key.NewBinding(key.WithKeys(keys...), key.WithHelp(help, desc))
	}

	return listKeys{
		Open:     bind("enter", "open", "enter"),
		Filter:   bind("/", "filter", "/"),
		Act:      bind("x", "act", "x"),
		Follow:   bind("f", "follow", "f"),
		Newest:   bind("g", "to the top", "g", "home"),
		End:      bind("G", "to the end", "G", "end"),
		Select:   bind("space", "select", " "),
		All:      bind("A", "all that match", "A"),
		Sort:     bind("s", "newest or oldest first", "s"),
		SortBy:   bind("S", "sort loaded rows by a column", "S"),
		Win:      bind("w", "its win", "w"),
		Delivery: bind("d", "its delivery", "d"),
		Person:   bind("u", "its person", "u"),
		Right:    bind(">", "columns to the right", ">", "right", "l"),
		Left:     bind("<", "columns to the left", "<", "left", "h"),
		Up:       bind("↑/k", "up", "up", "k"),
		Down:     bind("↓/j", "down", "down", "j"),
		PageUp:   bind("pgup", "a page up", "pgup", "ctrl+b"),
		PageDown: bind("pgdn", "a page down", "pgdown", "ctrl+f"),
		HalfUp:   bind("ctrl+u", "half a page up", "ctrl+u"),
		HalfDown: bind("ctrl+d", "half a page down", "ctrl+d"),
		Back:     bind("esc", "back", "esc"),
	}
}

// bindings are part of [screen].
func (l *list[F, T]) bindings() []key.Binding {
	if l.line != nil {
		return l.line.bindings()
	}
	k := l.keys
	_, some := l.row()
	for _, b := range []*key.Binding{&k.Open, &k.Act, &k.Select, &k.All, &k.SortBy} {
		b.SetEnabled(some)
	}
	k.Act.SetEnabled(some && !l.desk.ReadOnly && !l.kind.actless)
	k.Win.SetEnabled(some && l.jumps.win != nil)
	k.Delivery.SetEnabled(some && l.jumps.delivery != nil)
	k.Person.SetEnabled(some && l.jumps.person != nil)
	k.Right.SetEnabled(l.fit.hidden > 0)
	k.Left.SetEnabled(l.fit.shift > 0)
	words := l.backWords()
	k.Back.SetHelp("esc", words)
	k.Back.SetEnabled(words != "")

	return []key.Binding{
		k.Open, k.Filter, k.Act, k.Follow, k.Newest, k.Back, k.Select, k.All, k.Sort, k.SortBy, k.Win, k.Delivery, k.Person,
		k.Right, k.Left, k.Up, k.Down, k.PageUp, k.PageDown, k.HalfUp, k.HalfDown, k.End,
	}
}

func (l *list[F, T]) pressed(msg tea.KeyMsg) tea.Cmd {
	k := l.keys
	if by, ok := l.move(msg); ok {
		return l.step(by)
	}
	switch {
	case key.Matches(msg, k.Newest):
		return l.toTop()
	case key.Matches(msg, k.End):
		return l.toEnd()
	case key.Matches(msg, k.Open):
		return l.openRow()
	case key.Matches(msg, k.Filter):
		l.live.following = false
		l.line = newFilterLine(l, joinWords(l.words))
	case key.Matches(msg, k.Follow):
		return l.toggleFollow()
	case key.Matches(msg, k.Sort):
		return l.turnRound()
	case key.Matches(msg, k.SortBy):
		return l.sortBy()
	case key.Matches(msg, k.Right):
		l.fit.right()
	case key.Matches(msg, k.Left):
		l.fit.left()
	case key.Matches(msg, k.Back):
		return l.back()
	default:
		return l.choose(msg)
	}

	return nil
}

// move returns by how many rows a key moves the cursor.
func (l *list[F, T]) move(msg tea.KeyMsg) (by int, ok bool) {
	k := l.keys
	page := max(1, l.height-1)
	switch {
	case key.Matches(msg, k.Up):
		return -1, true
	case key.Matches(msg, k.Down):
		return 1, true
	case key.Matches(msg, k.PageUp):
		return -page, true
	case key.Matches(msg, k.PageDown):
		return page, true
	case key.Matches(msg, k.HalfUp):
		return -max(1, page/2), true
	case key.Matches(msg, k.HalfDown):
		return max(1, page/2), true
	}

	return 0, false
}

// step moves the cursor. At the very top it goes on to what came meanwhile.
func (l *list[F, T]) step(by int) tea.Cmd {
	if l.live.following {
		l.live.following = false
		return l.more()
	}
	l.load.paused = false
	to := l.at + by
	above := to < 0 && !l.oldest && l.sorted.rows == nil && len(l.win.rows) > 0 && (l.live.mark.Count > 0 || !l.win.first)
	l.at = max(0, min(to, len(l.rows())-1))
	l.scroll()
	if above && l.load.out == nowhere {
		l.load.moves = -to
		return l.fetch(back)
	}

	return l.more()
}

// toTop shows the first rows that there are now.
func (l *list[F, T]) toTop() tea.Cmd {
	if l.sorted.rows != nil {
		l.at, l.top = 0, 0
		return nil
	}
	l.live.following = false

	return l.fetch(fromTop)
}

func (l *list[F, T]) toEnd() tea.Cmd {
	l.live.following = false
	if l.win.last || l.sorted.rows != nil {
		l.at = max(0, len(l.rows())-1)
		l.scroll()

		return nil
	}

	return l.fetch(fromEnd)
}

func (l *list[F, T]) toggleFollow() tea.Cmd {
	if l.live.following {
		l.live.following = false
		return nil
	}
	l.live.following, l.sorted = true, sorting[T]{}
	if l.oldest {
		l.oldest = false
		l.live.known = false
	}

	return l.fetch(fromTop)
}

func (l *list[F, T]) openRow() tea.Cmd {
	l.live.following = false
	row, ok := l.row()
	if !ok {
		return nil
	}
	if cmd := l.desk.showDetail(row); cmd != nil {
		return cmd
	}

	return say("there is no more to be seen of it", Plain)
}

// back goes one step back: out of following, a search, a choice, a filter.
func (l *list[F, T]) back() tea.Cmd {
	switch {
	case l.live.following:
		l.live.following = false
	case l.searching():
		l.load.stop()
		l.load = loading{life: l.load.life + 1, begun: true, paused: true, looked: l.load.looked}
		l.live.out = false
	case l.chosen.some():
		l.chooseNone()
	case l.sorted.rows != nil:
		l.unsort()
		return l.more()
	case len(l.words) > 0:
		_ = l.sift(nil) // no words are never wrong
		return l.begin()
	default:
		return pop
	}

	return nil
}

func (l *list[F, T]) backWords() string {
	switch {
	case l.live.following:
		return "stop following"
	case l.searching():
		return "stop looking"
	case l.chosen.some():
		return "choose none"
	case l.sorted.rows != nil:
		return "as it was"
	case len(l.words) > 0:
		return "no filter"
	}

	return ""
}

// scroll keeps the cursor on the screen.
func (l *list[F, T]) scroll() {
	n := len(l.rows())
	l.at = max(0, min(l.at, n-1))
	l.top = max(min(l.top, l.at), l.at-l.height+1)
	l.top = max(0, min(l.top, n-l.height))
}

// pointed follows the mouse: the wheel moves, a click goes to a row, a second
// one opens it.
func (l *list[F, T]) pointed(msg tea.MouseMsg) tea.Cmd {
	if msg.Action != tea.MouseActionPress || l.line != nil {
		return nil
	}
	switch msg.Button {
	case tea.MouseButtonWheelUp:
		return l.step(-wheel)
	case tea.MouseButtonWheelDown:
		return l.step(wheel)
	case tea.MouseButtonLeft:
		at := l.top + msg.Y - aboveRows
		if msg.Y < aboveRows || msg.Y >= aboveRows+l.height || at >= len(l.rows()) {
			return nil
		}
		if at == l.at && !l.live.following {
			return l.openRow()
		}
		l.live.following = false
		l.at = at
	}

	return nil
}

// wheel is how many rows a notch of the mouse's wheel is.
const wheel = 3
