package tui

import (
	"bytes"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func still() tea.Cmd { return nil }

func options(width int) ProgressOptions {
	return ProgressOptions{Label: "importing", Unit: "users", Width: width, Now: func() time.Time { return noon }}
}

func TestProgressShowsCountRateAndWhatIsLeft(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name  string
		width int
		step  Step
		took  time.Duration
		want  string
	}{
		{"at first there is no rate", 80, Step{0, 0}, 0, "importing  ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  0 users"},
		{"halfway", 80, Step{12345, 0.5}, 10 * time.Second, "importing  ██████████████████░░░░░░░░░░░░░░░░░  12,345 users  1,234/s  10s left"},
		{"done", 80, Step{1000000, 1}, time.Minute, "importing  ████████████████████████████████  1,000,000 users  16,666/s  0s left"},
		{"more than was said", 80, Step{10, 1.5}, time.Minute, "importing  ████████████████████████████████████████  10 users  0/s  0s left"},
		{"nobody knows of how many", 80, Step{12345, -1}, 10 * time.Second, "importing  12,345 users  1,234/s"},
		{"a narrow terminal has no bar", 40, Step{12345, 0.5}, 10 * time.Second, "importing  12,345 users  1,234/s  10s …"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			model, _ := newBar(options(tt.width), still).Update(moved{tt.step, noon.Add(tt.took)})
			if got := model.View(); got != tt.want {
				t.Errorf("View() =\n%s, want\n%s", got, tt.want)
			}
		})
	}
}

func TestProgressFollowsTheTerminalsWidth(t *testing.T) {
	t.Parallel()

	model, _ := newBar(options(80), still).Update(moved{Step{5, 0.5}, noon})
	model, _ = model.Update(tea.WindowSizeMsg{Width: 45, Height: 10})
	if got, want := model.View(), "importing  ██████████░░░░░░░░░░  5 users"; len([]rune(got)) > 44 || !strings.HasSuffix(got, "5 users") {
		t.Errorf("View() = %s, want something like %s", got, want)
	}
}

func TestProgressLeavesNothingBehind(t *testing.T) {
	t.Parallel()

	var out bytes.Buffer
	opts := options(60)
	opts.Out = &out
	p := StartProgress(opts)
	p.Set(Step{3, 0.5})
	p.Stop()
	p.Stop() // to stop twice is harmless

	written := out.String()
	if last := written[strings.LastIndex(written, "importing")+1:]; !strings.Contains(last, "\x1b[2K") {
		t.Errorf("the line was not erased: %q", written)
	}
}
