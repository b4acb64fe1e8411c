package tui

import (
	"time"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

// newPushes returns the page of pushes.
func newPushes(d *Desk, words []string) screen {
	type row = store.PushRow

	return newList(d, kind[store.PushFilter, row]{
		page: pagePushes, plural: "pushes", listing: d.Pushes,
		reader: Verbs.ReadPushes, cursor: row.Cursor, at: func(p row) time.Time { return p.CreatedAt },
		matters: []string{"CREATED", "STATE", "PERSON", "KIND", "REASON", "CAUSE", "HTTP", "ID", "TRIES"},
		parked:  []string{"CREATED", "REASON", "PERSON", "HTTP", "KIND", "CAUSE", "ID", "TRIES", "STATE"},
		note:    pushNote,
		nothing: []string{
			"One is owed for each win, and for events that ask for it, if TRIVIA_PUSH_… says so.",
			"To write one: triviactl push attributes --help",
		},
		jumps: jumps[row]{
			win: func(p row) (w store.WinRow, ok bool) {
				w.User, w.Trivia = trivia.UserID(p.Person), trivia.ID(p.CauseID)

				return w, p.Cause == trivia.CauseWin
			},
			delivery: func(p row) (store.DeliveryRow, bool) {
				return store.DeliveryRow{Key: p.CauseID, Kind: trivia.KindEvent}, p.Cause == trivia.CauseEvent
			},
			person: func(p row) string { return p.Person },
		},
	}, words)
}

// pushNote says what asked for a push, and why it is where it is.
func pushNote(p store.PushRow) string {
	said := string(p.Cause) + " " + p.CauseID
	if p.Reason != "" {
		said += ", " + p.Reason
	}

	return said
}
