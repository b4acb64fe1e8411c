package tui

import (
	"fmt"
	"math"
	"regexp"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"
)

// gutter is how many cells stand left of scrolled text, for marks.
const gutter = 2

// wheelLines is how far one notch of the mouse wheel goes.
const wheelLines = 3

// A scroller shows a part of many lines. It lays them out when they are drawn:
// only then it learns how wide they may be.
type scroller struct {
	lay func(width int) []string // none of them wider than width

	lines         []string // as they were laid out last
	width, height int      // of the text, when it was drawn last
	top           int

	sought string
	found  int // the line that was found last; -1 if none was
	keys   scrollKeys
}

type scrollKeys struct {
	Up, Down, PageUp, PageDown, HalfUp, HalfDown, First, Last, Next, Previous key.Binding
}

func newScroller(lay func(width int) []string) scroller {
	bind := func(help, what string, keys ...string) key.Binding {
		return key.NewBinding(key.WithKeys(keys...), key.WithHelp(help, what))
	}

	return scroller{lay: lay, found: -1, keys: scrollKeys{
		Up: bind("↑/k", "up", "up", "k"), Down: bind("↓/j", "down", "down", "j"),
		PageUp: bind("pgup", "page up", "pgup"), PageDown: bind("pgdn", "page down", "pgdown", " "),
		HalfUp: bind("ctrl+u", "half a page up", "ctrl+u"), HalfDown: bind("ctrl+d", "half a page down", "ctrl+d"),
		First: bind("g", "to the beginning", "g", "home"), Last: bind("G", "to the end", "G", "end"),
		Next: bind("n", "next match", "n"), Previous: bind("N", "previous match", "N"),
	}}
}

// set replaces the text. What is seen stays where it is.
func (s *scroller) set(lay func(width int) []string) {
	s.lay, s.lines = lay, nil
}

// update takes keys and the mouse wheel.
func (s *scroller) update(msg tea.Msg) {
	switch msg := msg.(type) {
	case tea.MouseMsg:
		if by, ok := map[tea.MouseButton]int{tea.MouseButtonWheelUp: -wheelLines, tea.MouseButtonWheelDown: wheelLines}[msg.Button]; ok {
			s.move(by)
		}
	case tea.KeyMsg:
		s.pressed(msg)
	}
}

func (s *scroller) pressed(msg tea.KeyMsg) {
	switch {
	case key.Matches(msg, s.keys.Up):
		s.move(-1)
	case key.Matches(msg, s.keys.Down):
		s.move(1)
	case key.Matches(msg, s.keys.PageUp):
		s.move(-max(1, s.height-1))
	case key.Matches(msg, s.keys.PageDown):
		s.move(max(1, s.height-1))
	case key.Matches(msg, s.keys.HalfUp):
		s.move(-max(1, s.height/2))
	case key.Matches(msg, s.keys.HalfDown):
		s.move(max(1, s.height/2))
	case key.Matches(msg, s.keys.First):
		s.top = 0
	case key.Matches(msg, s.keys.Last):
		s.move(len(s.lines))
	case key.Matches(msg, s.keys.Next):
		s.seek(s.sought, s.found+1, 1)
	case key.Matches(msg, s.keys.Previous):
		s.seek(s.sought, s.found-1, -1)
	}
}

func (s *scroller) move(by int) {
	s.top = max(0, min(s.top+by, len(s.lines)-s.height))
}

// toEnd shows the last lines when they are drawn next.
func (s *scroller) toEnd() { s.top = math.MaxInt32 }

// colours are what lines may have in them besides text.
var colours = regexp.MustCompile("\x1b\\[[0-9;]*m")

// seek goes to the next line, from a line on, that holds text in whatever case;
// behind the last comes the first. It reports whether there is one.
func (s *scroller) seek(text string, from, step int) bool {
	s.sought = text
	if text == "" || len(s.lines) == 0 {
		s.found = -1
		return false
	}
	n := len(s.lines)
	for i := range n {
		at := ((from+i*step)%n + n) % n
		if strings.Contains(strings.ToLower(colours.ReplaceAllString(s.lines[at], "")), strings.ToLower(text)) {
			s.found = at
			if at < s.top || at >= s.top+s.height {
				s.top = max(0, min(at-s.height/3, n-s.height))
			}

			return true
		}
	}
	s.found = -1

	return false
}

// view draws exactly height lines of at most width cells.
func (s *scroller) view(width, height int) string {
	if room := max(1, width-gutter); s.lines == nil || room != s.width {
		before := len(s.lines)
		s.width, s.lines = room, s.lay(room)
		if before > 0 && before != len(s.lines) {
			s.top = s.top * len(s.lines) / before // about where it was
			s.found = -1
		}
	}
	s.height = height
	s.move(0)

	shown := make([]string, 0, height)
	for i := s.top; i < min(s.top+height, len(s.lines)); i++ {
		mark := "  "
		if i == s.found {
			mark = "▸ "
		}
		shown = append(shown, mark+s.lines[i])
	}

	return fill(strings.Join(shown, "\n"), width, height)
}

// position says which part is seen.
func (s *scroller) position() string {
	n := len(s.lines)
	if n <= s.height {
		return ""
	}
	last := min(s.top+s.height, n)

	return fmt.Sprintf("lines %s–%s of %s, %d%%", thousands(s.top+1), thousands(last), thousands(n), 100*last/n)
}

// bindings are the keys that work now.
func (s *scroller) bindings() []key.Binding {
	k := s.keys
	all := []key.Binding{}
	if len(s.lines) > s.height {
		all = append(all, k.Up, k.Down, k.PageUp, k.PageDown, k.HalfUp, k.HalfDown, k.First, k.Last)
	}
	if s.sought != "" {
		all = append(all, k.Next, k.Previous)
	}

	return all
}

// wrapped lays out what a command wrote: lines that are too wide go on in the
// next, colours kept.
func wrapped(text string) func(width int) []string {
	return func(width int) (lines []string) {
		for line := range strings.Lines(text) {
			line = strings.TrimRight(line, " \r\n")
			if widthOf(line) <= width {
				lines = append(lines, line)
				continue
			}
			for part := range strings.Lines(lipgloss.NewStyle().Width(width).Render(line)) {
				lines = append(lines, strings.TrimRight(part, " \n"))
			}
		}

		return lines
	}
}

// folded breaks plain text into lines of exactly width cells but the last, after
// [Clean]. Nothing is left out.
func folded(line string, width int) (lines []string) {
	line = Clean(strings.ReplaceAll(line, "\t", "    "))
	begin, used := 0, 0
	for i, r := range line {
		w := 1
		if r >= 0x80 {
			w = lipgloss.Width(string(r))
		}
		if used+w > width && i > begin {
			lines = append(lines, line[begin:i])
			begin, used = i, 0
		}
		used += w
	}

	return append(lines, line[begin:])
}
