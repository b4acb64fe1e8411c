package tui

import (
	"fmt"
	"slices"

	"github.com/charmbracelet/bubbles/key"
	"github.com/charmbracelet/bubbles/textinput"
	tea "github.com/charmbracelet/bubbletea"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

type triviaKeys struct {
	Open, Filter, Act, Wins, Deliveries, Select, Sort, Back            key.Binding
	Up, Down, PageUp, PageDown, HalfUp, HalfDown, First, Last, Entered key.Binding
}

func newTriviaKeys() triviaKeys {
	bind := func(help, desc string, keys ...string) key.Binding {
		return key.NewBinding(key.WithKeys(keys...), key.WithHelp(help, desc))
	}

	return triviaKeys{
		Open:       bind("enter", "open", "enter"),
		Filter:     bind("/", "look for", "/"),
		Act:        bind("x", "act", "x"),
		Wins:       bind("w", "its wins", "w"),
		Deliveries: bind("d", "its deliveries", "d"),
		Select:     bind("space", "select", " "),
		Sort:       bind("s", "sort", "s"),
		Back:       bind("esc", "back", "esc"),
		Up:         bind("↑/k", "up", "up", "k"),
		Down:       bind("↓/j", "down", "down", "j"),
		PageUp:     bind("pgup", "a page up", "pgup", "ctrl+b"),
		PageDown:   bind("pgdn", "a page down", "pgdown", "ctrl+f"),
		HalfUp:     bind("ctrl+u", "half a page up", "ctrl+u"),
		HalfDown:   bind("ctrl+d", "half a page down", "ctrl+d"),
		First:      bind("g", "to the top", "g", "home"),
		Last:       bind("G", "to the end", "G", "end"),
		Entered:    bind("enter", "look for it", "enter"),
	}
}

func (l *triviaList) bindings() []key.Binding {
	k := l.keys
	if l.input != nil {
		k.Back.SetHelp("esc", "leave it")
		return []key.Binding{k.Entered, k.Back}
	}
	_, some := l.row()
	for _, b := range []*key.Binding{&k.Open, &k.Act, &k.Wins, &k.Deliveries, &k.Select, &k.Sort} {
		b.SetEnabled(some)
	}
	k.Act.SetEnabled(some && !l.desk.ReadOnly)
	switch {
	case len(l.chosen) > 0:
		k.Back.SetHelp("esc", "choose none")
	case l.text != "":
		k.Back.SetHelp("esc", "all of them")
	}

	return []key.Binding{
		k.Open, k.Filter, k.Act, k.Wins, k.Deliveries, k.Back, k.Select, k.Sort,
		k.Up, k.Down, k.PageUp, k.PageDown, k.HalfUp, k.HalfDown, k.First, k.Last,
	}
}

func (l *triviaList) pressed(msg tea.KeyMsg) tea.Cmd {
	k := l.keys
	page := max(1, l.height-1)
	for _, move := range []struct {
		on key.Binding
		by int
	}{
		{k.Up, -1},
		{k.Down, 1},
		{k.PageUp, -page},
		{k.PageDown, page},
		{k.HalfUp, -max(1, page/2)},
		{k.HalfDown, max(1, page/2)},
	} {
		if key.Matches(msg, move.on) {
			return l.step(move.by)
		}
	}

	switch row, some := l.row(); {
	case key.Matches(msg, k.First):
		return l.begin()
	case key.Matches(msg, k.Last):
		l.toEnd = !l.ended
		l.at = len(l.rows) - 1
		l.scroll()

		return l.more()
	case key.Matches(msg, k.Filter):
		input := textinput.New()
		input.Prompt, input.CharLimit = "/", 64
		input.SetValue(l.text)
		input.CursorEnd()
		input.Focus()
		l.input = &input
	case key.Matches(msg, k.Back):
		return l.back()
	case !some:
	case key.Matches(msg, k.Open):
		return push(newTriviaDetail(l.desk, row))
	case key.Matches(msg, k.Wins):
		return turn(pageWins, flagWord("trivia", string(row.ID)))
	case key.Matches(msg, k.Deliveries):
		return turn(pageDeliveries, flagWord("trivia", string(row.ID)))
	case key.Matches(msg, k.Select):
		if _, ok := l.chosen[row.ID]; ok {
			delete(l.chosen, row.ID)
		} else {
			l.chosen[row.ID] = row
		}

		return l.step(1)
	case key.Matches(msg, k.Sort):
		l.sort()
	case key.Matches(msg, k.Act) && !l.desk.ReadOnly:
		return l.desk.actOn(choice{of: pageTrivias, rows: l.choice(row)})
	}

	return nil
}

// choice is what was selected, or the row under the cursor.
func (l *triviaList) choice(row store.TriviaRow) []any {
	if len(l.chosen) == 0 {
		return []any{row}
	}
	ids := make([]trivia.ID, 0, len(l.chosen))
	for id := range l.chosen {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	all := make([]any, len(ids))
	for i, id := range ids {
		all[i] = l.chosen[id]
	}

	return all
}

// typed takes a key while it is typed what to look for.
func (l *triviaList) typed(msg tea.KeyMsg) tea.Cmd {
	switch msg.String() {
	case "esc":
		l.input = nil
	case "enter":
		l.text, l.input = l.input.Value(), nil
		return l.begin()
	default:
		input, _ := l.input.Update(msg) // its cursor does not blink
		l.input = &input
	}

	return nil
}

// begin looks from the very first one.
func (l *triviaList) begin() tea.Cmd {
	l.at, l.top, l.toEnd = 0, 0, false
	l.from, l.before = "", nil
	l.order, l.places = byName, nil
	l.read.out = true

	return l.fetch("", triviaStretch, false)
}

func (l *triviaList) back() tea.Cmd {
	switch {
	case len(l.chosen) > 0:
		clear(l.chosen)
	case l.text != "":
		l.text = ""
		return l.begin()
	default:
		return pop
	}

	return nil
}

// pointed follows the mouse: the wheel moves, a click goes to a row, a second
// one opens it.
func (l *triviaList) pointed(msg tea.MouseMsg) tea.Cmd {
	if msg.Action != tea.MouseActionPress || l.input != nil {
		return nil
	}
	if by := notches(msg); by != 0 {
		return l.step(by)
	}
	if msg.Button != tea.MouseButtonLeft {
		return nil
	}

	at := l.top + msg.Y - triviasAbove
	rows := l.shown()
	if msg.Y < triviasAbove || msg.Y >= triviasAbove+l.height || at >= len(rows) {
		return nil
	}
	if at == l.at {
		return push(newTriviaDetail(l.desk, rows[at]))
	}
	l.at = at

	return nil
}

func (l *triviaList) step(by int) tea.Cmd {
	l.at += by
	l.scroll()

	return l.more()
}

func (l *triviaList) scroll() {
	n := len(l.rows)
	l.at = max(0, min(l.at, n-1))
	l.top = max(min(l.top, l.at), l.at-l.height+1)
	l.top = max(0, min(l.top, n-l.height))
}

// seen are the rows on the screen.
func (l *triviaList) seen() []store.TriviaRow {
	rows := l.shown()
	top := max(0, min(l.top, len(rows)))

	return rows[top:min(len(rows), top+l.height)]
}

// row returns the one under the cursor.
func (l *triviaList) row() (store.TriviaRow, bool) {
	rows := l.shown()
	if l.at < 0 || l.at >= len(rows) {
		return store.TriviaRow{}, false
	}

	return rows[l.at], true
}

// moveTo keeps the cursor on a trivia, and the row where it is on the screen.
func (l *triviaList) moveTo(id trivia.ID) {
	for i, row := range l.shown() {
		if row.ID == id {
			l.top += i - l.at
			l.at = i

			return
		}
	}
}

func (l *triviaList) winsWords(id trivia.ID) string {
	n, ok := l.wins[id]
	switch {
	case !ok:
		return "…"
	case n >= store.MostWinsCounted:
		return grouped(n) + "+"
	}

	return grouped(n)
}

// whereWords say where the cursor is.
func (l *triviaList) whereWords() string {
	n := len(l.rows)
	switch {
	case n == 0:
		return ""
	case l.whole():
		return fmt.Sprintf("%d of %s", l.at+1, grouped(int64(n)))
	case l.ended:
		return fmt.Sprintf("%d of the %d loaded, the last ones", l.at+1, n)
	}

	return fmt.Sprintf("%d of the %d loaded, more follow", l.at+1, n)
}

// whole reports whether all there are are held.
func (l *triviaList) whole() bool { return l.ended && len(l.before) == 0 && l.from == "" }
