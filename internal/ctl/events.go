package ctl

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/urfave/cli/v2"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// statsSpan is how far back counting goes unless told otherwise.
const statsSpan = 24 * time.Hour

// eventVerbs are the verbs of events and answers.
type eventVerbs interface {
	ListEvents(context.Context, store.EventFilter, store.Page) iter.Seq2[store.EventRow, error]
	ShowEvent(ctx context.Context, id string) (operator.EventStory, error)
	CountEvents(context.Context, store.EventFilter) ([]store.EventCount, error)
	ListResponses(context.Context, store.ResponseFilter, store.Page) iter.Seq2[store.ResponseRow, error]
}

func (s *session) eventsCommand() *cli.Command {
	return &cli.Command{
		Name: "events", Category: look, Usage: "what reporting webhooks said about messages and people",
		Subcommands: []*cli.Command{
			{
				Name: "list", Usage: "list events, newest first",
				Description: `The event's identifier is shown where there is room, and in JSON and CSV.

Examples:
  triviactl events list --object email --metric bounced --since yesterday
  triviactl events list --user demo-1 --output json`,
				Flags:  append(eventFlags(), viewFlags()...),
				Action: listAction(s, eventNoun(), parseEventFilter, verbs.ListEvents),
			},
			{
				Name: "show", Usage: "show one event with its payload and its pushes", ArgsUsage: "EVENT_ID",
				Description: `Examples:
  triviactl events show 01E4C4CT6YDC7Y5M7FE1GWWPQJ
  triviactl events show 01E4C4CT6YDC7Y5M7FE1GWWPQJ --raw > event.json`,
				Flags: []cli.Flag{
					&cli.BoolFlag{Name: "raw", Usage: "write the payload and nothing else, byte for byte"},
					&cli.BoolFlag{Name: "no-body", Usage: "leave the payload out"},
					outputFlag(cardFormats()),
				},
				Action: s.showEvent,
			},
			{
				Name: "stats", Usage: "count events by object type and metric",
				Description: `Without --since it counts those of the last 24 hours.

Examples:
  triviactl events stats
  triviactl events stats --campaign 7 --since 2w --output csv`,
				Flags:  append(eventFlags(), outputFlag(formats())),
				Action: s.countEvents,
			},
		},
	}
}

// eventFlags choose events.
func eventFlags() []cli.Flag {
	return append([]cli.Flag{
		&cli.StringFlag{Name: "user", Usage: "only those of `PERSON`, as Customer.io knows them"},
		&cli.StringFlag{Name: "object", Usage: "only of `TYPE`: email, in_app, customer …"},
		&cli.StringFlag{Name: "metric", Usage: "only where `METRIC` happened: sent, clicked, bounced …"},
		&cli.StringFlag{Name: "campaign", Usage: "only of campaign `ID`"},
		&cli.StringFlag{Name: "text", Usage: "only with `TEXT` in person, answer or identifier"},
	}, sinceFlags()...)
}

func parseEventFilter(c *cli.Context, now time.Time) (f store.EventFilter, err error) {
	if _, err = plainWords(c); err != nil {
		return f, err
	}
	f = store.EventFilter{
		Person:     personFilter(c),
		ObjectType: c.String("object"),
		Metric:     c.String("metric"),
		Campaign:   c.String("campaign"),
		Text:       c.String("text"),
	}
	f.Since, f.Until, err = parseSpan(c, now)

	return f, err
}

