// Package tui draws on terminals: tables and progress bars. It is the only
// package that knows the drawing libraries.
package tui

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/lipgloss"
)

// Clean returns text that came from outside with every character that could
// steer a terminal, or turn the direction of what follows, shown as U+FFFD.
func Clean(text string) string {
	if !strings.ContainsFunc(text, steers) {
		return text
	}

	return strings.Map(func(r rune) rune {
		if steers(r) {
			return utf8.RuneError
		}

		return r
	}, text)
}

// steers also holds for bytes that are no UTF-8, which read as U+FFFD.
func steers(r rune) bool {
	switch {
	case r == utf8.RuneError, unicode.IsControl(r):
		return true
	case r == '\u2028', r == '\u2029': // separators of lines and paragraphs
		return true
	case r == '\u061c', r == '\u200e', r == '\u200f', '\u202a' <= r && r <= '\u202e', '\u2066' <= r && r <= '\u2069':
		return true // directions
	}

	return false
}

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
