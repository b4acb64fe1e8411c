package tui

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

const (
	// wide is from where on charts and numbers stand side by side.
	wide = 120

	// panelWidth is that of what waits and what was refused.
	panelWidth = 32

	// labelWidth and numberWidth are those of the columns of numbers.
	labelWidth  = 14
	numberWidth = 8

	mostFindings = 2
)

func (o *overview) view(width, height int) string {
	o.drawn = o.drawn[:0]
	if o.now.Now.IsZero() {
		return fill(strings.Join(o.unknown(width), "\n"), width, height)
	}

	found := o.findings()
	lines := make([]string, 0, height)
	for _, f := range found[:min(len(found), mostFindings)] {
		lines = append(lines, o.theme.tones[f.tone].Render(Cut(f.sign()+" "+f.text, width)))
	}
	lines = append(lines, "")
	if o.now.LastDelivery.IsZero() {
		lines = append(lines, "Send something, and watch:", "", "  triviactl send win --user demo-1 --trivia capitals --item mug",
			"  triviactl send events --all", "")
	}
	if width < wide {
		return fill(strings.Join(o.narrow(lines, width, height), "\n"), width, height)
	}

	left := 60 + 8 // an hour, and the axis
	if width >= 2*60+8+panelWidth+labelWidth+2 {
		left = 2*60 + 8
	}
	charts := o.charts(left, height-len(lines), 3)
	if len(charts) == 0 {
		left = -2
	}
	top := len(lines)
	numbers := o.outcomes(width-left-2, left+2, top)
	numbers = append(numbers, "")
	numbers = append(numbers, o.waiting(width-left-2, left+2, top+len(numbers))...)
	numbers = append(numbers, "")
	numbers = append(numbers, o.refused(width-left-2, height-top-len(numbers))...)

	return fill(strings.Join(append(lines, beside(charts, left+2, numbers)...), "\n"), width, height)
}

// unknown is what is seen before anything is known.
func (o *overview) unknown(width int) []string {
	if o.err == nil {
		return []string{"asking how things stand …"}
	}
	lines := []string{o.theme.tones[Bad].Render("▲ how things stand is not known")}
	for _, line := range Wrap(o.err.Error(), width-2) {
		lines = append(lines, "  "+line)
	}

	return append(lines, "", "It is asked again every second. triviactl doctor says what to mend.")
}

// findings judges the stream, and says what the hook knows to be wrong.
func (o *overview) findings() []finding {
	var hook *operator.Hook
	if o.hook.known && o.hook.err == nil {
		hook = &o.hook.Hook
	}
	routes := operator.JudgeRoutes(o.now.Streams, hook, o.desk.QuietAfter)
	found := judge(o.now, paceOf(o.values(arrivalsOf)), paceOf(o.values(winsOf)), routes)
	if len(o.hook.Paused) > 0 {
		found = append(found, finding{Waiting, "nothing is sent to Customer.io: " + strings.Join(o.hook.Paused, ", ")})
	}

	return found
}

func (o *overview) values(of func(store.Minute) int64) []float64 {
	return o.minutes.values(o.now.Now, of)
}

// narrow puts one chart above the numbers.
func (o *overview) narrow(lines []string, width, height int) []string {
	rows := len(o.outcomeSpots()) + 1
	chart := o.charts(width, height-len(lines)-rows-1, 1)
	lines = append(lines, chart...)
	if len(chart) > 0 {
		lines = append(lines, "")
	}
	left := width - panelWidth - 2
	panel := o.waiting(panelWidth, left+2, len(lines))
	panel = append(panel, o.refused(panelWidth, height-len(lines)-len(panel))...)

	return append(lines, beside(o.outcomes(left, 0, len(lines)), left+2, panel)...)
}

// charts draws as many charts of the last hour as fit, at most so many.
func (o *overview) charts(width, height, most int) (lines []string) {
	const (
		around = 4 // title, axis, its ends, and an empty line
		least  = 2
	)
	all := []struct {
		title string
		of    func(store.Minute) int64
	}{{"WINS A MINUTE", winsOf}, {"EVENTS A MINUTE", outcomeOf(trivia.Recorded, "")}, {"OTHER DELIVERIES A MINUTE", oddOf}}
	if o.now.LastDelivery.IsZero() {
		return nil
	}
	n := min(most, len(all), (height+1)/(around+6))
	if n == 0 && height+1 >= around+least {
		n = 1
	}
	for i, c := range all[:n] {
		rows := (height+1)/n - around
		if i > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, o.chart(c.title, c.of, width, rows)...)
	}

	return lines
}

