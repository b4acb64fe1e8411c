package ctl

import (
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

func (s *session) parsePruneWins(c *cli.Context) (p operator.WinPruning, err error) {
	if err = pruneWords(c); err != nil {
		return p, err
	}
	for _, flag := range []string{"bodies-before", "only", "parked"} {
		if c.IsSet(flag) {
			return p, usagef("prune in two calls", "--%s and --wins exclude each other", flag)
		}
	}
	if !c.IsSet("trivia") {
		return p, usagef("as in --wins --trivia capitals", "--wins wants --trivia")
	}
	p = operator.WinPruning{Trivia: trivia.ID(c.String("trivia")), Rate: c.Int("rate"), Reason: c.String("reason")}
	p.Before, err = timeFlag(c, "before", s.Now())

	return p, err
}

func (s *session) pruneWins(c *cli.Context) error {
	p, err := s.parsePruneWins(c)
	if err != nil {
		return err
	}
	do, done, err := s.open(c.Context)
	if err != nil {
		return err
	}
	defer done()

	count, err := do.PreviewPruneWins(c.Context, p)
	if err != nil {
		return notClosed(err, p.Trivia)
	}
	s.print("%s of trivia %s, with their prizes", plural(count.Wins, "win"), p.Trivia)
	if !count.Oldest.IsZero() {
		s.print(", the oldest of %s", count.Oldest.In(s.Now().Location()).Format(time.DateOnly))
	}
	s.print("\n")
	if count.Untold > 0 {
		s.print("%s: Customer.io or the warehouse is still to be told of them\n", pluralOf(count.Untold, "win of it stays", "wins of it stay"))
	}
	if c.Bool("dry-run") || count.Wins == 0 {
		return nil
	}
	question := fmt.Sprintf("Delete %s and seal the trivia for good", plural(count.Wins, "win"))
	if err := s.confirmUntil(c.Context, c.Bool("yes"), count.Wins, question); err != nil {
		return err
	}

	progress := s.progress("pruning", "wins")
	p.Progress = func(done int) { progress.set(done, int64(done), int64(count.Wins)) }
	n, err := do.PruneWins(c.Context, p)
	progress.stop()
	if n > 0 || err == nil {
		s.print("%s deleted; trivia %s is sealed\n", plural(n, "win"), p.Trivia)
	}
	if err != nil {
		return hinted{notClosed(err, p.Trivia), "run it again: it goes on with the rest"}
	}

	return nil
}

func notClosed(err error, id trivia.ID) error {
	switch {
	case errors.Is(err, store.ErrTriviaOpen):
		return hinted{err, "close it first: triviactl trivia close " + shellWord(string(id))}
	case errors.Is(err, store.ErrTriviaJustClose):
		return hinted{err, "an award may still be under way; try again an hour after it was closed"}
	}

	return err
}
