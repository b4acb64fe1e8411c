package tui

import (
	"fmt"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"

	tea "github.com/charmbracelet/bubbletea"
)

// A FaultError is that the screens broke: a panic in them, or in what they asked for.
type FaultError struct {
	Value any
	Trace []string // where it was, the innermost first
}

// Error is part of [error].
func (f *FaultError) Error() string { return Clean(fmt.Sprintf("the screens broke: %v", f.Value)) }

// A guard stands between the frame and the program that runs it: it writes
// down what happens, and keeps what breaks from breaking the terminal, too.
type guard struct {
	frame tea.Model
	log   *debugLog
	end   func() // ends the program

	mu    sync.Mutex // commands run beside each other
	fault *FaultError
}

// Init is part of [tea.Model].
func (g *guard) Init() (cmd tea.Cmd) {
	defer g.catch()

	return g.guarded(g.frame.Init())
}

// Update is part of [tea.Model].
func (g *guard) Update(msg tea.Msg) (same tea.Model, cmd tea.Cmd) {
	same = g // also after a panic
	defer g.catch()

	g.log.message(msg)
	if g.broken() != nil {
		return g, nil
	}
	g.frame, cmd = g.frame.Update(msg)

	return g, g.guarded(cmd)
}

// View is part of [tea.Model].
func (g *guard) View() string {
	defer g.catch()

	if g.broken() != nil {
		return ""
	}

	return g.frame.View()
}

// guarded is cmd, and the commands that it comes to.
func (g *guard) guarded(cmd tea.Cmd) tea.Cmd {
	if cmd == nil {
		return nil
	}

	return func() tea.Msg {
		defer g.catch()

		return g.each(cmd())
	}
}

// each guards the commands of a batch or a sequence.
func (g *guard) each(msg tea.Msg) tea.Msg {
	all := commandsOf(msg)
	if all == nil {
		return msg
	}
	guarded := make([]tea.Cmd, len(all))
	for i, cmd := range all {
		guarded[i] = g.guarded(cmd)
	}

	return reflect.ValueOf(guarded).Convert(reflect.TypeOf(msg)).Interface()
}

// commandsOf are the commands that a message consists of, if it does. The type
// of a sequence has no name here.
func commandsOf(msg tea.Msg) []tea.Cmd {
	v, commands := reflect.ValueOf(msg), reflect.TypeFor[[]tea.Cmd]()
	if !v.IsValid() || v.Kind() != reflect.Slice || !v.CanConvert(commands) {
		return nil
	}
	all, _ := reflect.TypeAssert[[]tea.Cmd](v.Convert(commands))

	return all
}

// catch keeps the first panic, and ends the program. It is deferred.
func (g *guard) catch() {
	value := recover()
	if value == nil {
		return
	}
	g.mu.Lock()
	if g.fault == nil {
		g.fault = &FaultError{value, trace()}
		g.log.fault(g.fault)
	}
	g.mu.Unlock()
	g.end()
}

func (g *guard) broken() *FaultError {
	g.mu.Lock()
	defer g.mu.Unlock()

	return g.fault
}

// trace tells where a panic was, as far as that is our own code.
func trace() (lines []string) {
	calls := make([]uintptr, 64)
	frames := runtime.CallersFrames(calls[:runtime.Callers(1, calls)])
	panicked := false
	for more := true; more; {
		var at runtime.Frame
		at, more = frames.Next()
		if at.Function == "runtime.gopanic" {
			panicked = true
			continue
		}
		if panicked && strings.Contains(at.Function, ".(*guard).") {
			break
		}
		if panicked && strings.HasPrefix(at.Function, "trivia/") {
			lines = append(lines, fmt.Sprintf("at %s (%s:%d)", filepath.Base(at.Function), filepath.Base(at.File), at.Line))
		}
	}

	return lines
}
