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

// A PushTurn is one person in our hands, with the first of what is owed to
// Customer.io for them. Nobody else pushes for them before the lease ends.
type PushTurn struct {
	Person   string
	Failures int              // in a row
	Told     map[string]int64 // attribute → since when it was true, in Unix microseconds
	ToldAt   time.Time        // the latest timestamp that was sent with attributes; zero if there was none
	Pushes   []DuePush        // in the order in which they were written
	Wins     PersonWins       // read only if one of the pushes tells of a win

	lease time.Time // until when the claim holds, by the database's clock
}

// A DuePush is one that has to be sent.
type DuePush struct {
	ID         int64
	Kind       trivia.PushKind
	CauseID    string
	Attributes []byte    // a JSON object, or nothing
	At         time.Time // when what it tells came to be true
	Item       string    // what was won, if it tells of a win
	WonAt      time.Time // zero if it tells of none, or that is gone
}

// PersonWins are a person's wins, all together.
type PersonWins struct {
	Count        int
	Trivia, Item string // of the newest
	WonAt        time.Time
}

// A PushEnd is what becomes of a push. One that stays pending is tried again.
type PushEnd struct {
	ID     int64
	State  trivia.PushState
	Status int    // of Customer.io's answer; 0 if there was none
	Reason string // may be empty
	Tried  bool   // there was a call
}

// A TurnEnd is how a turn ended. It gives the person back: Failures, Told and
// ToldAt of the turn are what the next one will see.
type TurnEnd struct {
	Turn *PushTurn
	Ends []PushEnd
	Rest time.Duration // before the next turn
}

// quick is what begins every batch here. A claim or an end that a crash undoes
// costs a call that is made twice, which is harmless: it need not wait for the
// disk. And every statement finds its rows through an index; a plan that was
// made on old statistics must not read the whole of a table. An operator who
// has one push in hand must not hold up everybody's.
const quick = `SELECT set_config('synchronous_commit', 'off', true), set_config('enable_seqscan', 'off', true),
	set_config('lock_timeout', '1s', true)`

// maxLooked bounds how many people one claim looks at.
const maxLooked = 500

// Each step finds the next person in the index, and not their next push: who
// has a hundred thousand waiting gets one turn as everybody else. Whether they
// are free is asked in a way that cannot become a list of all who are not.
const claimTurns = `
	WITH RECURSIVE waiting (person, free, taken, looked) AS (
		SELECT p.person, ` + isFree + `, ` + isFree + `::int, 1
		FROM (
			SELECT person FROM pushes
			WHERE state = 'pending' AND ($1::text IS NULL OR person > $1)
			ORDER BY person
			LIMIT 1) AS p
		UNION ALL
		SELECT p.person, ` + isFree + `, w.taken + ` + isFree + `::int, w.looked + 1
		FROM waiting AS w
		CROSS JOIN LATERAL (
			SELECT q.person FROM pushes AS q
			WHERE q.state = 'pending' AND q.person > w.person
			ORDER BY q.person
			LIMIT 1) AS p
		WHERE w.taken < $2 AND w.looked < $3
	), claimed AS (
		INSERT INTO push_people AS k (person, leased_until)
		SELECT person, now() + $4::interval FROM waiting WHERE free ORDER BY person
		ON CONFLICT (person) DO UPDATE SET leased_until = excluded.leased_until WHERE k.leased_until <= now()
		RETURNING person, leased_until, failures, told, told_at
	)
	SELECT w.person, w.taken, w.looked, c.leased_until, c.failures, c.told, c.told_at
	FROM waiting AS w
	LEFT JOIN claimed AS c ON c.person = w.person
	ORDER BY w.looked`

const isFree = `coalesce((SELECT k.leased_until <= now() FROM push_people AS k WHERE k.person = p.person), true)`

