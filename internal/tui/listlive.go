package tui

import (
	"context"
	"errors"

	tea "github.com/charmbracelet/bubbletea"

	"trivia/internal/store"
)

// liveness is what is known of rows that arrive while others are looked at.
type liveness struct {
	mark      store.Mark
	newest    store.Cursor // the row that the mark counts from
	known     bool         // there is a mark
	out       bool         // news are asked for
	following bool         // the newest are always seen
}

// begin counts what comes from now on.
func (v *liveness) begin(since store.Mark) {
	v.mark, v.newest, v.known, v.out = since, "", true, false
}

// news is what has happened to the rows, and above them.
type news[T any] struct {
	life   int
	newest store.Cursor // that the mark counts from
	mark   store.Mark
	rows   []T // those that are seen, as they are now
}

// look asks for news, about once a second.
func (l *list[F, T]) look() tea.Cmd {
	switch {
	case !l.load.begun:
		return nil
	case l.load.err != nil && l.load.out == nowhere:
		return l.fetch(l.load.failed)
	case l.live.following:
		return l.follow()
	}
	var cmds []tea.Cmd
	if l.oldest && l.win.last && l.top+l.height >= len(l.win.rows) && l.sorted.rows == nil {
		cmds = append(cmds, l.fetch(further)) // the newest come last
	}

	return tea.Batch(append(cmds, l.more(), l.askNews())...)
}

func (l *list[F, T]) askNews() tea.Cmd {
	if l.live.out || !l.live.known {
		return nil
	}
	l.live.out = true
	life, filter, counts := l.load.life, l.filter, !l.oldest
	newest, mark := l.live.newest, l.live.mark
	seen := append([]T(nil), l.seen()...)

	return askOf(l, func(ctx context.Context, r store.Reader[F, T]) (n news[T], err error) {
		n = news[T]{life: life, newest: newest, mark: mark}
		var errs [2]error
		if counts {
			n.mark, errs[0] = r.Arrived(ctx, filter, mark)
		}
		n.rows, errs[1] = r.Again(ctx, seen)

		return n, errors.Join(errs[:]...)
	})
}

// heard takes news. Where there is nothing to be calm about, what came is shown.
func (l *list[F, T]) heard(a answer[news[T]]) tea.Cmd {
	if a.value.life != l.load.life {
		return nil
	}
	l.live.out = false
	if a.err != nil {
		return nil
	}
	if a.value.newest == l.live.newest { // no other row is meanwhile
		l.live.mark = a.value.mark
	}
	l.win.renew(a.value.rows)
	l.sorted.renew(l.cursor, a.value.rows)
	l.widen(a.value.rows)
	if len(l.win.rows) == 0 && l.win.last && l.live.mark.Count > 0 {
		return l.fetch(fromTop)
	}

	return nil
}

// follow looks for what is newest. A search for text only looks at what came
// since, others at all that is seen.
func (l *list[F, T]) follow() tea.Cmd {
	if l.load.out != nowhere {
		return nil
	}
	if len(l.win.rows) == 0 || !l.seeks() {
		return l.fetch(fromTop)
	}
	l.win.first = false

	return l.fetch(back)
}

// markTop counts from the newest row that was seen.
func (l *list[F, T]) markTop(since store.Mark) {
	if l.oldest || len(l.win.rows) == 0 {
		return
	}
	newest := l.cursor(l.win.rows[0])
	switch {
	case l.live.newest == "" && l.live.known && l.win.first:
		l.live.newest, l.live.mark = newest, l.live.mark.Above(newest)
	case l.win.first && newest != l.live.newest: // it came from above
		l.live.newest, l.live.mark = newest, since.Above(newest)
	}
}

// seen are the rows on the screen.
func (l *list[F, T]) seen() []T {
	rows := l.rows()

	return rows[min(l.top, len(rows)):min(l.top+l.height, len(rows))]
}
