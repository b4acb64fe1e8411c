package tui

import (
	"fmt"
	"strings"
	"time"

	"trivia/internal/store"
)

const (
	// chartLines are those of the columns of a trivia's chart.
	chartLines = 8

	// mostChartSteps bounds a chart of wins that are years apart.
	mostChartSteps = 100_000
)

func (t *triviaDetail) view(width, height int) string {
	var lines []string
	switch {
	case t.err != nil && !t.told && !t.counted:
		lines = append(lines, t.theme.tones[Bad].Render("▲ "+Cut(string(t.row.ID), width-20)+" cannot be read"))
		for _, line := range Wrap(t.err.Error(), width-2) {
			lines = append(lines, "  "+line)
		}
		lines = append(lines, "", "It is asked again by itself.")
	default:
		lines = t.all(width)
	}
	t.height, t.lines = height, len(lines)
	t.scroll()
	if t.lines <= height {
		return fill(strings.Join(lines, "\n"), width, height)
	}

	last := min(t.lines, t.top+height-1)
	where := t.theme.rule.Render(fmt.Sprintf("lines %d to %d of %d", t.top+1, last, t.lines))

	return fill(strings.Join(append(append([]string(nil), lines[t.top:last]...), where), "\n"), width, height)
}

// all is everything there is to be seen, however high the screen is.
func (t *triviaDetail) all(width int) []string {
	lines := t.headLines(width)
	if !t.counted {
		return append(lines, "", "counting what came of it …")
	}

	lines = append(lines, "", t.theme.header.Render("OVER "+strings.ToUpper(spans()[t.of].name)))
	lines = append(lines, t.totals(width)...)
	if len(t.stats.PerBucket) > 0 {
		lines = append(append(lines, ""), t.chart(width)...)
	}

	items, answers := t.items(width), t.answers(width)
	switch {
	case len(items) > 0 && len(answers) > 0 && width >= wide:
		half := width/2 - 1
		lines = append(append(lines, ""), beside(t.items(half), half+2, t.answers(half))...)
	default:
		for _, table := range [][]string{items, answers} {
			if len(table) > 0 {
				lines = append(append(lines, ""), table...)
			}
		}
	}
	if len(t.story.Deeds) > 0 {
		lines = append(append(lines, ""), t.deeds(width)...)
	}

	return lines
}

func (t *triviaDetail) headLines(width int) []string {
	now := t.desk.Now()
	state := []string{t.theme.tones[triviaTone(t.row.State())].Render(t.row.State())}
	for _, when := range []struct {
		what string
		at   time.Time
	}{{"closed", t.row.ClosedAt}, {"sealed", t.row.SealedAt}} {
		if !when.at.IsZero() {
			state = append(state, when.what+" "+agoWords(now.Sub(when.at)))
		}
	}
	lines := []string{t.theme.header.Render(Cut(string(t.row.ID), width-40)) + "  " + strings.Join(state, ", ")}
	if t.row.LastWin.IsZero() {
		return append(lines, "nobody has won it yet")
	}

	return append(lines, fmt.Sprintf("first won %s, last %s", t.moment(t.row.FirstWin), t.moment(t.row.LastWin)))
}

func (t *triviaDetail) moment(at time.Time) string {
	now := t.desk.Now()

	return at.In(now.Location()).Format("2006-01-02 15:04:05") + " (" + agoWords(now.Sub(at)) + ")"
}

func (t *triviaDetail) totals(width int) []string {
	st := t.stats
	parts := []string{grouped(int64(st.Wins)) + " wins, by as many winners"}
	if st.Wins == 1 {
		parts[0] = "1 win"
	}
	if st.Revoked > 0 {
		parts = append(parts, countWords(int64(st.Revoked), "prize", "prizes")+" revoked")
	}
	lines := []string{strings.Join(parts, ", ")}
	if st.Responses > 0 {
		lines = append(lines, fmt.Sprintf("%s by %s: %s right, %s wrong",
			countWords(int64(st.Responses), "answer", "answers"), countWords(int64(st.Respondents), "person", "people"),
			grouped(int64(st.Right)), grouped(int64(st.Responses-st.Right))))
	}
	if len(st.Unsettled) > 0 {
		odd := make([]string, len(st.Unsettled))
		for i, o := range st.Unsettled {
			odd[i] = oddWords(o)
		}
		lines = append(lines, Wrap("not awarded: "+strings.Join(odd, ", "), width)...)
	}

	return lines
}

