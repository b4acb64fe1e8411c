package tui

import (
	"strings"
	"time"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

// newDeliveries returns the page of deliveries.
func newDeliveries(d *Desk, words []string) screen {
	type row = store.DeliveryRow

	return newList(d, kind[store.DeliveryFilter, row]{
		page: pageDeliveries, plural: "deliveries", listing: d.Deliveries,
		reader: Verbs.ReadDeliveries, cursor: row.Cursor, at: func(r row) time.Time { return r.ReceivedAt },
		matters: []string{"RECEIVED", "STATE", "OUTCOME", "USER", "TRIVIA", "REASON", "ITEM", "KEY", "KIND", "SEEN"},
		parked:  []string{"RECEIVED", "OUTCOME", "REASON", "USER", "TRIVIA", "ITEM", "KEY", "KIND", "SEEN", "STATE"},
		note:    deliveryNote,
		nothing: []string{
			"Each verified request is kept as one: point a campaign's webhook at trivia-hook.",
			"To send one for a test: triviactl send win --help",
		},
		jumps: jumps[row]{
			win: func(r row) (store.WinRow, bool) {
				return store.WinRow{Win: r.Win, Key: r.Key, At: r.ReceivedAt}, r.Win.User != "" && r.Win.Trivia != ""
			},
			delivery: func(r row) (store.DeliveryRow, bool) { return r, true },
			person:   func(r row) string { return string(r.Win.User) },
		},
	}, words)
}

// deliveryNote says why a delivery is parked, or what it is called.
func deliveryNote(r store.DeliveryRow) string {
	said := []string{string(r.Kind), r.Key}
	if r.State == trivia.StateParked {
		why := string(r.Outcome)
		if why == "" {
			why = "refused"
		}
		said = []string{"parked: " + why}
	}
	if r.Reason != "" {
		said = append(said, r.Reason)
	}
	if r.RepairedBy != "" {
		said = append(said, "repaired by "+r.RepairedBy)
	}

	return strings.Join(said, ", ")
}