func eventNoun() noun[store.EventRow] {
	type row = store.EventRow

	return noun[row]{
		plural: "events", cursor: row.Cursor,
		fields: []field[row]{
			{name: "received_at", value: func(e row) any { return e.ReceivedAt }, column: rigid("RECEIVED")},
			{name: "object_type", value: func(e row) any { return e.ObjectType }, column: rigid("OBJECT")},
			{name: "metric", value: func(e row) any { return e.Metric }, column: rigid("METRIC")},
			{name: "person", value: func(e row) any { return orNil(e.Person) }, column: flexible("PERSON")},
			{value: func(e row) any { return partOf(e.Event) }, column: flexible("OF")},
			{value: func(e row) any { return saidBy(e.Event) }, column: flexible("SAYS")},
			{name: "owed", value: func(e row) any { return orNil(e.Owed) }, column: rigid("OWED"), wide: true},
			{name: "event_id", value: func(e row) any { return e.ID }, column: rigid("EVENT"), wide: true},
			{name: "occurred_at", value: func(e row) any { return e.At }},
			{name: "customer_id", value: func(e row) any { return orNil(e.CustomerID) }},
			{name: "email", value: func(e row) any { return orNil(e.Email) }},
			{name: "cio_id", value: func(e row) any { return orNil(e.CioID) }},
			{name: "delivery_id", value: func(e row) any { return orNil(e.DeliveryID) }},
			{name: "campaign_id", value: func(e row) any { return orNil(e.Campaign) }},
			{name: "broadcast_id", value: func(e row) any { return orNil(e.Broadcast) }},
			{name: "newsletter_id", value: func(e row) any { return orNil(e.Newsletter) }},
			{name: "action_id", value: func(e row) any { return orNil(e.Action) }},
			{name: "transactional_id", value: func(e row) any { return orNil(e.Transactional) }},
			{name: "template_id", value: func(e row) any { return orNil(e.Template) }},
			{name: "link_id", value: func(e row) any { return orNil(e.Link) }},
			{name: "href", value: func(e row) any { return orNil(e.Href) }},
			{name: "tracked_response", value: func(e row) any { return orNil(e.Response) }},
			{name: "failure_message", value: func(e row) any { return orNil(e.Failure) }},
			{name: "machine", value: func(e row) any { return e.Machine }},
			{name: "prefetched", value: func(e row) any { return e.Prefetched }},
			{name: "proxied", value: func(e row) any { return e.Proxied }},
			{name: "synthetic", value: func(e row) any { return e.Synthetic }},
		},
	}
}

// partOf says what an event's message was a part of, in the widest sense that
// is known.
func partOf(ev trivia.Event) any {
	for _, part := range []struct{ called, id string }{
		{"campaign", ev.Campaign},
		{"broadcast", ev.Broadcast},
		{"newsletter", ev.Newsletter},
		{"transactional", ev.Transactional},
		{"delivery", ev.DeliveryID},
	} {
		if part.id != "" {
			return part.called + " " + part.id
		}
	}

	return nil
}

// saidBy is the one detail of an event that tells most.
func saidBy(ev trivia.Event) any {
	for _, words := range []string{ev.Response, ev.Failure, ev.Href} {
		if words != "" {
			return words
		}
	}

	return nil
}

func (s *session) showEvent(c *cli.Context) error {
	words, err := plainWords(c, "EVENT_ID")
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

	e, err := do.ShowEvent(c.Context, words[0])
	switch {
	case err != nil:
		return hintMissing(err, "what came and is no event yet: triviactl deliveries list --kind event --key="+shellWord(words[0]))
	case c.Bool("raw"):
		return s.rawPayload(e)
	case format == formatJSON:
		s.printEvent(e, !c.Bool("no-body"))

		return nil
	}

	return s.eventCard(e, !c.Bool("no-body"))
}

func (s *session) rawPayload(e operator.EventStory) error {
	if e.Payload == nil {
		return fmt.Errorf("payload of event %q: its delivery is gone: %w", e.ID, operator.ErrNotFound)
	}
	if _, err := s.Stdout.Write(e.Payload); err != nil {
		return fmt.Errorf("write the payload: %w", err)
	}

	return nil
}

