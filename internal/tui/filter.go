package tui

import (
	"slices"
	"strings"

	"github.com/charmbracelet/bubbles/cursor"
	"github.com/charmbracelet/bubbles/key"
	"github.com/charmbracelet/bubbles/textinput"
	tea "github.com/charmbracelet/bubbletea"
)

// A filterLine is where a filter is typed, in the words of the command line.
type filterLine struct {
	input   textinput.Model
	flags   []Flag
	typed   *history
	at      int    // in what was typed before
	draft   string // what was being typed before one went there
	mistake string
	offers  []string // what the word under the cursor may become

	keys filterKeys
}

type filterKeys struct {
	Enter, Esc, Complete, Earlier, Later key.Binding
}

// A history is what was typed before, the latest last.
type history struct{ lines []string }

// mostTyped is how much a history remembers.
const mostTyped = 100

func (h *history) add(line string) {
	h.lines = slices.DeleteFunc(h.lines, func(old string) bool { return old == line })
	h.lines = append(h.lines, line)
	if n := len(h.lines) - mostTyped; n > 0 {
		h.lines = h.lines[n:]
	}
}

func newFilterLine[F, T any](l *list[F, T], text string) *filterLine {
	input := textinput.New()
	input.Prompt = "/"
	input.Cursor.SetMode(cursor.CursorStatic)
	input.PromptStyle, input.TextStyle = l.theme.header, l.theme.tones[Plain]
	input.Cursor.Style = l.theme.chosen
	input.SetValue(text)
	if text != "" {
		input.SetValue(text + " ")
	}
	input.CursorEnd()
	input.Focus()
	typed := l.desk.typedOn(l.page)

	return &filterLine{
		input: input, flags: l.listing.Flags, typed: typed, at: len(typed.lines),
		keys: filterKeys{
			Enter:    key.NewBinding(key.WithKeys("enter"), key.WithHelp("enter", "filter")),
			Esc:      key.NewBinding(key.WithKeys("esc"), key.WithHelp("esc", "leave it as it is")),
			Complete: key.NewBinding(key.WithKeys("tab"), key.WithHelp("tab", "complete")),
			Earlier:  key.NewBinding(key.WithKeys("up", "ctrl+p"), key.WithHelp("↑", "earlier filter")),
			Later:    key.NewBinding(key.WithKeys("down", "ctrl+n"), key.WithHelp("↓", "later filter")),
		},
	}
}

func (f *filterLine) bindings() []key.Binding {
	k := f.keys

	return []key.Binding{k.Enter, k.Complete, k.Earlier, k.Later, k.Esc}
}

// typed takes a key while the filter is typed.
func (l *list[F, T]) typed(msg tea.KeyMsg) tea.Cmd {
	f := l.line
	switch {
	case key.Matches(msg, f.keys.Esc):
		l.line = nil
		return l.more()
	case key.Matches(msg, f.keys.Enter):
		return l.enterFilter()
	case key.Matches(msg, f.keys.Complete):
		f.complete()
	case key.Matches(msg, f.keys.Earlier):
		f.recall(-1)
	case key.Matches(msg, f.keys.Later):
		f.recall(1)
	default:
		f.input, _ = f.input.Update(msg) // it only wants to blink
		f.mistake, f.offers = "", nil
	}

	return nil
}

// enterFilter takes what was typed, or says what is wrong with it.
func (l *list[F, T]) enterFilter() tea.Cmd {
	f := l.line
	line := strings.TrimSpace(f.input.Value())
	words, err := filterWords(line, f.flags)
	if err == nil {
		err = l.sift(words)
	}
	if err != nil {
		f.mistake, f.offers = err.Error(), nil
		return nil
	}
	if line != "" {
		f.typed.add(line)
	}
	l.line = nil

	return l.begin()
}

// recall goes through what was typed before.
func (f *filterLine) recall(by int) {
	to := f.at + by
	if to < 0 || to > len(f.typed.lines) {
		return
	}
	if f.at == len(f.typed.lines) {
		f.draft = f.input.Value()
	}
	f.at = to
	text := f.draft
	if to < len(f.typed.lines) {
		text = f.typed.lines[to]
	}
	f.input.SetValue(text)
	f.input.CursorEnd()
	f.mistake, f.offers = "", nil
}

// lines are what is typed, and below it what is wrong or what could be meant.
func (f *filterLine) lines(th theme, width int) []string {
	f.input.Width = max(1, width-2)
	below := th.rule.Render(Cut("words look for user, trivia or key; flags: "+f.usage(), width))
	switch {
	case f.mistake != "":
		below = th.tones[Bad].Render(Cut("✗ "+f.mistake, width))
	case len(f.offers) > 0:
		below = Cut(strings.Join(f.offers, "  "), width)
	}

	return []string{f.input.View(), below}
}

func (f *filterLine) usage() string {
	names := make([]string, len(f.flags))
	for i, flag := range f.flags {
		names[i] = "--" + flag.Name
	}

	return strings.Join(names, " ")
}

// typedOn is what was typed on a page before.
func (d *Desk) typedOn(page pageName) *history {
	if d.typed == nil {
		d.typed = map[pageName]*history{}
	}
	if d.typed[page] == nil {
		d.typed[page] = &history{}
	}

	return d.typed[page]
}
