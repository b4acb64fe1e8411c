package ctl

import (
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"trivia/internal/config"
	"trivia/internal/source"
)

// A sourceRow is a rule, and how we come to it.
type sourceRow struct {
	source.Rule

	from           string
	since, checked time.Time // zero unless Customer.io said it
}

func (s *session) listSources(c *cli.Context) error {
	if _, err := plainWords(c); err != nil {
		return err
	}
	format, err := oneOf(c, "output", formats())
	if err != nil {
		return err
	}
	all, err := s.callers(c.Context)
	if err != nil {
		return err
	}

	if err := writeAll(newSink(s, sourceNoun(), format), all.rows()); err != nil {
		return fmt.Errorf("write sources: %w", err)
	}
	if at := all.customerIO.CheckedAt; !at.IsZero() {
		s.say("Customer.io's list (%s) was last checked: %s", all.customerIO.Region, s.longText(at))
	}

	return nil
}

func (all callers) rows() []sourceRow {
	rules := all.allowed.Rules()
	rows := make([]sourceRow, len(rules))
	for i, r := range rules {
		row := sourceRow{Rule: r, from: "setting"}
		switch {
		case r.Region == "":
		case r.Region == all.customerIO.Region && !all.customerIO.CheckedAt.IsZero():
			row.from, row.since, row.checked = "Customer.io", all.customerIO.ChangedAt, all.customerIO.CheckedAt
		default:
			row.from = "built-in list"
		}
		rows[i] = row
	}

	return rows
}

func sourceNoun() noun[sourceRow] {
	return noun[sourceRow]{fields: []field[sourceRow]{
		{name: "rule", value: func(r sourceRow) any { return r.Word }, column: flexible("RULE")},
		{name: "network", value: func(r sourceRow) any { return r.Network }, column: flexible("NETWORK")},
		{name: "region", value: func(r sourceRow) any { return orNil(r.Region) }, column: rigid("REGION")},
		{name: "from", value: func(r sourceRow) any { return r.from }, column: rigid("FROM")},
		{name: "since", value: func(r sourceRow) any { return r.since }, column: rigid("SINCE")},
		{name: "checked_at", value: func(r sourceRow) any { return r.checked }},
	}}
}

// writeAll writes rows that are all there.
func writeAll[T any](out sink[T], rows []T) error {
	for _, row := range rows {
		if err := out.row(row); err != nil {
			return err
		}
	}

	return out.end()
}

// A verdict says what becomes of a caller.
type verdict struct {
	address string
	rule    string // empty: none lets it in
	proxy   string // the rule that makes it a trusted proxy; mostly empty
}

func (s *session) checkSources(c *cli.Context) error {
	addresses, err := parseAddresses(c)
	if err != nil {
		return err
	}
	format, err := oneOf(c, "output", formats())
	if err != nil {
		return err
	}
	all, err := s.callers(c.Context)
	if err != nil {
		return err
	}

	verdicts, foreign := make([]verdict, len(addresses)), 0
	for i, address := range addresses {
		v := verdict{address: address}
		v.rule, _ = all.allowed.Find(address)
		v.proxy, _ = all.trusted.Find(address)
		if v.rule == "" {
			foreign++
		}
		verdicts[i] = v
	}
	if err := s.tellVerdicts(verdicts, format); err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	if foreign == 0 {
		return nil
	}

	return hinted{errQuiet, "triviactl sources list shows the rules; " + config.Sources + " adds to them" + all.refreshHint()}
}

// refreshHint is what may help where Customer.io calls from elsewhere now.
func (all callers) refreshHint() string {
	if !all.asked {
		return ""
	}

	return ", and triviactl sources refresh asks Customer.io for its own"
}

func parseAddresses(c *cli.Context) ([]string, error) {
	hint := c.Command.HelpName + " --help tells more"
	if c.NArg() == 0 {
		return nil, usagef(hint, "%s wants ADDRESS...", c.Command.HelpName)
	}

	addresses := make([]string, c.NArg())
	for i, word := range c.Args().Slice() {
		var err error
		if addresses[i], err = source.Canonical(word); err != nil {
			return nil, usagef("as in 35.188.196.183 or 2001:db8::1", "%w", err)
		}
	}

	return addresses, nil
}

// tellVerdicts writes sentences for people, and rows for machines.
func (s *session) tellVerdicts(verdicts []verdict, format string) error {
	if format != formatTable {
		return writeAll(newSink(s, verdictNoun(), format), verdicts)
	}

	for _, v := range verdicts {
		rule := "by no rule"
		if v.rule != "" {
			rule = "by " + v.rule
		}
		s.print("%s is let in %s\n", v.address, rule)
		if v.proxy != "" {
			s.say("%s is a trusted proxy (%s): it is seen through, and who it names in X-Forwarded-For is judged instead",
				v.address, v.proxy)
		}
	}

	return nil
}

func verdictNoun() noun[verdict] {
	return noun[verdict]{fields: []field[verdict]{
		{name: "address", value: func(v verdict) any { return v.address }},
		{name: "rule", value: func(v verdict) any { return orNil(v.rule) }},
		{name: "trusted_proxy", value: func(v verdict) any { return orNil(v.proxy) }},
	}}
}