// chart draws the wins over time.
func (t *triviaDetail) chart(width int) []string {
	const day = 24 * time.Hour
	st, layout, zone, name := t.stats, "Jan 2 15:04", t.desk.Now().Location(), "AN HOUR"
	switch {
	case st.Bucket >= day:
		layout, zone, name = "2006-01-02", time.UTC, "A DAY (UTC)"
	case st.Bucket <= time.Minute:
		name = "A MINUTE"
	}
	first, last := st.PerBucket[0].At, st.PerBucket[len(st.PerBucket)-1].At
	drawn := Chart{
		Values: steps(st), Width: width, Height: chartLines, Color: t.desk.Color,
		First: first.In(zone).Format(layout), Last: last.In(zone).Format(layout),
	}.Draw()

	return append([]string{t.theme.header.Render("WINS " + name)}, strings.Split(strings.TrimSuffix(drawn, "\n"), "\n")...)
}

// steps returns the wins of every bucket, those without any included.
func steps(st store.TriviaStats) []float64 {
	first := st.PerBucket[0].At
	values := make([]float64, 0, len(st.PerBucket))
	for _, b := range st.PerBucket {
		at := min(int(b.At.Sub(first)/st.Bucket), mostChartSteps)
		for len(values) < at {
			values = append(values, 0)
		}
		values = append(values, float64(b.Wins))
	}

	return values
}

// shares draws a table of words with their numbers, and bars of the first one.
func (t *triviaDetail) shares(width int, titles, names []string, numbers [][]int, more int) []string {
	if len(names) == 0 {
		return nil
	}
	const column = 10
	label, most := widthOf(titles[0]), 1
	for i, name := range names {
		label = max(label, widthOf(Clean(name)))
		most = max(most, numbers[i][0])
	}
	label = min(label, width/2)
	var line strings.Builder
	_, _ = fmt.Fprintf(&line, "%-*s", label, titles[0])
	for _, title := range titles[1:] {
		_, _ = fmt.Fprintf(&line, "%*s", column, title)
	}
	lines := []string{t.theme.header.Render(line.String())}
	bars := min(40, width-label-column*(len(titles)-1)-2)
	for i, name := range names {
		line.Reset()
		line.WriteString(padded(Column{}, Cut(name, label), label))
		for _, n := range numbers[i] {
			_, _ = fmt.Fprintf(&line, "%*s", column, orDash(int64(n)))
		}
		lines = append(lines, line.String()+"  "+shareBar(float64(numbers[i][0])/float64(most), bars))
	}
	if more > 0 {
		lines = append(lines, fmt.Sprintf("… and %s more", grouped(int64(more))))
	}

	return lines
}

func (t *triviaDetail) items(width int) []string {
	st := t.stats
	names, numbers := make([]string, len(st.Items)), make([][]int, len(st.Items))
	for i, item := range st.Items {
		names[i], numbers[i] = string(item.Item), []int{item.Wins}
	}

	return t.shares(width, []string{"ITEM", "WINS"}, names, numbers, st.ItemsInAll-len(st.Items))
}

func (t *triviaDetail) answers(width int) []string {
	st := t.stats
	names, numbers := make([]string, len(st.Answers)), make([][]int, len(st.Answers))
	for i, a := range st.Answers {
		names[i], numbers[i] = a.Answer, []int{a.Count, a.Right, a.Count - a.Right}
	}

	return t.shares(width, []string{"ANSWER", "GIVEN", "RIGHT", "WRONG"}, names, numbers, st.AnswersAll-len(st.Answers))
}

// deeds are what operators did to it.
func (t *triviaDetail) deeds(width int) []string {
	lines := []string{t.theme.header.Render("WHAT OPERATORS DID")}
	for _, deed := range t.story.Deeds {
		line := t.moment(deed.At) + "  " + deed.Actor + "  " + deed.Verb
		if deed.Reason != "" {
			line += ": " + deed.Reason
		}
		lines = append(lines, Cut(line, width))
	}

	return lines
}
