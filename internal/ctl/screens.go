package ctl

import (
	"bytes"
	"context"
	"strings"

	"github.com/urfave/cli/v2"

	"trivia/internal/tui"
)

func (s *session) screensCommand() *cli.Command {
	return &cli.Command{
		Name: "tui", Category: look, Usage: "the screens: what comes in, what came of it, and what to do about it",
		Description: `Full-screen, live, for terminals of 80×24 and larger. ? shows the keys that work.

Examples:
  triviactl tui
  triviactl tui --read-only`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "read-only", Usage: "show everything, change nothing"},
		},
		Action: s.screens,
	}
}

func (s *session) screens(c *cli.Context) error {
	if _, err := plainWords(c); err != nil {
		return err
	}
	do, done, err := s.open(c.Context)
	if err != nil {
		return err
	}
	defer done()

	desk, err := s.desk(do, c.Bool("read-only"))
	if err != nil {
		return err
	}

	return tui.Run(c.Context, desk, tui.Terminal{In: s.Stdin, Out: s.Stdout})
}

// desk is what the screens work on: the verbs, and this very command line.
func (s *session) desk(do verbs, readOnly bool) (tui.Desk, error) {
	set, err := s.settings()
	if err != nil {
		return tui.Desk{}, err
	}

	return tui.Desk{
		Do:          do,
		CommandLine: commandLine{s, do},
		Wins:        listingOf(s, "wins", winNoun(), winFlags, parseWins),
		Deliveries:  listingOf(s, "deliveries", deliveryNoun(), deliveryFlags, parseDeliveryFilter),
		Events:      listingOf(s, "events", eventNoun(), eventFlags, parseEventFilter),
		Pushes:      listingOf(s, "push", pushNoun(), pushFlags, parsePushes),
		Deeds:       listingOf(s, "audit", deedNoun(), deedFlags, parseDeeds),
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
