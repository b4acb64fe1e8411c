package ctl

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/urfave/cli/v2"

	"trivia/internal/operator"
	"trivia/internal/signature"
	"trivia/internal/simulate"
	"trivia/internal/trivia"
)

// What a simulation is unless told otherwise.
const (
	simulateCount  = 1000
	simulateGiveUp = 10 * time.Minute
)

// What keeps a slip of the finger from using up the machine.
const (
	mostSimulated = 10_000_000
	mostPadding   = 64 << 20
)

func (s *session) simulateCommand() *cli.Command {
	return &cli.Command{
		Name: "simulate", Category: test, Usage: "play Customer.io, and measure how long a hook holds it up",
		ArgsUsage: "[--events N] [--wins N] [--rate N]",
		Description: `Events come one by one, in order; one that is not answered with a 2xx holds up
all behind it, for an hour after 400-405, 410, 429, 500, 502, 521 and broken
connections, for a moment after anything else. Wins are on their own, and lost
after eleven retries in an hour. An answer has 4 seconds. Waiting is short:
--hour says how long an hour of it takes. A hook that is away for longer than
that loses wins.

Exit code 1 if anything waited an hour or was lost. Where there is a database,
it says what was kept. Wins are real ones of users that are added first.

Examples:
  triviactl simulate --events 10000 --wins 10000 --new 50%
  triviactl simulate --rate 100 --duration 2m --hour 30s --cleanup
  triviactl simulate --url https://hook.example --wins 0 --output json`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "url", Usage: "play against `URL` (default: the hook on this machine)"},
			&cli.IntFlag{Name: "events", Value: simulateCount, Usage: "make `N` events"},
			&cli.IntFlag{Name: "wins", Value: simulateCount, Usage: "make `N` wins"},
			&cli.Float64Flag{Name: "rate", DefaultText: "as answers come", Usage: "make `N` of each per second"},
			&cli.DurationFlag{Name: "duration", DefaultText: "no end", Usage: "make any number, for `DURATION`"},
			&cli.IntFlag{Name: "streams", Value: 1, Usage: "events come in `N` streams, each in order"},
			&cli.IntFlag{Name: "concurrency", Value: simulate.DefaultConcurrency, Usage: "keep `N` wins under way at once"},
			&cli.StringFlag{Name: "new", Value: "10%", Usage: "`PERCENT` have new connections"},
			&cli.DurationFlag{Name: "hour", Value: simulate.DefaultHour, Usage: "let an hour of waiting take `DURATION`"},
			&cli.Uint64Flag{Name: "seed", DefaultText: "a new one", Usage: "send what seed `N` sent before"},
			&cli.StringFlag{Name: "begun", DefaultText: "now", Usage: "events happened from `TIME` on"},
			&cli.IntFlag{Name: "users", Value: simulate.DefaultUsers, Usage: "they are about `N` users"},
			&cli.IntFlag{Name: "trivias", Value: simulate.DefaultTrivias, Usage: "and `N` trivias; a user wins each once"},
			&cli.IntFlag{Name: "padding", Usage: "make each body `N` bytes longer"},
			&cli.DurationFlag{Name: "skew", DefaultText: "right", Usage: "the sender's clock is `DURATION` ahead"},
			&cli.StringFlag{Name: "from", Usage: "call from `ADDRESS`, one of this machine"},
			&cli.DurationFlag{
				Name: "give-up", Value: simulateGiveUp, Usage: "end `DURATION` after --duration is over",
			},
			&cli.DurationFlag{Name: "settle", Value: benchWait, Usage: "then wait `DURATION` for the pending"},
			&cli.BoolFlag{Name: "cleanup", Usage: "remove all that the run has written, once proved"},
			yesFlag(),
			outputFlag(cardFormats()),
		},
		Action: s.simulate,
	}
}

// simulateOptions are what is sent, and what is done about it.
type simulateOptions struct {
	simulate.Options

	target  sendOptions // of the events, to knock at
	giveUp  time.Duration
	settle  time.Duration // how long to wait for what is pending
	cleanup bool
	format  string
}

