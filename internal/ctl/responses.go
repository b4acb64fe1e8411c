package ctl

import (
	"time"

	"github.com/urfave/cli/v2"

	"trivia/internal/store"
)

func (s *session) responsesCommand() *cli.Command {
	return &cli.Command{
		Name: "responses", Category: look, Usage: "every answer to a trivia, right or wrong",
		Subcommands: []*cli.Command{
			{
				Name: "list", Usage: "list answers, newest first",
				Description: `They are clicks in an in-app message on buttons whose Action Name is
trivia/<trivia_id>/<answer>. An answer is right if its person has won that
trivia.

Examples:
  triviactl responses list --trivia capitals --since yesterday
  triviactl responses list --all --output csv > answers.csv`,
				Flags: append(append([]cli.Flag{
					&cli.StringFlag{Name: "user", Usage: "only those of `USER`"},
					&cli.StringFlag{Name: "trivia", Usage: "only those to `TRIVIA`"},
				}, sinceFlags()...), viewFlags()...),
				Action: listAction(s, responseNoun(), parseResponses, verbs.ListResponses),
			},
		},
	}
}

func parseResponses(c *cli.Context, now time.Time) (f store.ResponseFilter, err error) {
	win := winFilter(c)
	f = store.ResponseFilter{User: win.User, Trivia: win.Trivia}
	f.Since, f.Until, err = parseSpan(c, now)

	return f, err
}

func responseNoun() noun[store.ResponseRow] {
	type row = store.ResponseRow

	return noun[row]{
		plural: "responses", cursor: row.Cursor,
		fields: []field[row]{
			{name: "answered_at", value: func(r row) any { return r.At }, column: rigid("ANSWERED")},
			{name: "user_id", value: func(r row) any { return r.User }, column: flexible("USER")},
			{name: "trivia_id", value: func(r row) any { return r.Trivia }, column: flexible("TRIVIA")},
			{name: "answer", value: func(r row) any { return r.Answer }, column: flexible("ANSWER")},
			{name: "right", value: func(r row) any { return r.Right }, column: rigid("RIGHT")},
			{name: "event_id", value: func(r row) any { return r.EventID }, column: rigid("EVENT"), wide: true},
		},
	}
}
