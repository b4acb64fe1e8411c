package tui

import (
	"errors"
	"fmt"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	"github.com/charmbracelet/bubbles/textinput"
	tea "github.com/charmbracelet/bubbletea"

	"trivia/internal/trivia"
)

// A field is a line of a form.
type field struct {
	label string
	hint  string // what it is, or an example
	value string // to begin with
	check func(string) error
}

func reasonField() field { return field{label: "reason", hint: "why, for the audit log; may be empty"} }

func requiredReason(like string) field {
	return field{label: "reason", hint: "why, for the audit log, as in: " + like, check: func(text string) error {
		if strings.TrimSpace(text) == "" {
			return errors.New("it wants a reason")
		}

		return nil
	}}
}

// optionally lets a field be empty.
func optionally(check func(string) error) func(string) error {
	return func(text string) error {
		if strings.TrimSpace(text) == "" {
			return nil
		}

		return check(text)
	}
}

func userCheck(text string) error {
	_, err := trivia.ParseUserID(text)
	return err
}

func triviaCheck(text string) error {
	_, err := trivia.ParseID(text)
	return err
}

func itemCheck(text string) error {
	_, err := trivia.ParseItem(text)
	return err
}

// A form asks for the words that an act wants.
type form struct {
	desk   *Desk
	act    act
	inputs []*textinput.Model
	wrong  []error
	at     int
	first  int // the line of the first field, as it was drawn
	keys   formKeys
}

type formKeys struct{ Enter, Next, Previous key.Binding }

// linesOfField is how many lines a field takes.
const linesOfField = 2

func newForm(d *Desk, a act) *form {
	f := &form{desk: d, act: a, wrong: make([]error, len(a.fields)), keys: formKeys{
		Enter:    key.NewBinding(key.WithKeys("enter"), key.WithHelp("enter", "next")),
		Next:     key.NewBinding(key.WithKeys("tab", "down"), key.WithHelp("tab/↓", "next field")),
		Previous: key.NewBinding(key.WithKeys("shift+tab", "up"), key.WithHelp("shift+tab/↑", "field before")),
	}}
	for i, field := range a.fields {
		in := newInput()
		in.SetValue(field.value)
		in.CursorEnd()
		if i > 0 {
			in.Blur()
		}
		f.inputs = append(f.inputs, in)
	}

	return f
}

func (f *form) title() string       { return f.act.name }
func (*form) begin() tea.Cmd        { return nil }
func (*form) back() (bool, tea.Cmd) { return true, nil }
func (*form) typing() bool          { return true }

func (f *form) update(msg tea.Msg) (step, tea.Cmd) {
	if mouse, ok := msg.(tea.MouseMsg); ok && mouse.Action == tea.MouseActionPress && mouse.Button == tea.MouseButtonLeft {
		if at := mouse.Y - f.first; at >= 0 && at/linesOfField < len(f.inputs) {
			f.turnTo(at / linesOfField)
		}

		return nil, nil
	}
	k, ok := msg.(tea.KeyMsg)
	if !ok {
		return nil, nil
	}

	switch {
	case key.Matches(k, f.keys.Enter):
		if f.check(f.at) != nil {
			return nil, nil
		}
		if f.at < len(f.inputs)-1 {
			f.turnTo(f.at + 1)

			return nil, nil
		}

		return f.done()
	case key.Matches(k, f.keys.Next):
		_ = f.check(f.at)
		f.turnTo(min(f.at+1, len(f.inputs)-1))
	case key.Matches(k, f.keys.Previous):
		_ = f.check(f.at)
		f.turnTo(max(f.at-1, 0))
	default:
		next, cmd := f.inputs[f.at].Update(k)
		f.inputs[f.at], f.wrong[f.at] = &next, nil

		return nil, cmd
	}

	return nil, nil
}

func (f *form) turnTo(at int) {
	f.inputs[f.at].Blur()
	f.at = at
	f.inputs[at].Focus()
}

// check says what is wrong with a field.
func (f *form) check(at int) error {
	f.wrong[at] = nil
	if check := f.act.fields[at].check; check != nil {
		f.wrong[at] = check(f.inputs[at].Value())
	}

	return f.wrong[at]
}

// done goes on if all that is written can be used, and else to what cannot.
func (f *form) done() (step, tea.Cmd) {
	written := make([]string, len(f.inputs))
	for i := range f.inputs {
		if f.check(i) != nil {
			f.turnTo(i)

			return nil, nil
		}
		written[i] = f.inputs[i].Value()
	}

	return newPlan(f.desk, f.act, written), nil
}

func (f *form) view(width, height int) string {
	theme := newTheme(f.desk.Color)
	labels := 0
	for _, field := range f.act.fields {
		labels = max(labels, len(field.label))
	}

	lines := []string{theme.header.Render(Cut(f.act.name+": "+f.act.what, width)), ""}
	f.first = len(lines)
	for i, field := range f.act.fields {
		mark := "  "
		if i == f.at {
			mark = "▸ "
		}
		head := fmt.Sprintf("%s%-*s  ", mark, labels, field.label)
		lines = append(lines, head+drawInput(*f.inputs[i], width-widthOf(head)))
		below := strings.Repeat(" ", labels+2*gap)
		switch {
		case f.wrong[i] != nil:
			lines = append(lines, theme.tones[Bad].Render(Cut(below+"✗ "+f.wrong[i].Error(), width)))
		default:
			lines = append(lines, theme.rule.Render(Cut(below+field.hint, width)))
		}
	}

	return fill(joined(lines...), width, height)
}

func (f *form) bindings() []key.Binding {
	enter := f.keys.Enter
	if f.at == len(f.inputs)-1 {
		enter.SetHelp("enter", "see what it would do")
	}
	all := []key.Binding{enter}
	if len(f.inputs) > 1 {
		all = append(all, f.keys.Next, f.keys.Previous)
	}

	return all
}

func joined(lines ...string) string { return strings.Join(lines, "\n") }
