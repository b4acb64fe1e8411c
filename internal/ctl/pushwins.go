package ctl

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"trivia/internal/operator"
	"trivia/internal/store"
)

func (s *session) pushWinsCommand() *cli.Command {
	return &cli.Command{
		Name: "wins", Usage: "tell Customer.io of wins again", ArgsUsage: "--since TIME",
		Description: `Writes a push for each win, oldest first: the attributes of the winner, and the
event trivia_prize_awarded, which counts once however often it is sent. A win
for which a push is waiting already gets no other. It can be stopped at any
time, and says how to go on.

Examples:
  triviactl push wins --since 2026-01-31 --dry-run
  triviactl push wins --since 2w --trivia capitals --reason "new workspace"`,
		Flags: append(sinceFlags(),
			&cli.StringFlag{Name: "trivia", Usage: "only wins of `TRIVIA`"},
			&cli.BoolFlag{Name: "dry-run", Usage: "say what it would do, and do nothing"},
			&cli.StringFlag{Name: "after", Usage: "go on behind `CURSOR`, which a call that was stopped prints"},
			reasonFlag(),
		),
		Action: s.pushWins,
	}
}

func (s *session) parsePushWins(c *cli.Context) (w operator.WinPushes, err error) {
	if _, err = plainWords(c); err != nil {
		return w, err
	}
	if !c.IsSet("since") {
		return w, usagef("as in --since yesterday", "%s wants --since", c.Command.HelpName)
	}
	w = operator.WinPushes{
		Span:   store.WinSpan{Trivia: winFilter(c).Trivia},
		After:  store.Cursor(c.String("after")),
		Reason: c.String("reason"),
	}
	if w.Span.Since, w.Span.Until, err = parseSpan(c, s.Now()); err != nil {
		return w, err
	}
	if w.Span.Until.IsZero() {
		w.Span.Until = s.Now() // the service tells of what is won from now on
	}

	return w, nil
}

func (s *session) pushWins(c *cli.Context) error {
	w, err := s.parsePushWins(c)
	if err != nil {
		return err
	}
	do, done, err := s.open(c.Context)
	if err != nil {
		return err
	}
	defer done()
	if c.Bool("dry-run") {
		return s.previewWins(c, do, w)
	}

	progress := s.progress("pushing", "wins")
	w.Progress = func(so operator.PushedWins, whole int) { progress.set(so.Wins, int64(so.Wins), int64(whole)) }
	so, err := do.PushWins(c.Context, w)
	progress.stop()
	if so.Wins > 0 || err == nil {
		s.print("%s: %s written, %d waiting already\n",
			plural(so.Wins, "win"), pluralOf(so.Pushed, "push", "pushes"), so.Wins-so.Pushed)
	}
	if err == nil || errors.Is(err, store.ErrCursor) {
		return err
	}

	return hinted{err, "go on with: " + goOn(c.Command.HelpName, w.Span, so.Last)}
}

// goOn is the call that goes on where another was stopped. Its times are those
// of the first call, however that has put them.
func goOn(called string, span store.WinSpan, last store.Cursor) string {
	words := fmt.Sprintf("%s --since %s --until %s", called, exact(span.Since), exact(span.Until))
	if span.Trivia != "" {
		words += " --trivia=" + shellWord(string(span.Trivia))
	}
	if last != "" {
		words += " --after " + string(last)
	}

	return words
}

func (s *session) previewWins(c *cli.Context, do verbs, w operator.WinPushes) error {
	p, err := do.PreviewWins(c.Context, w)
	if err != nil {
		return err
	}
	s.previewed = p.Pushed
	s.print("%s: %s would be written, %d waiting already\n",
		plural(p.Wins, "win"), pluralOf(p.Pushed, "push", "pushes"), p.Wins-p.Pushed)

	return section(s, winNoun().fields, p.First)
}