// ClaimTurns takes up to limit people who are owed something and whom nobody
// has in hand, for as long as lease, and reads up to each of their pushes. It
// goes round: it looks at the people behind after, in order, and returns the
// last one it has looked at; nil is before the first, and behind the last.
func (s *Store) ClaimTurns(
	ctx context.Context, after *string, limit, each int, lease time.Duration,
) (turns []PushTurn, last *string, err error) {
	var looked int
	taken := 0
	claim := func(rows pgx.Rows) error {
		for rows.Next() {
			var (
				t        PushTurn
				leased   *time.Time
				failures *int
				told     []byte
				toldAt   *time.Time
			)
			if err := rows.Scan(&t.Person, &taken, &looked, &leased, &failures, &told, &toldAt); err != nil {
				return err
			}
			last = &t.Person
			if leased == nil {
				continue
			}
			t.lease, t.Failures = *leased, *failures
			if toldAt != nil {
				t.ToldAt = *toldAt
			}
			_ = json.Unmarshal(told, &t.Told) // if it is not ours, what can be read of it must do
			turns = append(turns, t)
		}

		return rows.Err()
	}

	var q pgx.Batch
	q.Queue(quick)
	q.Queue(claimTurns, after, limit, maxLooked, lease).Query(claim)
	if err := s.pool.SendBatch(ctx, &q).Close(); err != nil {
		return nil, nil, fmt.Errorf("claim people to push for: %w", err)
	}
	if taken < limit && looked < maxLooked {
		last = nil
	}

	// In a statement of its own, which sees what was sent before the claim.
	if err := s.readPushes(ctx, turns, each); err != nil {
		return nil, nil, fmt.Errorf("read pending pushes: %w", err)
	}

	return turns, last, nil
}

const readPushes = `
	SELECT c.n, p.id, p.kind, p.cause_id, p.attributes, p.occurred_at, coalesce(w.item, ''), w.won_at
	FROM unnest($1::text[]) WITH ORDINALITY AS c (person, n)
	CROSS JOIN LATERAL (
		SELECT id, kind, cause_id, attributes, occurred_at FROM pushes
		WHERE person = c.person AND state = 'pending'
		ORDER BY id
		LIMIT $2) AS p
	LEFT JOIN trivia_wins AS w ON p.kind = 'event' AND w.user_id = c.person AND w.trivia_id = p.cause_id
	ORDER BY c.n, p.id`

// Of wins in the same moment one is the newest, always the same one.
const readWins = `
	SELECT c.n, w.wins, v.trivia_id, v.item, v.won_at
	FROM unnest($1::text[]) WITH ORDINALITY AS c (person, n)
	CROSS JOIN LATERAL (SELECT count(*) AS wins FROM trivia_wins WHERE user_id = c.person) AS w
	CROSS JOIN LATERAL (
		SELECT trivia_id, item, won_at FROM trivia_wins
		WHERE user_id = c.person
		ORDER BY won_at DESC, trivia_id DESC
		LIMIT 1) AS v`

func (s *Store) readPushes(ctx context.Context, turns []PushTurn, each int) error {
	if len(turns) == 0 {
		return nil
	}

	people, winners := make([]string, len(turns)), make([]*string, len(turns))
	for i := range turns {
		people[i] = turns[i].Person
	}

	won := false
	var q pgx.Batch
	q.Queue(quick)
	q.Queue(readPushes, people, each).Query(func(rows pgx.Rows) error {
		var (
			n     int
			p     DuePush
			wonAt *time.Time
		)
		_, err := pgx.ForEachRow(rows, []any{&n, &p.ID, &p.Kind, &p.CauseID, &p.Attributes, &p.At, &p.Item, &wonAt}, func() error {
			t := &turns[n-1]
			p.WonAt = time.Time{}
			if wonAt != nil {
				p.WonAt, won, winners[n-1] = *wonAt, true, &t.Person
			}
			t.Pushes = append(t.Pushes, p)
			p.Attributes = nil // the next row's are other bytes

			return nil
		})

		return err
	})
	if err := s.pool.SendBatch(ctx, &q).Close(); err != nil || !won {
		return err
	}

	q = pgx.Batch{}
	q.Queue(quick)
	q.Queue(readWins, winners).Query(func(rows pgx.Rows) error {
		var (
			n int
			w PersonWins
		)
		_, err := pgx.ForEachRow(rows, []any{&n, &w.Count, &w.Trivia, &w.Item, &w.WonAt}, func() error {
			turns[n-1].Wins = w

			return nil
		})

		return err
	})

	return s.pool.SendBatch(ctx, &q).Close()
}

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

	return nil
}
