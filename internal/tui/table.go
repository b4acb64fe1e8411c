package tui

import (
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/lipgloss/table"
)

// A Column says how one column of a [Table] is drawn.
type Column struct {
	Title string
	Rigid bool                   // keeps its width for as long as another column can be cut
	Right bool                   // is aligned to the right
	Tone  func(cell string) Tone // nil: all cells are plain
}

// gap is how many spaces stand between two columns.
const gap = 2

// narrow is the width below which no column is cut as long as another is wider.
const narrow = 6

// A Table draws rows as they come, a chunk at a time, so that it never holds
// them all. It is calm: the only line is the one below the header. Cells that
// do not fit end in "…".
type Table struct {
	columns []Column
	width   int
	theme   theme
	natural []int // of the widest cell so far, by column
	begun   bool
}

// NewTable returns a table that is at most width cells wide; 0 means as wide
// as it needs to be.
func NewTable(columns []Column, width int, color bool) *Table {
	natural := make([]int, len(columns))
	for i, c := range columns {
		natural[i] = lipgloss.Width(c.Title)
	}

	return &Table{columns: columns, width: width, theme: newTheme(color), natural: natural}
}

// Draw returns the next rows as lines of text, below the header if they are
// the first. Cells are drawn after [Word].
func (t *Table) Draw(rows [][]string) string {
	for _, row := range rows {
		for i, cell := range row {
			row[i] = Word(cell)
			t.natural[i] = max(t.natural[i], lipgloss.Width(row[i]))
		}
	}
	widths := fit(t.columns, t.natural, t.width)
	for _, row := range rows {
		for i, cell := range row {
			row[i] = cut(cell, widths[i])
		}
	}

	drawn := table.New().
		Border(lipgloss.NormalBorder()).BorderStyle(t.theme.rule).
		BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).BorderColumn(false).
		Wrap(false).
		StyleFunc(func(row, column int) lipgloss.Style { return t.style(rows, widths, row, column) }).
		Rows(rows...)
	if !t.begun {
		titles := make([]string, len(t.columns))
		for i, c := range t.columns {
			titles[i] = cut(c.Title, widths[i])
		}
		drawn.Headers(titles...)
	}
	t.begun = true

	var text strings.Builder
	for line := range strings.Lines(drawn.String()) {
		text.WriteString(strings.TrimRight(line, " \n") + "\n")
	}

	return text.String()
}

func (t *Table) style(rows [][]string, widths []int, row, column int) lipgloss.Style {
	c := t.columns[column]
	style := t.theme.header
	if row != table.HeaderRow {
		tone := Plain
		if c.Tone != nil {
			tone = c.Tone(rows[row][column])
		}
		style = t.theme.tones[tone]
	}
	if c.Right {
		style = style.Align(lipgloss.Right)
	}
	if column == len(widths)-1 {
		return style.Width(widths[column])
	}

	return style.Width(widths[column] + gap).PaddingRight(gap)
}

// fit returns widths that add up to no more than width: it takes from the
// widest column first, from rigid ones last.
func fit(columns []Column, natural []int, width int) []int {
	widths := append([]int(nil), natural...)
	if width <= 0 {
		return widths
	}

	over := gap*(len(widths)-1) - width
	for _, w := range widths {
		over += w
	}
	for _, try := range []struct {
		rigid bool
		least int
	}{{false, narrow}, {true, narrow}, {true, 1}} {
		for ; over > 0; over-- {
			i := widest(columns, widths, try.rigid)
			if i < 0 || widths[i] <= try.least {
				break
			}
			widths[i]--
		}
	}

	return widths
}

// widest returns the place of the widest column, of rigid ones only if asked.
func widest(columns []Column, widths []int, rigid bool) int {
	found := -1
	for i, w := range widths {
		if (rigid || !columns[i].Rigid) && (found < 0 || w > widths[found]) {
			found = i
		}
	}

	return found
}
