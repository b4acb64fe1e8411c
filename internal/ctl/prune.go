package ctl

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"trivia/internal/operator"
	"trivia/internal/store"
)

// pruneVerbs delete what is past its use.
type pruneVerbs interface {
	PreviewPrune(context.Context, operator.Pruning) ([]store.PruneCount, error)
	Prune(context.Context, operator.Pruning) ([]operator.Pruned, error)
	PreviewPruneWins(context.Context, operator.WinPruning) (store.WinsCount, error)
	PruneWins(context.Context, operator.WinPruning) (int, error)
	PreviewForget(ctx context.Context, user string) (operator.Kept, error)
	Forget(ctx context.Context, user string, f operator.Forgetting) (operator.ForgottenPerson, error)
}

// pruneRate is how many rows go in a second, unless the operator says
// otherwise: a hook that takes in thousands does not notice.
const pruneRate = 20_000

func (s *session) pruneCommand() *cli.Command {
	return &cli.Command{
		Name: "prune", Category: mend, Usage: "delete what is past its use; nobody wins twice by it",
		ArgsUsage: "--before TIME | --wins --trivia TRIVIA",
		Description: `--before deletes settled deliveries, events with their answers, and pushes that
were sent, if they are older than TIME, which is at least 8 days ago: until then
Customer.io may repeat them. What is pending stays, and what is parked stays
without --parked. --bodies-before blanks bodies of settled deliveries; the rows
stay, and repeats are still known. Wins and prizes stay for good.

--wins deletes the wins and prizes of a trivia that has been closed for an hour,
and seals it: it can never be opened again, and so never be won twice. Prize
tables of your own are left alone.

First it says what would go, and asks. It can be stopped at any time and run
again. See TRIVIA_KEEP_EVENTS for a service that does it by itself.

Examples:
  triviactl prune --before 90d --dry-run
  triviactl prune --before 2026-01-31 --bodies-before 30d --reason "policy 7"
  triviactl prune --before 1w3d --only pushes --parked --yes
  triviactl prune --wins --trivia capitals`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "before", Usage: "what is older than `TIME`: 90d, 2026-01-31, RFC 3339"},
			&cli.StringFlag{Name: "bodies-before", Usage: "blank bodies that are older than `TIME`"},
			&cli.StringFlag{Name: "only", Usage: "only `WHAT` of events,deliveries,pushes"},
			&cli.BoolFlag{Name: "parked", Usage: "also what is parked, and waits for a person"},
			&cli.BoolFlag{Name: "wins", Usage: "wins and prizes of a closed trivia, and nothing else"},
			&cli.StringFlag{Name: "trivia", Usage: "that `TRIVIA`"},
			&cli.IntFlag{Name: "rate", Value: pruneRate, Usage: "at most `N` rows a second; 0: no limit"},
			&cli.BoolFlag{Name: "dry-run", Usage: "say what would go, and do nothing"},
			yesFlag(), reasonFlag(),
		},
		Action: func(c *cli.Context) error {
			if c.Bool("wins") {
				return s.pruneWins(c)
			}

			return s.prune(c)
		},
	}
}

func (s *session) parsePrune(c *cli.Context) (p operator.Pruning, err error) {
	if err = pruneWords(c); err != nil {
		return p, err
	}
	if c.IsSet("trivia") {
		return p, usagef("as in --wins --trivia capitals", "--trivia goes with --wins")
	}
	p.Parked, p.Rate, p.Reason = c.Bool("parked"), c.Int("rate"), c.String("reason")
	if p.Before, err = timeFlag(c, "before", s.Now()); err != nil {
		return p, err
	}
	if p.BodiesBefore, err = timeFlag(c, "bodies-before", s.Now()); err != nil {
		return p, err
	}
	if p.Before.IsZero() && p.BodiesBefore.IsZero() {
		return p, usagef("as in --before 90d", "%s wants --before, --bodies-before or --wins", c.Command.HelpName)
	}
	if p.Before.IsZero() && (p.Parked || c.IsSet("only")) {
		return p, usagef("as in --before 90d", "--parked and --only go with --before")
	}
	p.Only, err = parseOnly(c.String("only"))

	return p, err
}

