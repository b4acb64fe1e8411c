package tui

import (
	"context"
	"errors"
	"fmt"
	"io"

	tea "github.com/charmbracelet/bubbletea"
)

// A Terminal is where the screens are shown.
type Terminal struct {
	In  io.Reader
	Out io.Writer
}

// Run shows the screens until the person leaves or ctx ends. It leaves the
// terminal as it was, whatever happens.
func Run(ctx context.Context, d Desk, t Terminal) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	d.ctx, d.out = ctx, t.Out

	program := tea.NewProgram(newFrame(&d, pageOverview, nil),
		tea.WithContext(ctx), tea.WithInput(t.In), tea.WithOutput(t.Out), tea.WithAltScreen(), tea.WithMouseCellMotion())
	_, err := program.Run()
	if err != nil && !errors.Is(err, tea.ErrProgramKilled) {
		return fmt.Errorf("show the screens: %w", err)
	}

	return nil
}
