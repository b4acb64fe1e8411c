package ctl

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"trivia/internal/config"
	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
	"trivia/internal/tui"
)

// every stands for all scenarios, and listed shows what there is.
const (
	every  = "all"
	listed = "list"
)

func (s *session) sendScenarioCommand() *cli.Command {
	return &cli.Command{
		Name: "scenario", Usage: "send named trouble, and compare what comes of it",
		ArgsUsage: "NAME... | all | list",
		Description: `Each scenario has a trivia of its own, as in scenario-4f7k2m-stale. With a
database, a user is added for them, and what was kept and won is compared too;
--user names one who is there instead. What is sent stays, and some of it is
parked, unless --cleanup removes it. Exit code 1 if anything differs.

Examples:
  triviactl send scenario list
  triviactl send scenario duplicate-storm key-conflict --user demo-1
  triviactl send scenario all --url https://hooks.example.com --cleanup`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "url", Usage: "send it to `URL` (default: the hook on this machine)"},
			&cli.StringFlag{Name: "user", Usage: "let `USER` win, who is there"},
			&cli.BoolFlag{Name: "cleanup", Usage: "remove all that was written, when it is compared"},
			outputFlag(formats()),
		},
		Action: s.sendScenario,
	}
}

// scenarioOptions are which scenarios are sent, and how.
type scenarioOptions struct {
	chosen     []scenario
	onlyList   bool
	win, event sendOptions
	user       trivia.UserID // empty: one of our own
	maxBody    int64
	cleanup    bool
	format     string
}

func (s *session) parseScenario(c *cli.Context) (o scenarioOptions, err error) {
	set, err := s.settings()
	if err != nil {
		return o, err
	}
	if o.format, err = oneOf(c, "output", formats()); err != nil {
		return o, err
	}
	all := scenarios(set)
	words := c.Args().Slice()
	switch {
	case len(words) == 0:
		return o, usagef(c.Command.HelpName+" list shows what there is", "%s wants NAME..., all or list", c.Command.HelpName)
	case len(words) == 1 && words[0] == listed:
		o.chosen, o.onlyList = all, true

		return o, nil
	case len(words) == 1 && words[0] == every:
		o.chosen = all
	default:
		if o.chosen, err = choose(all, words, c.Command.HelpName); err != nil {
			return o, err
		}
	}

	if u, err := url.Parse(c.String("url")); err == nil && strings.Trim(u.Path, "/") != "" {
		return o, usagef("as in https://hooks.example.com: both routes are called", "--url cannot have a path: %q", c.String("url"))
	}
	if o.win, err = s.parseTarget(c, trivia.KindWin); err != nil {
		return o, err
	}
	if o.event, err = s.parseTarget(c, trivia.KindEvent); err != nil {
		return o, err
	}
	o.win.concurrency = stormCopies
	o.cleanup, o.maxBody = c.Bool("cleanup"), set.MaxBody
	switch {
	case c.String("user") != "" && o.cleanup:
		return o, usagef("take one of them", "--user and --cleanup exclude each other: what USER wins stays")
	case c.String("user") != "":
		o.user, err = userOf(c.String("user"))
	}

	return o, err
}

// scenarioWords are what a shell offers.
func scenarioWords() (words []string) {
	for _, sc := range scenarios(config.Ctl{}) {
		words = append(words, sc.name)
	}

	return append(words, every, listed)
}

// choose returns the scenarios of these names, in the order of the words.
func choose(all []scenario, words []string, called string) (chosen []scenario, err error) {
	names := make([]string, len(all))
	for i, sc := range all {
		names[i] = sc.name
	}
	for _, word := range words {
		i := slices.Index(names, word)
		if i < 0 {
			return nil, usagef(didYouMean(word, names, called+" list shows what there is"), "there is no scenario %q", word)
		}
		chosen = append(chosen, all[i])
	}

	return chosen, nil
}

