package ctl

import (
	"time"

	"github.com/urfave/cli/v2"

	"trivia/internal/store"
)

// deedFlags choose what operators did.
func deedFlags() []cli.Flag {
	return append([]cli.Flag{
		&cli.StringFlag{Name: "actor", Usage: "only what `WHO` did"},
		&cli.StringFlag{Name: "verb", Usage: "only `VERB`: users add, push hold, trivia close …"},
		&cli.StringFlag{Name: "target", Usage: "only what was done to `TARGET`"},
		&cli.StringFlag{Name: "text", Usage: "only with `TEXT` in actor, target or reason"},
	}, sinceFlags()...)
}

func parseDeeds(c *cli.Context, now time.Time) (f store.DeedFilter, err error) {
	f = store.DeedFilter{Actor: c.String("actor"), Verb: c.String("verb"), Target: c.String("target"), Text: c.String("text")}
	f.Since, f.Until, err = parseSpan(c, now)

	return f, err
}

func deedNoun() noun[store.DeedRow] {
	type row = store.DeedRow

	return noun[row]{
		plural: "acts", cursor: row.Cursor,
		fields: []field[row]{
			{name: "at", value: func(d row) any { return d.At }, column: rigid("DONE")},
			{name: "actor", value: func(d row) any { return d.Actor }, column: flexible("ACTOR")},
			{name: "verb", value: func(d row) any { return d.Verb }, column: rigid("VERB")},
			{name: "target", value: func(d row) any { return d.Target }, column: flexible("TARGET")},
			{name: "reason", value: func(d row) any { return orNil(d.Reason) }, column: flexible("REASON")},
			{name: "detail", value: func(d row) any { return d.Detail }, column: flexible("DETAIL"), wide: true},
			{name: "id", value: func(d row) any { return d.ID }},
		},
	}
}
