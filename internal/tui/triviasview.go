package tui

import (
	"strings"
	"time"

	"github.com/charmbracelet/lipgloss"

	"trivia/internal/store"
)

// How many lines of trivias stand above and below the rows.
const (
	triviasAbove = 2
	triviasBelow = 1
)

func triviaColumns() []Column {
	return []Column{
		{Title: "TRIVIA"},
		{Title: "STATE", Rigid: true, Tone: triviaTone},
		{Title: "WINS", Rigid: true, Right: true},
		{Title: "FIRST WIN", Rigid: true},
		{Title: "LAST WIN", Rigid: true},
		{Title: "LAST ANSWER", Rigid: true},
		{Title: "CLOSED", Rigid: true},
	}
}

func triviaTone(cell string) Tone {
	switch cell {
	case "open":
		return Good
	case "closed":
		return Waiting
	case "sealed":
		return Bad
	}

	return Plain
}

func (l *triviaList) cells(row store.TriviaRow, now time.Time) []string {
	ago := func(t time.Time) string {
		if t.IsZero() {
			return "–"
		}

		return agoWords(now.Sub(t))
	}

	return []string{
		Word(string(row.ID)), row.State(), l.winsWords(row.ID), ago(row.FirstWin), ago(row.LastWin), ago(row.LastAnswer), ago(row.ClosedAt),
	}
}

func (l *triviaList) view(width, height int) string {
	l.height = max(1, height-triviasAbove-triviasBelow)
	l.scroll()

	lines := append([]string{cutStyled(l.stateLine(), width)}, l.table(width)...)
	for len(lines) < height-triviasBelow {
		lines = append(lines, "")
	}
	foot := l.whereWords()
	switch {
	case l.input != nil:
		l.input.Width = width - 4
		foot = l.input.View()
	case l.err != nil && len(l.rows) > 0:
		foot = l.theme.tones[Bad].Render("cannot be read again: " + Clean(l.err.Error()))
	}

	return fill(strings.Join(append(lines, cutStyled(foot, width)), "\n"), width, height)
}

func (l *triviaList) stateLine() string {
	parts := []string{l.order.words(l.whole())}
	if n := len(l.chosen); n > 0 {
		parts = append([]string{l.theme.header.Render("● " + countWords(int64(n), "chosen", "chosen"))}, parts...)
	}
	if l.text != "" {
		parts = append(parts, "with "+Clean(l.text)+" in it")
	}

	return strings.Join(parts, "   ")
}

func (l *triviaList) table(width int) []string {
	if len(l.rows) == 0 {
		return append([]string{""}, l.nothing(width)...)
	}

	const signs = 2
	var (
		columns = triviaColumns()
		natural = make([]int, len(columns))
		rows    = l.seen()
		cells   = make([][]string, len(rows))
		now     = l.desk.Now()
	)
	for i, c := range columns {
		natural[i] = lipgloss.Width(c.Title)
	}
	for n, row := range rows {
		cells[n] = l.cells(row, now)
		for i, cell := range cells[n] {
			natural[i] = max(natural[i], lipgloss.Width(cell))
		}
	}
	// The last columns matter least: they give way before names are cut.
	kept, hidden := len(columns), 0
	for kept > 5 && sum(natural[:kept])+gap*(kept-1) > width-signs-5 {
		kept--
		hidden++
	}
	columns, natural = columns[:kept], natural[:kept]
	widths := fit(columns, natural, width-signs-1)

	titles := strings.Repeat(" ", signs)
	for i, c := range columns {
		titles += padded(c, cut(c.Title, widths[i]), widths[i]) + strings.Repeat(" ", gap)
	}
	if hidden > 0 {
		titles = spread(strings.TrimRight(titles, " "), "…", width)
	}
	lines := []string{l.theme.header.Render(titles)}
	for n, row := range rows {
		line, here := "", l.top+n == l.at
		for i, c := range columns {
			cell := padded(c, cut(cells[n][i], widths[i]), widths[i])
			if c.Tone != nil && !here {
				cell = l.theme.tones[c.Tone(cells[n][i])].Render(cell)
			}
			line += cell + strings.Repeat(" ", gap)
		}
		sign, chosen := " ", " "
		if here {
			sign = "▸"
		}
		if _, ok := l.chosen[row.ID]; ok {
			chosen = "●"
		}
		line = sign + chosen + strings.TrimRight(line, " ")
		if here {
			line = l.theme.header.Render(line)
		}
		lines = append(lines, line)
	}

	return lines
}

// nothing says why there are no rows, and what to do next.
func (l *triviaList) nothing(width int) []string {
	switch {
	case l.err != nil:
		return append(Wrap("The trivias cannot be read: "+l.err.Error()+".", width), "It is asked again every second.")
	case !l.begun || l.read.out:
		return []string{"Looking for trivias …"}
	case l.text != "":
		return []string{Cut("No trivia has "+l.text+" in its identifier.", width), "Press / to look for something else, or Esc to see all."}
	}

	return []string{
		"There are no trivias yet.", "",
		"One is there as soon as somebody wins it, answers it, or closes it:", "",
		"  triviactl send win --user demo-1 --trivia capitals --item mug",
	}
}

func padded(c Column, text string, width int) string {
	space := strings.Repeat(" ", max(0, width-lipgloss.Width(text)))
	if c.Right {
		return space + text
	}

	return text + space
}

func sum(numbers []int) (n int) {
	for _, of := range numbers {
		n += of
	}

	return n
}
