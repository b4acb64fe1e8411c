package tui

import (
	"strings"

	"github.com/charmbracelet/lipgloss"
)

// Cut returns text after [Clean], shortened to width cells if it is longer,
// with a sign that it was. A width of 0 cuts nothing.
func Cut(text string, width int) string {
	text = Clean(text)
	if width <= 0 {
		return text
	}

	return cut(text, width)
}

// Wrap breaks text between words into lines of at most width cells, after
// [Clean]. Words that are longer are cut. A width of 0 breaks nothing.
func Wrap(text string, width int) (lines []string) {
	if width <= 0 {
		return []string{Clean(text)}
	}

	line := ""
	for word := range strings.FieldsSeq(text) {
		word = Cut(word, width)
		switch {
		case line == "":
			line = word
		case lipgloss.Width(line)+1+lipgloss.Width(word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}

	return append(lines, line)
}

// widthOf is how many cells a line takes, colours aside.
func widthOf(line string) int { return lipgloss.Width(line) }
