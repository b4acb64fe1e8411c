package ctl

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
)

// errNotConfirmed is what every error is that says that a person did not want
// what was asked.
var errNotConfirmed = errors.New("nothing was done: not confirmed")

// mostByLetter is how many things a y confirms. For more, their number must be
// typed.
const mostByLetter = 100

func yesFlag() cli.Flag {
	return &cli.BoolFlag{Name: "yes", Usage: "do not ask; for scripts"}
}

// confirm asks whether n things may be changed, and names the environment in
// which. It returns [errNotConfirmed] unless the answer is yes. Nobody is asked
// where nobody can answer: then only yes, the flag --yes, confirms.
func (s *session) confirm(yes bool, n int, question string) error {
	return s.confirmUntil(context.Background(), yes, n, question)
}

// confirmUntil is confirm, and no longer waits for an answer when ctx ends.
func (s *session) confirmUntil(ctx context.Context, yes bool, n int, question string) error {
	if yes {
		return nil
	}
	if !s.StdinTerminal {
		return hinted{errNotConfirmed, "standard input is no terminal to ask at; --yes confirms"}
	}
	set, err := s.settings()
	if err != nil {
		return err
	}

	want, how := "", "[y/N]"
	if n > mostByLetter {
		want = strconv.Itoa(n)
		how = "Type " + want + " to go on:"
	}
	_, _ = fmt.Fprintf(s.Stderr, "%s, in %s? %s ", strings.TrimRight(question, "?. "), set.Environment, how)
	line, err := bufio.NewReader(&patient{ctx: ctx, from: s.Stdin}).ReadString('\n')
	if err != nil {
		_, _ = fmt.Fprintln(s.Stderr) // the answer's line was never ended
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the answer: %w", err)
	}

	switch answer := strings.ToLower(strings.TrimSpace(line)); {
	case want == "" && (answer == "y" || answer == "yes"), want != "" && answer == want:
		return nil
	case want != "" && (answer == "y" || answer == "yes"):
		return hinted{errNotConfirmed, "so many are confirmed by their number: " + want}
	}

	return errNotConfirmed
}
