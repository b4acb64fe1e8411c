package tui

import (
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
)

// lookEvery is how often what is on top looks again.
const lookEvery = time.Second

// The least that the screens can be read on.
const (
	leastWidth  = 80
	leastHeight = 24
)

// looked is the beat that everything that is live follows.
type looked struct{ at time.Time }

// A frame is the whole of what is seen: header, what is on top of the current
// page, and footer.
type frame struct {
	desk          *Desk
	theme         theme
	keys          frameKeys
	pages         map[pageName][]screen // those that were opened; the last screen is on top
	current       pageName
	width, height int

	help   help
	notice said
	stale  staleness
	parked parkedCount
}

func newFrame(d *Desk, first pageName, words []string) *frame {
	f := &frame{
		desk: d, theme: newTheme(d.Color), keys: newFrameKeys(), pages: map[pageName][]screen{}, current: first,
		help: newHelp(), parked: newParkedCount(d),
	}
	f.pages[first] = []screen{d.newPage(first, words)}

	return f
}

// Init is part of [tea.Model].
func (f *frame) Init() tea.Cmd {
	return tea.Batch(f.top().open(), f.parked.look(time.Time{}), f.beat())
}

func (f *frame) beat() tea.Cmd {
	return f.desk.tick(lookEvery, func(at time.Time) tea.Msg { return looked{at} })
}

func (f *frame) top() screen {
	stack := f.pages[f.current]

	return stack[len(stack)-1]
}

// toTop lets only the screen on top have a message.
func (f *frame) toTop(msg tea.Msg) tea.Cmd {
	stack := f.pages[f.current]
	s, cmd := f.top().update(msg)
	stack[len(stack)-1] = s

	return cmd
}

// Update is part of [tea.Model].
func (f *frame) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		f.width, f.height, f.desk.width = msg.Width, msg.Height, msg.Width
		return f, f.tell(msg)
	case tea.KeyMsg:
		return f, f.typed(msg)
	case tea.MouseMsg:
		return f, f.pointed(msg)
	case looked:
		return f, tea.Batch(f.top().look(), f.parked.look(msg.at), f.beat())
	case pushed:
		f.pages[f.current] = append(f.pages[f.current], msg.screen)
		return f, msg.screen.open()
	case popped:
		return f, f.back()
	case said:
		f.notice = msg
		return f, nil
	case turned:
		return f, f.turn(msg)
	}

	if r, ok := msg.(resulting); ok {
		f.stale.note(r.result())
	}
	f.parked.update(msg)

	return f, f.tell(msg)
}

// tell lets every screen have a message.
func (f *frame) tell(msg tea.Msg) tea.Cmd {
	var cmds []tea.Cmd
	for _, name := range pageNames() {
		stack := f.pages[name]
		for i := range stack {
			s, cmd := stack[i].update(msg)
			stack[i] = s
			cmds = append(cmds, cmd)
		}
	}

	return tea.Batch(cmds...)
}

// typed takes what was typed. What is typed faster than it is read comes in one
// piece; each letter of it is a key of its own. Text that was pasted is none.
func (f *frame) typed(msg tea.KeyMsg) tea.Cmd {
	if msg.Paste {
		if f.help.open || f.tooSmall() || !f.top().typing() {
			return say("pasted text is not taken for keys", Plain)
		}

		return f.toTop(msg)
	}
	if len(msg.Runes) < 2 {
		return f.pressed(msg)
	}

	cmds := make([]tea.Cmd, len(msg.Runes))
	for i, r := range msg.Runes {
		cmds[i] = f.pressed(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}, Alt: msg.Alt})
	}

	return tea.Batch(cmds...)
}

func (f *frame) pressed(msg tea.KeyMsg) tea.Cmd {
	f.notice = said{}
	switch {
	case key.Matches(msg, f.keys.Interrupt):
		return tea.Quit
	case f.tooSmall():
		return nil
	case f.help.open:
		f.help.pressed(msg, len(f.helpLines(f.width)), f.room())
		return nil
	case key.Matches(msg, f.keys.Help) && (!f.top().typing() || msg.Type != tea.KeyRunes):
		f.help.show()
		return nil
	case f.top().typing():
		return f.toTop(msg)
	case key.Matches(msg, f.keys.Quit):
		return tea.Quit
	case key.Matches(msg, f.keys.Parked):
		return f.turn(toParked())
	case key.Matches(msg, f.keys.Next):
		return f.step(1)
	case key.Matches(msg, f.keys.Previous):
		return f.step(-1)
	}
	for i, page := range pageNames() {
		if key.Matches(msg, f.keys.Pages[i]) {
			return f.turn(turned{page: page})
		}
	}

	return f.toTop(msg)
}

// toParked leads to what waits for a person.
func toParked() turned { return turned{pageDeliveries, []string{"--state", "parked"}} }

// step goes to a neighbouring page.
func (f *frame) step(by int) tea.Cmd {
	names := pageNames()
	for i, name := range names {
		if name == f.current {
			return f.turn(turned{page: names[(i+by+len(names))%len(names)]})
		}
	}

	return nil
}

// turn goes to a page, to the first of its screens if it is there already.
func (f *frame) turn(to turned) tea.Cmd {
	f.help.open = false
	f.current = to.page
	if len(f.pages[to.page]) == 0 || to.words != nil {
		f.pages[to.page] = []screen{f.desk.newPage(to.page, to.words)}
	}

	return f.top().open()
}

// back takes the top screen off. The first of a page stays.
func (f *frame) back() tea.Cmd {
	stack := f.pages[f.current]
	if len(stack) == 1 {
		return nil
	}
	f.pages[f.current] = stack[:len(stack)-1]

	return f.top().open()
}

func (f *frame) tooSmall() bool { return f.width < leastWidth || f.height < leastHeight }
