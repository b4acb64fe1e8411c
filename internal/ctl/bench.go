package ctl

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"trivia/internal/operator"
	"trivia/internal/trivia"
)

// What a load is unless told otherwise.
const (
	benchConnections = 16
	benchDuration    = 10 * time.Second
	benchUsers       = 10_000
	benchTrivias     = 100
	benchWait        = 30 * time.Second
)

const production = "production"

func (s *session) benchCommand() *cli.Command {
	return &cli.Command{
		Name: "bench", Category: test, Usage: "load a hook, then prove that nothing is lost or awarded twice",
		ArgsUsage: "[--rate N | --connections N] --duration DURATION",
		Description: `With --rate, requests go out by the clock, and latency counts from when each
should have been sent. With --connections, each sends again when it has its
answer. Then the database says what was kept and awarded; exit code 1 if
anything is lost or double. Ctrl-C ends the load, and proves what was sent.

All that is sent bears the run's name, as in bench-4f7k2m-u17. Wins are real
ones of users that are added first, and stay unless --cleanup removes them; a
hook with credentials tells Customer.io of each.

Examples:
  triviactl bench --connections 64 --duration 30s --duplicates 5%
  triviactl bench --kind event --rate 2000 --duration 1m --cleanup`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "url", Usage: "load the hook at `URL` (default: the one on this machine)"},
			&cli.StringFlag{Name: "kind", Value: string(trivia.KindWin), Usage: "send deliveries of `KIND`: win, event"},
			&cli.IntFlag{Name: "rate", DefaultText: "none", Usage: "send `N` per second, by the clock"},
			&cli.IntFlag{Name: "connections", Value: benchConnections, Usage: "send over `N`, each as fast as it can"},
			&cli.DurationFlag{Name: "duration", Value: benchDuration, Usage: "send for `DURATION`: 30s, 5m"},
			&cli.StringFlag{Name: "duplicates", Value: "0%", DefaultText: "0%", Usage: "let `PERCENT` of requests be repeats"},
			&cli.IntFlag{Name: "users", Value: benchUsers, Usage: "they are about `N` users"},
			&cli.IntFlag{Name: "trivias", Value: benchTrivias, Usage: "and `N` trivias; a user wins each once"},
			&cli.DurationFlag{Name: "settle", Value: benchWait, Usage: "then wait `DURATION` for what is pending"},
			&cli.BoolFlag{Name: "cleanup", Usage: "remove all that the run has written, when it is proved"},
			yesFlag(),
			outputFlag(cardFormats()),
		},
		Action: s.bench,
	}
}

// benchOptions are what is sent, and how.
type benchOptions struct {
	target     sendOptions
	rate       int
	duration   time.Duration
	duplicates float64
	users      int
	trivias    int
	settle     time.Duration // how long to wait for what is pending
	cleanup    bool
	format     string
}

func (s *session) parseBench(c *cli.Context) (o benchOptions, err error) {
	if _, err = plainWords(c); err != nil {
		return o, err
	}
	kind, err := oneOf(c, "kind", wordsOf(trivia.Kinds()))
	if err != nil {
		return o, err
	}
	if o.format, err = oneOf(c, "output", cardFormats()); err != nil {
		return o, err
	}
	if o.target, err = s.parseTarget(c, trivia.Kind(kind)); err != nil {
		return o, err
	}
	o.rate, o.target.concurrency = c.Int("rate"), c.Int("connections")
	o.duration, o.settle = c.Duration("duration"), c.Duration("settle")
	o.users, o.trivias, o.cleanup = c.Int("users"), c.Int("trivias"), c.Bool("cleanup")

	switch {
	case c.IsSet("rate") && c.IsSet("connections"):
		return o, usagef("take one of them: --rate sends by the clock, --connections as fast as it can",
			"--rate and --connections exclude each other")
	case c.IsSet("rate") && (o.rate < 1 || o.rate > mostBenchRate):
		return o, usagef(fmt.Sprintf("want 1 to %d", mostBenchRate), "--rate cannot be %d", o.rate)
	case o.target.concurrency < 1 || o.target.concurrency > mostConcurrency:
		return o, usagef(fmt.Sprintf("want 1 to %d", mostConcurrency), "--connections cannot be %d", o.target.concurrency)
	case o.duration <= 0 || o.settle <= 0:
		return o, usagef("as in --duration 30s --settle 1m", "--duration and --settle cannot be 0 or less")
	case o.users < 1 || o.users > mostBenchUsers:
		return o, usagef(fmt.Sprintf("want 1 to %d", mostBenchUsers), "--users cannot be %d", o.users)
	case o.trivias < 1 || o.trivias > mostBenchTrivias:
		return o, usagef(fmt.Sprintf("want 1 to %d", mostBenchTrivias), "--trivias cannot be %d", o.trivias)
	}
	if o.rate > 0 {
		o.target.concurrency = mostConcurrency
	}
	o.duplicates, err = parsePercent(c, "duplicates")

	return o, err
}

