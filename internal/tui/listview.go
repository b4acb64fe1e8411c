package tui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/lipgloss"
)

// How many lines stand above and below the rows: what is shown, and the titles;
// a note on the row under the cursor, and where it is.
const (
	aboveRows = 2
	belowRows = 2
)

func (l *list[F, T]) view(width, height int) string {
	l.height, l.width = max(1, height-aboveRows-belowRows), width
	l.scroll()

	lines := []string{cutStyled(l.stateLine(), width)}
	lines = append(lines, l.table()...)
	for len(lines) < aboveRows+l.height {
		lines = append(lines, "")
	}
	lines = append(lines, l.footLines()...)

	return fill(strings.Join(lines, "\n"), width, height)
}

// stateLine says what is shown.
func (l *list[F, T]) stateLine() string {
	var parts []string
	if l.live.following {
		parts = append(parts, l.theme.tones[Good].Render("● following the newest"))
	}
	if n := l.live.mark.Count; n > 0 && !l.live.following {
		more := ""
		if l.live.mark.More {
			more = "+"
		}
		parts = append(parts, l.theme.header.Render("▲ "+thousands(int(n))+more+" new"))
	}
	if chosen := l.chosen.words(); chosen != "" {
		parts = append(parts, l.theme.header.Render("● "+Clean(chosen)))
	}
	switch {
	case l.sorted.rows != nil:
		title := l.listing.Columns[l.sorted.column].Title
		parts = append(parts, fmt.Sprintf("by %s, within the %s loaded", title, pluralOf(len(l.sorted.rows), "row")))
	case l.oldest:
		parts = append(parts, "oldest first")
	case !l.live.following:
		parts = append(parts, "newest first")
	}
	if len(l.words) > 0 {
		parts = append(parts, "filter: "+Clean(joinWords(l.words)))
	}

	return strings.Join(parts, "   ")
}

// signs is how many cells stand before the columns.
const signs = 3

// table draws titles and rows.
func (l *list[F, T]) table() (lines []string) {
	at, widths := l.fit.shown(l.width - signs - lipgloss.Width(l.moreColumns(99)))
	if len(l.rows()) == 0 {
		return append([]string{""}, l.nothingThere()...)
	}

	titles := make([]string, len(at))
	for n, i := range at {
		titles[n] = l.theme.header.Render(l.pad(l.fit.columns[i], cut(l.fit.columns[i].Title, widths[n]), widths[n]))
	}
	title := strings.Repeat(" ", signs) + strings.Join(titles, strings.Repeat(" ", gap))
	if l.fit.hidden > 0 {
		more := l.moreColumns(l.fit.hidden)
		title += strings.Repeat(" ", max(0, l.width-lipgloss.Width(title)-lipgloss.Width(more))) + more
	}
	lines = append(lines, title)
	now := l.desk.Now()
	for n, row := range l.seen() {
		lines = append(lines, l.rowLine(row, l.top+n == l.at && !l.live.following, at, widths, now))
	}

	return lines
}

// moreColumns says how many columns there is no room for.
func (l *list[F, T]) moreColumns(n int) string {
	if l.fit.shift > 0 {
		return fmt.Sprintf(" <%d>", n)
	}

	return fmt.Sprintf(" +%d>", n)
}

func (l *list[F, T]) rowLine(row T, here bool, at, widths []int, now time.Time) string {
	cells := l.listing.Cells(row, now)
	drawn := make([]string, len(at))
	for n, i := range at {
		c := l.fit.columns[i]
		text := Word(start(cells[i]))
		drawn[n] = l.pad(c, cut(text, widths[n]), widths[n])
		if c.Tone != nil && !here {
			drawn[n] = l.theme.tones[c.Tone(text)].Render(drawn[n])
		}
	}
	sign, chosen := " ", " "
	if here {
		sign = "▸"
	}
	if l.chosen.has(l.cursor(row)) {
		chosen = "●"
	}
	line := sign + chosen + " " + strings.Join(drawn, strings.Repeat(" ", gap))
	if here {
		line = l.theme.chosen.Render(line + strings.Repeat(" ", max(0, l.width-lipgloss.Width(line))))
	}

	return line
}

