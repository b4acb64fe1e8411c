package tui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
)

// A deed is an act under way, and then what came of it.
type deed struct {
	asker

	desk     *Desk
	act      act
	commands [][]string

	work    work
	said    strings.Builder
	done    int // commands that are
	stopped bool
	over    bool
	code    int
	text    scroller
	keys    deedKeys
}

type deedKeys struct{ Copy, Leave, Stop key.Binding }

// ran says what came of one command.
type ran struct {
	to   asker
	said string
	code int
}

func newDeed(d *Desk, a act, commands [][]string) *deed {
	dd := &deed{asker: newAsker(), desk: d, act: a, commands: commands, keys: deedKeys{
		Copy:  key.NewBinding(key.WithKeys("y"), key.WithHelp("y", "copy the command")),
		Leave: key.NewBinding(key.WithKeys("enter"), key.WithHelp("enter", "done")),
		Stop:  key.NewBinding(key.WithKeys("esc"), key.WithHelp("esc", "stop")),
	}}
	dd.text = newScroller(dd.lines)

	return dd
}

func (d *deed) title() string { return d.act.name }

// typing keeps keys that lead elsewhere from stopping what goes on.
func (d *deed) typing() bool { return !d.over }

func (d *deed) begin() tea.Cmd {
	d.work = newWork(d.desk)

	return tea.Batch(d.work.watch(d.asker), d.next())
}

// next runs the next command.
func (d *deed) next() tea.Cmd {
	words, width := d.commands[d.done], d.desk.width-gutter

	return func() tea.Msg {
		said, code := d.desk.carryOut(d.work.ctx, width, words, d.work.tell)

		return ran{d.asker, said, code}
	}
}

// back stops what goes on, and leaves what is over.
func (d *deed) back() (bool, tea.Cmd) {
	if d.over {
		return false, pop
	}
	d.stopped = true
	d.work.end()

	return false, nil
}

func (d *deed) update(msg tea.Msg) (step, tea.Cmd) {
	switch msg := msg.(type) {
	case ran:
		if msg.to == d.asker {
			return nil, d.ended(msg)
		}
	case progressed:
		if msg.to == d.asker && !d.over {
			d.work.line = msg.line

			return nil, d.work.watch(d.asker)
		}
	case tea.MouseMsg:
		if d.over {
			d.text.update(msg)
		}
	case tea.KeyMsg:
		switch {
		case !d.over:
		case key.Matches(msg, d.keys.Leave):
			return nil, pop
		case key.Matches(msg, d.keys.Copy):
			return nil, d.desk.copyLines(shellLines(d.desk, d.left()))
		default:
			d.text.update(msg)
		}
	}

	return nil, nil
}

// ended takes what came of a command, and goes on with the next unless it failed.
func (d *deed) ended(msg ran) tea.Cmd {
	if len(d.commands) > 1 {
		d.said.WriteString("$ " + d.desk.CommandLine.Line(d.commands[d.done]...) + "\n")
	}
	d.said.WriteString(msg.said)
	d.code = msg.code
	if msg.code == 0 {
		d.done++
	}
	if msg.code == 0 && d.done < len(d.commands) && !d.stopped {
		return d.next()
	}
	d.over = true
	d.work.end()
	d.text.toEnd() // what came of it is said last

	return nil
}

// left are the commands that were not done or, if all were, all of them.
func (d *deed) left() [][]string {
	if d.done == len(d.commands) {
		return d.commands
	}

	return d.commands[d.done:]
}

// lines are the command in full, if it is one, and what was said.
func (d *deed) lines(width int) (lines []string) {
	if len(d.commands) == 1 {
		lines = append(commandLines(d.desk.CommandLine.Line(d.commands[0]...), width), "")
	}

	return append(lines, wrapped(d.said.String())(width)...)
}

func (d *deed) view(width, height int) string {
	theme := newTheme(d.desk.Color)
	if !d.over {
		return d.underWay(theme, width)
	}
	foot := d.verdict(theme, width)

	return joined(theme.header.Render(Cut(d.act.name, width)), theme.rule.Render(strings.Repeat("─", width)),
		d.text.view(width, max(1, height-3)), foot)
}

func (d *deed) underWay(theme theme, width int) string {
	where, tone := whereOf(d.desk)
	lines := []string{theme.header.Render(Cut(d.act.name+", in ", width)) + theme.tones[tone].Render(Cut(where, width-len(d.act.name)-len(", in "))), ""}
	if len(d.commands) > 1 {
		lines = append(lines, fmt.Sprintf("%s of %s are done", thousands(d.done), thousands(len(d.commands))))
	}
	line := d.work.line
	if line == "" {
		line = "working…"
	}
	lines = append(lines, cut(line, width), "")
	if d.stopped {
		return joined(append(lines, "Stopping: what has begun is brought to an end…")...)
	}
	lines = append(lines, "Esc stops it as Ctrl-C stops the command: it says how to go on.", "")

	return joined(append(lines, commandLines(d.desk.CommandLine.Line(d.commands[d.done]...), width)...)...)
}

// verdict is what came of it, in a line.
func (d *deed) verdict(theme theme, width int) string {
	position := d.text.position()
	text, tone := "✓ done", Good
	switch {
	case d.stopped && d.done < len(d.commands):
		text, tone = "■ stopped", Waiting
	case d.code != 0:
		text, tone = "✗ failed", Bad
	}
	if n := len(d.commands); n > 1 {
		text += fmt.Sprintf(": %s of %s", thousands(d.done), thousands(n))
		if d.done < n {
			text += "; y copies those that are left"
		}
	}

	return theme.tones[tone].Render(Cut(text, width)) + Cut("  "+position, max(1, width-widthOf(text)))
}

func (d *deed) bindings() []key.Binding {
	if !d.over {
		return nil
	}

	return append([]key.Binding{d.keys.Leave, d.keys.Copy}, d.text.bindings()...)
}
