package ctl

import (
	"errors"
	"time"

	"github.com/urfave/cli/v2"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

func (s *session) winsCommand() *cli.Command {
	return &cli.Command{
		Name: "wins", Category: look, Usage: "what users won, once for each trivia",
		Subcommands: []*cli.Command{
			{
				Name: "list", Usage: "list wins, newest first",
				Description: `Examples:
  triviactl wins list --trivia capitals --since yesterday
  triviactl wins list --all --output csv > wins.csv`,
				Flags:  append(winFlags(), viewFlags()...),
				Action: listAction(s, winNoun(), parseWins, verbs.ListWins),
			},
			{
				Name: "show", Usage: "show one win, and all that belongs to it", ArgsUsage: "USER TRIVIA",
				Description: `That is its prize, the deliveries that claimed it, the user's answers to the
trivia, and the pushes that tell Customer.io.

Examples:
  triviactl wins show demo-1 capitals
  triviactl wins show --output json -- -odd-user- capitals`,
				Flags:  []cli.Flag{outputFlag(cardFormats())},
				Action: s.showWin,
			},
		},
	}
}

// winFlags choose wins.
func winFlags() []cli.Flag {
	return append([]cli.Flag{
		&cli.StringFlag{Name: "user", Usage: "only those of `USER`"},
		&cli.StringFlag{Name: "trivia", Usage: "only those of `TRIVIA`"},
		&cli.StringFlag{Name: "item", Usage: "only those that earned `ITEM`"},
		&cli.StringFlag{Name: "key", Usage: "only the one that delivery `KEY` was awarded"},
		&cli.StringFlag{Name: "text", Usage: "only with `TEXT` in user, trivia or key"},
	}, sinceFlags()...)
}

func parseWins(c *cli.Context, now time.Time) (f store.WinFilter, err error) {
	win := winFilter(c)
	f = store.WinFilter{User: win.User, Trivia: win.Trivia, Item: win.Item, Key: c.String("key"), Text: c.String("text")}
	f.Since, f.Until, err = parseSpan(c, now)

	return f, err
}

func winNoun() noun[store.WinRow] {
	return noun[store.WinRow]{
		plural: "wins", cursor: store.WinRow.Cursor,
		fields: []field[store.WinRow]{
			{name: "won_at", value: func(w store.WinRow) any { return w.At }, column: rigid("WON")},
			{name: "user_id", value: func(w store.WinRow) any { return w.User }, column: flexible("USER")},
			{name: "trivia_id", value: func(w store.WinRow) any { return w.Trivia }, column: flexible("TRIVIA")},
			{name: "item", value: func(w store.WinRow) any { return w.Item }, column: flexible("ITEM")},
			{name: "delivery_key", value: func(w store.WinRow) any { return w.Key }, column: flexible("KEY")},
		},
	}
}

func (s *session) showWin(c *cli.Context) error {
	words, err := plainWords(c, "USER", "TRIVIA")
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

	win, err := do.ShowWin(c.Context, trivia.UserID(words[0]), trivia.ID(words[1]))
	if err != nil {
		return hintMissing(err, "what came at all: triviactl deliveries list --user="+shellWord(words[0]))
	}
	if format == formatJSON {
		s.printWin(win)

		return nil
	}

	prize := []any{win.Prize.Item, win.Prize.At}
	if win.Prize == (store.Prize{}) {
		prize = []any{"not in prizes; grant_prize keeps it elsewhere"}
	}
	s.card(
		line{"user", []any{win.User}}, line{"trivia", []any{win.Trivia}}, line{"item", []any{win.Item}},
		line{"won", []any{win.At}}, line{"by delivery", []any{win.Key}}, line{"prize", prize},
		line{"revoked", []any{win.Prize.RevokedAt, win.Prize.RevokedReason}},
	)

	return errors.Join(
		section(s, deliveryNoun().fields, win.Deliveries),
		section(s, responseNoun().fields, win.Answers),
		section(s, pushNoun().fields, win.Pushes),
	)
}

func (s *session) printWin(win operator.WinStory) {
	type story = operator.WinStory
	fields := append(
		storyFields(winNoun().fields, func(w story) store.WinRow { return w.WinRow }),
		field[story]{name: "prize_item", value: func(w story) any { return orNil(w.Prize.Item) }},
		field[story]{name: "prize_granted_at", value: func(w story) any { return w.Prize.At }},
		field[story]{name: "prize_revoked_at", value: func(w story) any { return w.Prize.RevokedAt }},
		field[story]{name: "prize_revoked_reason", value: func(w story) any { return orNil(w.Prize.RevokedReason) }},
		field[story]{name: "deliveries", value: func(w story) any { return rawObjects(deliveryNoun().fields, w.Deliveries) }},
		field[story]{name: "responses", value: func(w story) any { return rawObjects(responseNoun().fields, w.Answers) }},
		field[story]{name: "pushes", value: func(w story) any { return rawObjects(pushNoun().fields, w.Pushes) }},
	)
	s.print("%s\n", object(fields, win))
}