// widen makes room for rows.
func (l *list[F, T]) widen(rows []T) {
	now := l.desk.Now()
	for _, row := range rows {
		l.fit.widenTo(l.listing.Cells(row, now))
	}
}

func (l *list[F, T]) pad(c Column, text string, width int) string {
	space := strings.Repeat(" ", max(0, width-lipgloss.Width(text)))
	if c.Right {
		return space + text
	}

	return text + space
}

// nothingThere says why there are no rows, and what to do next.
func (l *list[F, T]) nothingThere() []string {
	switch {
	case l.load.err != nil:
		return slices.Concat(
			Wrap("The "+l.plural+" cannot be read: "+l.load.err.Error()+".", l.width),
			Wrap("It is asked again every second. A filter that finds less may help if it took too long: press / and add --since 1h.", l.width))
	case !l.load.begun || l.load.out != nowhere || !l.win.last && !l.load.paused:
		return []string{"Looking for " + l.plural + " …"}
	case l.load.paused:
		return []string{"Nothing found so far. ↓ goes on looking."}
	case len(l.words) > 0:
		return []string{
			Cut("No "+l.plural+" match "+joinWords(l.words)+".", l.width),
			"Press / to change the filter, or Esc to see all.",
		}
	}

	lines := []string{"There are no " + l.plural + " yet."}
	for _, line := range l.nothing {
		lines = append(lines, Wrap(line, l.width)...)
	}

	return lines
}

// footLines are a note on the row under the cursor, and where it is; or the
// filter, while it is typed.
func (l *list[F, T]) footLines() []string {
	if l.line != nil {
		return l.line.lines(l.theme, l.width)
	}
	note := ""
	if row, ok := l.row(); ok && l.note != nil && !l.live.following {
		note = Cut(start(l.note(row)), l.width)
	}

	return []string{l.theme.rule.Render(note), l.whereLine()}
}

// whereLine says where the cursor is, and how looking for rows goes.
func (l *list[F, T]) whereLine() string {
	n := len(l.rows())
	var parts []string
	switch {
	case n == 0 || l.live.following:
	case l.sorted.rows == nil && l.win.first && l.win.last:
		parts = append(parts, fmt.Sprintf("%d of %s", l.at+1, thousands(n)))
	case l.sorted.rows != nil || l.win.last:
		parts = append(parts, fmt.Sprintf("%d of the %d loaded, the last ones", l.at+1, n))
	default:
		parts = append(parts, fmt.Sprintf("%d of the %d loaded, more follow", l.at+1, n))
	}
	switch {
	case l.load.err != nil && n > 0:
		parts = append(parts, l.theme.tones[Bad].Render("✗ cannot be read on, asked again every second"))
	case l.seeks() && l.searching():
		parts = append(parts, l.theme.tones[Waiting].Render("looked back to "+l.moment(l.load.looked)+", Esc stops"))
	case l.load.paused:
		parts = append(parts, "stopped at "+l.moment(l.load.looked)+", ↓ goes on")
	case l.load.out != nowhere && !l.live.following && n > 0 && l.wanting():
		parts = append(parts, "looking for more …")
	}

	return cutStyled(strings.Join(parts, "   "), l.width)
}

// seeks reports whether rows are looked for by text, one by one.
func (l *list[F, T]) seeks() bool {
	return slices.ContainsFunc(l.words, func(w string) bool { return w == "--text" || strings.HasPrefix(w, "--text=") })
}

func (l *list[F, T]) moment(t time.Time) string {
	return t.In(l.desk.Now().Location()).Format("2006-01-02 15:04:05")
}

// cutStyled is cut for text that has colours.
func cutStyled(line string, width int) string {
	if lipgloss.Width(line) <= width {
		return line
	}

	return lipgloss.NewStyle().MaxWidth(max(0, width-1)).Render(line) + "…"
}

func pluralOf(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}

	return thousands(n) + " " + noun + "s"
}