func (s *session) printEvent(e operator.EventStory, payload bool) {
	fields := storyFields(eventNoun().fields, func(e operator.EventStory) store.EventRow { return e.EventRow })
	if payload {
		fields = append(fields, bodyFields("payload", func(e operator.EventStory) []byte { return e.Payload })...)
	}
	fields = append(fields, field[operator.EventStory]{name: "pushes", value: func(e operator.EventStory) any {
		return rawObjects(pushNoun().fields, e.Pushes)
	}})
	s.print("%s\n", object(fields, e))
}

func (s *session) eventCard(e operator.EventStory, body bool) error {
	var signs []any
	for _, sign := range []struct {
		is   bool
		word string
	}{{e.Machine, "by a machine"}, {e.Prefetched, "prefetched"}, {e.Proxied, "through a proxy"}, {e.Synthetic, "synthetic"}} {
		if sign.is {
			signs = append(signs, sign.word)
		}
	}
	payload := plural(len(e.Payload), "byte")
	if e.Payload == nil {
		payload = "gone, with its delivery"
	}

	s.card(
		line{"event", []any{e.ID}}, line{"object", []any{e.ObjectType}}, line{"metric", []any{e.Metric}},
		line{"occurred", []any{e.At}}, line{"received", []any{e.ReceivedAt}},
		line{"person", []any{e.Person}}, line{"customer id", []any{e.CustomerID}},
		line{"email", []any{e.Email}}, line{"cio id", []any{e.CioID}},
		line{"delivery", []any{e.DeliveryID}}, line{"campaign", []any{e.Campaign}}, line{"broadcast", []any{e.Broadcast}},
		line{"newsletter", []any{e.Newsletter}}, line{"action", []any{e.Action}},
		line{"transactional", []any{e.Transactional}}, line{"template", []any{e.Template}},
		line{"link", []any{e.Link}}, line{"href", []any{e.Href}},
		line{"response", []any{e.Response}}, line{"failure", []any{e.Failure}}, line{"signs", signs},
		line{"push", []any{owedWords(e)}}, line{"payload", []any{payload}},
	)
	if body {
		s.body(e.Payload)
	}

	return section(s, pushNoun().fields, e.Pushes)
}

// owedWords say what an event asked for.
func owedWords(e operator.EventStory) any {
	switch {
	case e.Owed == "":
		return nil
	case e.Owed == trivia.Nobody:
		return "owed, but the event names nobody to push for"
	case len(e.Pushes) == 0:
		return string(e.Owed) + ", which is gone"
	}

	return string(e.Owed)
}

func (s *session) countEvents(c *cli.Context) error {
	f, err := parseEventFilter(c, s.Now())
	if err != nil {
		return err
	}
	format, err := oneOf(c, "output", formats())
	if err != nil {
		return err
	}
	if !c.IsSet("since") {
		if f.Since = s.Now().Add(-statsSpan); !f.Until.IsZero() {
			f.Since = f.Until.Add(-statsSpan)
		}
	}
	do, done, err := s.open(c.Context)
	if err != nil {
		return err
	}
	defer done()

	counts, err := do.CountEvents(c.Context, f)
	if err != nil {
		return err
	}

	return list(s, countNoun(), view{format: format}, func(store.Page) iter.Seq2[store.EventCount, error] {
		return func(yield func(store.EventCount, error) bool) {
			for _, count := range counts {
				if !yield(count, nil) {
					return
				}
			}
		}
	})
}

func countNoun() noun[store.EventCount] {
	type row = store.EventCount

	return noun[row]{
		plural: "events",
		fields: []field[row]{
			{name: "object_type", value: func(n row) any { return n.ObjectType }, column: flexible("OBJECT")},
			{name: "metric", value: func(n row) any { return n.Metric }, column: flexible("METRIC")},
			{name: "count", value: func(n row) any { return n.Count }, column: number("COUNT")},
			{name: "first_received_at", value: func(n row) any { return n.First }, column: rigid("FIRST")},
			{name: "last_received_at", value: func(n row) any { return n.Last }, column: rigid("LAST")},
		},
	}
}
