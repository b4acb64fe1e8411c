package tui

import (
	"strings"

	"github.com/charmbracelet/bubbles/cursor"
	"github.com/charmbracelet/bubbles/key"
	"github.com/charmbracelet/bubbles/textinput"
	tea "github.com/charmbracelet/bubbletea"
)

func (s *detail) pressed(msg tea.KeyMsg) tea.Cmd {
	switch {
	case key.Matches(msg, s.keys.Back):
		return pop
	case key.Matches(msg, s.keys.Left):
		return s.turnTo(s.at - 1)
	case key.Matches(msg, s.keys.Right):
		return s.turnTo(s.at + 1)
	case key.Matches(msg, s.keys.Again):
		return s.open()
	case key.Matches(msg, s.keys.Find):
		s.find = newInput()

		return nil
	case key.Matches(msg, s.keys.Copy) && s.seen().words != nil:
		return s.desk.copyLines([]string{s.desk.CommandLine.Line(s.seen().words...)})
	case key.Matches(msg, s.keys.Form) && s.hasBody():
		s.form = (s.form + 1) % bodyForms
		p := s.seen()
		p.scroll.set(p.scroll.lay)

		return nil
	case key.Matches(msg, s.keys.Act) && s.acting():
		return s.desk.actOn(s.acts(s.thing))
	}
	for _, j := range s.goals() {
		if key.Matches(msg, j.Binding) {
			return j.to()
		}
	}
	s.seen().scroll.update(msg)

	return nil
}

// hasBody reports whether what is seen is a body.
func (s *detail) hasBody() bool { return s.seen().name == bodyPane }

func (s *detail) acting() bool { return s.acts != nil && s.thing != nil && !s.desk.ReadOnly }

// goals are the jumps that lead somewhere now.
func (s *detail) goals() []jump {
	if s.jumps == nil || s.thing == nil {
		return nil
	}

	return s.jumps(s.thing)
}

// turnTo shows another pane; behind the last comes the first.
func (s *detail) turnTo(at int) tea.Cmd {
	s.at = (at + len(s.panes)) % len(s.panes)
	if p := s.seen(); p.asked == s.desk.width-gutter && p.said != "" {
		return nil
	}

	return s.ask()
}

func (s *detail) findKey(msg tea.KeyMsg) tea.Cmd {
	if msg.Type == tea.KeyEsc {
		s.find = nil

		return nil
	}
	if msg.Type != tea.KeyEnter {
		next, cmd := s.find.Update(msg)
		s.find = &next

		return cmd
	}

	text := s.find.Value()
	s.find = nil
	scroll := &s.seen().scroll
	if scroll.seek(text, scroll.top, 1) || text == "" {
		return nil
	}

	return say("nothing here says "+text, Waiting)
}

// pointed takes the mouse: the wheel scrolls, a click on a name shows its pane.
func (s *detail) pointed(msg tea.MouseMsg) tea.Cmd {
	if msg.Action != tea.MouseActionPress || msg.Button != tea.MouseButtonLeft {
		s.seen().scroll.update(msg)

		return nil
	}
	at := 0
	for i, tab := range s.tabs() {
		if msg.Y == 0 && msg.X >= at && msg.X < at+len(tab) {
			return s.turnTo(i)
		}
		at += len(tab) + 1
	}

	return nil
}

// tabs name the panes; brackets stand around the one that is seen.
func (s *detail) tabs() []string {
	names := make([]string, len(s.panes))
	for i, p := range s.panes {
		names[i] = " " + p.name + " "
		if i == s.at {
			names[i] = "[" + p.name + "]"
		}
	}

	return names
}

// How many lines of a detail are not the text.
const (
	detailHead = 2
	detailFoot = 1
)

func (s *detail) view(width, height int) string {
	theme := newTheme(s.desk.Color)
	tabs := s.tabs()
	used := len(strings.Join(tabs, " "))
	tabs[s.at] = theme.header.Render(tabs[s.at])
	head := strings.Join(tabs, " ") + "  " + Cut(s.what+" "+s.name, max(1, width-used-2))

	text := s.seen().scroll.view(width, max(1, height-detailHead-detailFoot))

	return fill(head+"\n"+s.condition(theme, width)+"\n"+text+"\n"+s.foot(width), width, height)
}

// condition is the rule below the head, or why what is seen is old.
func (s *detail) condition(theme theme, width int) string {
	p := s.seen()
	switch {
	case p.lay == nil && p.fault != "" && !p.at.IsZero():
		return theme.tones[Bad].Render(Cut("as of "+p.at.In(s.desk.Now().Location()).Format("15:04:05")+": "+p.fault, width))
	case p.lay != nil && s.bodyErr != nil && s.bodies != nil:
		return theme.tones[Bad].Render(Cut("not read again: "+s.bodyErr.Error(), width))
	}

	return theme.rule.Render(strings.Repeat("─", width))
}

// foot says where one is in the text, and which command says the same.
func (s *detail) foot(width int) string {
	p := s.seen()
	if s.find != nil {
		return "find: " + drawInput(*s.find, width-len("find: "))
	}
	right := p.scroll.position()
	if s.hasBody() {
		form := "b: " + s.form.String()
		right = strings.TrimSuffix(form+"  "+right, "  ")
	}
	left := ""
	if p.words != nil {
		left = "$ " + s.desk.CommandLine.Line(p.words...)
	}
	left = Cut(left, max(1, width-widthOf(right)-2))

	return left + strings.Repeat(" ", max(0, width-widthOf(left)-widthOf(right))) + right
}

func (s *detail) bindings() []key.Binding {
	k := s.keys
	if s.find != nil {
		return []key.Binding{
			key.NewBinding(key.WithKeys("enter"), key.WithHelp("enter", "find")),
			key.NewBinding(key.WithKeys("esc"), key.WithHelp("esc", "do not find")),
		}
	}
	all := []key.Binding{k.Back}
	if len(s.panes) > 1 {
		all = append(all, k.Parts)
	}
	if s.acting() {
		all = append(all, k.Act)
	}
	for _, j := range s.goals() {
		all = append(all, j.Binding)
	}
	if s.hasBody() {
		all = append(all, k.Form)
	}
	all = append(all, k.Find)
	if s.seen().words != nil {
		all = append(all, k.Copy)
	}

	return append(append(all, k.Again), s.seen().scroll.bindings()...)
}

// newInput is a line that is typed into.
func newInput() *textinput.Model {
	in := textinput.New()
	in.Prompt = ""
	in.Cursor.SetMode(cursor.CursorHide) // drawInput draws it, and nothing blinks
	in.Focus()

	return &in
}

// drawInput draws what is typed, and a sign where the next letter goes. It shows
// the part around that.
func drawInput(in textinput.Model, width int) string {
	text := []rune(Clean(in.Value()))
	at := min(in.Position(), len(text))
	if !in.Focused() {
		return Cut(string(text), width)
	}
	before, behind := string(text[:at]), string(text[at:])
	for widthOf(before) > max(0, width-2) {
		before = strings.TrimPrefix(before, string([]rune(before)[:1]))
	}

	return Cut(before+"▏"+behind, width)
}
