package store

import (
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"trivia/internal/trivia"
)

// What eventColumns.args sends, in this order.
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
		$1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::smallint[],
		$7::text[], $8::text[], $9::text[], $10::text[],
		$11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[], $17::text[],
		$18::text[], $19::text[], $20::text[], $21::text[], $22::text[])
		AS a (
			event_id, object_type, metric, occurred_at, received_at, signs,
			person, customer_id, email, cio_id,
			delivery_id, campaign_id, broadcast_id, newsletter_id, action_id, transactional_id, template_id,
			link_id, href, tracked_response, failure_message, owed)`

// Only for an event that is really recorded now anything is owed, and an
// answer written down.
//
// IS TRUE keeps the planner from joining, and so from comparing all with all:
// it looks each up in a hash table instead.
const recordMore = `
	ON CONFLICT (event_id) DO NOTHING
	RETURNING event_id
	), owed AS (
		INSERT INTO pushes (person, kind, cause, cause_id, attributes, occurred_at, state, reason)
		SELECT a.person, a.kind, 'event', a.event_id, a.attributes::jsonb, a.occurred_at, $23, nullif($24, '')
		FROM unnest($25::text[], $26::text[], $27::text[], $28::text[], $29::timestamptz[])
			AS a (event_id, person, kind, attributes, occurred_at)
		WHERE (a.event_id IN (SELECT r.event_id FROM recorded AS r)) IS TRUE
	), answered AS (
		INSERT INTO responses (user_id, trivia_id, event_id, answer, answered_at)
		SELECT a.user_id, a.trivia_id, a.event_id, a.answer, a.answered_at
		FROM unnest($30::text[], $31::text[], $32::text[], $33::text[], $34::timestamptz[])
			AS a (event_id, user_id, trivia_id, answer, answered_at)
		WHERE (a.event_id IN (SELECT r.event_id FROM recorded AS r)) IS TRUE
	)`

// keepAndRecord keeps deliveries, and records those events whose very body it
// has put under its key. So a second body under a key is never recorded, whoever
// was first, and a repeat changes nothing.
const keepAndRecord = `
	WITH kept AS (` + keepInto + recordedArrays + keepFrom + `
	), recorded AS (` + recordEvents + `
	WHERE (a.event_id IN (SELECT k.key FROM kept AS k WHERE k.fresh AND k.kind = 'event')) IS TRUE` + recordMore + `
	SELECT key, kind, fresh, state, outcome FROM kept`

// recordKept records events that stand in deliveries already.
const recordKept = `
	WITH recorded AS (` + recordEvents + recordMore + `
	SELECT`

// recordedArrays are arrivedArrays, behind what eventColumns.args sends.
const recordedArrays = `
		$35::text[], $36::text[], $37::bytea[], $38::bytea[], $39::text[], $40::text[], $41::text[],
		$42::text[], $43::text[], $44::text[],
		$45::timestamptz[], $46::integer[], $47::text[], $48::text[], $49::text[]`

// queueRecord records one event that was kept before.
func queueRecord(q *pgx.Batch, event *slip, owing Owing) {
	c := newEventColumns(1)
	c.add(event, owing.Policy)
	q.Queue(recordKept, c.args(owing.Held)...)
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
		signs: make([]int16, 0, n),
	}
	words := make([]string, wordColumns*n)
	for i := range c.words {
		c.words[i] = words[i*n : i*n : (i+1)*n]
	}

	return c
}

func (c *eventColumns) add(s *slip, policy trivia.Policy) {
	ev := &s.Event
	c.ids = append(c.ids, s.Key)
	c.objects = append(c.objects, ev.ObjectType)
	c.metrics = append(c.metrics, ev.Metric)
	c.received = append(c.received, s.At)
	c.signs = append(c.signs, signsOf(ev))

	var at *time.Time
	if !ev.At.IsZero() {
		at = &ev.At
	}
	c.occurred = append(c.occurred, at)

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

func (c *eventColumns) args(held bool) []any {
	args := make([]any, 0, 49)
	args = append(args, c.ids, c.objects, c.metrics, c.occurred, c.received, c.signs)
	for i := range c.words {
		args = append(args, c.words[i])
	}
	state, reason := firstPushState(held)
	args = append(args, state, reason, c.owed.events, c.owed.people, c.owed.kinds, c.owed.attributes, c.owed.ats)

	return append(args, c.answers.events, c.answers.people, c.answers.trivias, c.answers.answers, c.answers.ats)
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
