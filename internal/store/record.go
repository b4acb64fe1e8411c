package store

import (
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"trivia/internal/trivia"
)

// As with wins, an event counts in the transaction that keeps it only if its
// very body was put under its key there.
const recordEvents = `
	INSERT INTO events (
		event_id, object_type, metric, occurred_at, received_at,
		person, customer_id, email, cio_id,
		delivery_id, campaign_id, broadcast_id, newsletter_id, action_id, transactional_id, template_id,
		link_id, href, tracked_response, failure_message, owed,
		machine, prefetched, proxied, synthetic)
	SELECT
		event_id, object_type, metric, occurred_at, received_at,
		person, customer_id, email, cio_id,
		delivery_id, campaign_id, broadcast_id, newsletter_id, action_id, transactional_id, template_id,
		link_id, href, tracked_response, failure_message, owed,
		signs & 1 <> 0, signs & 2 <> 0, signs & 4 <> 0, signs & 8 <> 0
	FROM unnest(
		$1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::bytea[], $7::smallint[],
		$8::text[], $9::text[], $10::text[], $11::text[],
		$12::text[], $13::text[], $14::text[], $15::text[], $16::text[], $17::text[], $18::text[],
		$19::text[], $20::text[], $21::text[], $22::text[], $23::text[])
		AS a (
			event_id, object_type, metric, occurred_at, received_at, sha256, signs,
			person, customer_id, email, cio_id,
			delivery_id, campaign_id, broadcast_id, newsletter_id, action_id, transactional_id, template_id,
			link_id, href, tracked_response, failure_message, owed)
	WHERE a.sha256 IS NULL OR a.sha256 = (
		SELECT d.body_sha256 FROM deliveries AS d
		WHERE d.key = a.event_id AND d.kind = 'event' AND d.rival = ''
			AND d.outcome = 'recorded' AND d.settled_at = now())
	ON CONFLICT (event_id) DO NOTHING`

// Only for an event that is really recorded now anything is owed, and an
// answer written down.
const (
	recordOwing = `
	WITH recorded AS (` + recordEvents + ` RETURNING event_id
	), owed AS (
		INSERT INTO pushes (person, kind, cause, cause_id, attributes, occurred_at, state, reason)
		SELECT a.person, a.kind, 'event', a.event_id, a.attributes::jsonb, a.occurred_at, $24, nullif($25, '')
		FROM unnest($26::text[], $27::text[], $28::text[], $29::text[], $30::timestamptz[])
			AS a (event_id, person, kind, attributes, occurred_at)
		WHERE a.event_id IN (SELECT r.event_id FROM recorded AS r)`

	recordAnswers = `
	), answered AS (
		INSERT INTO responses (user_id, trivia_id, event_id, answer, answered_at)
		SELECT a.user_id, a.trivia_id, a.event_id, a.answer, a.answered_at
		FROM unnest($31::text[], $32::text[], $33::text[], $34::text[], $35::timestamptz[])
			AS a (event_id, user_id, trivia_id, answer, answered_at)
		WHERE a.event_id IN (SELECT r.event_id FROM recorded AS r)`

	recorded = `
	)
	SELECT`
)

// queueRecord records events that are kept as recorded. They come sorted by
// key, as all slips of a batch.
func queueRecord(q *pgx.Batch, events []*slip, owing Owing, keeping bool) {
	if len(events) == 0 {
		return
	}

	c := newEventColumns(len(events))
	for _, s := range events {
		c.add(s, owing.Policy, keeping)
	}
	switch {
	case len(c.answers.events) > 0:
		q.Queue(recordOwing+recordAnswers+recorded, append(append(c.args(), c.owed.args(owing.Held)...), c.answers.args()...)...)
	case len(c.owed.events) > 0:
		q.Queue(recordOwing+recorded, append(c.args(), c.owed.args(owing.Held)...)...)
	default:
		q.Queue(recordEvents, c.args()...)
	}
}

// happened returns when an event came to be true, as far as we know: a sender's
// clock may be wrong, but nothing is true before it has happened.
func (s *slip) happened() time.Time {
	if at := s.Event.At; !at.IsZero() && at.Before(s.At) {
		return at
	}

	return s.At
}

// An eventColumns are events as arrays, for unnest.
type eventColumns struct {
	ids, objects, metrics []string
	occurred              []*time.Time
	received              []time.Time
	sums                  [][]byte
	signs                 []int16
	words                 [wordColumns]texts

	owed    pushColumns
	answers answerColumns
}

// wordColumns is how many columns of an event are text that may be absent.
const wordColumns = 16

