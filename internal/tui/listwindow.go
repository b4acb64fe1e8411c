package tui

import (
	"slices"

	"trivia/internal/store"
)

// A window is the part of a listing that is in memory: it moves over millions of
// rows and never holds more than a few hundred.
type window[T any] struct {
	cursor        func(T) store.Cursor
	most          int // rows that are held
	rows          []T
	first, last   bool         // nothing lay before, or behind, when it was looked for
	before, after store.Cursor // where looking goes on at either end
}

// mostRows is how many rows a window holds, and fetchRows how many it takes at
// once; more where a screen has more than so many lines: a window holds five
// screens, so that looking ahead on one side does not drop what the other wants.
const (
	mostRows  = 500
	fetchRows = 100
)

// begin holds what was found from the very first row on.
func (w *window[T]) begin(f store.Found[T]) {
	*w = window[T]{cursor: w.cursor, most: w.most, first: true}
	w.below(f)
}

// finish holds what was found from the very last row on, backwards.
func (w *window[T]) finish(f store.Found[T]) {
	*w = window[T]{cursor: w.cursor, most: w.most, last: true}
	w.above(f)
}

// below adds what lies behind, and returns how many rows went from the top.
func (w *window[T]) below(f store.Found[T]) (gone int) {
	w.rows = append(w.rows, f.Rows...)
	w.last, w.after = f.End, f.After
	if w.before == "" && len(w.rows) > 0 {
		w.before = w.cursor(w.rows[0])
	}
	if gone = len(w.rows) - w.most; gone <= 0 {
		return 0
	}
	w.rows = slices.Clone(w.rows[gone:]) // lets go of the rest
	w.first, w.before = false, w.cursor(w.rows[0])

	return gone
}

// above adds what lies before, found backwards, and returns how many rows came.
func (w *window[T]) above(f store.Found[T]) (come int) {
	rows := slices.Clone(f.Rows)
	slices.Reverse(rows)
	w.rows = append(rows, w.rows...)
	w.first, w.before = f.End, f.After
	if w.after == "" && len(w.rows) > 0 {
		w.after = w.cursor(w.rows[len(w.rows)-1])
	}
	if len(w.rows) > w.most {
		w.rows = slices.Clone(w.rows[:w.most])
		w.last, w.after = false, w.cursor(w.rows[w.most-1])
	}

	return len(rows)
}

// renew puts rows as they are now in the place of those that they were.
func (w *window[T]) renew(now []T) {
	by := make(map[store.Cursor]T, len(now))
	for _, row := range now {
		by[w.cursor(row)] = row
	}
	for i, row := range w.rows {
		if is, ok := by[w.cursor(row)]; ok {
			w.rows[i] = is
		}
	}
}
