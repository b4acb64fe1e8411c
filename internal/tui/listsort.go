package tui

import (
	"cmp"
	"slices"
	"strconv"

	tea "github.com/charmbracelet/bubbletea"

	"trivia/internal/store"
)

// sorting is another order of the rows that are loaded: the database sorts by
// time alone.
type sorting[T any] struct {
	column int
	rows   []T // nil: they stand as they came
}

func (s *sorting[T]) renew(cursor func(T) store.Cursor, now []T) {
	w := window[T]{cursor: cursor, rows: s.rows}
	w.renew(now)
}

// turnRound shows the oldest rows first, or the newest.
func (l *list[F, T]) turnRound() tea.Cmd {
	l.oldest = !l.oldest
	l.live, l.sorted = liveness{}, sorting[T]{}

	return l.fetch(fromTop)
}

// sortBy sorts the loaded rows by the next column, and after the last one by none.
func (l *list[F, T]) sortBy() tea.Cmd {
	next := 0
	if l.sorted.rows != nil {
		next = l.sorted.column + 1
	}
	l.live.following = false
	row, ok := l.row()
	if !ok || next >= len(l.listing.Columns) {
		l.unsort()
		return l.more()
	}
	now := l.desk.Now()
	type keyed struct {
		cell string
		row  T
	}
	all := make([]keyed, len(l.win.rows))
	for i, row := range l.win.rows {
		all[i] = keyed{l.listing.Cells(row, now)[next], row}
	}
	if next != l.fit.timed {
		slices.SortStableFunc(all, func(x, y keyed) int { return compareCells(x.cell, y.cell) })
	}
	l.sorted = sorting[T]{column: next, rows: make([]T, len(all))}
	for i, k := range all {
		l.sorted.rows[i] = k.row
	}
	l.find(l.cursor(row))

	return nil
}

// unsort shows rows as they came.
func (l *list[F, T]) unsort() {
	row, ok := l.row()
	l.sorted = sorting[T]{}
	if ok {
		l.find(l.cursor(row))
	}
}

// find lets the cursor follow its row to where it is now.
func (l *list[F, T]) find(c store.Cursor) {
	if i := slices.IndexFunc(l.rows(), func(row T) bool { return l.cursor(row) == c }); i >= 0 {
		l.at = i
	}
	l.scroll()
}

// compareCells compares numbers as such, and puts empty cells last.
func compareCells(x, y string) int {
	if (x == "") != (y == "") {
		return cmp.Compare(len(y), len(x))
	}
	a, errA := strconv.ParseFloat(x, 64)
	b, errB := strconv.ParseFloat(y, 64)
	if errA == nil && errB == nil {
		return cmp.Compare(a, b)
	}

	return cmp.Compare(x, y)
}
