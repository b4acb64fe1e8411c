package tui

import (
	"fmt"
	"strings"
	"testing"

	"github.com/charmbracelet/lipgloss"
	"github.com/google/go-cmp/cmp"
)

func TestAChartShowsEveryPeak(t *testing.T) {
	t.Parallel()

	values := make([]float64, 1000)
	values[0], values[500], values[999] = 10, 20, 5
	got := Chart{Values: values, First: "10:00", Last: "11:00", Width: 24, Height: 4}.Draw()
	want := `
20 │          █
   │          █
   │█         █
 0 │█         █        █
   └────────────────────
    10:00          11:00
`
	if diff := cmp.Diff(want[1:], got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTheAxisOfAChartIsNarrow(t *testing.T) {
	t.Parallel()

	for n, want := range map[float64]string{0: "0", 1.5: "1.5", 99999: "99999", 104926: "105 k", 12_345_678: "12 M"} {
		if got := axisLabel(n); got != want {
			t.Errorf("axisLabel(%v) = %q, want %q", n, got, want)
		}
	}
}

func TestAChartOfFewValuesIsNarrow(t *testing.T) {
	t.Parallel()

	got := Chart{Values: []float64{1, 0, 3}, First: "a", Last: "b", Height: 3}.Draw()
	want := `
3 │        ████
  │        ████
0 │████    ████
  └────────────
   a          b
`
	if diff := cmp.Diff(want[1:], got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := (Chart{}).Draw(); got != "" {
		t.Errorf("a chart of nothing is %q", got)
	}
}

func TestAChartIsNeverWiderThanTheTerminal(t *testing.T) {
	t.Parallel()

	for width := 20; width <= 120; width += 7 {
		for _, n := range []int{1, 2, 19, 80, 121, 10_000} {
			values := make([]float64, n)
			for i := range values {
				values[i] = float64(i * i % 1009)
			}
			text := Chart{Values: values, First: "2026-05-04", Last: "2026-05-05", Width: width, Color: true}.Draw()
			for line := range strings.Lines(text) {
				if got := lipgloss.Width(strings.TrimSuffix(line, "\n")); got > width {
					t.Errorf("%d values at width %d: a line is %d wide: %q", n, width, got, line)
				}
			}
		}
	}
}

func TestWrapBreaksBetweenWords(t *testing.T) {
	t.Parallel()

	tests := []struct {
		text  string
		width int
		want  []string
	}{
		{"the user has won mug", 9, []string{"the user", "has won", "mug"}},
		{"the user has won mug", 0, []string{"the user has won mug"}},
		{"漢字 漢字 漢字", 9, []string{"漢字 漢字", "漢字"}},
		{"averyverylongword it is", 8, []string{"averyve…", "it is"}},
		{"", 8, []string{""}},
		{"\x1b[31mred", 80, []string{"⟨U+001B⟩[31mred"}},
	}
	for _, tt := range tests {
		if got := Wrap(tt.text, tt.width); fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("Wrap(%q, %d) = %q, want %q", tt.text, tt.width, got, tt.want)
		}
	}
}
