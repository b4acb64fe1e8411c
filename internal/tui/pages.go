package tui

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
)

// blank is a page that has nothing to show yet.
type blank struct{ name string }

func (b blank) title() string                    { return b.name }
func (blank) open() tea.Cmd                      { return nil }
func (blank) look() tea.Cmd                      { return nil }
func (b blank) update(tea.Msg) (screen, tea.Cmd) { return b, nil }
func (b blank) view(width, height int) string    { return fill(b.name, width, height) }
func (blank) bindings() []key.Binding            { return nil }
func (blank) typing() bool                       { return false }

func newWins(*Desk, []string) screen       { return blank{"wins"} }
func newDeliveries(*Desk, []string) screen { return blank{"deliveries"} }
func newEvents(*Desk, []string) screen     { return blank{"events"} }
func newPushes(*Desk, []string) screen     { return blank{"pushes"} }
func newDeeds(*Desk, []string) screen      { return blank{"audit"} }
