package tui

import (
	"fmt"
	"strings"
	"testing"

	"github.com/charmbracelet/lipgloss"
	"github.com/google/go-cmp/cmp"
)

func columns() []Column {
	return []Column{
		{Title: "USER"},
		{Title: "TRIVIA"},
		{Title: "WON", Rigid: true},
		{Title: "N", Right: true, Rigid: true},
		{Title: "STATE", Rigid: true, Tone: func(cell string) Tone {
			if cell == "parked" {
				return Bad
			}

			return Plain
		}},
	}
}

func rows() [][]string {
	return [][]string{
		{"ann", "capitals of the world", "2 h ago", "1", "done"},
		{"somebody-with-a-long-name", "漢字", "yesterday", "12", "parked"},
		{"", "\x1b[2J", "", "", ""},
	}
}

func TestTableIsAsWideAsItNeedsToBe(t *testing.T) {
	t.Parallel()

	want := `
USER                       TRIVIA                 WON         N  STATE
───────────────────────────────────────────────────────────────────────
ann                        capitals of the world  2 h ago     1  done
somebody-with-a-long-name  漢字                   yesterday  12  parked
                           ⟨U+001B⟩[2J
`
	if diff := cmp.Diff(want[1:], NewTable(columns(), 0, false).Draw(rows())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTableCutsTheWidestColumnsFirst(t *testing.T) {
	t.Parallel()

	want := `
USER            TRIVIA           WON         N  STATE
──────────────────────────────────────────────────────
ann             capitals of th…  2 h ago     1  done
somebody-with…  漢字             yesterday  12  parked
                ⟨U+001B⟩[2J
`
	if diff := cmp.Diff(want[1:], NewTable(columns(), 54, false).Draw(rows())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTableIsNeverWiderThanTheTerminal(t *testing.T) {
	t.Parallel()

	for width := 13; width < 100; width++ { // five columns of one cell, and the gaps
		text := NewTable(columns(), width, false).Draw(rows())
		for line := range strings.Lines(text) {
			if got := lipgloss.Width(strings.TrimSuffix(line, "\n")); got > width {
				t.Errorf("at width %d a line is %d wide: %q", width, got, line)
			}
		}
		if n := strings.Count(text, "\n"); n != 5 {
			t.Errorf("at width %d there are %d lines, want 5:\n%s", width, n, text)
		}
	}
}

func TestTableGoesOnWithoutASecondHeader(t *testing.T) {
	t.Parallel()

	table := NewTable([]Column{{Title: "USER"}, {Title: "N"}}, 0, false)
	got := table.Draw([][]string{{"ann", "1"}}) + table.Draw([][]string{{"barbara", "2"}}) + table.Draw([][]string{{"cid", "3"}})
	want := "USER  N\n───────\nann   1\nbarbara  2\ncid      3\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestColourRepeatsWhatTheWordSays(t *testing.T) {
	t.Parallel()

	coloured := NewTable(columns(), 0, true).Draw(rows())
	if !strings.Contains(coloured, "\x1b[31mparked") {
		t.Errorf("parked is not red: %q", coloured)
	}
	if plain := NewTable(columns(), 0, false).Draw(rows()); strings.Contains(plain, "\x1b") {
		t.Errorf("without colour there are escapes: %q", plain)
	}
}

func BenchmarkTable(b *testing.B) {
	page := make([][]string, 500)
	for b.Loop() {
		for i := range page {
			page[i] = []string{fmt.Sprint("user-", i), "capitals", "2026-05-04T12:00:00Z", "1", "done"}
		}
		NewTable(columns(), 0, false).Draw(page)
	}
	b.ReportMetric(float64(b.N*len(page))/b.Elapsed().Seconds(), "rows/s")
}
