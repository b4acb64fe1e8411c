package tui

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
)

// A screen is what fills the space between header and footer. A page begins a
// stack of them; Esc takes the top one off.
type screen interface {
	// title names it in the trail, in a word or three.
	title() string
	// open asks for what it needs; it is called when it comes to the top, also
	// when what lay on it is gone.
	open() tea.Cmd
	// look asks again; it is called about every second while it is on top. It must not
	// ask while an answer is still out.
	look() tea.Cmd
	// update takes a message. Keys and the mouse come only to the one on top, with the
	// mouse's place counted from the screen's own corner; everything else comes to all of
	// them.
	update(tea.Msg) (screen, tea.Cmd)
	// view draws exactly height lines of at most width cells. Only now it learns
	// its size.
	view(width, height int) string
	// bindings are the keys that work now, for help and footer, the most useful
	// first.
	bindings() []key.Binding
	// typing reports whether letters are text now, and not commands.
	typing() bool
}

// Messages that screens send to the frame.
type (
	pushed struct{ screen screen } // lay a screen on top
	popped struct{}                // take the top one off
	said   struct {                // tell the person, until the next key
		text string
		tone Tone
	}
	// turned goes to a page, and puts a screen in the place of all that lay on it
	// if there is one.
	turned struct {
		page  pageName
		words []string // the filter, as it would be typed; nil leaves it
	}
)

func push(s screen) tea.Cmd { return func() tea.Msg { return pushed{s} } }
func pop() tea.Msg          { return popped{} }

func say(text string, tone Tone) tea.Cmd { return func() tea.Msg { return said{text, tone} } }

func turn(page pageName, words ...string) tea.Cmd {
	return func() tea.Msg { return turned{page, words} }
}

// A pageName names a page.
type pageName string

// The pages, in the order of their tabs.
const (
	pageOverview   pageName = "Overview"
	pageWins       pageName = "Wins"
	pageDeliveries pageName = "Deliveries"
	pageTrivias    pageName = "Trivias"
	pageEvents     pageName = "Events"
	pagePushes     pageName = "Pushes"
	pageAudit      pageName = "Audit"
)

func pageNames() []pageName {
	return []pageName{pageOverview, pageWins, pageDeliveries, pageTrivias, pageEvents, pagePushes, pageAudit}
}

// newPage returns the first screen of a page. words are the filter that it begins with.
func (d *Desk) newPage(name pageName, words []string) screen {
	switch name {
	case pageOverview:
		return newOverview(d)
	case pageTrivias:
		return newTrivias(d)
	case pageWins:
		return newWins(d, words)
	case pageDeliveries:
		return newDeliveries(d, words)
	case pageEvents:
		return newEvents(d, words)
	case pagePushes:
		return newPushes(d, words)
	case pageAudit:
		return newDeeds(d, words)
	}

	return nil
}
