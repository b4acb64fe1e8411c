package ctl

import (
	"iter"

	"github.com/urfave/cli/v2"

	"trivia/internal/store"
)

func (s *session) listDeeds(c *cli.Context) error {
	if _, err := plainWords(c); err != nil {
		return err
	}
	f := store.DeedFilter{Actor: c.String("actor"), Verb: c.String("verb"), Target: c.String("target")}
	var err error
	if f.Since, f.Until, err = parseSpan(c, s.Now()); err != nil {
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

	return list(s, deedNoun(), v, func(p store.Page) iter.Seq2[store.DeedRow, error] {
		return do.ListDeeds(c.Context, f, p)
	})
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
