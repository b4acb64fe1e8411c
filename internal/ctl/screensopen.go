package ctl

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"trivia/internal/tui"
)

// closing is how long a database that does not answer may hold up who leaves the screens.
const closing = time.Second

func (s *session) screensCommand() *cli.Command {
	return &cli.Command{
		Name: "tui", Category: look, Usage: "the screens: what comes in, what came of it, and what to do about it",
		Description: `Full-screen, live, for terminals of 80×24 and larger. ? shows the keys that work.
With flags that choose deliveries it begins with those.

--plain is for screen readers and pipes: a line for each delivery that arrives,
and for a stream that goes silent or is late, until Ctrl-C; no colours, no
screens. It begins with the last few deliveries, or with --since.

Examples:
  triviactl tui
  triviactl tui --read-only --state parked
  triviactl tui --plain --trivia capitals`,
		Flags: append([]cli.Flag{
			&cli.BoolFlag{Name: "read-only", Usage: "show everything, change nothing"},
			&cli.BoolFlag{Name: "plain", Usage: "a line for each delivery that arrives, for screen readers and pipes"},
			&cli.StringFlag{Name: "debug", Usage: "write every message to `FILE`, to find faults of the screens"},
		}, deliveryFlags()...),
		Action: s.screens,
	}
}

func (s *session) screens(c *cli.Context) error {
	if _, err := plainWords(c); err != nil {
		return err
	}
	words := filterWords(c, deliveryFlags())
	if _, err := parseDeliveryFilter(c, s.Now()); err != nil {
		return err
	}
	switch {
	case c.Bool("plain") && (c.IsSet("until") || c.IsSet("debug")):
		return usagef("leave them out", "--plain goes on until Ctrl-C, and has no screens: it takes neither --until nor --debug")
	case !c.Bool("plain"):
		if err := s.fullScreen(); err != nil {
			return err
		}
	}

	do, done, err := s.open(c.Context)
	if err != nil {
		return err
	}
	defer atMost(closing, done)

	desk, err := s.desk(do, c.Bool("read-only"))
	if err != nil {
		return err
	}
	if c.Bool("plain") {
		return tui.Linear(c.Context, desk, s.Stdout, words)
	}

	opening := tui.Opening{Filter: words}
	if file := c.String("debug"); file != "" {
		f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // the operator names the file
		if err != nil {
			return fmt.Errorf("write what happens: %w", err)
		}
		defer func() { _ = f.Close() }()
		opening.Debug = f
	}

	return explained(tui.Run(c.Context, desk, tui.Terminal{In: s.Stdin, Out: s.Stdout}, opening))
}

// fullScreen refuses what cannot show screens.
func (s *session) fullScreen() error {
	const hint = "triviactl tui --plain writes a line for each delivery that arrives"
	switch kind := s.Getenv("TERM"); {
	case !s.StdinTerminal || !s.StdoutTerminal:
		return hinted{errors.New("the screens want a terminal"), hint}
	case kind == "" || kind == "dumb":
		return hinted{fmt.Errorf("the screens want a terminal that can do more than TERM=%s says", kind), hint}
	}

	return nil
}

// explained says where a fault of the screens was.
func explained(err error) error {
	fault, ok := errors.AsType[*tui.FaultError](err)
	if !ok {
		return err
	}

	return hinted{
		fmt.Errorf("%w\n%s", err, strings.Join(fault.Trace, "\n")),
		"nothing is lost but what was on the screen; please report the lines above, with what you did (--debug FILE keeps it)",
	}
}

// filterWords are those of flags that were given, as words.
func filterWords(c *cli.Context, flags []cli.Flag) (words []string) {
	for _, flag := range flags {
		name := flag.Names()[0]
		switch value := c.String(name); {
		case !c.IsSet(name):
		case strings.HasPrefix(value, "-"):
			words = append(words, "--"+name+"="+value)
		default:
			words = append(words, "--"+name, value)
		}
	}

	return words
}

// atMost lets done take a while, and then goes on without it: the process is
// about to end.
func atMost(while time.Duration, done func()) {
	ctx, cancel := context.WithTimeout(context.Background(), while)
	go func() {
		defer cancel()
		done()
	}()
	<-ctx.Done()
}