// What keeps a slip of the finger from filling a database.
const (
	mostBenchRate    = 100_000
	mostBenchUsers   = 1_000_000
	mostBenchTrivias = 1000
)

// parsePercent reads 5% as 0.05.
func parsePercent(c *cli.Context, flag string) (float64, error) {
	text := c.String(flag)
	number, ok := strings.CutSuffix(text, "%")
	percent, err := strconv.ParseFloat(number, 64)
	if !ok || err != nil || !(percent >= 0 && percent <= 90) {
		return 0, usagef("want 0% to 90%, as in --"+flag+" 5%", "--%s cannot be %q", flag, text)
	}

	return percent / 100, nil
}

func (s *session) bench(c *cli.Context) error {
	o, err := s.parseBench(c)
	if err != nil {
		return err
	}
	if err := s.loadable(c); err != nil {
		return err
	}

	do, done, err := s.open(c.Context)
	if _, none := errors.AsType[noDatabaseError](err); none {
		do, done, err = nil, func() {}, nil
	}
	if err != nil {
		return err
	}
	defer done()

	return s.newBench(o, do).run(c.Context)
}

// A bench is one run of a load and its proof.
type bench struct {
	*session

	benchOptions
	*benchWork

	do     verbs // nil: no database
	post   *sender
	tally  *benchTally
	report benchReport
}

func (s *session) newBench(o benchOptions, do verbs) *bench {
	trial := operator.Trial{
		Name: "bench-" + strings.ToLower(rand.Text()[:6]), Kind: o.target.kind, Users: o.users, Trivias: o.trivias,
	}

	return &bench{
		session: s, benchOptions: o, do: do, post: s.newSender(o.target), tally: newBenchTally(),
		benchWork: newBenchWork(trial, o.duplicates, mathrand.Uint64(), s.Now()), //nolint:gosec // a load needs no secrets
	}
}

func (b *bench) run(ctx context.Context) error {
	defer b.post.client.CloseIdleConnections()
	if err := b.prepare(ctx); err != nil {
		return err
	}

	got, err := b.load(ctx)
	b.report = newBenchReport(b, got)
	// What was sent is proved and cleaned up, also behind a Ctrl-C; a second one
	// ends the program.
	after := context.WithoutCancel(ctx)
	if err != nil { // nobody has ever answered
		return errors.Join(err, b.tidy(after))
	}
	if ctx.Err() != nil {
		b.say("interrupted after %s; a second Ctrl-C ends it without the proof", got.took.Round(time.Millisecond))
	}
	err = b.prove(after)
	b.print("%s", b.report.text(b.format))
	if err != nil && ctx.Err() != nil { // of which nothing more is said than that
		b.say("%v", err)
	}

	return errors.Join(err, b.tidy(after))
}

// prepare makes sure that somebody listens, before anything is written, and
// adds the users.
func (b *bench) prepare(ctx context.Context) error {
	if err := b.post.knock(ctx); err != nil {
		return err
	}
	if b.do == nil {
		b.say("no database: nothing can be proved afterwards, and no users are added")

		return nil
	}
	if b.Kind != trivia.KindWin {
		return nil
	}
	if err := b.do.AddTrialUsers(ctx, b.Trial, "triviactl bench"); err != nil {
		return fmt.Errorf("add the users of %s: %w", b.Name, err)
	}
	b.say("%s added to the database, %s …", plural(b.Users, "user"), b.User(0))

	return nil
}

// load sends, with a line that says how far it is.
func (b *bench) load(ctx context.Context) (loaded, error) {
	progress := b.progress("sending", "requests")
	defer progress.stop()

	begun := b.Now()
	l := load{now: b.Now, duration: b.duration, rate: b.rate, connections: b.target.concurrency}
	l.shoot = func(ctx context.Context, n int, due time.Time) error {
		delivery := b.delivery(n)
		got, err := b.post.postBody(ctx, b.Key(delivery), b.payload(delivery))
		now := b.Now()
		progress.set(n+1, int64(now.Sub(begun)), int64(b.duration))
		if err == nil {
			b.tally.add(delivery, got, now.Sub(due))

			return nil
		}
		if !b.tally.addMute(delivery, err) {
			return err // nobody has ever answered
		}

		return nil
	}

	return l.run(ctx)
}

// answers returns what was answered, the most frequent first.
func (t *benchTally) answers() []string {
	words := make([]string, 0, len(t.counts))
	for word := range t.counts {
		words = append(words, word)
	}
	slices.SortFunc(words, func(a, b string) int {
		if n := t.counts[b] - t.counts[a]; n != 0 {
			return n
		}

		return strings.Compare(a, b)
	})

	return words
}