func (s *session) parseSimulate(c *cli.Context) (o simulateOptions, err error) {
	if _, err = plainWords(c); err != nil {
		return o, err
	}
	if o.format, err = oneOf(c, "output", cardFormats()); err != nil {
		return o, err
	}
	if err := checkSimulate(c); err != nil {
		return o, err
	}
	if o.target, err = s.parseTarget(c, trivia.KindEvent); err != nil {
		return o, err
	}
	wins, err := s.parseTarget(c, trivia.KindWin)
	if err != nil {
		return o, err
	}
	if o.target.url == wins.url {
		return o, usagef("as in --url http://127.0.0.1:8080", "--url cannot have a path: there are two, and they are known")
	}
	signers := map[trivia.Kind]signature.Key{trivia.KindEvent: o.target.signer, trivia.KindWin: wins.signer}

	o.Options = simulate.Options{
		EventURL: o.target.url, WinURL: wins.url, Keys: func(kind trivia.Kind) signature.Key { return signers[kind] },
		Seed: newSeed(), Events: c.Int("events"), Wins: c.Int("wins"), Duration: c.Duration("duration"),
		EventRate: c.Float64("rate"), WinRate: c.Float64("rate"), Streams: c.Int("streams"), Concurrency: c.Int("concurrency"),
		Hour: c.Duration("hour"), Users: c.Int("users"), Trivias: c.Int("trivias"), Pad: c.Int("padding"), Skew: c.Duration("skew"),
		From: c.String("from"), Agent: name + "/" + version(), Now: s.Now,
	}
	o.giveUp, o.settle, o.cleanup = o.Duration+c.Duration("give-up"), c.Duration("settle"), c.Bool("cleanup")
	if c.IsSet("seed") {
		o.Seed = c.Uint64("seed")
	}
	if o.Duration > 0 && !c.IsSet("events") {
		o.Events = -1
	}
	if o.Duration > 0 && !c.IsSet("wins") {
		o.Wins = -1
	}
	if text := c.String("begun"); text != "" {
		if o.Begun, err = parseTime(text, s.Now()); err != nil {
			return o, usagef(err.Error(), "--begun cannot be %q", text)
		}
	}
	o.NewConnections, err = parseShare(c, "new")

	return o, err
}

// checkSimulate refuses numbers that make no sense.
func checkSimulate(c *cli.Context) error {
	for _, want := range []struct {
		flag        string
		least, most int
	}{
		{"events", 0, mostSimulated},
		{"wins", 0, mostSimulated},
		{"streams", 1, mostConcurrency},
		{"concurrency", 1, mostConcurrency},
		{"users", 1, mostBenchUsers},
		{"trivias", 1, mostBenchTrivias},
		{"padding", 0, mostPadding},
	} {
		if n := c.Int(want.flag); n < want.least || n > want.most {
			return usagef(fmt.Sprintf("want %d to %d", want.least, want.most), "--%s cannot be %d", want.flag, n)
		}
	}
	if rate := c.Float64("rate"); c.IsSet("rate") && !(rate > 0 && rate <= mostBenchRate) {
		return usagef(fmt.Sprintf("want at most %d, and more than 0", mostBenchRate), "--rate cannot be %v", rate)
	}
	for _, flag := range []string{"duration", "hour", "give-up", "settle"} {
		if d := c.Duration(flag); d < 0 || d == 0 && (flag != "duration" || c.IsSet(flag)) {
			return usagef("as in --"+flag+" 30s", "--%s cannot be %s", flag, d)
		}
	}

	return nil
}

// parseShare reads 50% as 0.5, and 0.5 as itself.
func parseShare(c *cli.Context, flag string) (float64, error) {
	text := c.String(flag)
	number, percent := strings.CutSuffix(text, "%")
	share, err := strconv.ParseFloat(number, 64)
	if percent {
		share /= 100
	}
	if err != nil || !(share >= 0 && share <= 1) || !percent && share == math.Trunc(share) && share != 0 {
		return 0, usagef("want 0% to 100%, as in --"+flag+" 50%", "--%s cannot be %q", flag, text)
	}

	return share, nil
}

// seedBits make the name of a run as short as that of a load.
const seedBits = 31

func newSeed() uint64 {
	var random [8]byte
	_, _ = rand.Read(random[:]) // it never fails

	return binary.LittleEndian.Uint64(random[:]) >> (64 - seedBits)
}

func (s *session) simulate(c *cli.Context) error {
	o, err := s.parseSimulate(c)
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

	return (&simulation{session: s, simulateOptions: o, do: do, report: simulateReport{asked: do != nil}}).run(c.Context)
}

// loadable refuses to fill a production's tables unless told to.
func (s *session) loadable(c *cli.Context) error {
	set, err := s.settings()
	if err != nil {
		return err
	}
	if set.Environment == production && !c.Bool("yes") {
		return hinted{
			fmt.Errorf("this is production, where wins are prizes: %w", errNotConfirmed),
			"--yes loads it all the same",
		}
	}

	return nil
}

