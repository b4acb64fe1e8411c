package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"trivia/internal/trivia"
)

// What an operator has put aside meanwhile stays so, though it was sent.
const endPushes = `
	UPDATE pushes AS p
	SET state = e.state, status = nullif(e.status, 0), reason = nullif(e.reason, ''), attempts = p.attempts + e.tried,
		settled_at = CASE WHEN e.state <> 'pending' THEN now() END
	FROM unnest($1::text[], $2::bigint[], $3::text[], $4::int[], $5::text[], $6::int[])
		AS e (person, id, state, status, reason, tried)
	WHERE p.person = e.person AND p.id = e.id AND p.state = 'pending'`

const endTurns = `
	UPDATE push_people AS k
	SET leased_until = now() + t.rest * interval '1 s', failures = t.failures, told = t.told::jsonb, told_at = t.told_at
	FROM unnest($1::text[], $2::timestamptz[], $3::float8[], $4::int[], $5::text[], $6::timestamptz[])
		AS t (person, lease, rest, failures, told, told_at)
	WHERE k.person = t.person AND k.leased_until = t.lease`

// EndTurns writes down how turns of different people ended, in one commit. Of
// a person whose lease has ended meanwhile only the pushes are ended.
func (s *Store) EndTurns(ctx context.Context, turns []TurnEnd) error {
	var (
		ended  []endedPush
		pushes endedPushes
		people endedPeople
	)
	for _, t := range turns {
		if err := people.add(t); err != nil {
			return err
		}
		for _, e := range t.Ends {
			ended = append(ended, endedPush{t.Turn.Person, e})
		}
	}
	// Operators lock in the same order.
	slices.SortFunc(ended, func(a, b endedPush) int { return cmp.Compare(a.ID, b.ID) })
	for _, e := range ended {
		pushes.add(e)
	}

	var q pgx.Batch
	q.Queue(quick)
	if len(pushes.ids) > 0 {
		q.Queue(endPushes, pushes.people, pushes.ids, pushes.states, pushes.statuses, pushes.reasons, pushes.tried)
	}
	q.Queue(endTurns, people.people, people.leases, people.rests, people.failures, people.told, people.toldAt)
	if len(people.suppressed) > 0 {
		q.Queue(forgetSuppressed, people.suppressed)
		q.Queue(forgetLeases, people.suppressed)
	}
	if err := s.pool.SendBatch(ctx, &q).Close(); err != nil {
		return fmt.Errorf("end the turns of %d people: %w", len(turns), err)
	}

	return nil
}

type endedPush struct {
	person string
	PushEnd
}

// EndedPushes are pushes as arrays.
type endedPushes struct {
	people          []string
	ids             []int64
	states          []trivia.PushState
	statuses, tried []int
	reasons         []string
}

func (c *endedPushes) add(e endedPush) {
	tried := 0
	if e.Tried {
		tried = 1
	}
	c.people, c.ids = append(c.people, e.person), append(c.ids, e.ID)
	c.states, c.statuses = append(c.states, e.State), append(c.statuses, e.Status)
	c.reasons, c.tried = append(c.reasons, clean(e.Reason)), append(c.tried, tried)
}

// EndedPeople are people as arrays.
type endedPeople struct {
	people, told []string
	leases       []time.Time
	rests        []float64
	failures     []int
	toldAt       []*time.Time
	suppressed   []string // who are forgotten, and of whom Customer.io knows it now
}

func (c *endedPeople) add(t TurnEnd) error {
	told := []byte("{}")
	if len(t.Turn.Told) > 0 {
		var err error
		if told, err = json.Marshal(t.Turn.Told); err != nil {
			return fmt.Errorf("write what was told of %s: %w", t.Turn.Person, err)
		}
	}
	var toldAt *time.Time
	if !t.Turn.ToldAt.IsZero() {
		toldAt = &t.Turn.ToldAt
	}
	c.people, c.told = append(c.people, t.Turn.Person), append(c.told, string(told))
	c.leases, c.rests = append(c.leases, t.Turn.lease), append(c.rests, t.Rest.Seconds())
	c.failures, c.toldAt = append(c.failures, t.Turn.Failures), append(c.toldAt, toldAt)
	if t.suppressedNow() {
		c.suppressed = append(c.suppressed, t.Turn.Person)
	}

	return nil
}
