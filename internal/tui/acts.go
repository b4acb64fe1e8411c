package tui

import (
	"context"
	"strings"

	tea "github.com/charmbracelet/bubbletea"
)

// A choice is what a person has chosen in a list.
type choice struct {
	of    pageName
	rows  []any    // the rows themselves, such as store.DeliveryRow; of all that match, only the one under the cursor
	all   bool     // all that match the filter, not just rows
	words []string // the filter, as the words of the command line; nil: everything
}

// actOn opens the menu of what can be done to a choice. Nil: nothing can.
func (d *Desk) actOn(c choice) tea.Cmd {
	if d.ReadOnly || d.CommandLine == nil {
		return nil
	}

	return push(newActing(d, c))
}

// rowsOf returns the rows of one kind.
func rowsOf[T any](c choice) (rows []T) {
	for _, row := range c.rows {
		if row, ok := row.(T); ok {
			rows = append(rows, row)
		}
	}

	return rows
}

// An act is something that can be done to a choice. It is one command, or several
// of a kind.
type act struct {
	name string // what it does, in a word or three
	what string // and in a sentence
	why  string // why it cannot be done to this choice; empty if it can

	one, many string // of what is changed
	n         int    // how many are, where no dry run counts them

	fields []field
	// commands are what is run for what was written into the fields, in their order.
	commands func(ctx context.Context, written []string) ([]command, error)
	dryRun   bool // the commands have --dry-run, which counts
	limited  bool // they have --limit, so that no more is changed than was confirmed
	yes      bool // they would ask
	// looks are shown before it is confirmed, where there is no dry run.
	looks func(written []string) [][]string
	note  string // said before it is confirmed
}

// A command is a command line in parts, so that flags can be added.
type command struct {
	path  string // such as push retry
	flags []string
	plain []string
}

// words returns the command with further flags.
func (c command) words(more ...string) []string {
	words := append(append(strings.Fields(c.path), c.flags...), more...)

	return append(words, plainly("", c.plain...)...)
}

// with returns the command with further flags, those that are empty left out.
func (c command) with(flags ...string) command {
	c.flags = append([]string(nil), c.flags...)
	for _, f := range flags {
		if f != "" {
			c.flags = append(c.flags, f)
		}
	}

	return c
}

// optional is a flag that is left out if it has no value.
func optional(name, value string) string {
	if strings.TrimSpace(value) == "" {
		return ""
	}

	return flagWord(name, strings.TrimSpace(value))
}

// acts returns what can be done to a choice, and what could be if it were another.
func (d *Desk) acts(c choice) []act {
	var all []act
	switch c.of {
	case pageDeliveries:
		all = d.deliveryActs(c)
	case pageWins:
		all = d.winActs(c)
	case pagePushes:
		all = d.pushActs(c)
	case pageTrivias:
		all = triviaActs(c)
	case pageEvents, pageAudit, pageOverview:
	}
	if people := peopleOf(c); len(people) > 0 && !c.all {
		all = append(all, attributesAct(people))
	}

	return append(all, sendAct(c))
}
