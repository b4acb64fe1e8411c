package tui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/lipgloss"
)

// headerLines is how many lines stand above a screen.
const headerLines = 3

// longestEnvironment is how much of TRIVIA_ENV is shown, in cells.
const longestEnvironment = 24

// header says where one is: the pages, the database and what is wrong with it,
// and what lies on what.
func (f *frame) header() string {
	var tabs strings.Builder
	for _, t := range f.tabs() {
		tabs.WriteString(t.text)
	}

	return strings.Join([]string{tabs.String(), f.status(), f.trail()}, "\n")
}

// A tab is a page's place in the header.
type tab struct {
	page     pageName
	text     string
	from, to int // its cells, the last of them excluded
}

func (f *frame) tabs() (all []tab) {
	at := 0
	for i, name := range pageNames() {
		text := fmt.Sprintf("%d %s", i+1, name)
		to := at + len(text) + 2
		if name == f.current {
			text = f.theme.header.Render("[" + text + "]")
		} else {
			text = " " + text + " "
		}
		all = append(all, tab{name, text, at, to})
		at = to
	}

	return all
}

// status tells the database, what may be done to it, since when it does not
// answer, and how much waits for a person.
func (f *frame) status() string {
	parked, tone := f.parked.text()
	room := f.width - lipgloss.Width(parked) - 2

	var words []string
	add := func(text string, style lipgloss.Style, most int) {
		if text = Cut(text, max(min(most, room), 1)); text == "" || room < 2 {
			return
		}
		words = append(words, style.Render(text))
		room -= lipgloss.Width(text) + 2
	}

	plain := f.theme.tones[Plain]
	if f.desk.production() {
		add("PRODUCTION", f.theme.alarm, room)
	} else {
		add(f.desk.Environment, plain, longestEnvironment)
	}
	if f.desk.ReadOnly {
		add("READ-ONLY", f.theme.header, room)
	}
	if stale := f.stale.text(); stale != "" {
		add(f.desk.Database, plain, max(room-lipgloss.Width(Clean(stale))-2, room/4))
		add(stale, f.theme.tones[Bad], room)
	} else {
		add(f.desk.Database, plain, room)
	}
	left := strings.Join(words, "  ")

	return left + strings.Repeat(" ", max(f.width-lipgloss.Width(left)-lipgloss.Width(parked), 0)) +
		f.theme.tones[tone].Render(parked)
}

// production reports whether what is done here is meant.
func (d *Desk) production() bool {
	return strings.EqualFold(d.Environment, "production") || strings.EqualFold(d.Environment, "prod")
}

// trail tells what lies on what, the last on top.
func (f *frame) trail() string {
	var titles []string
	for _, s := range f.pages[f.current] {
		titles = append(titles, Clean(s.title()))
	}
	if f.help.open {
		titles = append(titles, "help")
	}
	const between = " › "
	room := f.width - 4 // the rule in front, and spaces
	text := strings.Join(titles, between)
	for len(titles) > 1 && lipgloss.Width(text) > room {
		titles = titles[1:]
		text = "…" + between + strings.Join(titles, between)
	}
	text = cut(text, room)
	used := f.width - room + lipgloss.Width(text)

	return f.theme.rule.Render("──") + " " + f.theme.header.Render(text) + " " +
		f.theme.rule.Render(strings.Repeat("─", max(f.width-used, 0)))
}