// A simulation is one run and its proof.
type simulation struct {
	*session
	simulateOptions

	do     verbs // nil: no database
	report simulateReport
}

// trials name what the run writes: its wins, then its events.
func (m *simulation) trials() []operator.Trial {
	return []operator.Trial{
		{Name: m.WinTrial(), Kind: trivia.KindWin, Users: m.Users, Trivias: m.Trivias},
		{Name: m.EventTrial(), Kind: trivia.KindEvent},
	}
}

func (m *simulation) run(ctx context.Context) error {
	if err := m.prepare(ctx); err != nil {
		return err
	}
	got, err := m.play(ctx)
	if err != nil {
		return err
	}
	m.report.Report = got
	// What was sent is proved and cleaned up, also behind a Ctrl-C; a second one
	// ends the program.
	after := context.WithoutCancel(ctx)
	if ctx.Err() != nil {
		m.say("interrupted after %s; a second Ctrl-C ends it without the proof", got.Took.Round(time.Millisecond))
	}
	err = m.prove(after)
	m.print("%s", m.report.text(m.format))
	err = errors.Join(m.report.verdict(ctx.Err() != nil), err)
	if err != nil && ctx.Err() != nil { // of which nothing more is said than that
		m.say("%v", err)
	}

	return errors.Join(err, m.tidy(after))
}

// prepare makes sure that somebody listens, before anything is written, and
// adds the users.
func (m *simulation) prepare(ctx context.Context) error {
	post := m.newSender(m.target)
	defer post.client.CloseIdleConnections()
	if err := post.knock(ctx); err != nil {
		return err
	}
	if m.do == nil {
		m.say("no database: nothing can be proved afterwards, and no users are added")

		return nil
	}
	if m.Wins == 0 {
		return nil
	}
	if err := m.do.AddTrialUsers(ctx, m.trials()[0], "triviactl simulate"); err != nil {
		return fmt.Errorf("add the users of %s: %w", m.Name(), err)
	}
	m.say("%s added to the database, %s …", plural(m.Users, "user"), m.trials()[0].User(0))

	return nil
}

// play plays, with a line that says how far it is.
func (m *simulation) play(ctx context.Context) (*simulate.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, m.giveUp)
	defer cancel()
	progress := m.progress("simulating", "deliveries")
	defer progress.stop()

	var delivered atomic.Int64
	begun := m.session.Now()
	o := m.Options
	o.Watch = func(_ simulate.Try, got simulate.Answer) {
		if got.Verdict() != simulate.Delivered {
			return
		}
		n := int(delivered.Add(1))
		if whole := int64(m.Events) + int64(m.Wins); m.Duration == 0 {
			progress.set(n, int64(n), whole)
		} else {
			progress.set(n, int64(m.session.Now().Sub(begun)), int64(m.Duration))
		}
	}

	return simulate.Run(ctx, o)
}

// prove asks the database what has become of what was acknowledged.
func (m *simulation) prove(ctx context.Context) error {
	if m.do == nil {
		return nil
	}
	trials := m.trials()
	if err := untilSettled(ctx, m.do, trials[0], m.settle); err != nil {
		return err
	}
	if err := untilSettled(ctx, m.do, trials[1], m.settle); err != nil {
		return err
	}

	progress := m.progress("proving", "deliveries")
	defer progress.stop()
	whole, before := m.report.Wins.Delivered+m.report.Events.Delivered, 0
	for _, trial := range trials {
		proof, err := m.do.ProveTrial(ctx, trial, m.report.Acknowledged(trial.Kind), func(done int) {
			progress.set(before+done, int64(before+done), int64(whole))
		})
		if err != nil {
			return err
		}
		m.report.add(proof)
		before += m.report.Wins.Delivered
	}
	m.report.proved = true

	return nil
}

// tidy removes all that the run has written, if that was asked for.
func (m *simulation) tidy(ctx context.Context) error {
	if !m.cleanup || m.do == nil {
		return nil
	}
	progress := m.progress("removing", "rows")
	defer progress.stop()
	for _, trial := range m.trials() {
		rows, err := m.do.RemoveTrial(ctx, trial, m.report.Sent(trial.Kind), "triviactl simulate --cleanup")
		if err != nil {
			return fmt.Errorf("clean up after %s: %w", m.Name(), err)
		}
		m.say("%d rows of %s removed", rows, trial.Name)
	}

	return nil
}
