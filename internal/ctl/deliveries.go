package ctl

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
	"trivia/internal/tui"
)

func (s *session) deliveriesCommand() *cli.Command {
	return &cli.Command{
		Name: "deliveries", Category: look, Usage: "every verified request, as it was kept",
		Subcommands: []*cli.Command{
			{
				Name: "list", Usage: "list deliveries, newest first",
				Description: `Examples:
  triviactl deliveries list --state parked
  triviactl deliveries list --outcome unknown_user --since 2h --output json
  triviactl deliveries list --user demo-1`,
				Flags:  append(deliveryFlags(), viewFlags()...),
				Action: listAction(s, deliveryNoun(), parseDeliveryFilter, verbs.ListDeliveries),
			},
			{
				Name: "show", Usage: "show one delivery with its body", ArgsUsage: "KEY",
				Description: `A key that came with several bodies, or by both routes, shows all of them.

Examples:
  triviactl deliveries show 01H8XGJWBWBAQ4
  triviactl deliveries show 01H8XGJWBWBAQ4 --raw > body.json`,
				Flags: []cli.Flag{
					&cli.StringFlag{Name: "kind", Usage: "only `KIND`: " + strings.Join(wordsOf(trivia.Kinds()), ", ")},
					&cli.StringFlag{Name: "body", Usage: "only the body whose SHA-256 begins with `HEX`"},
					&cli.BoolFlag{Name: "raw", Usage: "write the body and nothing else, byte for byte"},
					&cli.BoolFlag{Name: "no-body", Usage: "leave the body out"},
					outputFlag(cardFormats()),
				},
				Action: s.showDelivery,
			},
		},
	}
}

// deliveryFlags choose deliveries.
func deliveryFlags() []cli.Flag {
	return append([]cli.Flag{
		&cli.StringFlag{Name: "user", Usage: "only wins of `USER`"},
		&cli.StringFlag{Name: "trivia", Usage: "only wins of `TRIVIA`"},
		&cli.StringFlag{Name: "item", Usage: "only wins that earn `ITEM`"},
		&cli.StringFlag{Name: "key", Usage: "only what came under `KEY`"},
		&cli.StringFlag{Name: "kind", Usage: "only `KIND`: " + strings.Join(wordsOf(trivia.Kinds()), ", ")},
		&cli.StringFlag{Name: "state", Usage: "only `STATE`: " + strings.Join(wordsOf(trivia.States()), ", ")},
		&cli.StringFlag{Name: "outcome", Usage: "only `OUTCOME`: awarded, malformed, unknown_user …"},
		&cli.StringFlag{Name: "mark", Usage: "only with `MARK`: " + strings.Join(wordsOf(trivia.Marks()), ", ")},
		&cli.StringFlag{Name: "text", Usage: "only with `TEXT` in user, trivia or key"},
	}, sinceFlags()...)
}

// parseDeliveryFilter reads what deliveryFlags say.
func parseDeliveryFilter(c *cli.Context, now time.Time) (f store.DeliveryFilter, err error) {
	kind, err := oneOf(c, "kind", wordsOf(trivia.Kinds()))
	if err != nil {
		return f, err
	}
	state, err := oneOf(c, "state", wordsOf(trivia.States()))
	if err != nil {
		return f, err
	}
	outcome, err := oneOf(c, "outcome", wordsOf(trivia.Outcomes()))
	if err != nil {
		return f, err
	}
	mark, err := oneOf(c, "mark", wordsOf(trivia.Marks()))
	if err != nil {
		return f, err
	}

	win := winFilter(c)
	f = store.DeliveryFilter{
		Key:     c.String("key"),
		Kind:    trivia.Kind(kind),
		State:   trivia.State(state),
		Outcome: trivia.Outcome(outcome),
		Mark:    trivia.Mark(mark),
		User:    win.User,
		Trivia:  win.Trivia,
		Item:    win.Item,
		Text:    c.String("text"),
	}
	f.Since, f.Until, err = parseSpan(c, now)

	return f, err
}