func (s *session) sendScenario(c *cli.Context) error {
	o, err := s.parseScenario(c)
	if err != nil {
		return err
	}
	if o.onlyList {
		return s.listScenarios(o)
	}

	do, done, err := s.open(c.Context)
	if _, none := errors.AsType[noDatabaseError](err); none {
		do, done, err = nil, func() {}, nil
	}
	if err != nil {
		return err
	}
	defer done()
	if do == nil && o.user == "" && slices.ContainsFunc(o.chosen, func(sc scenario) bool { return sc.user }) {
		return usagef("name one who is there: --user demo-1", "there is no database to add a user to")
	}

	return s.newStaging(o, do).run(c.Context)
}

func (s *session) listScenarios(o scenarioOptions) error {
	out := newSink(s, noun[scenario]{plural: "scenarios", fields: []field[scenario]{
		{name: "scenario", value: func(sc scenario) any { return sc.name }, column: rigid("SCENARIO")},
		{name: "about", value: func(sc scenario) any { return sc.about }, column: flexible("WHAT IS SENT")},
		{name: "expected", value: func(sc scenario) any { return sc.expected() }, column: flexible("EXPECTED")},
	}}, o.format)
	for _, sc := range o.chosen {
		if err := out.row(sc); err != nil {
			return fmt.Errorf("write scenarios: %w", err)
		}
	}

	return out.end()
}

// A staging sends scenarios, one after the other.
type staging struct {
	*session

	scenarioOptions

	trial     operator.Trial
	do        verbs // nil: no database
	wins      *sender
	events    *sender
	keys      []string // that were sent so far
	differing []outcome
}

func (s *session) newStaging(o scenarioOptions, do verbs) *staging {
	trial := operator.Trial{Name: "scenario-" + strings.ToLower(rand.Text()[:6]), Kind: trivia.KindWin, Users: 1}
	st := &staging{
		session: s, scenarioOptions: o, do: do, trial: trial,
		wins: s.newSender(o.win), events: s.newSender(o.event),
	}
	if st.user == "" {
		st.user = trial.User(0)
	}

	return st
}

// An outcome is what was expected of a scenario, and what was seen.
type outcome struct {
	scenario

	seen     string // the answers
	seenRows string // in the database; empty: nobody has looked
	wantRows string
}

func (o outcome) fits() bool {
	return slices.Contains(append([]string{o.want}, o.or...), o.seen) && o.seenRows == o.wantRows
}

func (o outcome) result() string {
	if o.fits() {
		return "ok"
	}

	return "differs"
}

func outcomeNoun() noun[outcome] {
	results := &tui.Column{Title: "RESULT", Rigid: true, Tone: func(cell string) tui.Tone {
		if cell == "ok" {
			return tui.Good
		}

		return tui.Bad
	}}

	return noun[outcome]{plural: "scenarios", fields: []field[outcome]{
		{name: "scenario", value: func(o outcome) any { return o.name }, column: rigid("SCENARIO")},
		{name: "expected", value: func(o outcome) any { return o.expected() }, column: flexible("EXPECTED")},
		{name: "seen", value: func(o outcome) any { return o.seen }, column: flexible("SEEN")},
		{name: "expected_rows", value: func(o outcome) any { return orNil(o.wantRows) }},
		{name: "seen_rows", value: func(o outcome) any { return orNil(o.seenRows) }, column: flexible("IN THE DATABASE"), wide: true},
		{name: "result", value: func(o outcome) any { return o.result() }, column: results},
	}}
}

