package ctl

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"trivia/internal/operator"
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

	hook := operator.Listener{URL: "http://" + reachable(set.AdminListen), Agent: name + "/" + version()}

	return tui.Desk{
		Do:          do,
		AskHook:     hook.Ask,
		HookAt:      reachable(set.AdminListen),
		CommandLine: commandLine{s, do},
		Wins:        listingOf(s, winNoun(), winFlags, parseWins),
		Deliveries:  listingOf(s, deliveryNoun(), deliveryFlags, parseDeliveryFilter),
		Events:      listingOf(s, eventNoun(), eventFlags, parseEventFilter),
		Pushes:      listingOf(s, pushNoun(), pushFlags, parsePushes),
		Deeds:       listingOf(s, deedNoun(), deedFlags, parseDeeds),
		Environment: set.Environment,
		ReadOnly:    readOnly,
		Color:       s.colorful(s.StdoutTerminal),
		Now:         s.Now,
	}, nil
}

// listingOf lets the screens list a noun in the words of its command.
func listingOf[F, T any](
	s *session, n noun[T], flags func() []cli.Flag, parse func(*cli.Context, time.Time) (F, error),
) tui.Listing[F, T] {
	fields := slices.DeleteFunc(slices.Clone(n.fields), func(f field[T]) bool { return f.column == nil })
	l := tui.Listing[F, T]{
		Cells: func(row T, _ time.Time) []string {
			cells := make([]string, len(fields))
			for i, f := range fields {
				cells[i] = s.text(f.value(row))
			}

			return cells
		},
		Parse: func(words []string) (f F, err error) {
			app := &cli.App{
				Name: "filter", HelpName: "filter", Flags: flags(), HideHelp: true, HideHelpCommand: true,
				Writer: io.Discard, ErrWriter: io.Discard, ExitErrHandler: func(*cli.Context, error) {},
				OnUsageError: badValue("filter"),
				Action: func(c *cli.Context) error {
					f, err = parse(c, s.Now())

					return err
				},
			}
			words, err = arrange(app, words)
			if err != nil {
				return f, err
			}

			return f, app.Run(append([]string{app.Name}, words...))
		},
	}
	for _, f := range fields {
		l.Columns = append(l.Columns, *f.column)
	}

	return l
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