func deliveryNoun() noun[store.DeliveryRow] {
	type row = store.DeliveryRow
	states := &tui.Column{Title: "STATE", Rigid: true, Tone: stateTone}

	return noun[row]{
		plural: "deliveries", cursor: row.Cursor,
		fields: []field[row]{
			{name: "received_at", value: func(d row) any { return d.ReceivedAt }, column: rigid("RECEIVED")},
			{name: "kind", value: func(d row) any { return d.Kind }, column: rigid("KIND"), wide: true},
			{name: "key", value: func(d row) any { return d.Key }, column: flexible("KEY")},
			{name: "user_id", value: func(d row) any { return orNil(d.Win.User) }, column: flexible("USER")},
			{name: "trivia_id", value: func(d row) any { return orNil(d.Win.Trivia) }, column: flexible("TRIVIA")},
			{name: "item", value: func(d row) any { return orNil(d.Win.Item) }, column: flexible("ITEM")},
			{name: "state", value: func(d row) any { return d.State }, column: states},
			{name: "outcome", value: func(d row) any { return orNil(d.Outcome) }, column: rigid("OUTCOME")},
			{name: "seen", value: func(d row) any { return d.Seen }, column: number("SEEN"), wide: true},
			{name: "reason", value: func(d row) any { return orNil(d.Reason) }, column: flexible("REASON"), wide: true},
			{name: "last_seen_at", value: func(d row) any { return d.LastSeenAt }},
			{name: "caller", value: func(d row) any { return orNil(d.Caller) }},
			{name: "signed_by", value: func(d row) any { return orNil(d.SignedBy) }},
			{name: "timestamp", value: func(d row) any { return orNil(d.Stamp) }},
			{name: "attempts", value: func(d row) any { return d.Attempts }},
			{name: "due_at", value: func(d row) any { return d.DueAt }},
			{name: "settled_at", value: func(d row) any { return d.SettledAt }},
			{name: "bytes", value: func(d row) any { return d.Size }},
			{name: "body_sha256", value: func(d row) any { return hex.EncodeToString(d.SHA256) }},
			{name: "repairs", value: func(d row) any { return orNil(d.Repairs) }},
			{name: "repaired_by", value: func(d row) any { return orNil(d.RepairedBy) }},
			{name: "marks", value: func(d row) any { return orNil(operator.MarksText(d.Marks)) }},
			{name: "reuses", value: func(d row) any { return orNil(d.Reuses) }},
		},
	}
}

func stateTone(cell string) tui.Tone {
	switch trivia.State(cell) {
	case trivia.StateDone:
		return tui.Good
	case trivia.StatePending:
		return tui.Waiting
	case trivia.StateParked:
		return tui.Bad
	}

	return tui.Plain
}

func (s *session) showDelivery(c *cli.Context) error {
	words, err := plainWords(c, "KEY")
	if err != nil {
		return err
	}
	kind, err := oneOf(c, "kind", wordsOf(trivia.Kinds()))
	if err != nil {
		return err
	}
	format, err := oneOf(c, "output", cardFormats())
	if err != nil {
		return err
	}
	if c.Bool("raw") && c.Bool("no-body") {
		return usagef("take one of them", "--raw and --no-body exclude each other")
	}
	do, done, err := s.open(c.Context)
	if err != nil {
		return err
	}
	defer done()

	const hint = "keys are in: triviactl deliveries list"
	found, err := do.ShowDelivery(c.Context, words[0])
	if err != nil {
		return hintMissing(err, hint)
	}
	found = slices.DeleteFunc(found, func(d store.DeliveryRow) bool {
		return kind != "" && string(d.Kind) != kind ||
			!strings.HasPrefix(hex.EncodeToString(d.SHA256), strings.ToLower(c.String("body")))
	})
	switch {
	case len(found) == 0:
		return hinted{noSuchBody(words[0]), "leave out --kind and --body to see what there is"}
	case c.Bool("raw"):
		return s.rawBody(found)
	case format == formatJSON:
		fields := withBody()
		if c.Bool("no-body") {
			fields = deliveryNoun().fields
		}
		s.print("%s\n", jsonArray(fields, found))
	default:
		for i, d := range found {
			s.print("%s", map[bool]string{true: "\n"}[i > 0])
			s.deliveryCard(d)
			if !c.Bool("no-body") {
				s.body(d.Body)
			}
		}
	}

	return nil
}

// rawBody writes the one body that there is.
func (s *session) rawBody(found []store.DeliveryRow) error {
	if len(found) > 1 {
		return usagef("choose with --kind and --body; triviactl deliveries show without --raw shows them all",
			"this key stands for %d bodies", len(found))
	}
	if _, err := s.Stdout.Write(found[0].Body); err != nil {
		return fmt.Errorf("write the body: %w", err)
	}

	return nil
}

func (s *session) deliveryCard(d store.DeliveryRow) {
	signed := []any{nil}
	if d.SignedBy != "" {
		signed = []any{"key " + d.SignedBy, "timestamp " + d.Stamp}
	}
	seen := []any{"once"}
	if d.Seen > 1 {
		seen = []any{fmt.Sprintf("%d times, last %s", d.Seen, s.longText(d.LastSeenAt))}
	}
	repaired := []any{nil}
	if d.RepairedBy != "" {
		repaired = []any{"by " + d.RepairedBy}
	}
	s.card(
		line{"key", []any{d.Key}}, line{"kind", []any{d.Kind}},
		line{"state", []any{d.State}}, line{"outcome", []any{d.Outcome}}, line{"reason", []any{d.Reason}},
		line{"user", []any{d.Win.User}}, line{"trivia", []any{d.Win.Trivia}}, line{"item", []any{d.Win.Item}},
		line{"received", []any{d.ReceivedAt}}, line{"seen", seen}, line{"from", []any{d.Caller}}, line{"signed by", signed},
		line{"attempts", []any{d.Attempts}}, line{"tried next", []any{d.DueAt}}, line{"settled", []any{d.SettledAt}},
		line{"repairs", []any{d.Repairs}}, line{"repaired", repaired},
		line{"marks", []any{operator.MarksText(d.Marks)}}, line{"came under", []any{d.Reuses}},
		line{"sha-256", []any{hex.EncodeToString(d.SHA256)}}, line{"body", []any{plural(d.Size, "byte")}},
	)
}