// run sends every scenario, and shows what came of it.
func (st *staging) run(ctx context.Context) error {
	defer st.wins.client.CloseIdleConnections()
	defer st.events.client.CloseIdleConnections()
	if err := st.wins.knock(ctx); err != nil {
		return err
	}
	if st.do != nil && st.user == st.trial.User(0) {
		if err := st.do.AddTrialUsers(ctx, st.trial, "triviactl send scenario"); err != nil {
			return fmt.Errorf("add the user of %s: %w", st.trial.Name, err)
		}
	}

	outcomes := outcomeNoun()
	out := newSink(st.session, outcomes, st.format)
	err := st.play(ctx, out)
	if endErr := out.end(); endErr != nil {
		err = errors.Join(err, fmt.Errorf("write %s: %w", outcomes.plural, endErr))
	}
	if st.cleanup && st.do != nil {
		err = errors.Join(err, st.remove(context.WithoutCancel(ctx)))
	}
	if err != nil {
		return err
	}

	return st.verdict()
}

func (st *staging) play(ctx context.Context, out sink[outcome]) error {
	progress := st.progress("sending", "scenarios")
	defer progress.stop()
	for i, sc := range st.chosen {
		got, err := st.one(ctx, sc)
		if err != nil {
			return fmt.Errorf("scenario %s: %w", sc.name, err)
		}
		if !got.fits() {
			st.differing = append(st.differing, got)
		}
		if err := out.row(got); err != nil {
			return fmt.Errorf("write %s: %w", sc.name, err)
		}
		progress.set(i+1, int64(i+1), int64(len(st.chosen)))
	}

	return nil
}

// one sends one scenario, and looks what is in the database afterwards.
func (st *staging) one(ctx context.Context, sc scenario) (outcome, error) {
	at := &scene{staging: st, trivia: trivia.ID(st.trial.Name + "-" + sc.name)}
	got := outcome{scenario: sc, seen: sc.play(ctx, at)}
	if err := ctx.Err(); err != nil {
		return got, err
	}
	if st.do == nil {
		return got, nil
	}

	kept, err := st.do.CountKept(ctx, at.keys)
	if err != nil {
		return got, err
	}
	user := st.user
	if sc.stranger {
		user = st.stranger()
	}
	won, err := st.do.CountWins(ctx, user, at.trivia)
	if err != nil {
		return got, err
	}
	got.seenRows = rowWords(kept, won)
	got.wantRows = rowWords(sc.kept, store.Awarded{Wins: sc.won, Prizes: sc.won, Ours: won.Ours})

	return got, nil
}

// rowWords say what is in the database. Prizes that are a team's own are not.
func rowWords(kept int, won store.Awarded) string {
	text := fmt.Sprintf("%d kept, %s", kept, plural(won.Wins, "win"))
	if won.Ours {
		text += ", " + plural(won.Prizes, "prize")
	}

	return text
}

// verdict says what differs, in full.
func (st *staging) verdict() error {
	if len(st.differing) == 0 {
		return nil
	}
	for _, got := range st.differing {
		text := fmt.Sprintf("%s: expected %s", got.name, got.expected())
		if got.wantRows != got.seenRows {
			text += " with " + got.wantRows
		}
		text += ", seen " + got.seen
		if got.wantRows != got.seenRows {
			text += " with " + got.seenRows
		}
		st.say("%s", tui.Clean(text))
	}

	err := fmt.Errorf("%d of %d differ", len(st.differing), len(st.chosen))
	switch first := st.differing[0]; {
	case first.user && strings.Contains(first.seen, string(trivia.UnknownUser)):
		return hinted{err, "is the user there? add them with: triviactl users add " + shellWord(string(st.user))}
	case first.hint != "":
		return hinted{err, first.hint}
	}

	return err
}

// stranger is a user who is not there.
func (st *staging) stranger() trivia.UserID { return st.trial.User(1) }

// remove removes all that was written, the stranger's too: a hook may create
// users.
func (st *staging) remove(ctx context.Context) error {
	trial := st.trial
	trial.Users = 2
	rows, err := st.do.RemoveTrial(ctx, trial, slices.Values(st.keys), "triviactl send scenario --cleanup")
	if err != nil {
		return fmt.Errorf("clean up after %s: %w", trial.Name, err)
	}
	st.say("%d rows of %s removed", rows, trial.Name)

	return nil
}
