package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"trivia/internal/trivia"
)

const lockPushes = selectPush + `
	FROM pushes
	WHERE id = ANY(@ids::bigint[])
	ORDER BY id
	FOR UPDATE`

// LockPushes returns those of ids that are there, and keeps anybody else from
// changing them before the act ends.
func (a *Act) LockPushes(ctx context.Context, ids []int64) ([]PushRow, error) {
	rows, err := a.tx.Query(ctx, lockPushes, pgx.NamedArgs{"ids": ids})
	if err != nil {
		return nil, fmt.Errorf("lock %d pushes: %w", len(ids), err)
	}
	found, err := pgx.CollectRows(rows, scanPush)
	if err != nil {
		return nil, fmt.Errorf("lock %d pushes: %w", len(ids), err)
	}

	return found, nil
}

// A PushSet is many pushes that wait: those that fit all of its fields. A zero
// field fits everything that waits.
type PushSet struct {
	State        trivia.PushState // pending, held or parked
	Person       string
	Since, Until time.Time // Since ≤ created < Until
}

// A PushPlace is a place in the walk through a [PushSet]. The zero value
// stands before the first.
type PushPlace struct {
	person string
	id     int64
}

// Place returns where p stands.
func (p PushRow) Place() PushPlace { return PushPlace{p.Person, p.ID} }

// byPerson reports whether the walk goes from person to person, as the index
// of what is pending does. Otherwise it goes by identifier.
func (s PushSet) byPerson() bool { return s.State == trivia.PushPending }

// words adds the conditions. What was sent is never among them.
func (s PushSet) words(q *query) {
	switch {
	case s.State != "":
		whereState(q, s.State)
		if s.Person != "" {
			wherePerson(q, s.Person, s.State)
		}
	case s.Person != "":
		q.where("(person = @person AND state = 'pending' OR person = @person AND state IN ('held', 'parked'))", "person", s.Person)
	default:
		q.where("state IN ('pending', 'held', 'parked')")
	}
	q.during("created_at", s.Since, s.Until)
}

func (s PushSet) query(after PushPlace, last int64) *query {
	tail := `
	ORDER BY id
	FOR UPDATE SKIP LOCKED`
	if s.byPerson() {
		tail = `
	ORDER BY person, id
	FOR UPDATE SKIP LOCKED`
	}

	q := newQuery(listPushes, tail)
	s.words(q)
	q.where("id <= @last", "last", last)
	switch {
	case after == PushPlace{}:
	case s.byPerson():
		q.where("(person, id) > (@after_person, @after_id)", "after_person", after.person, "after_id", after.id)
	default:
		q.where("id > @after_id", "after_id", after.id)
	}

	return q
}

// LockPushSet returns up to limit pushes of a set that come behind a place and
// were written before the one called last, in the order of the walk. It leaves
// out those that somebody else is changing: they lock in another order.
func (a *Act) LockPushSet(ctx context.Context, set PushSet, after PushPlace, last int64, limit int) ([]PushRow, error) {
	sql, args := set.query(after, last).text(limit)
	rows, err := a.tx.Query(ctx, sql, args)
	if err != nil {
		return nil, fmt.Errorf("lock pushes: %w", err)
	}
	found, err := pgx.CollectRows(rows, scanPush)
	if err != nil {
		return nil, fmt.Errorf("lock pushes: %w", err)
	}

	return found, nil
}

const countPushSet = `
	SELECT count(*), coalesce(max(id), 0)
	FROM pushes`

// CountPushSet returns how many pushes a set has, and the identifier of the
// last one.
func (s *Store) CountPushSet(ctx context.Context, set PushSet) (n int, last int64, err error) {
	q := newQuery(countPushSet, "")
	set.words(q)
	sql, args := q.text(1)
	if err := s.pool.QueryRow(ctx, sql, args).Scan(&n, &last); err != nil {
		return 0, 0, fmt.Errorf("count pushes: %w", err)
	}

	return n, last, nil
}

// Whoever lets a push wait again lets it begin anew.
const movePushes = `
	UPDATE pushes AS p
	SET state = @state, reason = nullif(@reason, ''), settled_at = NULL,
		attempts = CASE WHEN @state = 'pending' THEN 0 ELSE p.attempts END
	FROM unnest(@ids::bigint[], @people::text[]) AS m (id, person)
	WHERE p.id = m.id AND p.person = m.person`

// Who rests after failures need not, once a person has looked. What ends sooner
// than a lease may be one, and is left alone.
const endRests = `
	UPDATE push_people
	SET leased_until = now()
	WHERE person = ANY(@people::text[]) AND failures > 0 AND leased_until > now() + @lease::interval`

// MovePushes gives pushes that the act has locked another state, pending or
// held, and the reason for it.
func (a *Act) MovePushes(ctx context.Context, pushes []PushRow, to trivia.PushState, reason string) error {
	ids, people := make([]int64, len(pushes)), make([]string, len(pushes))
	for i, p := range pushes {
		ids[i], people[i] = p.ID, p.Person
	}
	tag, err := a.tx.Exec(ctx, movePushes, pgx.NamedArgs{"ids": ids, "people": people, "state": to, "reason": reason})
	if err != nil {
		return fmt.Errorf("move %d pushes: %w", len(pushes), err)
	}
	if n := int(tag.RowsAffected()); n != len(pushes) {
		return fmt.Errorf("move %d pushes: %d were moved", len(pushes), n)
	}
	if to != trivia.PushPending {
		return nil
	}
	if _, err := a.tx.Exec(ctx, endRests, pgx.NamedArgs{"people": people, "lease": PushLease}); err != nil {
		return fmt.Errorf("let %d pushes go first: %w", len(pushes), err)
	}

	return nil
}

const writePush = `
	INSERT INTO pushes (person, kind, cause, cause_id, attributes, occurred_at, state)
	VALUES (@person, @kind, @cause, @cause_id, @attributes, @occurred_at, 'pending')
	RETURNING id`

// WritePush writes a push that is sent next. Only its person, kind, cause,
// attributes and time of occurring count. It returns the push's identifier.
func (a *Act) WritePush(ctx context.Context, p PushRow) (id int64, err error) {
	err = a.tx.QueryRow(ctx, writePush, pgx.NamedArgs{
		"person": p.Person, "kind": p.Kind, "cause": p.Cause, "cause_id": p.CauseID,
		"attributes": orNull(p.Attributes), "occurred_at": p.OccurredAt,
	}).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("write a push for %s: %w", p.Person, err)
	}

	return id, nil
}

func orNull(object json.RawMessage) any {
	if object == nil {
		return nil
	}

	return object
}
