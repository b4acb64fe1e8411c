package tui

import (
	"strings"
	"time"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

// newEvents returns the page of events.
func newEvents(d *Desk, words []string) screen {
	type row = store.EventRow

	return newList(d, kind[store.EventFilter, row]{
		page: pageEvents, plural: "events", listing: d.Events,
		reader: Verbs.ReadEvents, cursor: row.Cursor, at: func(e row) time.Time { return e.ReceivedAt },
		matters: []string{"RECEIVED", "OBJECT", "METRIC", "PERSON", "SAYS", "OF", "OWED", "EVENT"},
		note:    eventNote,
		nothing: []string{
			"Customer.io reports what happened to messages and people: point a reporting webhook at trivia-hook.",
			"To send one for a test: triviactl send event --help",
		},
		jumps: jumps[row]{
			delivery: func(e row) (store.DeliveryRow, bool) {
				return store.DeliveryRow{Key: e.ID, Kind: trivia.KindEvent, ReceivedAt: e.ReceivedAt}, true
			},
			person: func(e row) string { return e.Person },
		},
	}, words)
}

// eventNote says what an event says.
func eventNote(e store.EventRow) string {
	said := []string{e.ID}
	for _, words := range []string{e.Response, e.Failure, e.Href} {
		if words != "" {
			said = append(said, words)
		}
	}

	return strings.Join(said, ", ")
}
