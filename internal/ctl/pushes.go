package ctl

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
	"trivia/internal/tui"
)

// pushVerbs are the verbs of pushes.
type pushVerbs interface {
	ListPushes(context.Context, store.PushFilter, store.Page) iter.Seq2[store.PushRow, error]
	ShowPush(ctx context.Context, id int64) (operator.PushStory, error)
	MovePushes(ctx context.Context, move operator.PushMove, ids []int64, reason string) (int, error)
	PreviewMoves(ctx context.Context, move operator.PushMove, ids []int64, set store.PushSet) (operator.MovePreview, error)
	SweepPushes(context.Context, operator.PushMove, operator.PushSweep) (int, error)
	PushAttributes(ctx context.Context, person string, attributes map[string]any, at time.Time, reason string) (int64, error)
	PushWins(context.Context, operator.WinPushes) (operator.PushedWins, error)
	PreviewWins(context.Context, operator.WinPushes) (operator.WinPreview, error)
}

func (s *session) pushCommand() *cli.Command {
	return &cli.Command{
		Name: "push", Category: look, Usage: "what Customer.io is told, and what waits to be told",
		Subcommands: []*cli.Command{
			{
				Name: "list", Usage: "list pushes, newest first",
				Description: `Examples:
  triviactl push list --state parked
  triviactl push list --user demo-1 --since today --output json`,
				Flags:  append(pushFlags(), viewFlags()...),
				Action: listAction(s, pushNoun(), parsePushes, verbs.ListPushes),
			},
			{
				Name: "show", Usage: "show one push, and what its person was told before", ArgsUsage: "ID",
				Description: `Examples:
  triviactl push show 42
  triviactl push show 42 --output json`,
				Flags:  []cli.Flag{outputFlag(cardFormats())},
				Action: s.showPush,
			},
			s.retryCommand(), s.holdCommand(), s.releaseCommand(),
			s.pushAttributesCommand(), s.pushWinsCommand(), s.pushCheckCommand(),
		},
	}
}

func pushCauses() []trivia.PushCause {
	return []trivia.PushCause{trivia.CauseWin, trivia.CauseEvent, trivia.CauseOperator}
}

// pushFlags choose pushes.
func pushFlags() []cli.Flag {
	return append([]cli.Flag{
		&cli.StringFlag{Name: "user", Usage: "only for `PERSON`, as Customer.io knows them"},
		&cli.StringFlag{Name: "state", Usage: "only `STATE`: " + strings.Join(wordsOf(trivia.PushStates()), ", ")},
		&cli.StringFlag{Name: "kind", Usage: "only `KIND`: " + strings.Join(wordsOf(trivia.PushKinds()), ", ")},
		&cli.StringFlag{Name: "cause", Usage: "only what `CAUSE` asked for: " + strings.Join(wordsOf(pushCauses()), ", ")},
		&cli.StringFlag{Name: "text", Usage: "only with `TEXT` in person or cause"},
	}, sinceFlags()...)
}

func parsePushes(c *cli.Context, now time.Time) (f store.PushFilter, err error) {
	state, err := oneOf(c, "state", wordsOf(trivia.PushStates()))
	if err != nil {
		return f, err
	}
	kind, err := oneOf(c, "kind", wordsOf(trivia.PushKinds()))
	if err != nil {
		return f, err
	}
	cause, err := oneOf(c, "cause", wordsOf(pushCauses()))
	if err != nil {
		return f, err
	}

	f = store.PushFilter{
		Person: personFilter(c),
		State:  trivia.PushState(state),
		Kind:   trivia.PushKind(kind),
		Cause:  trivia.PushCause(cause),
		Text:   c.String("text"),
	}
	f.Since, f.Until, err = parseSpan(c, now)

	return f, err
}

func pushNoun() noun[store.PushRow] {
	type row = store.PushRow
	states := &tui.Column{Title: "STATE", Rigid: true, Tone: pushTone}

	return noun[row]{
		plural: "pushes", cursor: row.Cursor,
		fields: []field[row]{
			{name: "id", value: func(p row) any { return p.ID }, column: number("ID")},
			{name: "created_at", value: func(p row) any { return p.CreatedAt }, column: rigid("CREATED")},
			{name: "person", value: func(p row) any { return p.Person }, column: flexible("PERSON")},
			{name: "kind", value: func(p row) any { return p.Kind }, column: rigid("KIND")},
			{name: "cause", value: func(p row) any { return p.Cause }, column: rigid("CAUSE")},
			{name: "state", value: func(p row) any { return p.State }, column: states},
			{name: "attempts", value: func(p row) any { return p.Attempts }, column: number("TRIES"), wide: true},
			{name: "status", value: statusOf, column: number("HTTP")},
			{name: "reason", value: func(p row) any { return orNil(p.Reason) }, column: flexible("REASON")},
			{name: "cause_id", value: func(p row) any { return p.CauseID }},
			{name: "occurred_at", value: func(p row) any { return p.OccurredAt }},
			{name: "settled_at", value: func(p row) any { return p.SettledAt }},
			{name: "attributes", value: func(p row) any {
				if p.Attributes == nil {
					return nil
				}

				return p.Attributes
			}},
		},
	}
}

