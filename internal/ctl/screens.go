package ctl

import (
	"bytes"
	"context"
	"strings"

	"trivia/internal/operator"
	"trivia/internal/store"
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
		place = store.Place(set.DatabaseURL.Reveal())
	}
	hook := operator.Listener{URL: "http://" + reachable(set.AdminListen), Agent: name + "/" + version()}

	return tui.Desk{
		Do:          do,
		AskHook:     hook.Ask,
		HookAt:      reachable(set.AdminListen),
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

// A commandLine runs commands for the screens, on the database that they have
// open.
type commandLine struct {
	s  *session
	do verbs
}

// Run is part of [tui.CommandLine].
func (cl commandLine) Run(ctx context.Context, width int, words []string, _ func(string)) (string, int) {
	var out bytes.Buffer
	env := cl.s.Env
	env.Stdin, env.StdinTerminal = strings.NewReader(""), false
	env.Stdout, env.Stderr, env.StderrTerminal, env.Width = &out, &out, false, width

	inner := newSession(env)
	inner.open = func(context.Context) (verbs, func(), error) { return cl.do, func() {}, nil }
	code := inner.run(ctx, words)

	return out.String(), code
}

// Line is part of [tui.CommandLine].
func (commandLine) Line(words ...string) string {
	line := []string{name}
	for _, word := range words {
		line = append(line, shellWord(word))
	}

	return strings.Join(line, " ")
}
