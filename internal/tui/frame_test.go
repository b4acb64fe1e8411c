package tui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"trivia/internal/store"
)

// A sheet is a screen that keeps what it is told.
type sheet struct {
	name  string
	write bool // letters are text
	got   []string
}

func (s *sheet) title() string { return s.name }
func (s *sheet) open() tea.Cmd { return nil }
func (s *sheet) look() tea.Cmd { return nil }
func (s *sheet) typing() bool  { return s.write }
func (s *sheet) bindings() []key.Binding {
	return []key.Binding{
		key.NewBinding(key.WithKeys("enter"), key.WithHelp("enter", "open what is under the cursor")),
		key.NewBinding(key.WithKeys("x"), key.WithHelp("x", "act on it"), key.WithDisabled()),
		key.NewBinding(key.WithKeys("/"), key.WithHelp("/", "filter")),
	}
}
func (s *sheet) view(width, height int) string { return fill(Clean(s.name), width, height) }

func (s *sheet) update(msg tea.Msg) (screen, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.KeyMsg:
		s.got = append(s.got, msg.String())
		switch msg.String() {
		case "/":
			s.write = true
		case "esc":
			return s, pop
		}
	case tea.MouseMsg:
		s.got = append(s.got, fmt.Sprintf("%d,%d", msg.X, msg.Y))
	}

	return s, nil
}

// withSheets is a stage of 80×24 whose overview has sheets on it.
func withSheets(t *testing.T, d Desk, names ...string) (*stage, []*sheet) {
	t.Helper()

	if d.Do == nil {
		d.Do = fakeVerbs{}
	}
	st := newStage(t, d, pageOverview, 80, 24)
	var sheets []*sheet
	var stack []screen
	for _, name := range names {
		s := &sheet{name: name}
		sheets, stack = append(sheets, s), append(stack, s)
	}
	st.frame.pages[pageOverview] = stack

	return st, sheets
}

func desk() Desk {
	return Desk{Do: fakeVerbs{}, Database: "db.example.com/trivia", Environment: "staging"}
}

func TestTheFrameSaysWhereOneIs(t *testing.T) {
	t.Parallel()

	for _, size := range sizes {
		at := fmt.Sprintf("%dx%d", size[0], size[1])
		t.Run(at, func(t *testing.T) {
			t.Parallel()

			st, _ := withSheets(t, desk(), "overview", "a delivery", "its body")
			st.send(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
			st.golden("frame-" + at)
			st.press("?")
			st.golden("frame-help-" + at)
		})
	}
}

func TestProductionAndReadOnlyAreWords(t *testing.T) {
	t.Parallel()

	for environment, want := range map[string]string{"production": "PRODUCTION", "Prod": "PRODUCTION", "staging": "staging"} {
		d := desk()
		d.Environment, d.ReadOnly = environment, true
		st, _ := withSheets(t, d, "overview")
		line := strings.Split(st.frame.View(), "\n")[1]
		if !strings.HasPrefix(line, want+"  READ-ONLY  db.example.com/trivia ") || !strings.HasSuffix(line, "! 3 parked") {
			t.Errorf("in %s: %q", environment, line)
		}
	}
}

func TestColoursOnlyRepeatWhatWordsSay(t *testing.T) {
	t.Parallel()

	d := desk()
	d.Environment, d.Color = "production", true
	st, _ := withSheets(t, d, "overview")
	if got := st.frame.View(); !strings.Contains(got, "\x1b[1;7;31mPRODUCTION\x1b[0m") || !strings.Contains(got, "\x1b[31m! 3 parked\x1b[0m") {
		t.Errorf("with colours: %q", got)
	}
	d.Color = false
	st, _ = withSheets(t, d, "overview")
	if got := st.frame.View(); strings.Contains(got, "\x1b") {
		t.Errorf("without colours: %q", got)
	}
}

func TestWhatComesFromOutsideSteersNothing(t *testing.T) {
	t.Parallel()

	d := desk()
	d.Environment, d.Database = "a\x1b[2Jb", "db\x07"
	st, _ := withSheets(t, d, "overview", "delivery \x1b]52;c;eA==\x07")
	st.send(said{"done\x1b[31m", Good})
	if got := st.frame.View(); strings.ContainsAny(got, "\x1b\x07") {
		t.Errorf("it is drawn as it came: %q", got)
	}
}

func TestALongHeaderIsCutAndShowsIt(t *testing.T) {
	t.Parallel()

	d := desk()
	d.Database = strings.Repeat("long", 30) + ".example.com"
	d.Environment = strings.Repeat("long", 30)
	st, _ := withSheets(t, d, "overview", strings.Repeat("deep ", 30), "the top")
	st.frame.stale.note(noon, errors.New("dial: "+strings.Repeat("far ", 30)))
	lines := strings.Split(st.frame.View(), "\n")
	for i, line := range lines {
		if widthOf(line) > 80 {
			t.Errorf("line %d has %d cells: %q", i, widthOf(line), line)
		}
	}
	if !strings.Contains(lines[1], "stale since 12:00:00 (far") || !strings.HasSuffix(lines[1], "…  ! 3 parked") || !strings.Contains(lines[2], "… › the top ") {
		t.Errorf("header:\n%s\n%s", lines[1], lines[2])
	}
}

func TestTooSmallAWindowSaysSoAndComesBack(t *testing.T) {
	t.Parallel()

	st, sheets := withSheets(t, desk(), "overview")
	before := st.frame.View()
	st.send(tea.WindowSizeMsg{Width: 30, Height: 10})
	st.golden("frame-small-30x10")
	st.press("x", "3")
	st.send(tea.WindowSizeMsg{Width: 80, Height: 24})
	if got := st.frame.View(); got != before || len(sheets[0].got) > 0 {
		t.Errorf("keys %v, after it:\n%s", sheets[0].got, got)
	}
	st.send(tea.WindowSizeMsg{Width: 1, Height: 1})
	_ = st.frame.View() // no size breaks it
	st.press("ctrl+c")
	if !st.quit {
		t.Error("ctrl+c does not end it")
	}
}

func TestEscGoesOneStepBackAndNeverOut(t *testing.T) {
	t.Parallel()

	st, _ := withSheets(t, desk(), "overview", "a delivery", "its body")
	for _, want := range []string{"a delivery", "overview", "overview"} {
		st.press("esc")
		if got := st.frame.top().title(); got != want || st.quit {
			t.Errorf("esc leads to %s, want %s", got, want)
		}
	}
}

func TestLettersOfATextAreNoKeys(t *testing.T) {
	t.Parallel()

	st, sheets := withSheets(t, desk(), "overview")
	st.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("j/q3?")}) // typed faster than it is read
	if got := strings.Join(sheets[0].got, ""); got != "j/q3?" || st.quit || st.frame.current != pageOverview || st.frame.help.open {
		t.Errorf("the screen got %q; quit %v, page %s", got, st.quit, st.frame.current)
	}
	st.press("f1")
	if !st.frame.help.open {
		t.Error("f1 does not help")
	}
	st.press("esc", "ctrl+c")
	if !st.quit {
		t.Error("ctrl+c does not end it")
	}
}

