package store

import (
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"trivia/internal/trivia"
)

// What eventColumns.args sends, in this order.
const recordEvents = `
	INSERT INTO events (
		event_id, received_at, object_type, metric, occurred_at,
		person, customer_id, email, cio_id,
		delivery_id, campaign_id, broadcast_id, newsletter_id, action_id, transactional_id, template_id,
		link_id, href, tracked_response, failure_message, owed,
		machine, prefetched, proxied, synthetic)
	SELECT
		event_id, received_at, object_type, metric, occurred_at,
		person, customer_id, email, cio_id,
		delivery_id, campaign_id, broadcast_id, newsletter_id, action_id, transactional_id, template_id,
		link_id, href, tracked_response, failure_message, owed,
		signs & 1 <> 0, signs & 2 <> 0, signs & 4 <> 0, signs & 8 <> 0
	FROM unnest(
		$1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::timestamptz[], $6::smallint[],
		$7::text[], $8::text[], $9::text[], $10::text[],
		$11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[], $17::text[],
		$18::text[], $19::text[], $20::text[], $21::text[], $22::text[])
		AS a (
			event_id, received_at, object_type, metric, occurred_at, signs,
			person, customer_id, email, cio_id,
			delivery_id, campaign_id, broadcast_id, newsletter_id, action_id, transactional_id, template_id,
			link_id, href, tracked_response, failure_message, owed)`

// Only for an event that is really recorded now anything is owed, and an
// answer written down.
//
// IS TRUE keeps the planner from joining, and so from comparing all with all:
// it looks each up in a hash table instead.
const recordMore = `
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

// keepAndRecord keeps events as recorded, and records those whose very body it
// has put under its key. So a second body under a key is never recorded, whoever
// was first, and a repeat changes nothing. That an event is there whose delivery
// is not does not happen by itself: then the batch is refused, and each of it
// settled alone.
const keepAndRecord = `
	WITH kept AS (
		INSERT INTO deliveries AS d (
			key, kind, body, body_sha256, state, outcome,
			received_at, seen, last_seen_at, caller, signed_by, stamp, marks, settled_at)
		SELECT key, 'event', body, sha256, 'done', 'recorded',
			at, seen, at, caller, signed_by, stamp, string_to_array(marks, ','), now()
		FROM unnest($1::text[], $2::timestamptz[], $35::bytea[], $36::bytea[], $37::integer[], $38::text[], $39::text[], $40::text[], $41::text[])
			AS arrived (key, at, body, sha256, seen, caller, signed_by, stamp, marks)` + keepOrCount + `
	), recorded AS (` + recordEvents + `
	WHERE (a.event_id IN (SELECT k.key FROM kept AS k WHERE k.fresh)) IS TRUE` + recordMore + tellKept + `cardinality($1)`

// recordKept records events that stand in deliveries already.
const recordKept = `
	WITH recorded AS (` + recordEvents + `
	ON CONFLICT (event_id) DO NOTHING` + recordMore + `
	SELECT`

// queueKeepEvents keeps usable events and records them. They come sorted by
// key, as all slips of a batch.
func (b *batch) queueKeepEvents(q *pgx.Batch, events []*slip, owing Owing) {
	if len(events) == 0 {
		return
	}

	n := len(events)
	c := newEventColumns(n)
	bodies, sums, seen := make(blobs, n), make(blobs, n), make(counts, n)
	parts := make([]string, 4*n)
	callers, signers, stamps, marks := parts[:n], parts[n:2*n], parts[2*n:3*n], parts[3*n:]
	for i, s := range events {
		c.add(s, owing.Policy)
		bodies[i], sums[i], seen[i] = s.body(), s.SHA256[:], s.count
		callers[i], signers[i], stamps[i], marks[i] = s.Caller, s.SignedBy, s.Stamp, s.marks()
	}
	args := append(c.args(owing.Held), bodies, sums, seen, words(callers), words(signers), words(stamps), texts(marks))
	q.Queue(keepAndRecord, args...).Query(b.readKept(events, settledNow))
}

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
	ids, objects, metrics words
	received, occurred    times
	signs                 flags
	words                 [wordColumns]texts

	owed    pushColumns
	answers answerColumns
}

// wordColumns is how many columns of an event are text that may be absent.
const wordColumns = 16

func newEventColumns(n int) *eventColumns {
	parts := make([]string, (3+wordColumns)*n)
	part := func(i int) []string { return parts[i*n : i*n : (i+1)*n] }
	c := &eventColumns{
		ids: part(0), objects: part(1), metrics: part(2),
		received: make(times, 0, n), occurred: make(times, 0, n), signs: make(flags, 0, n),
	}
	for i := range c.words {
		c.words[i] = part(3 + i)
	}

	return c
}

func (c *eventColumns) add(s *slip, policy trivia.Policy) {
	ev := &s.Event
	c.ids = append(c.ids, s.Key)
	c.objects = append(c.objects, ev.ObjectType)
	c.metrics = append(c.metrics, ev.Metric)
	c.received = append(c.received, s.At)
	c.occurred = append(c.occurred, ev.At)
	c.signs = append(c.signs, signsOf(ev))
	for i, word := range [wordColumns]string{
		ev.Person, ev.CustomerID, ev.Email, ev.CioID,
		ev.DeliveryID, ev.Campaign, ev.Broadcast, ev.Newsletter, ev.Action, ev.Transactional, ev.Template,
		ev.Link, ev.Href, ev.Response, ev.Failure, string(c.owed.add(s, policy)),
	} {
		c.words[i] = append(c.words[i], word)
	}
	c.answers.add(s)
}

// args returns what recordEvents and recordMore take.
func (c *eventColumns) args(held bool) []any {
	args := make([]any, 0, 41)
	args = append(args, c.ids, c.received, c.objects, c.metrics, c.occurred, c.signs)
	for i := range c.words {
		args = append(args, c.words[i])
	}
	state, reason := firstPushState(held)
	args = append(args, state, reason, c.owed.events, c.owed.people, c.owed.kinds, c.owed.attributes, c.owed.ats)

	return append(args, c.answers.events, c.answers.people, c.answers.trivias, c.answers.answers, c.answers.ats)
}

func signsOf(ev *trivia.Event) (signs int16) {
	for i, sign := range [...]bool{ev.Machine, ev.Prefetched, ev.Proxied, ev.Synthetic} {
		if sign {
			signs |= 1 << i
		}
	}

	return signs
}

// A pushColumns are pushes as arrays.
type pushColumns struct {
	events, people, kinds, attributes words
	ats                               times
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
	events, people, trivias, answers words
	ats                              times
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
