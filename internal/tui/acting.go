package tui

import (
	"fmt"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
)

// An acting is what happens between a choice and what came of it: a menu, a form,
// a preview that is confirmed, and the result. Esc goes one step back; nothing is
// changed before the last one.
type acting struct {
	desk   *Desk
	choice choice
	steps  []step // the last one is seen
}

// A step is one of them.
type step interface {
	title() string
	begin() tea.Cmd
	// update returns the step that comes next, if it is time.
	update(tea.Msg) (next step, cmd tea.Cmd)
	// back takes an Esc. It reports whether the step is left for the one before; if not,
	// the command says what comes of it.
	back() (left bool, cmd tea.Cmd)
	view(width, height int) string
	bindings() []key.Binding
	typing() bool
}

func newActing(d *Desk, c choice) *acting {
	return &acting{desk: d, choice: c, steps: []step{newMenu(d, c)}}
}

func (a *acting) top() step { return a.steps[len(a.steps)-1] }

func (a *acting) title() string { return a.top().title() }
func (*acting) open() tea.Cmd   { return nil }
func (*acting) look() tea.Cmd   { return nil }
func (a *acting) typing() bool  { return a.top().typing() }

func (a *acting) update(msg tea.Msg) (screen, tea.Cmd) {
	if k, ok := msg.(tea.KeyMsg); ok && k.Type == tea.KeyEsc {
		left, cmd := a.top().back()
		if !left {
			return a, cmd
		}
		a.steps = a.steps[:max(1, len(a.steps)-1)]

		return a, cmd
	}

	next, cmd := a.top().update(msg)
	if next == nil {
		return a, cmd
	}
	a.steps = append(a.steps, next)

	return a, tea.Batch(cmd, next.begin())
}

func (a *acting) view(width, height int) string {
	return fill(a.top().view(width, height), width, height)
}

func (a *acting) bindings() []key.Binding {
	return append(a.top().bindings(), key.NewBinding(key.WithKeys("esc"), key.WithHelp("esc", "back")))
}

// A menu offers what can be done to a choice.
type menu struct {
	desk   *Desk
	choice choice
	acts   []act
	cursor int
	first  int // the line of the first act, as it was drawn
	keys   menuKeys
}

type menuKeys struct{ Up, Down, Choose key.Binding }

func newMenu(d *Desk, c choice) *menu {
	m := &menu{desk: d, choice: c, acts: d.acts(c), keys: menuKeys{
		Up:     key.NewBinding(key.WithKeys("up", "k"), key.WithHelp("↑/k", "up")),
		Down:   key.NewBinding(key.WithKeys("down", "j"), key.WithHelp("↓/j", "down")),
		Choose: key.NewBinding(key.WithKeys("enter"), key.WithHelp("enter", "choose")),
	}}
	for m.cursor < len(m.acts)-1 && m.acts[m.cursor].why != "" {
		m.cursor++
	}

	return m
}

func (*menu) title() string         { return "act" }
func (*menu) begin() tea.Cmd        { return nil }
func (*menu) back() (bool, tea.Cmd) { return false, pop }
func (*menu) typing() bool          { return false }

func (m *menu) update(msg tea.Msg) (step, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.KeyMsg:
		switch {
		case key.Matches(msg, m.keys.Up):
			m.cursor = max(0, m.cursor-1)
		case key.Matches(msg, m.keys.Down):
			m.cursor = min(len(m.acts)-1, m.cursor+1)
		case key.Matches(msg, m.keys.Choose):
			return m.choose()
		}
	case tea.MouseMsg:
		at := msg.Y - m.first
		switch {
		case msg.Action != tea.MouseActionPress:
		case msg.Button == tea.MouseButtonWheelUp:
			m.cursor = max(0, m.cursor-1)
		case msg.Button == tea.MouseButtonWheelDown:
			m.cursor = min(len(m.acts)-1, m.cursor+1)
		case msg.Button != tea.MouseButtonLeft || at < 0 || at >= len(m.acts):
		case at == m.cursor:
			return m.choose()
		default:
			m.cursor = at
		}
	}

	return nil, nil
}

func (m *menu) choose() (step, tea.Cmd) {
	a := m.acts[m.cursor]
	if a.why != "" {
		return nil, say(a.name+": "+a.why, Waiting)
	}

	return newForm(m.desk, a), nil
}

func (m *menu) view(width, _ int) string {
	theme := newTheme(m.desk.Color)
	names := 0
	for _, a := range m.acts {
		names = max(names, len(a.name))
	}

	lines := []string{theme.header.Render(Cut("What to do with "+m.chosen(), width)), ""}
	m.first = len(lines)
	for i, a := range m.acts {
		mark, text, style := "  ", a.what, theme.tones[Plain]
		if a.why != "" {
			text, style = "not now: "+a.why, theme.rule
		}
		if i == m.cursor {
			mark = "▸ "
			if a.why == "" {
				style = theme.header
			}
		}
		lines = append(lines, style.Render(Cut(fmt.Sprintf("%s%-*s  %s", mark, names, a.name, text), width)))
	}

	lines = append(lines, "")
	chosen := m.acts[m.cursor]
	text := chosen.what // in full, where the line above is cut
	if chosen.why != "" {
		text = "not now: " + chosen.why
	}

	return joined(append(lines, Wrap(text, width)...)...)
}

// chosen says what was chosen.
func (m *menu) chosen() string {
	nouns := map[pageName][2]string{
		pageDeliveries: {"delivery", "deliveries"}, pageWins: {"win", "wins"}, pagePushes: {"push", "pushes"},
		pageTrivias: {"trivia", "trivias"}, pageEvents: {"event", "events"}, pageAudit: {"act", "acts"},
	}
	noun, ok := nouns[m.choice.of]
	switch {
	case !ok || len(m.choice.rows) == 0 && !m.choice.all:
		return "nothing in particular"
	case m.choice.all && len(m.choice.words) == 0:
		return "all " + noun[1]
	case m.choice.all:
		var flags []string
		for _, w := range filterFlags(m.choice.words) {
			flags = append(flags, flagWord(w.name, w.value))
		}

		return "all " + noun[1] + " that match" + m.desk.CommandLine.Line(flags...)[len(m.desk.CommandLine.Line()):]
	}

	return countOf(len(m.choice.rows), noun[0], noun[1])
}

func (m *menu) bindings() []key.Binding {
	return []key.Binding{m.keys.Choose, m.keys.Up, m.keys.Down}
}
