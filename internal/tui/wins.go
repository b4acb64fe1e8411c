package tui

import (
	"time"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

// newWins returns the page of wins.
func newWins(d *Desk, words []string) screen {
	type row = store.WinRow

	return newList(d, kind[store.WinFilter, row]{
		page: pageWins, plural: "wins", listing: d.Wins,
		reader: Verbs.ReadWins, cursor: row.Cursor, at: func(w row) time.Time { return w.At },
		matters: []string{"WON", "USER", "TRIVIA", "ITEM", "KEY"},
		note:    func(w row) string { return "user " + string(w.User) + ", delivery " + w.Key },
		nothing: []string{
			"One comes with the first verified delivery of a campaign's webhook.",
			"To send one for a test: triviactl send win --help",
		},
		jumps: jumps[row]{
			win: func(w row) (store.WinRow, bool) { return w, true },
			delivery: func(w row) (store.DeliveryRow, bool) {
				return store.DeliveryRow{Key: w.Key, Kind: trivia.KindWin, Win: w.Win}, w.Key != ""
			},
			person: func(w row) string { return string(w.User) },
		},
	}, words)
}
