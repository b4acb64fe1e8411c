package ctl

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// A mover is a command that moves pushes.
type mover struct {
	move  operator.PushMove
	whole string // the flag that stands for all of them
	state trivia.PushState
	done  string // what is said of those that were moved
	only  string // which can be moved
}

func (s *session) retryCommand() *cli.Command {
	m := mover{operator.RetryPush, "parked", trivia.PushParked, "pending again", "only what is parked can be retried"}

	return &cli.Command{
		Name: "retry", Usage: "send again what Customer.io refused", ArgsUsage: "ID... | --parked | --user PERSON",
		Description: `Examples:
  triviactl push retry 42 43 --reason "the workspace is mended"
  triviactl push retry --parked --since yesterday`,
		Flags:  s.moveFlags(&cli.BoolFlag{Name: "parked", Usage: "all that are parked"}),
		Action: func(c *cli.Context) error { return s.movePushes(c, m) },
	}
}

func (s *session) holdCommand() *cli.Command {
	m := mover{operator.HoldPush, "pending", trivia.PushPending, "held", "what was sent, or is held already, cannot be held"}

	return &cli.Command{
		Name: "hold", Usage: "keep pushes from being sent", ArgsUsage: "ID... | --pending | --user PERSON",
		Description: `What is held stands in nobody's way: later pushes of the same person are sent.
One that the service has in hand right now may be sent all the same. --user
holds all of a person's that wait, also what is parked.

Examples:
  triviactl push hold 42 --reason "asked by legal"
  triviactl push hold --pending --reason "wrong workspace"`,
		Flags:  s.moveFlags(&cli.BoolFlag{Name: "pending", Usage: "all that are pending now"}),
		Action: func(c *cli.Context) error { return s.movePushes(c, m) },
	}
}

func (s *session) releaseCommand() *cli.Command {
	m := mover{operator.ReleasePush, "all", trivia.PushHeld, "released, and pending", "only what is held can be released"}

	return &cli.Command{
		Name: "release", Usage: "send what is held", ArgsUsage: "ID... | --all | --user PERSON",
		Description: `A service without credentials sends nothing: what is released waits for one
that has some.

Examples:
  triviactl push release 42
  triviactl push release --all --reason "all is well again"`,
		Flags:  s.moveFlags(&cli.BoolFlag{Name: "all", Usage: "all that are held, for whatever reason"}),
		Action: func(c *cli.Context) error { return s.movePushes(c, m) },
	}
}

func (s *session) moveFlags(whole cli.Flag) []cli.Flag {
	return append(append([]cli.Flag{
		whole,
		&cli.StringFlag{Name: "user", Usage: "all for `PERSON`, as Customer.io knows them"},
	}, sinceFlags()...), dryRunFlag(), reasonFlag())
}

func dryRunFlag() cli.Flag {
	return &cli.BoolFlag{Name: "dry-run", Usage: "say what it would do, and do nothing"}
}

func reasonFlag() cli.Flag {
	return &cli.StringFlag{Name: "reason", Usage: "say `WHY` in the audit log"}
}

// parse reads which pushes are meant: by their identifiers, or a set of them.
func (m mover) parse(s *session, c *cli.Context) (ids []int64, set store.PushSet, err error) {
	for _, word := range c.Args().Slice() {
		id, err := pushID(word)
		if err != nil {
			return nil, set, err
		}
		ids = append(ids, id)
	}

	called := c.Command.HelpName
	many := c.Bool(m.whole) || c.IsSet("user")
	spans := c.IsSet("since") || c.IsSet("until")
	switch {
	case len(ids) > 0 && (many || spans):
		return nil, set, usagef("take one of them", "IDs and flags that choose many exclude each other")
	case len(ids) == 0 && !many:
		return nil, set, usagef(called+" --help tells more", "%s wants ID..., --%s or --user PERSON", called, m.whole)
	case len(ids) > 0:
		return ids, set, nil
	}

	set.Person = personFilter(c)
	if m.move != operator.HoldPush || c.Bool(m.whole) {
		set.State = m.state
	}
	set.Since, set.Until, err = parseSpan(c, s.Now())

	return nil, set, err
}

func (s *session) movePushes(c *cli.Context, m mover) error {
	ids, set, err := m.parse(s, c)
	if err != nil {
		return err
	}
	do, done, err := s.open(c.Context)
	if err != nil {
		return err
	}
	defer done()

	if c.Bool("dry-run") {
		return s.previewMoves(c, do, m, ids, set)
	}
	if len(ids) > 0 {
		return s.moveSome(c, do, m, ids)
	}

	return s.moveMany(c, do, m, set)
}

func (s *session) moveSome(c *cli.Context, do verbs, m mover, ids []int64) error {
	n, err := do.MovePushes(c.Context, m.move, ids, c.String("reason"))
	if err != nil {
		return m.hint(err)
	}
	s.print("%s %s\n", pluralOf(n, "push", "pushes"), m.done)

	return nil
}

// hint gives an error about pushes a next step.
func (m mover) hint(err error) error {
	if errors.Is(err, operator.ErrPushState) {
		return hinted{fmt.Errorf("nothing was changed: %w", err), m.only}
	}

	return hintMissing(err, "nothing was changed; "+pushesHint)
}

func (s *session) previewMoves(c *cli.Context, do verbs, m mover, ids []int64, set store.PushSet) error {
	p, err := do.PreviewMoves(c.Context, m.move, ids, set)
	if err != nil {
		return m.hint(err)
	}
	s.previewed = p.Pushes
	s.print("%s would be %s\n", pluralOf(p.Pushes, "push", "pushes"), m.done)
	if err := section(s, pushNoun().fields, p.First); err != nil {
		return err
	}
	s.more(p.Pushes-len(p.First), "")

	return nil
}

func (s *session) moveMany(c *cli.Context, do verbs, m mover, set store.PushSet) error {
	progress := s.progress("moving", "pushes")
	n, err := do.SweepPushes(c.Context, m.move, operator.PushSweep{
		Set: set, Reason: c.String("reason"),
		Progress: func(done, whole int) { progress.set(done, int64(done), int64(whole)) },
	})
	progress.stop()

	if n > 0 || err == nil {
		s.print("%s %s\n", pluralOf(n, "push", "pushes"), m.done)
	}
	if err != nil {
		return hinted{err, "run it again: it goes on with the rest"}
	}

	return nil
}

// pluralOf is [plural] for nouns that do not end in s.
func pluralOf(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}

	return fmt.Sprintf("%d %s", n, many)
}
