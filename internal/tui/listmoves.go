package tui

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
)

// move returns by how many rows a key moves the cursor.
func (l *list[F, T]) move(msg tea.KeyMsg) (by int, ok bool) {
	k := l.keys
	page := max(1, l.height-1)
	switch {
	case key.Matches(msg, k.Up):
		return -1, true
	case key.Matches(msg, k.Down):
		return 1, true
	case key.Matches(msg, k.PageUp):
		return -page, true
	case key.Matches(msg, k.PageDown):
		return page, true
	case key.Matches(msg, k.HalfUp):
		return -max(1, page/2), true
	case key.Matches(msg, k.HalfDown):
		return max(1, page/2), true
	}

	return 0, false
}

// step moves the cursor. At the very top it goes on to what came meanwhile.
func (l *list[F, T]) step(by int) tea.Cmd {
	if l.live.following {
		l.live.following = false
		return l.more()
	}
	l.load.paused = false
	to := l.at + by
	above := to < 0 && !l.oldest && l.sorted.rows == nil && len(l.win.rows) > 0 && (l.live.mark.Count > 0 || !l.win.first)
	l.at = max(0, min(to, len(l.rows())-1))
	l.scroll()
	if above && l.load.out == nowhere {
		l.load.moves = -to
		return l.fetch(back)
	}

	return l.more()
}

// toTop shows the first rows that there are now.
func (l *list[F, T]) toTop() tea.Cmd {
	if l.sorted.rows != nil {
		l.at, l.top = 0, 0
		return nil
	}
	l.live.following = false

	return l.fetch(fromTop)
}

func (l *list[F, T]) toEnd() tea.Cmd {
	l.live.following = false
	if l.win.last || l.sorted.rows != nil {
		l.at = max(0, len(l.rows())-1)
		l.scroll()

		return nil
	}

	return l.fetch(fromEnd)
}

func (l *list[F, T]) toggleFollow() tea.Cmd {
	if l.live.following {
		l.live.following = false
		return nil
	}
	l.live.following, l.sorted = true, sorting[T]{}
	if l.oldest {
		l.oldest = false
		l.live.known = false
	}

	return l.fetch(fromTop)
}

// scroll keeps the cursor on the screen.
func (l *list[F, T]) scroll() {
	n := len(l.rows())
	l.at = max(0, min(l.at, n-1))
	l.top = max(min(l.top, l.at), l.at-l.height+1)
	l.top = max(0, min(l.top, n-l.height))
}

// pointed follows the mouse: the wheel moves, a click goes to a row, a second
// one opens it.
func (l *list[F, T]) pointed(msg tea.MouseMsg) tea.Cmd {
	at := l.top + msg.Y - aboveRows
	switch {
	case msg.Action != tea.MouseActionPress || l.line != nil:
	case msg.Button == tea.MouseButtonWheelUp:
		return l.step(-wheel)
	case msg.Button == tea.MouseButtonWheelDown:
		return l.step(wheel)
	case msg.Button != tea.MouseButtonLeft || msg.Y < aboveRows || msg.Y >= aboveRows+l.height || at >= len(l.rows()):
	case at == l.at && !l.live.following:
		return l.openRow()
	default:
		l.live.following = false
		l.at = at
	}

	return nil
}

// wheel is how many rows a notch of the mouse's wheel is.
const wheel = 3
