package ctl

import (
	"context"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// replayVerbs settle again what was kept.
type replayVerbs interface {
	ListReplay(context.Context, operator.ReplaySet) iter.Seq2[store.DeliveryRow, error]
	CountReplay(context.Context, operator.ReplaySet) (int, error)
	PreviewReplay(context.Context, operator.Replay) (operator.Replayed, error)
	Replay(context.Context, operator.Replay) (operator.Replayed, error)
	Resend(context.Context, operator.Resend) (store.Cursor, error)
	PreviewRepair(context.Context, operator.Repair) (operator.Repaired, error)
	Repair(context.Context, operator.Repair) (operator.Repaired, error)
}

// defaultRate leaves most of a small database to the service.
const defaultRate = 200

// mostRate keeps a slip of the finger from being taken for a number.
const mostRate = 100_000

func (s *session) replayCommand() *cli.Command {
	return &cli.Command{
		Name: "replay", Category: mend, Usage: "settle again what was kept; it never awards twice",
		ArgsUsage: "KEY... | --outcome OUTCOME ...",
		Description: `First it shows what would come of it, by the real rules, and asks. Oldest first.
What was awarded stays. It can be stopped at any time, and says how to go on.
--http sends the bytes once more instead, freshly signed, to a running hook.
--with-item and the like repair one win that was parked: a copy is settled, and
the delivery is kept.

Examples:
  triviactl replay --outcome unknown_user --trivia capitals --since 2h --dry-run
  triviactl replay --state parked --reason "users imported" --yes
  triviactl replay 01H8XGJWBWBAQ4 --with-item mug --reason "a typo"
  triviactl replay --since 1h --http http://127.0.0.1:8080 --rate 50`,
		Flags: slices.Concat(deliveryFlags(), []cli.Flag{
			&cli.GenericFlag{Name: "body", Value: &assignments{}, Usage: "of a KEY, the body whose SHA-256 begins with `HEX`"},
			&cli.IntFlag{Name: "limit", Usage: "no more than `N`, the oldest"},
			&cli.StringFlag{Name: "after", Usage: "go on behind `CURSOR`, which a stopped one prints"},
			&cli.IntFlag{Name: "rate", Value: defaultRate, Usage: "at most `N` in a second; 0 is no limit"},
			&cli.BoolFlag{Name: "dry-run", Usage: "show what would come of it, and do nothing"},
			yesFlag(),
			&cli.StringFlag{Name: "http", Usage: "send the stored bytes to the hook at `URL` instead"},
			&cli.StringFlag{Name: "with-item", Usage: "repair: the prize is `ITEM`"},
			&cli.StringFlag{Name: "with-user", Usage: "repair: the winner is `USER`"},
			&cli.StringFlag{Name: "with-trivia", Usage: "repair: the trivia is `TRIVIA`"},
			reasonFlag(),
			outputFlag(cardFormats()),
		}),
		Action: s.replay,
	}
}

// A replayCall is what the words of a call ask for.
type replayCall struct {
	keys   []string
	bodies []string // begin the SHA-256, in hex; of a key that has one of several, that one is meant
	set    operator.ReplaySet
	rate   int
	dryRun bool
	yes    bool
	http   string
	with   trivia.Win
	reason string
	format string

	create bool // insert a missing user with the win
	owing  store.Owing
}

func (s *session) parseReplay(c *cli.Context) (r replayCall, err error) {
	r = replayCall{
		keys: c.Args().Slice(), bodies: bodiesOf(c), rate: c.Int("rate"),
		dryRun: c.Bool("dry-run"), yes: c.Bool("yes"), http: c.String("http"), reason: c.String("reason"),
		with: trivia.Win{
			User:   trivia.UserID(trivia.Clean(c.String("with-user"))),
			Trivia: trivia.ID(trivia.Clean(c.String("with-trivia"))),
			Item:   trivia.Item(trivia.Clean(c.String("with-item"))),
		},
	}
	if r.set.Walk.Filter, err = parseDeliveryFilter(c, s.Now()); err != nil {
		return r, err
	}
	if r.format, err = oneOf(c, "output", cardFormats()); err != nil {
		return r, err
	}
	r.set.After, r.set.Limit = store.Cursor(c.String("after")), c.Int("limit")
	if err := r.check(c); err != nil {
		return r, err
	}

	set, err := s.settings()
	r.create = set.CreateUsers
	r.owing.Policy = operator.PolicyOf(set.Pushes)

	return r, err
}

// check refuses words that do not fit together.
func (r replayCall) check(c *cli.Context) error {
	called := c.Command.HelpName
	chosen := r.set.Walk.Filter
	chosen.Kind = "" // may choose among what came under a key
	filtered := chosen != (store.DeliveryFilter{}) || r.set.After != "" || c.IsSet("limit")
	repairs := r.with != (trivia.Win{})
	switch {
	case len(r.keys) > 0 && filtered:
		return usagef("take one of them; a KEY may have --kind and --body besides", "KEYs and flags that choose many exclude each other")
	case len(r.keys) == 0 && chosen == (store.DeliveryFilter{}) && r.set.Walk.Filter.Kind == "":
		return usagef(called+" --help tells more", "%s wants KEY..., or flags that choose deliveries, such as --state parked", called)
	case len(r.keys) == 0 && len(r.bodies) > 0:
		return usagef("as in "+called+" KEY --body ab12", "--body chooses among what came under a KEY")
	case r.rate < 0 || r.rate > mostRate:
		return usagef(fmt.Sprintf("want 1 to %d, or 0 for no limit", mostRate), "--rate cannot be %d", r.rate)
	case c.IsSet("limit") && r.set.Limit < 1:
		return usagef("leave it out for all", "--limit is %d, want at least 1", r.set.Limit)
	case repairs && len(r.keys) != 1:
		return usagef("as in "+called+" KEY --with-item mug --reason WHY", "a repair is of one delivery: give its KEY")
	case repairs && r.reason == "":
		return usagef(`as in --reason "typo in the campaign"`, "a repair wants --reason")
	case repairs && r.http != "":
		return usagef("take one of them", "--http and a repair exclude each other")
	case r.http != "" && r.format != formatTable:
		return usagef("leave one out", "--http has no --output %s", r.format)
	}

	return nil
}

func (s *session) replay(c *cli.Context) error {
	r, err := s.parseReplay(c)
	if err != nil {
		return err
	}
	var to targets
	if r.http != "" {
		if to, err = s.parseTargets(r); err != nil {
			return err
		}
	}
	do, done, err := s.open(c.Context)
	if err != nil {
		return err
	}
	defer done()

	if len(r.keys) > 0 {
		if r.set.Rows, err = r.choose(c.Context, do); err != nil {
			return err
		}
	}
	switch {
	case r.with != (trivia.Win{}):
		return s.repair(c.Context, do, r)
	case r.http != "":
		return s.resend(c, do, r, to)
	default:
		return s.replayAll(c, do, r)
	}
}

// choose finds the deliveries that the keys stand for: one for each.
func (r replayCall) choose(ctx context.Context, do verbs) ([]store.DeliveryRow, error) {
	rows := []store.DeliveryRow{}
	for _, key := range slices.Compact(slices.Sorted(slices.Values(r.keys))) {
		found, err := do.ShowDelivery(ctx, key)
		if err != nil {
			return nil, hintMissing(err, "nothing was done; keys are in: triviactl deliveries list")
		}
		all := len(found)
		found = slices.DeleteFunc(found, func(d store.DeliveryRow) bool {
			return r.set.Walk.Filter.Kind != "" && d.Kind != r.set.Walk.Filter.Kind ||
				!r.wants(d)
		})
		switch {
		case len(found) == 0:
			return nil, hinted{noSuchBody(key), "leave out --kind and --body to see what there is"}
		case len(found) > 1:
			return nil, ambiguous(key, all, found)
		}
		rows = append(rows, found[0])
	}

	return rows, nil
}

// wants reports whether the body of d was asked for.
func (r replayCall) wants(d store.DeliveryRow) bool {
	sum := hex.EncodeToString(d.SHA256)

	return len(r.bodies) == 0 || slices.ContainsFunc(r.bodies, func(begin string) bool { return strings.HasPrefix(sum, begin) })
}

// bodiesOf are the values of --body.
func bodiesOf(c *cli.Context) (bodies []string) {
	given, _ := c.Generic("body").(*assignments)
	for _, begin := range given.all {
		bodies = append(bodies, strings.ToLower(begin))
	}

	return bodies
}

// ambiguous says between which bodies one has to choose.
func ambiguous(key string, all int, found []store.DeliveryRow) error {
	var text strings.Builder
	for _, d := range found {
		standing := operator.Standing{State: d.State, Outcome: d.Outcome}
		sum := hex.EncodeToString(d.SHA256)
		_, _ = fmt.Fprintf(&text, "\n  --kind %s --body %s  %s, %s", d.Kind, sum[:min(12, len(sum))], standing, plural(d.Size, "byte"))
	}

	return usagef("choose one of them; triviactl deliveries show "+shellWord(key)+" shows them",
		"%q stands for %s:%s", key, pluralOf(all, "body", "bodies"), text.String())
}
