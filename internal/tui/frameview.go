package tui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"
)

// How many lines stand above and below a screen.
const (
	headerLines = 2
	footerLines = 1
)

// frameKeys are the keys that work everywhere.
type frameKeys struct {
	Pages                                         []key.Binding
	Next, Previous, Parked, Help, Quit, Interrupt key.Binding
}

func newFrameKeys() frameKeys {
	k := frameKeys{
		Next:      key.NewBinding(key.WithKeys("tab"), key.WithHelp("tab", "next page")),
		Previous:  key.NewBinding(key.WithKeys("shift+tab"), key.WithHelp("shift+tab", "previous page")),
		Parked:    key.NewBinding(key.WithKeys("!"), key.WithHelp("!", "parked deliveries")),
		Help:      key.NewBinding(key.WithKeys("?"), key.WithHelp("?", "help")),
		Quit:      key.NewBinding(key.WithKeys("q"), key.WithHelp("q", "quit")),
		Interrupt: key.NewBinding(key.WithKeys("ctrl+c")),
	}
	for i, name := range pageNames() {
		n := fmt.Sprint(i + 1)
		k.Pages = append(k.Pages, key.NewBinding(key.WithKeys(n), key.WithHelp(n, string(name))))
	}

	return k
}

// View is part of [tea.Model].
func (f *frame) View() string {
	if f.width == 0 {
		return ""
	}
	if f.tooSmall() {
		return Cut(fmt.Sprintf("%d×%d: too small, want %d×%d", f.width, f.height, leastWidth, leastHeight), f.width)
	}

	return strings.Join([]string{f.header(), f.top().view(f.width, f.room()), f.footer()}, "\n")
}

// room is how many lines the screen on top has.
func (f *frame) room() int { return f.height - headerLines - footerLines }

// header says where one is: the pages, the database, and what is wrong.
func (f *frame) header() string {
	var tabs []string
	for i, name := range pageNames() {
		tab := fmt.Sprintf("%d %s", i+1, name)
		if name == f.current {
			tab = f.theme.header.Render("[" + tab + "]")
		}
		tabs = append(tabs, tab)
	}
	state := f.desk.Database + "  " + f.desk.Environment

	return cut(strings.Join(tabs, "  "), f.width) + "\n" + Cut(state, f.width)
}

func (f *frame) footer() string {
	if f.notice.text != "" {
		return f.theme.tones[f.notice.tone].Render(Cut(f.notice.text, f.width))
	}
	var words []string
	for _, b := range f.top().bindings() {
		if b.Enabled() {
			words = append(words, b.Help().Key+" "+b.Help().Desc)
		}
	}

	return Cut(strings.Join(words, "  "), f.width)
}

func (f *frame) help() tea.Cmd { return nil }

// pointed passes the mouse on, its place counted from the screen's corner.
func (f *frame) pointed(msg tea.MouseMsg) tea.Cmd {
	msg.Y -= headerLines
	if f.tooSmall() || msg.Y < 0 || msg.Y >= f.room() {
		return nil
	}
	s, cmd := f.top().update(msg)
	f.setTop(s)

	return cmd
}

// fill makes text exactly height lines, of at most width cells each: it adds
// empty ones, and cuts.
func fill(text string, width, height int) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) > height {
		lines = lines[:height]
	}
	for len(lines) < height {
		lines = append(lines, "")
	}
	for i, line := range lines {
		if lipgloss.Width(line) > width {
			lines[i] = lipgloss.NewStyle().MaxWidth(width).Render(line)
		}
	}

	return strings.Join(lines, "\n")
}