func (o *overview) chart(title string, of func(store.Minute) int64, width, rows int) []string {
	values := o.values(of)
	zone := o.desk.Now().Location()
	first, last := hourAt(o.now.Now)
	said := fmt.Sprintf("%s in the last hour, %s in this minute", grouped(o.minutes.sum(of)), grouped(int64(values[len(values)-1])))
	if n := o.minutes.known(); n < hourOf {
		said = fmt.Sprintf("counting: %d of %d minutes", n, hourOf)
	}
	lines := []string{spread(o.theme.header.Render(title), said, width)}
	drawn := Chart{
		Values: values, Width: width, Height: rows, Color: o.desk.Color,
		First: first.In(zone).Format("15:04"), Last: last.In(zone).Format("15:04"),
	}.Draw()

	return append(lines, strings.Split(strings.TrimSuffix(drawn, "\n"), "\n")...)
}

// outcomes draws what came of deliveries. x and y are where it begins.
func (o *overview) outcomes(width, x, y int) []string {
	head := fmt.Sprintf("  %-*s%*s%*s%*s", labelWidth, "DELIVERIES", numberWidth, "HOUR", numberWidth, "MINUTE", numberWidth, "PARKED")
	lines := []string{o.theme.header.Render(cut(head, width))}
	all := o.outcomeSpots()
	most := int64(1)
	for _, s := range all {
		most = max(most, o.minutes.sum(s.of))
	}
	bars := width - labelWidth - 3*numberWidth - 4
	for i, s := range all {
		hour := o.minutes.sum(s.of)
		parked := fmt.Sprintf("%*s", numberWidth, orDash(s.park))
		line := fmt.Sprintf("%s%-*s%*s%*s%s", o.mark(i), labelWidth, s.label,
			numberWidth, orDash(hour), numberWidth, orDash(o.minutes.last(o.now.Now, s.of)), o.theme.tones[s.tone].Render(parked))
		lines = append(lines, line+"  "+shareBar(float64(hour)/float64(most), bars))
		o.drawn = append(o.drawn, place{i, y + i + 1, x, x + width})
	}

	return lines
}

// waiting draws what waits, and for whom.
func (o *overview) waiting(width, x, y int) []string {
	lines := []string{o.theme.header.Render("  WAITING")}
	first := len(o.outcomeSpots())
	for i, s := range o.waitingSpots() {
		n := orDash(s.count)
		if s.page == pagePushes && s.count >= store.MostPushesSeen {
			n += "+"
		}
		line := fmt.Sprintf("%s%-*s%s", o.mark(first+i), labelWidth, s.label, o.theme.tones[s.tone].Render(fmt.Sprintf("%*s", numberWidth, n)))
		if i == 0 && !o.now.Oldest.IsZero() {
			line += "  " + spanWords(o.now.Now.Sub(o.now.Oldest))
		}
		lines = append(lines, cutStyled(line, width))
		o.drawn = append(o.drawn, place{first + i, y + i + 1, x, x + width})
	}

	return lines
}

// mark shows where the cursor is.
func (o *overview) mark(spot int) string {
	if spot == o.cursor {
		return o.theme.header.Render("▸") + " "
	}

	return "  "
}

// refused draws what a hook says of requests that it has refused.
func (o *overview) refused(width, height int) []string {
	title := o.theme.header.Render("  REFUSED")
	switch {
	case o.desk.AskHook == nil:
		return []string{title, "  not known"}
	case !o.hook.known:
		said := "asking " + o.desk.HookAt + " …"
		if o.hook.err != nil {
			said = "not known: no hook is reachable at " + o.desk.HookAt
		}

		return append([]string{title}, indented(Wrap(said, width-2))...)
	}

	number := func(label string, n int64) string {
		return cut(fmt.Sprintf("  %-*s%*s", labelWidth, Cut(label, labelWidth), numberWidth, orDash(n)), width)
	}
	lines := []string{title + fmt.Sprintf("%*s", labelWidth+numberWidth-len("REFUSED"), orDash(o.hook.AllRefused()))}
	reasons := slices.SortedFunc(maps.Keys(o.hook.Refused), func(a, b string) int {
		return cmp.Or(cmp.Compare(o.hook.Refused[b], o.hook.Refused[a]), cmp.Compare(a, b))
	})
	for _, reason := range reasons {
		if o.hook.Refused[reason] > 0 {
			lines = append(lines, number(reason, o.hook.Refused[reason]))
		}
	}
	var tail []string
	if o.hook.err != nil {
		tail = append(tail, o.theme.tones[Waiting].Render(Cut("  ! "+o.desk.HookAt+" does not answer", width)))
	}
	if latest := o.hook.Latest(); !latest.Time.IsZero() {
		said := fmt.Sprintf("  last %s, %s", agoWords(o.desk.Now().Sub(latest.Time)), cmp.Or(latest.Caller, latest.Peer))
		tail = append(tail, Cut(said, width))
	}
	if height > 6 {
		tail = append(tail, "", o.theme.header.Render("  CAME AGAIN")+fmt.Sprintf("%*s", labelWidth+numberWidth-len("CAME AGAIN"), orDash(o.hook.Duplicates)))
	}
	if height > 12 {
		tail = append(append(tail, ""), indented(Wrap("both since the hook at "+o.desk.HookAt+" was started", width-2))...)
	}

	return append(lines[:min(len(lines), max(1, height-len(tail)))], tail...)
}