func TestPastedTextIsNoKeys(t *testing.T) {
	t.Parallel()

	st, sheets := withSheets(t, desk(), "overview")
	paste := tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("q3"), Paste: true}
	st.send(paste)
	if st.quit || len(sheets[0].got) > 0 || !strings.Contains(st.frame.View(), "pasted text is not taken for keys") {
		t.Errorf("the screen got %v; quit %v", sheets[0].got, st.quit)
	}
	sheets[0].write = true
	st.send(paste)
	if got := fmt.Sprint(sheets[0].got); got != "[[q3]]" {
		t.Errorf("a text gets %s", got)
	}
}

func TestTheMouseTurnsPagesAndReachesTheScreen(t *testing.T) {
	t.Parallel()

	st, sheets := withSheets(t, desk(), "overview")
	click := func(x, y int) {
		st.send(tea.MouseMsg{X: x, Y: y, Action: tea.MouseActionPress, Button: tea.MouseButtonLeft})
		st.send(tea.MouseMsg{X: x, Y: y, Action: tea.MouseActionRelease, Button: tea.MouseButtonNone})
	}
	click(5, headerLines+2)
	if got := fmt.Sprint(sheets[0].got); got != "[5,2 5,2]" {
		t.Errorf("the screen got %s", got)
	}
	for _, tab := range st.frame.tabs() {
		for _, x := range []int{tab.from, tab.to - 1} {
			click(x, 0)
			if st.frame.current != tab.page {
				t.Errorf("a click at %d leads to %s, want %s", x, st.frame.current, tab.page)
			}
		}
	}
	click(1, 0)
	click(79, 1)
	if st.frame.current != pageDeliveries {
		t.Errorf("the parked number leads to %s", st.frame.current)
	}
}

func TestHelpIsWhatWorksNow(t *testing.T) {
	t.Parallel()

	st, sheets := withSheets(t, desk(), "overview")
	lines := func() string { return strings.Join(st.frame.helpLines(80), "\n") }
	if got := lines(); !strings.Contains(got, "open what is under the cursor") || strings.Contains(got, "act on it") || !strings.Contains(got, "shift+tab") {
		t.Errorf("help:\n%s", got)
	}
	sheets[0].write = true
	if got := lines(); strings.Contains(got, "shift+tab") || !strings.Contains(got, "ctrl+c") {
		t.Errorf("help while typing:\n%s", got)
	}
	sheets[0].write = false

	st.press("?", "end")
	if got := st.frame.View(); !strings.Contains(got, "with shift held") {
		t.Errorf("the end of help:\n%s", got)
	}
	st.press("q")
	if st.quit || st.frame.help.open {
		t.Error("q does not just close the help")
	}
}

