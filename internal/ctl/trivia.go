package ctl

import (
	"context"
	"errors"
	"iter"

	"github.com/urfave/cli/v2"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
	"trivia/internal/tui"
)

// triviaVerbs are the verbs of trivias.
type triviaVerbs interface {
	ListTrivias(context.Context, store.Page) iter.Seq2[store.TriviaRow, error]
	ShowTrivia(context.Context, trivia.ID) (operator.TriviaStory, error)
	CloseTrivia(ctx context.Context, id trivia.ID, reason string) (operator.Closing, error)
	OpenTrivia(ctx context.Context, id trivia.ID, reason string) (operator.Closing, error)
	TriviaStats(context.Context, store.TriviaSpan) (store.TriviaStats, error)
}

func (s *session) triviaCommand() *cli.Command {
	return &cli.Command{
		Name: "trivia", Category: look, Usage: "trivias: open, closed, and what came of them",
		Subcommands: []*cli.Command{
			{
				Name: "list", Usage: "list trivias in the order of their identifiers",
				Description: `They are those that anything is known of: a win, an answer, a delivery, or that
somebody closed them. One that nothing is known of is open.

Examples:
  triviactl trivia list
  triviactl trivia list --all --output csv`,
				Flags: viewFlags(), Action: s.listTrivias,
			},
			{
				Name: "show", Usage: "show one trivia, and who closed or opened it", ArgsUsage: "TRIVIA",
				Description: `Examples:
  triviactl trivia show capitals
  triviactl trivia show capitals --output json`,
				Flags: []cli.Flag{outputFlag(cardFormats())}, Action: s.showTrivia,
			},
			{
				Name: "close", Usage: "let nobody win a trivia any more", ArgsUsage: "TRIVIA",
				Description: `Wins that come later are parked as trivia_closed. What was won stays won.

Examples:
  triviactl trivia close capitals --reason "the season is over"`,
				Flags: []cli.Flag{reasonFlag()}, Action: s.closeTrivia,
			},
			{
				Name: "open", Usage: "let people win a closed trivia again", ArgsUsage: "TRIVIA",
				Description: `Wins that were parked while it was closed stay parked. A trivia whose wins were
pruned is sealed, and can never be opened again.

Examples:
  triviactl trivia open capitals --reason "closed by mistake"`,
				Flags: []cli.Flag{reasonFlag()}, Action: s.openTrivia,
			},
			{
				Name: "stats", Usage: "count what has come of a trivia", ArgsUsage: "TRIVIA",
				Description: `An answer is right if its person has won the trivia. --output csv has the wins
by time and nothing else.

Examples:
  triviactl trivia stats capitals
  triviactl trivia stats capitals --since yesterday --output json`,
				Flags: append(sinceFlags(), outputFlag(formats())), Action: s.triviaStats,
			},
		},
	}
}

func (s *session) listTrivias(c *cli.Context) error {
	if _, err := plainWords(c); err != nil {
		return err
	}
	v, err := parseView(c)
	if err != nil {
		return err
	}
	do, done, err := s.open(c.Context)
	if err != nil {
		return err
	}
	defer done()

	return list(s, triviaNoun(), v, func(p store.Page) iter.Seq2[store.TriviaRow, error] {
		return do.ListTrivias(c.Context, p)
	})
}

func triviaNoun() noun[store.TriviaRow] {
	type row = store.TriviaRow
	states := &tui.Column{Title: "STATE", Rigid: true, Tone: triviaTone}

	return noun[row]{
		plural: "trivias", cursor: row.Cursor,
		fields: []field[row]{
			{name: "trivia_id", value: func(t row) any { return t.ID }, column: flexible("TRIVIA")},
			{name: "state", value: func(t row) any { return t.State() }, column: states},
			{name: "closed_at", value: func(t row) any { return t.ClosedAt }, column: rigid("CLOSED")},
			{name: "sealed_at", value: func(t row) any { return t.SealedAt }, column: rigid("SEALED"), wide: true},
			{name: "first_win_at", value: func(t row) any { return t.FirstWin }, column: rigid("FIRST WIN")},
			{name: "last_win_at", value: func(t row) any { return t.LastWin }, column: rigid("LAST WIN")},
			{name: "last_answer_at", value: func(t row) any { return t.LastAnswer }, column: rigid("LAST ANSWER"), wide: true},
		},
	}
}

func triviaTone(cell string) tui.Tone {
	switch cell {
	case "open":
		return tui.Good
	case "closed":
		return tui.Waiting
	case "sealed":
		return tui.Bad
	}

	return tui.Plain
}

const triviasHint = "what is known is in: triviactl trivia list; a trivia that nothing is known of is open"

func (s *session) showTrivia(c *cli.Context) error {
	words, err := plainWords(c, "TRIVIA")
	if err != nil {
		return err
	}
	format, err := oneOf(c, "output", cardFormats())
	if err != nil {
		return err
	}
	do, done, err := s.open(c.Context)
	if err != nil {
		return err
	}
	defer done()

	t, err := do.ShowTrivia(c.Context, trivia.ID(words[0]))
	if err != nil {
		return hintMissing(err, triviasHint)
	}
	if format == formatJSON {
		type story = operator.TriviaStory
		fields := append(
			storyFields(triviaNoun().fields, func(t story) store.TriviaRow { return t.TriviaRow }),
			field[story]{name: "acts", value: func(t story) any { return rawObjects(deedNoun().fields, t.Deeds) }},
		)
		s.print("%s\n", object(fields, t))

		return nil
	}

	s.card(
		line{"trivia", []any{t.ID}}, line{"state", []any{t.State()}},
		line{"closed", []any{t.ClosedAt}}, line{"sealed", []any{t.SealedAt}},
		line{"first win", []any{t.FirstWin}}, line{"last win", []any{t.LastWin}}, line{"last answer", []any{t.LastAnswer}},
	)

	return section(s, without(deedNoun().fields, "target"), t.Deeds)
}

func (s *session) closeTrivia(c *cli.Context) error {
	words, err := plainWords(c, "TRIVIA")
	if err != nil {
		return err
	}
	id, err := triviaOf(words[0])
	if err != nil {
		return err
	}
	do, done, err := s.open(c.Context)
	if err != nil {
		return err
	}
	defer done()

	closed, err := do.CloseTrivia(c.Context, id, c.String("reason"))
	if err != nil {
		return err
	}
	if !closed.Changed {
		s.print("%s is closed already, since %s\n", tui.Word(words[0]), s.longText(closed.Since))

		return nil
	}
	s.print("%s is closed: wins that come from now on are parked\n", tui.Word(words[0]))
	if !closed.Known {
		s.say("nothing was known of it before; is that its name? undo it with: triviactl trivia open %s", shellWord(words[0]))
	}

	return nil
}

func (s *session) openTrivia(c *cli.Context) error {
	words, err := plainWords(c, "TRIVIA")
	if err != nil {
		return err
	}
	do, done, err := s.open(c.Context)
	if err != nil {
		return err
	}
	defer done()

	opened, err := do.OpenTrivia(c.Context, trivia.ID(words[0]), c.String("reason"))
	switch {
	case errors.Is(err, operator.ErrSealed):
		return hinted{err, "a new trivia wants a new identifier"}
	case err != nil:
		return hintMissing(err, triviasHint)
	case !opened.Changed:
		s.print("%s is open already\n", tui.Word(words[0]))

		return nil
	}
	s.print("%s is open again\n", tui.Word(words[0]))
	s.say("wins that came meanwhile stay parked; award them with: triviactl replay --outcome trivia_closed --trivia %s",
		shellWord(words[0]))

	return nil
}
