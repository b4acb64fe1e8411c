package tui

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/charmbracelet/bubbles/key"
	"github.com/charmbracelet/bubbles/textinput"
	tea "github.com/charmbracelet/bubbletea"

	"trivia/internal/operator"
)

// refreshBeats is how many beats pass before a detail asks again by itself.
const refreshBeats = 5

// A detail is all that is known of one thing: what commands say of it, a pane
// each, and the bodies that came.
type detail struct {
	asker

	desk  *Desk
	what  string // the kind of thing, in a word
	name  string // of the thing
	panes []*pane
	at    int // the pane that is seen

	// load reads the thing itself, and its bodies; nil if there is no need to.
	load    func(context.Context) (loaded, error)
	loading bool
	thing   any // such as a store.DeliveryRow
	bodies  []keptBody
	bodyErr error

	jumps func(thing any) []jump
	acts  func(thing any) choice
	form  bodyForm
	beats int
	keys  detailKeys
	find  *textinput.Model // nil: nothing is looked for
}

// A pane is one view of a thing.
type pane struct {
	asker

	name   string
	words  []string // of the command that says it; nil if none does
	lay    func(d *detail, width int) []string
	scroll scroller

	asked int // for which width; 0: not yet
	out   bool
	said  string
	at    time.Time // when what is seen was asked for
	fault string    // why it could not be asked again
}

// A jump leads to something else that belongs to a thing.
type jump struct {
	key.Binding

	to func() tea.Cmd
}

// loaded is what a detail has read.
type loaded struct {
	thing   any
	bodies  []keptBody
	missing error // there is no such thing
}

// spoke is what a command said for a pane. It is no answer that tells whether the
// database lives: a command may fail for other reasons.
type spoke struct {
	to   asker
	said string
	code int
	late bool // the deadline came first
	at   time.Time
}

type detailKeys struct {
	Left, Right                        key.Binding // told as Parts
	Parts                              key.Binding
	Back, Form, Find, Again, Copy, Act key.Binding
}

func newDetail(d *Desk, what, name string, panes ...*pane) *detail {
	bind := func(help, what string, keys ...string) key.Binding {
		return key.NewBinding(key.WithKeys(keys...), key.WithHelp(help, what))
	}
	s := &detail{asker: newAsker(), desk: d, what: what, name: name, panes: panes, keys: detailKeys{
		Left: bind("←/h", "previous part", "left", "h"), Right: bind("→/l", "next part", "right", "l"), Parts: bind("←/→", "parts", "←", "→"),
		Back: bind("esc", "back", "esc"), Form: bind("b", "indented, raw or hex", "b"),
		Find: bind("/", "find in the text", "/"), Again: bind("R", "ask again", "R"),
		Copy: bind("y", "copy the command", "y"), Act: bind("x", "act", "x"),
	}}
	for _, p := range panes {
		p.asker = newAsker()
		p.scroll = newScroller(func(width int) []string { return s.lines(p, width) })
	}

	return s
}

// said makes a pane that a command fills.
func saidPane(name string, words ...string) *pane { return &pane{name: name, words: words} }

func (s *detail) title() string { return s.what + " " + s.name }

func (s *detail) typing() bool { return s.find != nil }

func (s *detail) seen() *pane { return s.panes[s.at] }

func (s *detail) open() tea.Cmd {
	cmd := s.ask()
	if s.load == nil || s.loading {
		return cmd
	}
	s.loading = true

	return tea.Batch(cmd, ask(s.desk, s.asker, func(ctx context.Context) (loaded, error) {
		got, err := s.load(ctx)
		if errors.Is(err, operator.ErrNotFound) {
			got, err = loaded{missing: err}, nil
		}

		return got, err
	}))
}

// ask lets the command of the pane that is seen speak.
func (s *detail) ask() tea.Cmd {
	p, width := s.seen(), s.desk.width-gutter
	if p.words == nil || p.out || width < 1 {
		return nil
	}
	p.out, p.asked, s.beats = true, width, 0

	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(s.desk.ctx, deadline)
		defer cancel()
		at := s.desk.Now()
		text, code := s.desk.CommandLine.Run(ctx, width, p.words, nil)

		return spoke{p.asker, text, code, code != 0 && errors.Is(ctx.Err(), context.DeadlineExceeded), at}
	}
}

func (s *detail) look() tea.Cmd {
	if s.beats++; s.beats < refreshBeats {
		return nil
	}

	return s.ask()
}

func (s *detail) update(msg tea.Msg) (screen, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.KeyMsg:
		if s.find != nil {
			return s, s.findKey(msg)
		}

		return s, s.pressed(msg)
	case tea.MouseMsg:
		return s, s.pointed(msg)
	case tea.WindowSizeMsg:
		if p := s.seen(); p.asked != 0 && p.asked != msg.Width-gutter {
			return s, s.ask()
		}
	case answer[loaded]:
		if msg.to == s.asker {
			s.read(msg)
		}
	case spoke:
		return s, s.heard(msg)
	}

	return s, nil
}

// read takes what was loaded. What failed leaves what was there.
func (s *detail) read(a answer[loaded]) {
	s.loading = false
	switch s.bodyErr = errors.Join(a.err, a.value.missing); {
	case a.err != nil:
	case a.value.missing != nil:
		s.thing, s.bodies = nil, nil
	default:
		s.thing, s.bodies = a.value.thing, a.value.bodies
	}
	for _, p := range s.panes {
		if p.lay != nil {
			p.scroll.set(p.scroll.lay)
		}
	}
}

// heard takes what a command said. What a command without an answer says stands
// beside what was known before.
func (s *detail) heard(msg spoke) tea.Cmd {
	for _, p := range s.panes {
		if p.asker != msg.to {
			continue
		}
		p.out = false
		switch {
		case msg.late:
			p.fault = "the database did not answer within " + deadline.String()
		case msg.code == 1 && p.said != "":
			p.fault, _, _ = strings.Cut(msg.said, "\n")
		default:
			p.said, p.at, p.fault = msg.said, msg.at, ""
			p.scroll.set(p.scroll.lay)
		}
		if p == s.seen() && p.asked != s.desk.width-gutter {
			return s.ask()
		}
	}

	return nil
}

// lines lays out a pane.
func (s *detail) lines(p *pane, width int) []string {
	switch {
	case p.lay != nil:
		return p.lay(s, width)
	case p.said == "" && p.fault != "":
		return Wrap(p.fault, width)
	case p.said == "" && p.at.IsZero():
		return []string{"asking…"}
	}

	return wrapped(p.said)(width)
}
