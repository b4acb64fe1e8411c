package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// A Person is whom the database is to forget: a user, and by which other names
// events know them.
type Person struct {
	User  string   // the identifier of a user, or by which the Track API finds a person
	Names []string // cio_… and addresses, User not among them
}

// all returns every name, User last: by its events the other names are found,
// also by whoever goes on after a first try was stopped.
func (p Person) all() []string { return append(slices.Clone(p.Names), p.User) }

// An event that names nobody better is found by an address.
const findNames = `
	SELECT DISTINCT n.name
	FROM events AS e, LATERAL (VALUES (e.person), (e.email), ('cio_' || e.cio_id)) AS n (name)
	WHERE (e.person = @user OR e.customer_id = @user AND e.customer_id <> e.person)
		AND n.name <> @user
	ORDER BY n.name
	LIMIT 1000`

// Person returns a person with their other names.
func (s *Store) Person(ctx context.Context, user string) (Person, error) {
	rows, err := s.pool.Query(ctx, findNames, pgx.NamedArgs{"user": user})
	if err != nil {
		return Person{}, fmt.Errorf("find other names of %s: %w", user, err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return Person{}, fmt.Errorf("find other names of %s: %w", user, err)
	}

	return Person{user, names}, nil
}

// Forgotten counts what is kept of a person, or what was removed, by table.
type Forgotten struct {
	Deliveries int // blanked: wins, and the events below
	Events     int // blanked
	Responses  int
	Pushes     int
	Unsent     int // of the pushes
	People     int // rows that say what Customer.io was told
	Wins       int
	Prizes     int
	Acts       int // lines of the audit log that name them
	Users      int
}

// Add adds what else was removed.
func (f *Forgotten) Add(more Forgotten) {
	f.Deliveries += more.Deliveries
	f.Events += more.Events
	f.Responses += more.Responses
	f.Pushes += more.Pushes
	f.Unsent += more.Unsent
	f.People += more.People
	f.Wins += more.Wins
	f.Prizes += more.Prizes
	f.Acts += more.Acts
	f.Users += more.Users
}

const countForgotten = `
	SELECT
		(SELECT count(*) FROM deliveries WHERE user_id = @user)
			+ (SELECT count(*) FROM deliveries AS d WHERE d.kind = 'event' AND d.key = ANY(ARRAY(
				SELECT e.event_id FROM unnest(@names::text[]) AS n (name)
				CROSS JOIN LATERAL (
					SELECT e.event_id FROM events AS e WHERE e.person = n.name
					UNION ALL
					SELECT e.event_id FROM events AS e WHERE e.customer_id = n.name AND e.customer_id <> e.person) AS e))),
		(SELECT count(*) FROM events WHERE person = ANY(@names))
			+ (SELECT count(*) FROM events WHERE customer_id = ANY(@names) AND customer_id <> person AND person <> ALL(@names)),
		(SELECT count(*) FROM responses WHERE user_id = ANY(@names)),
		(SELECT count(*) FROM pushes WHERE person = ANY(@names) AND state = 'pending' AND NOT ` + suppressing + `)
			+ (SELECT count(*) FROM pushes WHERE person = ANY(@names) AND state <> 'pending' AND NOT ` + suppressing + `),
		(SELECT count(*) FROM pushes WHERE person = ANY(@names) AND state = 'pending' AND NOT ` + suppressing + `),
		(SELECT count(*) FROM push_people WHERE person = ANY(@names)),
		(SELECT count(*) FROM trivia_wins WHERE user_id = @user),
		(SELECT count(*) FROM prizes WHERE user_id = @user),
		(SELECT count(*) FROM audit_log WHERE ` + namesThem + `),
		(SELECT count(*) FROM users WHERE user_id = @user)`

// CountForgotten says what is kept of a person.
func (s *Store) CountForgotten(ctx context.Context, p Person) (f Forgotten, err error) {
	err = s.pool.QueryRow(ctx, countForgotten, pgx.NamedArgs{"user": p.User, "names": p.all()}).Scan(
		&f.Deliveries, &f.Events, &f.Responses, &f.Pushes, &f.Unsent, &f.People, &f.Wins, &f.Prizes, &f.Acts, &f.Users)
	if err != nil {
		return f, fmt.Errorf("count what is kept of %s: %w", p.User, err)
	}

	return f, nil
}

// mostMentions and mostBodies bound what [Store.Mentions] tells and reads.
const (
	mostMentions = 20
	mostBodies   = 10_000
)

const findMentions = `
	SELECT d.key
	FROM (
		(SELECT key, body, received_at FROM deliveries WHERE outcome = 'malformed' ORDER BY received_at DESC LIMIT @bodies)
		UNION ALL
		(SELECT key, body, received_at FROM deliveries WHERE state = 'pending' AND user_id IS DISTINCT FROM @user LIMIT @bodies)
	) AS d
	WHERE EXISTS (
		SELECT FROM unnest(@names::text[]) AS n (name)
		WHERE position(convert_to(to_json(n.name)::text, 'UTF8') IN d.body) > 0)
	ORDER BY d.received_at DESC
	LIMIT @limit`

// Mentions returns keys of deliveries whose bodies have one of a person's names
// in them and that nobody could read, or that are not settled yet: whose they
// are, a person has to say.
func (s *Store) Mentions(ctx context.Context, p Person) ([]string, error) {
	rows, err := s.pool.Query(ctx, findMentions, pgx.NamedArgs{
		"user": p.User, "names": p.all(), "bodies": mostBodies, "limit": mostMentions,
	})
	if err != nil {
		return nil, fmt.Errorf("look for %s in bodies: %w", p.User, err)
	}
	keys, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("look for %s in bodies: %w", p.User, err)
	}

	return keys, nil
}
