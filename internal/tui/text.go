// Package tui draws on terminals: tables and progress bars. It is the only
// package that knows the drawing libraries.
package tui

import (
	"github.com/charmbracelet/lipgloss"

	"trivia/internal/plain"
)

// Clean returns text that came from outside with every character that cannot
// be seen, could steer a terminal, or turns the direction of what follows, named
// as in ⟨U+200B⟩. Bytes that are no UTF-8 become U+FFFD.
func Clean(text string) string { return plain.Named(text) }

// Word is [Clean] for a word that names somebody or something: white space at
// its ends is named, too.
func Word(word string) string { return plain.Word(word) }

// cut shortens text to width cells, and shows that it did.
func cut(text string, width int) string {
	if len(text) <= width || lipgloss.Width(text) <= width {
		return text
	}
	if width < 1 {
		return ""
	}

	used := 0
	for i, r := range text {
		w := lipgloss.Width(string(r))
		if used+w > width-1 {
			return text[:i] + "…"
		}
		used += w
	}

	return text
}
