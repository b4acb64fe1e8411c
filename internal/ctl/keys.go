package ctl

import (
	"context"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"trivia/internal/operator"
	"trivia/internal/tui"
)

// keyVerbs are the verbs of signing keys.
type keyVerbs interface {
	Keys(ctx context.Context, known []operator.KnownKey, now time.Time) ([]operator.KeyRow, error)
}

func (s *session) keysCommand() *cli.Command {
	return &cli.Command{
		Name: "keys", Category: look, Usage: "which signing keys match, and which can go",
		Subcommands: []*cli.Command{{
			Name: "list", Usage: "list signing keys, and when they last matched",
			Description: `A key is shown by its fingerprint, as in logs: the first eight hex digits of its
SHA-256. To rotate one: put the new key in front of the old one, reload every
trivia-hook (SIGHUP), change it in Customer.io, and take the old one away when
it is idle. Services write down what matched every ten seconds.

Examples:
  triviactl keys list
  triviactl keys list --output json`,
			Flags:  []cli.Flag{outputFlag(formats())},
			Action: s.listKeys,
		}},
	}
}

func (s *session) listKeys(c *cli.Context) error {
	if _, err := plainWords(c); err != nil {
		return err
	}
	format, err := oneOf(c, "output", formats())
	if err != nil {
		return err
	}
	set, err := s.settings()
	if err != nil {
		return err
	}
	var known []operator.KnownKey
	for _, r := range routes(set) {
		if len(r.secrets) == 0 {
			s.say("%s is not set: its keys are not known here", r.setting)
			continue
		}
		keys, err := r.keys()
		if err != nil {
			return err
		}
		for _, key := range keys {
			if k := (operator.KnownKey{Kind: r.kind, Fingerprint: key.Fingerprint()}); !slices.Contains(known, k) {
				known = append(known, k)
			}
		}
	}
	do, done, err := s.open(c.Context)
	if err != nil {
		return err
	}
	defer done()

	rows, err := do.Keys(c.Context, known, s.Now())
	if err != nil {
		return err
	}
	if len(rows) == 0 && format == formatTable {
		s.say("there are no signing keys in the settings, and none has ever matched")

		return nil
	}

	return writeAll(newSink(s, keyNoun(), format), rows)
}

func keyNoun() noun[operator.KeyRow] {
	type row = operator.KeyRow
	remarks := &tui.Column{Title: "REMARK", Tone: func(cell string) tui.Tone {
		switch cell {
		case operator.KeyIsForeign:
			return tui.Bad
		case operator.KeyIsIdle, operator.KeyNeverMatched:
			return tui.Waiting
		}

		return tui.Plain
	}}

	return noun[row]{
		plural: "keys",
		fields: []field[row]{
			{name: "route", value: func(k row) any { return k.Kind }, column: rigid("ROUTE")},
			{name: "fingerprint", value: func(k row) any { return k.Fingerprint }, column: rigid("KEY")},
			{name: "in_settings", value: func(k row) any { return k.InSettings }, column: rigid("IN SETTINGS")},
			{name: "uses", value: func(k row) any { return k.Uses }, column: number("MATCHED")},
			{name: "first_used_at", value: func(k row) any { return k.First }, column: rigid("FIRST"), wide: true},
			{name: "last_used_at", value: func(k row) any { return k.Last }, column: rigid("LAST")},
			{name: "remark", value: func(k row) any { return orNil(k.Remark) }, column: remarks},
		},
	}
}