// pruneWords checks what all ways to prune have in common.
func pruneWords(c *cli.Context) error {
	if _, err := plainWords(c); err != nil {
		return err
	}
	if n := c.Int("rate"); n < 0 {
		return usagef("0 is for any number", "--rate is %d, want at least 0", n)
	}

	return nil
}

func parseOnly(text string) (only []store.Prunable, err error) {
	if text == "" {
		return nil, nil
	}
	words := wordsOf(prunableByAge())
	for word := range strings.SplitSeq(text, ",") {
		word = strings.TrimSpace(word)
		if !slices.Contains(words, word) {
			list := "it takes " + strings.Join(words, ", ") + ", with commas between them"

			return nil, usagef(didYouMean(word, words, list), "--only cannot be %q", word)
		}
		only = append(only, store.Prunable(word))
	}

	return only, nil
}

func prunableByAge() []store.Prunable {
	return slices.DeleteFunc(store.Prunables(), func(what store.Prunable) bool { return what == store.PruneBodies })
}

func (s *session) prune(c *cli.Context) error {
	p, err := s.parsePrune(c)
	if err != nil {
		return err
	}
	do, done, err := s.open(c.Context)
	if err != nil {
		return err
	}
	defer done()

	counts, err := do.PreviewPrune(c.Context, p)
	if err != nil {
		return tooRecent(err)
	}
	rows, err := s.printPrune(counts)
	if err != nil || c.Bool("dry-run") {
		return err
	}
	if rows == 0 {
		s.print("nothing to prune\n")

		return nil
	}
	if err := s.confirmUntil(c.Context, c.Bool("yes"), rows, "Prune "+plural(rows, "row")+" for good"); err != nil {
		return err
	}

	progress := s.progress("pruning", "rows")
	p.Progress = func(done int) { progress.set(done, int64(done), int64(rows)) }
	pruned, err := do.Prune(c.Context, p)
	progress.stop()
	s.print("%s\n", prunedWords(pruned))
	if err != nil {
		return hinted{tooRecent(err), "run it again: it goes on with the rest"}
	}

	return nil
}

func tooRecent(err error) error {
	if errors.Is(err, operator.ErrTooRecent) {
		return fmt.Errorf("%w: %w", errUsage, err)
	}

	return err
}

// printPrune says what would go, and how many rows that are.
func (s *session) printPrune(counts []store.PruneCount) (rows int, err error) {
	out := newTableSink(s, []field[store.PruneCount]{
		{value: func(c store.PruneCount) any { return c.What }, column: rigid("WHAT")},
		{value: func(c store.PruneCount) any { return c.Rows }, column: number("ROWS")},
		{value: func(c store.PruneCount) any { return size(c.Bytes) }, column: number("SIZE")},
		{value: func(c store.PruneCount) any { return c.Oldest }, column: rigid("OLDEST")},
		{value: func(c store.PruneCount) any { return staying(c) }, column: flexible("STAYS")},
	})
	for _, c := range counts {
		rows += c.Rows
		if err := out.row(c); err != nil {
			return rows, err
		}
	}

	return rows, out.end()
}

// staying says what is as old and stays.
func staying(c store.PruneCount) string {
	var words []string
	if c.Parked > 0 {
		words = append(words, fmt.Sprintf("%d parked", c.Parked))
	}
	switch {
	case c.Waits > 0 && (c.What == store.PruneEvents || c.What == store.PruneBodies):
		words = append(words, fmt.Sprintf("%d not in the warehouse yet", c.Waits))
	case c.Waits > 0:
		words = append(words, fmt.Sprintf("%d pending", c.Waits))
	}

	return strings.Join(words, ", ")
}

func prunedWords(all []operator.Pruned) string {
	var words []string
	for _, p := range all {
		done := fmt.Sprintf("%d %s deleted", p.Rows, p.What)
		if p.What == store.PruneBodies {
			done = fmt.Sprintf("%d bodies blanked (%s)", p.Rows, size(p.Bytes))
		}
		words = append(words, done)
	}
	if len(words) == 0 {
		return "nothing was pruned"
	}

	return strings.Join(words, ", ")
}

// size writes bytes for the eye.
func size(n int64) string {
	value, unit := float64(n), "B"
	for _, larger := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if value < 1024 {
			break
		}
		value, unit = value/1024, larger
	}
	if unit == "B" {
		return fmt.Sprintf("%d B", n)
	}

	return fmt.Sprintf("%.1f %s", value, unit)
}
