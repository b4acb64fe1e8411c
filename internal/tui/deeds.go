package tui

import (
	"time"

	"trivia/internal/store"
)

// newDeeds returns the page of what operators did.
func newDeeds(d *Desk, words []string) screen {
	type row = store.DeedRow

	return newList(d, kind[store.DeedFilter, row]{
		page: pageAudit, plural: "acts", listing: d.Deeds, actless: true,
		reader: Verbs.ReadDeeds, cursor: row.Cursor, at: func(r row) time.Time { return r.At },
		matters: []string{"DONE", "VERB", "TARGET", "ACTOR", "REASON", "DETAIL"},
		note:    func(r row) string { return string(r.Detail) },
		nothing: []string{"Whatever an operator does, here or with triviactl, leaves a line."},
	}, words)
}
