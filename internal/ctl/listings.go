package ctl

import (
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"trivia/internal/tui"
)

// filtering is what the screens call the command that reads a filter.
const filtering = "the filter"

// listingOf lets the screens list a noun in the words of its command.
func listingOf[F, T any](
	s *session, command string, n noun[T], flags func() []cli.Flag, parse func(*cli.Context, time.Time) (F, error),
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
			app := filterApp(flags())
			app.Action = func(c *cli.Context) error {
				if _, err := plainWords(c); err != nil {
					return err
				}
				f, err = parse(c, s.Now())

				return err
			}
			if words, err = arrange(app, words); err == nil {
				err = app.Run(words)
			}

			return f, mistakeOf(err)
		},
		Flags: filterFlags(command, flags()),
	}
	for _, f := range fields {
		l.Columns = append(l.Columns, *f.column)
	}

	return l
}

func filterApp(flags []cli.Flag) *cli.App {
	return &cli.App{
		Name: filtering, HelpName: filtering, Flags: flags, HideHelp: true, HideHelpCommand: true,
		Writer: io.Discard, ErrWriter: io.Discard, ExitErrHandler: func(*cli.Context, error) {},
		OnUsageError: badValue(filtering),
	}
}

// filterFlags tells the screens what a command's flags are, and what they take.
func filterFlags(command string, flags []cli.Flag) []tui.Flag {
	at := &arranging{at: place{path: []string{name, command}}}
	all := make([]tui.Flag, len(flags))
	for i, flag := range flags {
		all[i] = tui.Flag{Name: flag.Names()[0], Values: at.valuesOf(flag)}
		if documented, ok := flag.(cli.DocGenerationFlag); ok {
			all[i].Usage = strings.ReplaceAll(documented.GetUsage(), "`", "")
		}
	}

	return all
}

// mistakeOf says in one line what is wrong with a filter, and what to do about it.
func mistakeOf(err error) error {
	if err == nil {
		return nil
	}
	text := strings.TrimPrefix(err.Error(), errUsage.Error()+": ")
	if hint := hintOf(err); hint != "" {
		hint = strings.Replace(hint, filtering+" --help lists", "tab lists", 1)
		text += "; " + strings.Replace(hint, filtering+" --help tells more", "tab lists the flags", 1)
	}

	return errors.New(text)
}
