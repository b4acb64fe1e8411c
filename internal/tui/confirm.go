package tui

import (
	"context"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/charmbracelet/bubbles/key"
	"github.com/charmbracelet/bubbles/textinput"
	tea "github.com/charmbracelet/bubbletea"
)

// mostByWord is how many things a yes confirms. For more, their number is typed.
const mostByWord = 100

// A plan is what an act would do: it is looked at, and confirmed.
type plan struct {
	asker

	desk    *Desk
	act     act
	written []string

	work  work
	plan  planned
	ready bool
	text  scroller
	typed *textinput.Model // nil while it is only looked at
	wrong string           // what was typed instead
	keys  planKeys
}

type planKeys struct{ Confirm, Copy key.Binding }

// planned says what an act comes to.
type planned struct {
	to       asker
	commands []command
	said     string
	n        int
	code     int
	err      error
}

func newPlan(d *Desk, a act, written []string) *plan {
	return &plan{asker: newAsker(), desk: d, act: a, written: written, keys: planKeys{
		Confirm: key.NewBinding(key.WithKeys("enter"), key.WithHelp("enter", "confirm…")),
		Copy:    key.NewBinding(key.WithKeys("y"), key.WithHelp("y", "copy the command")),
	}}
}

func (p *plan) title() string { return p.act.name }

func (p *plan) begin() tea.Cmd {
	p.work = newWork(p.desk)
	width := p.desk.width - gutter

	return tea.Batch(p.work.watch(p.asker), func() tea.Msg {
		defer p.work.end()

		return p.look(p.work.ctx, width)
	})
}

// look finds out what the act comes to. It changes nothing.
func (p *plan) look(ctx context.Context, width int) planned {
	got := planned{to: p.asker, n: p.act.n}
	if got.commands, got.err = p.act.commands(ctx, p.written); got.err != nil {
		return got
	}
	var looks [][]string
	switch {
	case p.act.dryRun:
		got.n = 0
		for _, c := range got.commands {
			looks = append(looks, c.words("--dry-run"))
		}
	case p.act.looks != nil:
		looks = p.act.looks(p.written)
	}

	var text strings.Builder
	for i, words := range looks {
		if i > 0 {
			text.WriteString("\n")
		}
		said, n, code := p.desk.CommandLine.Preview(ctx, width, words, p.work.tell)
		text.WriteString(said)
		if got.n += n; code != 0 && p.act.dryRun {
			got.code = code
			break
		}
	}
	got.said = text.String()

	return got
}

// back gives up; what was under way is stopped.
func (p *plan) back() (bool, tea.Cmd) {
	if p.typed != nil {
		p.typed, p.wrong = nil, ""

		return false, nil
	}
	p.work.end()

	return true, nil
}

func (p *plan) typing() bool { return p.typed != nil }

func (p *plan) update(msg tea.Msg) (step, tea.Cmd) {
	switch msg := msg.(type) {
	case planned:
		if msg.to == p.asker {
			p.plan, p.ready = msg, true
			p.text = newScroller(p.lines)
		}
	case progressed:
		if msg.to == p.asker && !p.ready {
			p.work.line = msg.line

			return nil, p.work.watch(p.asker)
		}
	case tea.MouseMsg:
		if p.ready {
			p.text.update(msg)
		}
	case tea.KeyMsg:
		if p.ready {
			return p.pressed(msg)
		}
	}

	return nil, nil
}

func (p *plan) pressed(msg tea.KeyMsg) (step, tea.Cmd) {
	switch {
	case p.typed != nil && msg.Type == tea.KeyEnter:
		return p.confirmed()
	case p.typed != nil:
		next, cmd := p.typed.Update(msg)
		p.typed, p.wrong = &next, ""

		return nil, cmd
	case p.possible() && key.Matches(msg, p.keys.Confirm):
		p.typed = newInput()
	case len(p.plan.commands) > 0 && key.Matches(msg, p.keys.Copy):
		return nil, p.desk.copyLines(p.shell())
	default:
		p.text.update(msg)
	}

	return nil, nil
}

// possible reports whether there is anything to confirm.
func (p *plan) possible() bool {
	return p.ready && p.plan.err == nil && p.plan.code == 0 && p.plan.n > 0 && !p.desk.ReadOnly
}

// confirmed goes on if what was typed is what was asked for.
func (p *plan) confirmed() (step, tea.Cmd) {
	if got, want := strings.TrimSpace(p.typed.Value()), p.password(); !strings.EqualFold(got, want) {
		p.wrong = "nothing was done: " + strconv.Quote(got) + " is not " + want
		p.typed.Reset()

		return nil, nil
	}

	return newDeed(p.desk, p.act, p.commands()), nil
}

// password is what has to be typed.
func (p *plan) password() string {
	if p.plan.n > mostByWord {
		return strconv.Itoa(p.plan.n)
	}

	return "yes"
}

// commands are what is run, just as they are shown.
func (p *plan) commands() [][]string {
	var more []string
	if p.act.limited && p.plan.n > 0 {
		more = append(more, flagWord("limit", strconv.Itoa(p.plan.n)))
	}
	if p.act.yes {
		more = append(more, "--yes")
	}
	all := make([][]string, len(p.plan.commands))
	for i, c := range p.plan.commands {
		all[i] = c.words(more...)
	}

	return all
}

func (p *plan) shell() []string { return shellLines(p.desk, p.commands()) }

func shellLines(d *Desk, commands [][]string) []string {
	lines := make([]string, len(commands))
	for i, words := range commands {
		lines[i] = d.CommandLine.Line(words...)
	}

	return lines
}

// A work is something that goes on for a while, off the update loop. It can be
// stopped, and tells how far it is.
type work struct {
	desk *Desk
	ctx  context.Context // ends when it is stopped
	end  context.CancelFunc
	last *atomic.Pointer[string]
	line string // how far it was when it was last asked
}

// watchEvery is how often one looks how far a work has come.
const watchEvery = 200 * time.Millisecond

// progressed says how far a work is.
type progressed struct {
	to   asker
	line string
}

func newWork(d *Desk) work {
	ctx, cancel := context.WithCancel(d.ctx)
	w := work{desk: d, ctx: ctx, end: cancel, last: &atomic.Pointer[string]{}}
	w.tell("")

	return w
}

func (w work) tell(line string) { w.last.Store(&line) }

func (w work) watch(to asker) tea.Cmd {
	return w.desk.tick(watchEvery, func(time.Time) tea.Msg { return progressed{to, *w.last.Load()} })
}
