package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"trivia/internal/trivia"
)

// PushLease is for how long at most somebody has a person in hand.
const PushLease = 25 * time.Second

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
