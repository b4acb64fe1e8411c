package tui

import (
	"slices"
	"unicode/utf8"

	"github.com/charmbracelet/lipgloss"
)

// A fitting chooses the columns that there is room for.
type fitting struct {
	columns []Column
	order   []int // the most important column first
	natural []int // of the widest cell so far: columns never get narrower under one's eyes
	shift   int   // so many of the more important ones give way
	hidden  int   // how many are not shown
	timed   int   // the column of the time that rows are sorted by
}

// leastWide is what a column that can be cut keeps.
const leastWide = 14

func newFitting(columns []Column, matters []string) fitting {
	f := fitting{columns: columns, natural: make([]int, len(columns))}
	for _, title := range matters {
		if i := slices.IndexFunc(columns, func(c Column) bool { return c.Title == title }); i >= 0 {
			f.order = append(f.order, i)
		}
	}
	for i, c := range columns {
		f.natural[i] = lipgloss.Width(c.Title)
		if !slices.Contains(f.order, i) {
			f.order = append(f.order, i)
		}
	}
	if len(f.order) > 0 {
		f.timed = f.order[0]
	}

	return f
}

// widenTo makes room for the cells of a row.
func (f *fitting) widenTo(cells []string) {
	for i, cell := range cells {
		f.natural[i] = max(f.natural[i], lipgloss.Width(Word(start(cell))))
	}
}

// start is as much of a text as any screen can show of it.
func start(text string) string {
	const most = 400
	if len(text) <= most {
		return text
	}
	for i := range text {
		if i >= most-utf8.UTFMax {
			return text[:i] + "…"
		}
	}

	return text
}

// shown returns the columns that fit into width, as they stand in the listing,
// and their widths.
func (f *fitting) shown(width int) (at, widths []int) {
	room := width + gap
	for n, i := range f.order {
		if n > 0 && n <= f.shift {
			continue
		}
		least := f.natural[i]
		if !f.columns[i].Rigid {
			least = min(least, leastWide)
		}
		if n > 0 && room < least+gap {
			continue
		}
		room -= least + gap
		at = append(at, i)
	}
	slices.Sort(at)
	f.hidden = len(f.order) - len(at)

	columns, natural := make([]Column, len(at)), make([]int, len(at))
	for n, i := range at {
		columns[n], natural[n] = f.columns[i], f.natural[i]
	}

	return at, fit(columns, natural, width)
}

// right lets the most important column but the first give way, as long as
// others wait.
func (f *fitting) right() {
	if f.hidden > f.shift {
		f.shift++
	}
}

func (f *fitting) left() { f.shift = max(0, f.shift-1) }
