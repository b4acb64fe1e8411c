package tui

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// sizes are those at which every page is looked at.
var sizes = [][2]int{{80, 24}, {120, 40}, {200, 60}}

// A stage holds a frame as a program would: it runs commands at once, one after
// the other, and nothing ticks but by hand.
type stage struct {
	t     *testing.T
	frame *frame
	quit  bool
	held  *held // nil: commands run at once
}

func newStage(t *testing.T, d Desk, page pageName, width, height int, words ...string) *stage {
	t.Helper()

	d.ctx = t.Context()
	if d.Wins.Parse == nil { // whoever looks at no lists leaves them out
		lists, _ := newDesk(0)
		d.Wins, d.Deliveries, d.Events, d.Pushes, d.Deeds = lists.Wins, lists.Deliveries, lists.Events, lists.Pushes, lists.Deeds
	}
	if d.Now == nil {
		d.Now = func() time.Time { return noon }
	}
	d.Tick = func(time.Duration, func(time.Time) tea.Msg) tea.Cmd { return nil }
	s := &stage{t: t, frame: newFrame(&d, page, words)}
	s.run(s.frame.Init())
	s.send(tea.WindowSizeMsg{Width: width, Height: height})

	return s
}

func (s *stage) send(msg tea.Msg) {
	s.t.Helper()

	if _, ok := msg.(tea.QuitMsg); ok {
		s.quit = true
		return
	}
	_, cmd := s.frame.Update(msg)
	s.run(cmd)
}

func (s *stage) run(cmd tea.Cmd) {
	s.t.Helper()

	if cmd == nil {
		return
	}
	if s.held != nil {
		s.held.cmds = append(s.held.cmds, cmd)
		return
	}
	switch msg := cmd().(type) {
	case nil:
	case tea.BatchMsg:
		for _, cmd := range msg {
			s.run(cmd)
		}
	default:
		s.send(msg)
	}
}

// held are commands that wait for a test to let them run.
type held struct {
	s    *stage
	cmds []tea.Cmd
}

// hold lets commands wait from now on.
func (s *stage) hold() *held {
	s.held = &held{s: s}

	return s.held
}

// next runs the first command, and holds what comes of it.
func (h *held) next() {
	h.s.t.Helper()
	if len(h.cmds) == 0 {
		return
	}
	cmd := h.cmds[0]
	h.cmds = h.cmds[1:]
	switch msg := cmd().(type) {
	case nil:
	case tea.BatchMsg:
		for _, cmd := range msg {
			h.s.run(cmd)
		}
	default:
		h.s.send(msg)
	}
}

// all runs commands until there are none.
func (h *held) all() {
	h.s.t.Helper()
	for len(h.cmds) > 0 {
		h.next()
	}
}

// press types keys: names such as "enter" or "ctrl+c", or text.
func (s *stage) press(keys ...string) {
	s.t.Helper()

	for _, k := range keys {
		s.send(keyOf(k))
	}
}

// write types text, a key each.
func (s *stage) write(text string) {
	s.t.Helper()

	for _, r := range text {
		s.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}})
	}
}

// beat lets a second pass.
func (s *stage) beat() {
	s.t.Helper()
	s.send(looked{s.frame.desk.Now()})
}

func keyOf(name string) tea.KeyMsg {
	for t := tea.KeyType(-100); t < 128; t++ {
		if k := (tea.KeyMsg{Type: t}); k.String() == name {
			return k
		}
	}

	return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(name)}
}

// golden compares what is seen with testdata/name.golden. Each line has to fit.
func (s *stage) golden(name string) {
	s.t.Helper()

	got := s.frame.View()
	lines := strings.Split(got, "\n")
	if !s.frame.tooSmall() && len(lines) != s.frame.height {
		s.t.Errorf("%s: %d lines are drawn on %d", name, len(lines), s.frame.height)
	}
	for i, line := range lines {
		if w := widthOf(line); w > s.frame.width {
			s.t.Errorf("%s: line %d is %d cells wide, of %d: %q", name, i+1, w, s.frame.width, line)
		}
		lines[i] = strings.TrimRight(line, " ")
	}
	got = strings.Join(lines, "\n") + "\n"

	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			s.t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			s.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		s.t.Errorf("%s (-want +got; go test -update writes it anew):\n%s", file, diff)
	}
}

// goldens looks at a page at all sizes, in a state that desk brings about.
func goldens(t *testing.T, page pageName, state string, desk func() Desk) {
	t.Helper()

	for _, size := range sizes {
		name := fmt.Sprintf("%s-%s-%dx%d", strings.ToLower(string(page)), state, size[0], size[1])
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newStage(t, desk(), page, size[0], size[1]).golden(name)
		})
	}
}

// A fakeVerbs answers nothing; tests embed it and say what they need.
type fakeVerbs struct{ Verbs }

func (fakeVerbs) CountParked(context.Context) (int64, error) { return 3, nil }

func TestFrameHasAllPages(t *testing.T) {
	t.Parallel()

	s := newStage(t, Desk{Do: fakeVerbs{}, Database: "db.example.com", Environment: "test"}, pageOverview, 80, 24)
	for i, name := range pageNames() {
		s.press(fmt.Sprint(i + 1))
		if s.frame.current != name {
			t.Errorf("%d leads to %s, want %s", i+1, s.frame.current, name)
		}
	}
	s.press("ctrl+c")
	if !s.quit {
		t.Error("ctrl+c does not end it")
	}
}

// costs presses a key again and again and fails if that allocates as much as
// looking at all that there is would, and not only at what is shown. No other test
// may run meanwhile.
func (s *stage) costs(key string, times int) {
	s.t.Helper()

	const most = 5000
	each := testing.AllocsPerRun(times, func() {
		s.press(key)
		s.frame.View()
	})
	if each > most {
		s.t.Errorf("%s allocates %.0f times, want at most %d", key, each, most)
	}
}
