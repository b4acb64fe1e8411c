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
	k.Act.SetEnabled(some && !l.desk.ReadOnly && !l.actless)
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
