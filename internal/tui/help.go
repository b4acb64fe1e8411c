package tui

import (
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"
)

// A help is the list of keys that work now, laid over the screen that they work in.
type help struct {
	open bool
	from int // the first line that is seen
	keys helpKeys
}

type helpKeys struct{ Up, Down, PageUp, PageDown, Top, Bottom, Close key.Binding }

func newHelp() help {
	return help{keys: helpKeys{
		Up:       key.NewBinding(key.WithKeys("up", "k"), key.WithHelp("↑/k", "up")),
		Down:     key.NewBinding(key.WithKeys("down", "j"), key.WithHelp("↓/j", "down")),
		PageUp:   key.NewBinding(key.WithKeys("pgup", "ctrl+u", "b")),
		PageDown: key.NewBinding(key.WithKeys("pgdown", "ctrl+d", " ")),
		Top:      key.NewBinding(key.WithKeys("home", "g")),
		Bottom:   key.NewBinding(key.WithKeys("end", "G")),
		Close:    key.NewBinding(key.WithKeys("esc", "?", "q", "enter", "f1"), key.WithHelp("esc", "back")),
	}}
}

func (h *help) show() { h.open, h.from = true, 0 }

func (h *help) bindings() []key.Binding { return []key.Binding{h.keys.Close, h.keys.Up, h.keys.Down} }

func (h *help) pressed(msg tea.KeyMsg, lines, height int) {
	switch {
	case key.Matches(msg, h.keys.Close):
		h.open = false
	case key.Matches(msg, h.keys.Up):
		h.scroll(-1, lines, height)
	case key.Matches(msg, h.keys.Down):
		h.scroll(1, lines, height)
	case key.Matches(msg, h.keys.PageUp):
		h.scroll(-height, lines, height)
	case key.Matches(msg, h.keys.PageDown):
		h.scroll(height, lines, height)
	case key.Matches(msg, h.keys.Top):
		h.scroll(-lines, lines, height)
	case key.Matches(msg, h.keys.Bottom):
		h.scroll(lines, lines, height)
	}
}

func (h *help) pointed(msg tea.MouseMsg, lines, height int) {
	switch msg.Button { //nolint:exhaustive // no other button does anything
	case tea.MouseButtonWheelUp:
		h.scroll(-3, lines, height)
	case tea.MouseButtonWheelDown:
		h.scroll(3, lines, height)
	}
}

func (h *help) scroll(by, lines, height int) {
	h.from = max(min(h.from+by, lines-height), 0)
}

func (h *help) view(lines []string, width, height int) string {
	from := max(min(h.from, len(lines)-height), 0) // it may have become larger
	lines = lines[from:]
	if len(lines) > height {
		lines = append(lines[:height-1:height-1], "…")
	}

	return fill(strings.Join(lines, "\n"), width, height)
}

// helpLines are all keys that work now, and what the mouse does.
func (f *frame) helpLines(width int) (lines []string) {
	groups := []struct {
		title string
		keys  []key.Binding
	}{
		{"Here", enabled(f.top().bindings())},
		{"Everywhere", enabled(f.keys.working(f.top().typing()))},
	}
	most := 0
	for _, g := range groups {
		for _, b := range g.keys {
			most = max(most, lipgloss.Width(b.Help().Key))
		}
	}

	for _, g := range groups {
		if len(g.keys) == 0 {
			continue
		}
		lines = append(lines, f.theme.header.Render(g.title))
		for _, b := range g.keys {
			pad := strings.Repeat(" ", most-lipgloss.Width(b.Help().Key))
			lines = append(lines, "  "+f.theme.key.Render(b.Help().Key)+pad+"  "+Cut(b.Help().Desc, max(width-most-4, 1)))
		}
		lines = append(lines, "")
	}
	lines = append(lines, f.theme.header.Render("Mouse"))
	for _, line := range []string{
		"wheel scrolls, a click chooses, a click on what is chosen opens it; tabs and the parked number can be clicked, too",
		"with shift held, most terminals select text themselves",
	} {
		for _, part := range Wrap(line, width-2) {
			lines = append(lines, "  "+part)
		}
	}

	return lines
}
