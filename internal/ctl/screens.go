package ctl

import (
	"io"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

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

	return tui.Desk{
		Do:          do,
		CommandLine: commandLine{s, do},
		Wins:        listingOf(s, winNoun(), winFlags, parseWins),
		Deliveries:  listingOf(s, deliveryNoun(), deliveryFlags, parseDeliveryFilter),
		Events:      listingOf(s, eventNoun(), eventFlags, parseEventFilter),
		Pushes:      listingOf(s, pushNoun(), pushFlags, parsePushes),
		Deeds:       listingOf(s, deedNoun(), deedFlags, parseDeeds),
		Database:    place,
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
