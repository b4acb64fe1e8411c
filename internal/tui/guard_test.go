package tui

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

// A brittle model breaks where it is told to.
type brittle struct{ in string }

func (b brittle) Init() tea.Cmd { return b.breakIn("init") }

func (b brittle) Update(tea.Msg) (tea.Model, tea.Cmd) { return b, b.breakIn("update") }

func (b brittle) View() string {
	b.breakIn("view")

	return "whole"
}

func (b brittle) breakIn(place string) tea.Cmd {
	broken := func() tea.Msg { panic("broken in " + b.in) }
	switch b.in {
	case place:
		broken()
	case "command":
		return broken
	case "batch":
		return tea.Batch(nil, tea.Quit, broken)
	case "sequence":
		return tea.Sequence(tea.Batch(broken, tea.Quit), broken)
	}

	return nil
}

// runAll runs a command as a program would.
func runAll(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	for _, cmd := range commandsOf(cmd()) {
		runAll(cmd)
	}
}

func TestAPanicAnywhereEndsTheScreensAndIsKept(t *testing.T) {
	t.Parallel()

	for _, in := range []string{"init", "update", "view", "command", "batch", "sequence"} {
		ended := 0
		var log bytes.Buffer
		g := &guard{frame: brittle{in}, end: func() { ended++ }, log: newDebugLog(&log, func() time.Time { return noon })}
		runAll(g.Init())
		model, cmd := g.Update(looked{})
		runAll(cmd)
		g.View()
		_, _ = g.Update(looked{})
		if model != tea.Model(g) || g.View() != "" {
			t.Errorf("in %s: it goes on with %T, and shows %q", in, model, g.View())
		}
		fault := g.broken()
		if ended == 0 || fault == nil || fault.Error() != "the screens broke: broken in "+in ||
			len(fault.Trace) == 0 || !strings.Contains(strings.Join(fault.Trace, "\n"), "at tui.brittle.breakIn") {
			t.Errorf("in %s: ended %d times, fault %+v", in, ended, fault)
		}
		if got := log.String(); strings.Count(got, "2026-05-04T12:00:00.000Z fault the screens broke: broken in "+in+" at tui.brittle.") != 1 {
			t.Errorf("in %s: written down is\n%s", in, got)
		}
	}
}

func TestWithoutAPanicNothingIsInTheWay(t *testing.T) {
	t.Parallel()

	g := &guard{frame: brittle{}, end: func() { t.Error("it ends") }}
	runAll(g.Init())
	if _, cmd := g.Update(looked{}); cmd != nil || g.View() != "whole" || g.broken() != nil {
		t.Errorf("view %q, fault %v", g.View(), g.broken())
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestWhatHappensIsWrittenDownInLines(t *testing.T) {
	t.Parallel()

	var log bytes.Buffer
	l := newDebugLog(&log, func() time.Time { return noon })
	l.message(tea.KeyMsg{Type: tea.KeyEnter})
	l.message(pushed{&sheet{name: "a delivery"}})
	l.message(said{"one\ntwo\x1b[2J", Good})
	l.message(answer[string]{value: strings.Repeat("é", 10_000)})
	lines := strings.Split(strings.TrimSuffix(log.String(), "\n"), "\n")
	want := []string{"tea.KeyMsg enter", "tui.pushed a delivery", "tui.said {text:one⟨U+000A⟩two⟨U+001B⟩[2J tone:1}", "tui.answer[string] {to:"}
	if len(lines) != len(want) {
		t.Fatalf("%d lines:\n%s", len(lines), log.String())
	}
	for i, line := range lines {
		if !strings.HasPrefix(line, "2026-05-04T12:00:00.000Z "+want[i]) || len(line) > 1100 {
			t.Errorf("line %d is %q, want %q", i, line, want[i])
		}
	}

	l = newDebugLog(fullDisk{}, func() time.Time { return noon })
	l.message(looked{})
	l.message(looked{})
	if err := l.failed(); err == nil || err.Error() != "write what happens for --debug: no space left" {
		t.Errorf("on a full disk: %v", err)
	}
}

func TestRunShowsTheScreensAndTellsFaults(t *testing.T) {
	t.Parallel()

	var out bytes.Buffer
	in, person := io.Pipe()
	go func() { _, _ = person.Write([]byte("\x03")) }()
	d := desk()
	d.Now = func() time.Time { return noon }
	err := Run(t.Context(), d, Terminal{In: in, Out: &out}, Opening{})
	if err != nil {
		t.Errorf("ctrl+c: %v", err)
	}

	d.Do = countVerbs{count: func() { panic("no such luck") }}
	in, _ = io.Pipe()
	err = Run(t.Context(), d, Terminal{In: in, Out: &out}, Opening{})
	if fault, ok := errors.AsType[*FaultError](err); !ok || fault.Value != "no such luck" {
		t.Errorf("a panic in a command: %v", err)
	}
}