func TestTheFooterNeverLosesHelp(t *testing.T) {
	t.Parallel()

	st, _ := withSheets(t, desk(), "overview")
	var many []key.Binding
	for i := range 20 {
		many = append(many, key.NewBinding(key.WithKeys("a"), key.WithHelp("a", fmt.Sprintf("do %d", i))))
		for width := 20; width < 90; width++ {
			line := st.frame.hints(many, []key.Binding{st.frame.keys.Help}, width)
			shown := strings.Count(line, "do ")
			if widthOf(line) > width || !strings.HasSuffix(line, "? help") || (shown < len(many)) != strings.Contains(line, "…") {
				t.Fatalf("%d keys in %d cells: %q", len(many), width, line)
			}
		}
	}
}

// A slowVerbs counts, until it does not.
type slowVerbs struct {
	fakeVerbs

	err error
}

func (s *slowVerbs) CountParked(context.Context) (int64, error) { return 12345, s.err }

func TestALostDatabaseIsSaidWithSinceWhen(t *testing.T) {
	t.Parallel()

	now := noon
	do := &slowVerbs{}
	d := desk()
	d.Do, d.Now = do, func() time.Time { return now }
	st, _ := withSheets(t, d, "overview")
	st.send(tea.WindowSizeMsg{Width: 120, Height: 40})
	status := func() string { return strings.Split(st.frame.View(), "\n")[1] }
	if got := status(); strings.Contains(got, "stale") || !strings.HasSuffix(got, "! 12,345 parked") {
		t.Errorf("at first: %q", got)
	}
	for range 3 {
		now = now.Add(time.Second)
		do.err = errors.New("count: dial unix: connection refused")
		st.beat()
	}
	if got := status(); !strings.Contains(got, "db.example.com/trivia  stale since 12:00:00 (connection refused)") || !strings.HasSuffix(got, "! 12,345 parked") {
		t.Errorf("lost: %q", got)
	}
	do.err = nil
	st.beat()
	if got := status(); strings.Contains(got, "stale") {
		t.Errorf("found again: %q", got)
	}
}

func TestStaleIsOnlyWhatNobodyAnswers(t *testing.T) {
	t.Parallel()

	at := func(seconds int) time.Time { return noon.Add(time.Duration(seconds) * time.Second) }
	lost := errors.New("connection refused")
	type step struct {
		at  int
		err error
	}
	tests := []struct {
		name  string
		steps []step
		want  string
	}{
		{"it answers", []step{{0, nil}}, ""},
		{"never", []step{{3, lost}, {4, lost}}, "stale since 12:00:03 (connection refused)"},
		{"no more", []step{{0, nil}, {1, nil}, {2, lost}, {3, lost}}, "stale since 12:00:01 (connection refused)"},
		{"again", []step{{0, nil}, {2, lost}, {3, nil}}, ""},
		{"an answer that was long out", []step{{2, lost}, {1, nil}}, ""},
		{"one slow question among others", []step{{4, nil}, {0, context.DeadlineExceeded}}, ""},
		{"what is not there", []step{{0, nil}, {1, fmt.Errorf("show: %w", store.ErrNotFound)}}, ""},
		{"somebody left", []step{{0, nil}, {1, context.Canceled}}, ""},
		{"too slow", []step{{0, nil}, {1, fmt.Errorf("list: %w", context.DeadlineExceeded)}}, "stale since 12:00:00 (no answer in time)"},
	}
	for _, tt := range tests {
		var s staleness
		for _, step := range tt.steps {
			s.note(at(step.at), step.err)
		}
		if got := s.text(); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestCountingWhatIsParkedNeverTakesMostOfTheTime(t *testing.T) {
	t.Parallel()

	now, asked := noon, 0
	d := desk()
	d.Now = func() time.Time { return now }
	d.Do = countVerbs{count: func() { asked++; now = now.Add(2 * time.Second) }}
	st, _ := withSheets(t, d, "overview")
	for range 10 {
		now = now.Add(time.Second)
		st.beat()
	}
	if asked != 1 {
		t.Errorf("asked %d times in 10 s, though it takes 2 s", asked)
	}
	now = now.Add(20 * time.Second)
	st.beat()
	if asked != 2 {
		t.Errorf("asked %d times, want twice", asked)
	}
}

type countVerbs struct {
	fakeVerbs

	count func()
}

func (c countVerbs) CountParked(context.Context) (int64, error) {
	c.count()

	return 0, nil
}
