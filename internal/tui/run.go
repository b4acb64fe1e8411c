package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	tea "github.com/charmbracelet/bubbletea"
)

// A Terminal is where the screens are shown.
type Terminal struct {
	In  io.Reader
	Out io.Writer
}

// An Opening is how the screens begin.
type Opening struct {
	Filter []string  // in the words of the command that lists deliveries: begin with those; nil: with the overview
	Debug  io.Writer // gets every message; nil: nobody does
}

// Run shows the screens until the person leaves, which is no error, or ctx ends.
// It leaves the terminal as it was, whatever happens; a panic becomes a [*FaultError].
func Run(ctx context.Context, d Desk, t Terminal, o Opening) error {
	within, end := context.WithCancelCause(ctx)
	cancel := func() { end(nil) }
	defer cancel()
	if file, ok := t.In.(*os.File); ok {
		t.In = keyboard{file, func() { end(errTerminalGone) }}
	}
	d.ctx, d.out, d.parting = within, t.Out, &parting{}

	first := pageOverview
	if o.Filter != nil {
		first = pageDeliveries
	}
	g := &guard{frame: newFrame(&d, first, o.Filter), log: newDebugLog(o.Debug, d.Now), end: cancel}
	program := tea.NewProgram(g,
		tea.WithoutSignalHandler(), // whoever calls it knows the signals
		tea.WithInput(t.In), tea.WithOutput(t.Out), tea.WithAltScreen(), tea.WithMouseCellMotion())
	// A context of its own would kill it: then it closes its input while it still
	// reads from there.
	stop := context.AfterFunc(within, program.Quit)
	_, err := program.Run()
	stop()
	cancel()
	if cause := context.Cause(within); errors.Is(cause, errTerminalGone) {
		err = cause
	}
	left := d.parting.leave(ctx, t.Out)

	switch fault := g.broken(); {
	case fault != nil:
		return fault
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil && !errors.Is(err, tea.ErrInterrupted):
		return fmt.Errorf("show the screens: %w", err)
	}

	return errors.Join(left, g.log.failed())
}
