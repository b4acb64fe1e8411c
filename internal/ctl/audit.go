package ctl

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
	"trivia/internal/tui"
)

// auditVerbs are the verbs of looking after all of it.
type auditVerbs interface {
	Audit(context.Context, operator.Audit) (operator.Audited, error)
	ListDeeds(context.Context, store.DeedFilter, store.Page) iter.Seq2[store.DeedRow, error]
}

func (s *session) auditCommand() *cli.Command {
	return &cli.Command{
		Name: "audit", Category: look, Usage: "check that what belongs together is there",
		Description: `Compares wins, prizes, deliveries, events and pushes with each other, all as
they are at one moment. Exit code 1 if anything is missing. Nothing changes,
nobody waits, and a hook may run meanwhile; over millions of rows it takes a
while. What was pruned, and people who were forgotten, are taken into account.
trivia-hook does the same by itself every TRIVIA_AUDIT_EVERY, for the last day.

Examples:
  triviactl audit
  triviactl audit --since yesterday --output json
  triviactl audit log --since 2h`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "since", Usage: "only what came, or was won, from `TIME` on"},
			&cli.DurationFlag{Name: "pending-for", Value: operator.PendingFor, Usage: "let things be pending for `DURATION`"},
			&cli.DurationFlag{Name: "timeout", Value: 10 * time.Minute, Usage: "let none take longer than `DURATION`"},
			outputFlag(formats()),
		},
		Action: s.audit,
		Subcommands: []*cli.Command{
			{
				Name: "log", Usage: "list what operators did, newest first",
				Description: `--verb takes the name of a command, or how one begins: push, push hold.

Examples:
  triviactl audit log --since yesterday
  triviactl audit log --actor ann@desk --verb "prizes revoke"`,
				Flags:  append(deedFlags(), viewFlags()...),
				Action: listAction(s, deedNoun(), parseDeeds, verbs.ListDeeds),
			},
		},
	}
}

// auditOptions reads what is to be checked.
func (s *session) auditOptions(c *cli.Context) (a operator.Audit, format string, err error) {
	if _, err = plainWords(c); err != nil {
		return a, "", err
	}
	if format, err = oneOf(c, "output", formats()); err != nil {
		return a, "", err
	}
	a.PendingFor, a.Statement = c.Duration("pending-for"), c.Duration("timeout")
	for flag, d := range map[string]time.Duration{"pending-for": a.PendingFor, "timeout": a.Statement} {
		if d < time.Second {
			return a, "", usagef("as in --"+flag+" 15m", "--%s is %s, want at least 1s", flag, d)
		}
	}
	if a.Since, err = timeFlag(c, "since", s.Now()); err != nil {
		return a, "", err
	}
	set, err := s.settings()
	a.NoPushes = operator.PolicyOf(set.Pushes).Win == trivia.Nothing

	return a, format, err
}

func (s *session) audit(c *cli.Context) error {
	a, format, err := s.auditOptions(c)
	if err != nil {
		return err
	}
	do, done, err := s.open(c.Context)
	if err != nil {
		return err
	}
	defer done()

	progress := s.progress("checking", "checks")
	a.Progress = func(done, whole int) { progress.set(done, int64(done), int64(whole)) }
	begin := s.Now()
	found, err := do.Audit(c.Context, a)
	progress.stop()
	if err != nil {
		return hinted{err, "--since checks less, and --timeout allows more"}
	}

	if err := s.audited(found, format, s.Now().Sub(begin)); err != nil {
		return err
	}
	if found.Broken() > 0 {
		return hinted{errQuiet, "triviactl explain USER TRIVIA, or KEY, tells all that is known of one"}
	}

	return nil
}

// audited tells what was found. CSV has only the breaches.
func (s *session) audited(found operator.Audited, format string, took time.Duration) error {
	switch format {
	case formatJSON:
		s.print("%s\n", jsonArray(checkedFields(), found.Checks))

		return nil
	case formatCSV:
		out := newCSVSink(s.Stdout, named(breachFields()))
		for _, b := range breachesOf(found) {
			if err := out.row(b); err != nil {
				return fmt.Errorf("write breaches: %w", err)
			}
		}

		return out.end()
	}

	out := newTableSink(s, checkedFields())
	for _, checked := range found.Checks {
		if err := out.row(checked); err != nil {
			return err
		}
	}
	if err := errors.Join(out.end(), section(s, breachFields(), breachesOf(found))); err != nil {
		return err
	}
	for _, checked := range found.Checks {
		if more := checked.Broken - len(checked.Rows); more > 0 {
			s.print("… and %d more of %s\n", more, checked.Name)
		}
	}
	if n := found.Broken(); n > 0 {
		s.say("%s in %s", pluralOf(n, "breach", "breaches"), tookWords(took))
	} else {
		s.say("all is well; it took %s", tookWords(took))
	}

	return nil
}

func tookWords(d time.Duration) string {
	if d < 10*time.Second {
		return d.Round(time.Millisecond).String()
	}

	return d.Round(time.Second).String()
}

func checkedFields() []field[store.Checked] {
	type row = store.Checked
	results := &tui.Column{Title: "RESULT", Rigid: true, Tone: checkTone}

	return []field[row]{
		{name: "check", value: func(c row) any { return c.Name }, column: rigid("CHECK")},
		{name: "claim", value: func(c row) any { return c.Claim }, column: flexible("CLAIM"), wide: true},
		{name: "result", value: func(c row) any { return resultOf(c) }, column: results},
		{name: "rows", value: func(c row) any { return orSkipped(c, c.Looked) }, column: number("ROWS")},
		{name: "breaches", value: func(c row) any { return orSkipped(c, c.Broken) }, column: number("BREACHES")},
		{name: "skipped", value: func(c row) any { return orNil(c.Skipped) }, column: flexible("SKIPPED BECAUSE")},
		{name: "found", value: func(c row) any {
			var all []breach
			for _, b := range c.Rows {
				all = append(all, breach{c.Name, b})
			}

			return rawObjects(without(breachFields(), "check"), all)
		}},
	}
}

func orSkipped(c store.Checked, n int) any {
	if c.Skipped != "" {
		return nil
	}

	return n
}

func resultOf(c store.Checked) string {
	switch {
	case c.Skipped != "":
		return "skipped"
	case c.Broken > 0:
		return "breach"
	}

	return "ok"
}

func checkTone(cell string) tui.Tone {
	switch strings.TrimSpace(cell) {
	case "ok":
		return tui.Good
	case "breach":
		return tui.Bad
	}

	return tui.Plain
}

// A breach is one with the name of its check.
type breach struct {
	check string
	store.Breach
}

func breachesOf(found operator.Audited) (all []breach) {
	for _, c := range found.Checks {
		for _, b := range c.Rows {
			all = append(all, breach{c.Name, b})
		}
	}

	return all
}

func breachFields() []field[breach] {
	return []field[breach]{
		{name: "check", value: func(b breach) any { return b.check }, column: rigid("BREACH")},
		{name: "at", value: func(b breach) any { return b.At }, column: rigid("AT")},
		{name: "user_id", value: func(b breach) any { return orNil(b.User) }, column: flexible("USER")},
		{name: "trivia_id", value: func(b breach) any { return orNil(b.Trivia) }, column: flexible("TRIVIA")},
		{name: "key", value: func(b breach) any { return orNil(b.Key) }, column: flexible("KEY")},
		{name: "detail", value: func(b breach) any { return b.Detail }, column: flexible("DETAIL")},
	}
}