func statusOf(p store.PushRow) any {
	if p.Status == 0 {
		return nil
	}

	return p.Status
}

func pushTone(cell string) tui.Tone {
	switch trivia.PushState(cell) {
	case trivia.PushSent:
		return tui.Good
	case trivia.PushPending, trivia.PushHeld:
		return tui.Waiting
	case trivia.PushParked:
		return tui.Bad
	}

	return tui.Plain
}

func (s *session) showPush(c *cli.Context) error {
	words, err := plainWords(c, "ID")
	if err != nil {
		return err
	}
	id, err := pushID(words[0])
	if err != nil {
		return err
	}
	format, err := oneOf(c, "output", cardFormats())
	if err != nil {
		return err
	}
	do, done, err := s.open(c.Context)
	if err != nil {
		return err
	}
	defer done()

	p, err := do.ShowPush(c.Context, id)
	if err != nil {
		return hintMissing(err, pushesHint)
	}
	if format == formatJSON {
		s.printPush(p)

		return nil
	}
	s.pushCard(p)

	return nil
}

const pushesHint = "identifiers are in: triviactl push list"

// pushID reads the identifier of a push.
func pushID(word string) (int64, error) {
	id, err := strconv.ParseInt(word, 10, 64)
	if err != nil || id < 1 {
		return 0, usagef(pushesHint, "%q cannot be the ID of a push", word)
	}

	return id, nil
}

func (s *session) printPush(p operator.PushStory) {
	type story = operator.PushStory
	fields := append(
		storyFields(pushNoun().fields, func(p story) store.PushRow { return p.PushRow }),
		field[story]{name: "person_leased_until", value: func(p story) any { return p.Known.LeasedUntil }},
		field[story]{name: "person_failures", value: func(p story) any { return p.Known.Failures }},
		field[story]{name: "person_told_at", value: func(p story) any { return p.Known.ToldAt }},
		field[story]{name: "person_told", value: func(p story) any {
			told := map[string]string{}
			for name, since := range p.Known.Told {
				told[name] = exact(since)
			}

			return told
		}},
	)
	s.print("%s\n", object(fields, p))
}

func (s *session) pushCard(p operator.PushStory) {
	status := []any{nil}
	if p.Status != 0 {
		status = []any{fmt.Sprintf("HTTP %d", p.Status)}
	}
	s.card(
		line{"push", []any{p.ID}}, line{"person", []any{p.Person}}, line{"kind", []any{p.Kind}},
		line{"cause", []any{causeWords(p.PushRow)}},
		line{"occurred", []any{p.OccurredAt}}, line{"created", []any{p.CreatedAt}},
		line{"state", []any{p.State}}, line{"reason", []any{p.Reason}},
		line{"attempts", []any{p.Attempts}}, line{"last answer", status}, line{"settled", []any{p.SettledAt}},
		line{"attributes", []any{attributeWords(p.PushRow)}},
	)
	if p.Attributes != nil {
		var pretty bytes.Buffer
		_ = json.Indent(&pretty, p.Attributes, "", "  ") // the database gave it as JSON
		s.body(pretty.Bytes())
	}
	s.personCard(p.Known)
}

// causeWords say what asked for a push, and how to see it.
func causeWords(p store.PushRow) string {
	switch p.Cause {
	case trivia.CauseWin:
		return fmt.Sprintf("win of trivia %s; triviactl wins show %s %s", p.CauseID, shellWord(p.Person), shellWord(p.CauseID))
	case trivia.CauseEvent:
		return fmt.Sprintf("event; triviactl events show %s", shellWord(p.CauseID))
	case trivia.CauseOperator:
		return "operator " + p.CauseID
	}

	return string(p.Cause)
}

func attributeWords(p store.PushRow) any {
	if p.Attributes == nil {
		return "read from the person's wins when it is sent"
	}

	return "as follows"
}

// personCard shows what is known of a push's person, if anything is.
func (s *session) personCard(known store.PushPerson) {
	if known.LeasedUntil.IsZero() {
		return
	}

	rest := []any{nil}
	if known.LeasedUntil.After(s.Now()) {
		rest = []any{"until " + s.longText(known.LeasedUntil)}
	}
	failures := []any{nil}
	if known.Failures > 0 {
		failures = []any{fmt.Sprintf("%d in a row", known.Failures)}
	}
	s.print("\n")
	lines := []line{{"in hand, or at rest", rest}, {"failures", failures}, {"told last", []any{known.ToldAt}}}
	for _, name := range slices.Sorted(maps.Keys(known.Told)) {
		lines = append(lines, line{"told " + tui.Clean(name), []any{"as of " + s.longText(known.Told[name])}})
	}
	s.card(lines...)
}
