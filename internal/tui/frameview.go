package tui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	"github.com/charmbracelet/lipgloss"
)

// footerLines is how many lines stand below a screen.
const footerLines = 1

// View is part of [tea.Model].
func (f *frame) View() string {
	if f.width == 0 {
		return ""
	}
	if f.tooSmall() {
		text := fmt.Sprintf("%d×%d is too small: triviactl tui wants %d×%d. It goes on when the window is larger; ctrl+c quits.",
			f.width, f.height, leastWidth, leastHeight)

		return fill(strings.Join(Wrap(text, f.width), "\n"), f.width, f.height)
	}

	content := ""
	if f.help.open {
		content = f.help.view(f.helpLines(f.width), f.width, f.room())
	} else {
		content = f.top().view(f.width, f.room())
	}

	return strings.Join([]string{f.header(), content, f.footer()}, "\n")
}

// room is how many lines the screen on top has.
func (f *frame) room() int { return f.height - headerLines - footerLines }

// footer tells the keys that work now, as many as fit, or what has just been said.
func (f *frame) footer() string {
	if f.notice.text != "" {
		return f.theme.tones[f.notice.tone].Render(Cut(f.notice.text, f.width))
	}
	if f.help.open {
		return f.hints(f.help.bindings(), nil, f.width)
	}

	last := []key.Binding{f.keys.Help, f.keys.Quit}
	if f.top().typing() {
		last = []key.Binding{f.keys.Interrupt}
	}

	return f.hints(f.top().bindings(), last, f.width)
}

// hints draws keys and what they do; those in last stand to the right and are
// never left out.
func (f *frame) hints(first, last []key.Binding, width int) string {
	right := f.hint(last)
	room := width - lipgloss.Width(right) - 2

	left, used := "", 0
	for i, b := range enabled(first) {
		one := f.hint([]key.Binding{b})
		gap, more := min(i, 1)*2, 2 // there may be no room for what comes next
		if i == len(enabled(first))-1 {
			more = 0
		}
		if used+gap+lipgloss.Width(one)+more > room {
			left += f.theme.rule.Render(strings.Repeat(" ", min(gap, 1)) + "…")
			used += min(gap, 1) + 1

			break
		}
		left += strings.Repeat(" ", gap) + one
		used += gap + lipgloss.Width(one)
	}

	return left + strings.Repeat(" ", max(width-used-lipgloss.Width(right), 0)) + right
}

func (f *frame) hint(keys []key.Binding) string {
	var words []string
	for _, b := range enabled(keys) {
		words = append(words, f.theme.key.Render(b.Help().Key)+" "+b.Help().Desc)
	}

	return strings.Join(words, "  ")
}

// enabled are those that work, and say how.
func enabled(all []key.Binding) (some []key.Binding) {
	for _, b := range all {
		if b.Enabled() && b.Help().Key != "" {
			some = append(some, b)
		}
	}

	return some
}

// fill makes text exactly height lines, of at most width cells each: it adds
// empty ones, and cuts.
func fill(text string, width, height int) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) > height {
		lines = lines[:height]
	}
	for len(lines) < height {
		lines = append(lines, "")
	}
	for i, line := range lines {
		if lipgloss.Width(line) > width {
			lines[i] = lipgloss.NewStyle().MaxWidth(width).Render(line)
		}
	}

	return strings.Join(lines, "\n")
}
