package tui

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/charmbracelet/lipgloss"

	"trivia/internal/plain"
)

func TestCleanLeavesNothingThatSteersATerminal(t *testing.T) {
	t.Parallel()

	tests := []struct{ text, want string }{
		{"Zoë 漢字 🎉", "Zoë 漢字 🎉"},
		{"", ""},
		{"\x1b[31mred\x1b[0m", "⟨U+001B⟩[31mred⟨U+001B⟩[0m"},
		{"two\nlines\tand\rmore", "two⟨U+000A⟩lines⟨U+0009⟩and⟨U+000D⟩more"},
		{"bell\a back\b nul\x00 del\x7f", "bell⟨U+0007⟩ back⟨U+0008⟩ nul⟨U+0000⟩ del⟨U+007F⟩"},
		{"csi \u009b31m", "csi ⟨U+009B⟩31m"},
		{"half \xff", "half �"},
		{"turned \u202eround\u2066", "turned ⟨U+202E⟩round⟨U+2066⟩"},
		{"new\u2028line", "new⟨U+2028⟩line"},
		{"demo-1\u200b", "demo-1⟨U+200B⟩"},
		{" as prose ", " as prose "},
	}
	for _, tt := range tests {
		if got := Clean(tt.text); got != tt.want {
			t.Errorf("Clean(%q) = %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestCutShowsThatItCut(t *testing.T) {
	t.Parallel()

	tests := []struct {
		text  string
		width int
		want  string
	}{
		{"capitals", 8, "capitals"},
		{"capitals", 7, "capita…"},
		{"capitals", 1, "…"},
		{"capitals", 0, ""},
		{"漢字漢字", 8, "漢字漢字"},
		{"漢字漢字", 7, "漢字漢…"},
		{"漢字漢字", 6, "漢字…"},
		{"Zoë", 3, "Zoë"},
	}
	for _, tt := range tests {
		if got := cut(tt.text, tt.width); got != tt.want {
			t.Errorf("cut(%q, %d) = %q, want %q", tt.text, tt.width, got, tt.want)
		}
	}
}

func FuzzCut(f *testing.F) {
	f.Add("capitals", 3)
	f.Add("👩‍👩‍👧 漢字", 5)
	f.Fuzz(func(t *testing.T, text string, width int) {
		text = Clean(text)
		width = max(0, width%100)
		got := cut(text, width)
		if !utf8.ValidString(got) || !plain.IsSeen(strings.TrimSpace(strings.ReplaceAll(got, "�", ""))) {
			t.Errorf("cut(%q, %d) = %q", text, width, got)
		}
		if lipgloss.Width(got) > width {
			t.Errorf("cut(%q, %d) = %q, which is %d wide", text, width, got, lipgloss.Width(got))
		}
	})
}
