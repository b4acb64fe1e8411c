package tui

import tea "github.com/charmbracelet/bubbletea"

// A choice is what a person has chosen in a list.
type choice struct {
	of    pageName
	rows  []any    // the rows themselves, such as store.DeliveryRow; of all that match, only the one under the cursor
	all   bool     // all that match the filter, not just rows
	words []string // the filter, as the words of the command line; nil: everything
}

// actOn opens the menu of what can be done to a choice. Nil: nothing can.
func (d *Desk) actOn(choice) tea.Cmd { return nil }

// showDetail opens all that is known of a row of a list, such as a
// store.DeliveryRow.
func (d *Desk) showDetail(any) tea.Cmd { return nil }
