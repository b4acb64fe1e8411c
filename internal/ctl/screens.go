package ctl

import (
	"trivia/internal/operator"
	"trivia/internal/tui"
)

// desk is what the screens work on: the verbs, and this very command line.
func (s *session) desk(do verbs, readOnly bool) (tui.Desk, error) {
	set, err := s.settings()
	if err != nil {
		return tui.Desk{}, err
	}

	place := "embedded Postgres"
	if !set.DatabaseURL.IsZero() {
		dsn, err := s.database()
		if err != nil {
			return tui.Desk{}, err
		}
		place = dsn.Place()
	}
	hook := operator.Listener{URL: "http://" + reachable(set.AdminListen), Agent: name + "/" + version()}

	return tui.Desk{
		Do:          do,
		AskHook:     hook.Ask,
		HookAt:      reachable(set.AdminListen),
		QuietAfter:  set.QuietAfter,
		CommandLine: commandLine{s, do},
		Wins:        listingOf(s, "wins", winNoun(), winFlags, parseWins),
		Deliveries:  listingOf(s, "deliveries", deliveryNoun(), deliveryFlags, parseDeliveryFilter),
		Events:      listingOf(s, "events", eventNoun(), eventFlags, parseEventFilter),
		Pushes:      listingOf(s, "push", pushNoun(), pushFlags, parsePushes),
		Deeds:       listingOf(s, "audit", deedNoun(), deedFlags, parseDeeds),
		Database:    place,
		Environment: set.Environment,
		ReadOnly:    readOnly,
		Color:       s.colorful(s.StdoutTerminal),
		Now:         s.Now,
	}, nil
}
