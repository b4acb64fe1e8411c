package tui

import (
	"strings"

	"github.com/charmbracelet/bubbles/key"
)

// lines are what is looked at before it is confirmed: the commands in full, and
// what would come of them.
func (p *plan) lines(width int) (lines []string) {
	for _, line := range p.shell() {
		lines = append(lines, commandLines(line, width)...)
	}
	if len(lines) > 0 {
		lines = append(lines, "")
	}
	if p.plan.err != nil {
		return append(lines, Wrap(p.plan.err.Error(), width)...)
	}
	lines = append(lines, wrapped(p.plan.said)(width)...)
	if p.act.note != "" {
		if p.plan.said != "" {
			lines = append(lines, "")
		}
		lines = append(lines, Wrap(p.act.note, width)...)
	}

	return lines
}

// commandLines writes a line of the shell in full.
func commandLines(line string, width int) []string {
	lines := folded(line, max(1, width-gap))
	for i := range lines {
		lines[i] = map[bool]string{true: "$ ", false: "  "}[i == 0] + lines[i]
	}

	return lines
}

func (p *plan) view(width, height int) string {
	theme := newTheme(p.desk.Color)
	head := theme.header.Render(Cut(p.act.name+": "+p.act.what, width))
	if !p.ready {
		line := p.work.line
		if line == "" {
			line = "looking what it would do…"
		}

		return joined(head, "", cut(line, width), "", "Nothing is changed yet.")
	}

	foot := p.question(theme, width)
	room := max(1, height-3-strings.Count(foot, "\n"))

	return joined(head, theme.rule.Render(strings.Repeat("─", width)), p.text.view(width, room), foot)
}

// question names what is confirmed, how much of it, and where. It is two lines.
func (p *plan) question(theme theme, width int) string {
	position := p.text.position()
	switch {
	case p.plan.err != nil || p.plan.code != 0:
		return joined(theme.tones[Bad].Render("It cannot be done so; nothing was changed."), Cut(position, width))
	case p.plan.n == 0:
		return joined(theme.tones[Waiting].Render("There is nothing to do; nothing was changed."), Cut(position, width))
	}

	what := p.act.name + " " + countOf(p.plan.n, p.act.one, p.act.many)
	lead := what + ", in "
	where, tone := whereOf(p.desk)
	ask := theme.header.Render(Cut(lead, width)) + theme.tones[tone].Render(Cut(where, max(1, width-widthOf(lead)-1))) + theme.header.Render("?")
	switch {
	case p.wrong != "":
		return joined(ask, theme.tones[Bad].Render(Cut("✗ "+p.wrong+"; type it, or esc", width)))
	case p.typed != nil:
		lead := "Type " + p.password() + " and Enter to go on: "

		return joined(ask, lead+drawInput(*p.typed, width-widthOf(lead)))
	}

	return joined(ask, Cut(strings.TrimSuffix("Enter to confirm, y copies the command  "+position, "  "), width))
}

// whereOf names the environment and the database.
func whereOf(d *Desk) (string, Tone) {
	where, tone := d.Environment, Plain
	if strings.EqualFold(where, "production") {
		where, tone = "PRODUCTION", Bad
	}
	if where == "" {
		where = "an environment without a name"
	}
	if d.Database != "" {
		where += " (" + d.Database + ")"
	}

	return where, tone
}

func (p *plan) bindings() []key.Binding {
	switch {
	case !p.ready:
		return nil
	case p.typed != nil:
		return []key.Binding{key.NewBinding(key.WithKeys("enter"), key.WithHelp("enter", "do it, if it is "+p.password()))}
	}
	var all []key.Binding
	if p.possible() {
		all = append(all, p.keys.Confirm)
	}
	if len(p.plan.commands) > 0 {
		all = append(all, p.keys.Copy)
	}

	return append(all, p.text.bindings()...)
}
