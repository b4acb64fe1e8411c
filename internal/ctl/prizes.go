package ctl

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/urfave/cli/v2"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
	"trivia/internal/tui"
)

// prizeVerbs are the verbs of prizes.
type prizeVerbs interface {
	ListPrizes(context.Context, store.PrizeFilter, store.Page) iter.Seq2[store.PrizeRow, error]
	RevokePrize(ctx context.Context, user trivia.UserID, id trivia.ID, at time.Time, reason string) (operator.Revocation, error)
}

func (s *session) prizesCommand() *cli.Command {
	return &cli.Command{
		Name: "prizes", Category: look, Usage: "what wins earned, and what was taken back",
		Subcommands: []*cli.Command{
			{
				Name: "list", Usage: "list prizes, newest first",
				Description: `They are those in the table prizes: a grant_prize of your own may keep others.

Examples:
  triviactl prizes list --trivia capitals --since yesterday
  triviactl prizes list --revoked --output csv`,
				Flags: append(append([]cli.Flag{
					&cli.StringFlag{Name: "user", Usage: "only those of `USER`"},
					&cli.StringFlag{Name: "trivia", Usage: "only those of `TRIVIA`"},
					&cli.StringFlag{Name: "item", Usage: "only `ITEM`"},
					&cli.BoolFlag{Name: "revoked", Usage: "only those that were taken back"},
				}, sinceFlags()...), viewFlags()...),
				Action: listAction(s, prizeNoun(), parsePrizes, verbs.ListPrizes),
			},
			{
				Name: "revoke", Usage: "take back what a win earned; the win stays", ArgsUsage: "USER TRIVIA",
				Description: `Since the win stays, the user cannot win that trivia again. Calls the function
revoke_prize, and lets Customer.io know by the attributes
trivia_prize_revoked_id, trivia_prize_revoked_item and trivia_prize_revoked_at.
It cannot be undone.

Examples:
  triviactl prizes revoke demo-1 capitals --reason "won with a script"`,
				Flags: []cli.Flag{
					&cli.StringFlag{Name: "reason", Usage: "say `WHY` in the audit log, and beside the prize (required)"},
					yesFlag(),
				},
				Action: s.revokePrize,
			},
		},
	}
}

func parsePrizes(c *cli.Context, now time.Time) (f store.PrizeFilter, err error) {
	win := winFilter(c)
	f = store.PrizeFilter{User: win.User, Trivia: win.Trivia, Item: win.Item, Revoked: c.Bool("revoked")}
	f.Since, f.Until, err = parseSpan(c, now)

	return f, err
}

func prizeNoun() noun[store.PrizeRow] {
	type row = store.PrizeRow
	revoked := &tui.Column{Title: "REVOKED", Rigid: true, Tone: func(cell string) tui.Tone {
		if cell != "" {
			return tui.Bad
		}

		return tui.Plain
	}}

	return noun[row]{
		plural: "prizes", cursor: row.Cursor,
		fields: []field[row]{
			{name: "granted_at", value: func(p row) any { return p.At }, column: rigid("GRANTED")},
			{name: "user_id", value: func(p row) any { return p.User }, column: flexible("USER")},
			{name: "trivia_id", value: func(p row) any { return p.Trivia }, column: flexible("TRIVIA")},
			{name: "item", value: func(p row) any { return p.Item }, column: flexible("ITEM")},
			{name: "revoked_at", value: func(p row) any { return p.RevokedAt }, column: revoked},
			{name: "revoked_reason", value: func(p row) any { return orNil(p.RevokedReason) }, column: flexible("REASON")},
		},
	}
}

func (s *session) revokePrize(c *cli.Context) error {
	words, err := plainWords(c, "USER", "TRIVIA")
	if err != nil {
		return err
	}
	reason := c.String("reason")
	if reason == "" {
		return usagef(`as in --reason "won with a script"`, "%s wants --reason", c.Command.HelpName)
	}
	do, done, err := s.open(c.Context)
	if err != nil {
		return err
	}
	defer done()

	user, id := trivia.UserID(words[0]), trivia.ID(words[1])
	hint := "wins are in: triviactl wins list --user=" + shellWord(words[0])
	win, err := do.ShowWin(c.Context, user, id)
	if err != nil {
		return hintMissing(err, hint)
	}
	if win.Prize.RevokedAt.IsZero() {
		question := fmt.Sprintf("Take %s, won by %s with %s, back for good", tui.Word(string(win.Item)), tui.Word(words[0]), tui.Word(words[1]))
		if err := s.confirm(c.Bool("yes"), 1, question); err != nil {
			return err
		}
	}

	r, err := do.RevokePrize(c.Context, user, id, s.Now(), reason)
	if errors.Is(err, operator.ErrRevoked) {
		return hinted{err, fmt.Sprintf("nothing was done; triviactl explain %s %s tells more", shellWord(words[0]), shellWord(words[1]))}
	}
	if err != nil {
		return hintMissing(err, hint)
	}
	s.print("%s is revoked; the win stays\n", tui.Word(string(r.Win.Item)))
	if r.Elsewhere {
		s.print("there is no row in prizes: what revoke_prize did elsewhere is not seen from here\n")
	}
	if r.Push != 0 {
		s.print("push %d lets Customer.io know\n", r.Push)
	} else {
		s.print("Customer.io is not told: %s\n", tui.Clean(r.NoPush))
	}

	return nil
}