func newEventColumns(n int) *eventColumns {
	c := &eventColumns{
		ids: make([]string, 0, n), objects: make([]string, 0, n), metrics: make([]string, 0, n),
		occurred: make([]*time.Time, 0, n), received: make([]time.Time, 0, n),
		sums: make([][]byte, 0, n), signs: make([]int16, 0, n),
	}
	words := make([]string, wordColumns*n)
	for i := range c.words {
		c.words[i] = words[i*n : i*n : (i+1)*n]
	}

	return c
}

func (c *eventColumns) add(s *slip, policy trivia.Policy, keeping bool) {
	ev := &s.Event
	c.ids = append(c.ids, s.Key)
	c.objects = append(c.objects, ev.ObjectType)
	c.metrics = append(c.metrics, ev.Metric)
	c.received = append(c.received, s.At)
	c.signs = append(c.signs, signsOf(ev))

	var (
		at  *time.Time
		sum []byte
	)
	if !ev.At.IsZero() {
		at = &ev.At
	}
	if keeping {
		sum = s.SHA256[:]
	}
	c.occurred, c.sums = append(c.occurred, at), append(c.sums, sum)

	for i, word := range [wordColumns]string{
		ev.Person, ev.CustomerID, ev.Email, ev.CioID,
		ev.DeliveryID, ev.Campaign, ev.Broadcast, ev.Newsletter, ev.Action, ev.Transactional, ev.Template,
		ev.Link, ev.Href, ev.Response, ev.Failure, string(c.owed.add(s, policy)),
	} {
		c.words[i] = append(c.words[i], word)
	}
	c.answers.add(s)
}

func signsOf(ev *trivia.Event) (signs int16) {
	for i, sign := range [...]bool{ev.Machine, ev.Prefetched, ev.Proxied, ev.Synthetic} {
		if sign {
			signs |= 1 << i
		}
	}

	return signs
}

func (c *eventColumns) args() []any {
	args := make([]any, 0, 35)
	args = append(args, c.ids, c.objects, c.metrics, c.occurred, c.received, c.sums, c.signs)
	for i := range c.words {
		args = append(args, c.words[i])
	}

	return args
}

// A pushColumns are pushes as arrays.
type pushColumns struct {
	events, people, kinds, attributes []string
	ats                               []time.Time
}

// add adds what is owed for an event, and returns the kind of it, or nothing.
func (c *pushColumns) add(s *slip, policy trivia.Policy) trivia.PushKind {
	at := s.happened()
	push := policy.Owed(s.Event, at)
	switch {
	case push.Kind == "":
		return ""
	case s.Event.Person == "":
		return trivia.Nobody
	}

	attributes, _ := json.Marshal(push.Attributes) // text, numbers and booleans always marshal
	c.events = append(c.events, s.Key)
	c.people = append(c.people, s.Event.Person)
	c.kinds = append(c.kinds, string(push.Kind))
	c.attributes = append(c.attributes, string(attributes))
	c.ats = append(c.ats, at)

	return push.Kind
}

func (c *pushColumns) args(held bool) []any {
	state, reason := firstPushState(held)

	return []any{state, reason, c.events, c.people, c.kinds, c.attributes, c.ats}
}

// firstPushState returns how a push is written.
func firstPushState(held bool) (state trivia.PushState, reason string) {
	if held {
		return trivia.PushHeld, trivia.HeldForCredentials
	}

	return trivia.PushPending, ""
}

// An answerColumns are answers as arrays.
type answerColumns struct {
	events, people, trivias, answers []string
	ats                              []time.Time
}

func (c *answerColumns) add(s *slip) {
	answer, ok := s.Event.Answer()
	if !ok {
		return
	}
	c.events = append(c.events, s.Key)
	c.people = append(c.people, s.Event.Person)
	c.trivias = append(c.trivias, string(answer.Trivia))
	c.answers = append(c.answers, answer.Text)
	c.ats = append(c.ats, s.happened())
}

func (c *answerColumns) args() []any {
	return []any{c.events, c.people, c.trivias, c.answers, c.ats}
}

// Texts are an array of words, of which the empty ones are null.
type texts []string

// Dimensions implements [pgtype.ArrayGetter].
func (t texts) Dimensions() []pgtype.ArrayDimension {
	return []pgtype.ArrayDimension{{Length: int32(len(t)), LowerBound: 1}} //nolint:gosec // as many as a batch holds
}

// Index implements [pgtype.ArrayGetter].
func (t texts) Index(i int) any {
	if t[i] == "" {
		return nil
	}

	return t[i]
}

// IndexType implements [pgtype.ArrayGetter].
func (texts) IndexType() any { return "" }
