package tui

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

// mostDebug is how much of a message is written, in bytes.
const mostDebug = 1000

// A debugLog gets a line for every message: when, of which type, and what it
// says. A nil one gets none.
type debugLog struct {
	now func() time.Time

	mu  sync.Mutex // faults come from commands, too
	to  io.Writer
	err error // the first; nothing is written after it
}

func newDebugLog(to io.Writer, now func() time.Time) *debugLog {
	if to == nil {
		return nil
	}

	return &debugLog{now: now, to: to}
}

func (l *debugLog) message(msg tea.Msg) {
	if l != nil {
		l.line(fmt.Sprintf("%T", msg), contentOf(msg))
	}
}

func (l *debugLog) fault(f *FaultError) {
	if l != nil {
		l.line("fault", f.Error()+" "+strings.Join(f.Trace, " "))
	}
}

func (l *debugLog) line(kind, content string) {
	l.mu.Lock()
	defer l.mu.Unlock()

	if l.err != nil {
		return
	}
	if len(content) > mostDebug {
		content = strings.ToValidUTF8(content[:mostDebug], "") + "…"
	}
	_, err := fmt.Fprintf(l.to, "%s %s %s\n", l.now().Format("2006-01-02T15:04:05.000Z07:00"), kind, Clean(content))
	if err != nil {
		l.err = fmt.Errorf("write what happens for --debug: %w", err)
	}
}

// failed is why it does not have everything.
func (l *debugLog) failed() error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()

	return l.err
}

// contentOf is what a message says.
func contentOf(msg tea.Msg) string {
	switch msg := msg.(type) {
	case pushed:
		return msg.screen.title()
	case fmt.Stringer:
		return msg.String()
	}

	return fmt.Sprintf("%+v", msg)
}
