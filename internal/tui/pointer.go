package tui

import (
	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"
)

// pointed takes what the mouse does: in the header it leads to pages; a screen gets
// it with its place counted from the screen's own corner.
func (f *frame) pointed(msg tea.MouseMsg) tea.Cmd {
	if f.tooSmall() {
		return nil
	}
	if msg.Y < headerLines {
		if msg.Action == tea.MouseActionPress && msg.Button == tea.MouseButtonLeft && !f.top().typing() {
			return f.clicked(msg.X, msg.Y)
		}

		return nil
	}
	if f.help.open {
		f.help.pointed(msg, len(f.helpLines(f.width)), f.room())

		return nil
	}
	msg.Y -= headerLines
	if msg.Y >= f.room() {
		return nil
	}

	return f.toTop(msg)
}

// clicked goes where a place in the header leads.
func (f *frame) clicked(x, y int) tea.Cmd {
	f.notice = said{}
	if y == 0 {
		for _, t := range f.tabs() {
			if t.from <= x && x < t.to {
				return f.turn(turned{page: t.page})
			}
		}
	}
	if parked, _ := f.parked.text(); y == 1 && x >= f.width-lipgloss.Width(parked) {
		return f.turn(toParked())
	}

	return nil
}
