package tui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/lipgloss"
)

func indented(lines []string) []string {
	for i, line := range lines {
		lines[i] = "  " + line
	}

	return lines
}

// orDash writes a number; none is a dash, so that what there is stands out.
func orDash(n int64) string {
	switch {
	case n == 0:
		return "–"
	case n >= 1_000_000:
		return fmt.Sprintf("%.1f M", float64(n)/1e6)
	}

	return grouped(n)
}

// shareBar draws a share of width cells, to the eighth of one.
func shareBar(share float64, width int) string {
	const eighths = "▏▎▍▌▋▊▉"
	n := int(share*float64(width)*8 + 0.5)
	if share > 0 {
		n = max(n, 1)
	}
	n = min(n, max(0, width)*8)
	text := strings.Repeat("█", n/8)
	if rest := n % 8; rest > 0 {
		text += string([]rune(eighths)[rest-1])
	}

	return text
}

// beside puts two blocks side by side; the second one begins at column at.
func beside(left []string, at int, right []string) []string {
	lines := make([]string, max(len(left), len(right)))
	for i := range lines {
		if i < len(left) {
			lines[i] = left[i]
		}
		if i < len(right) && right[i] != "" {
			lines[i] += strings.Repeat(" ", max(0, at-lipgloss.Width(lines[i]))) + right[i]
		}
	}

	return lines
}

// spread puts two texts at the two ends of a line, or leaves the second one out.
func spread(left, right string, width int) string {
	gap := width - lipgloss.Width(left) - lipgloss.Width(right)
	if gap < 2 {
		return left
	}

	return left + strings.Repeat(" ", gap) + right
}
