package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"trivia/internal/trivia"
)

const (
	forgetCause = "forget"

	// suppressing is the push by which Customer.io learns that somebody is
	// forgotten. It goes when it was sent.
	suppressing = `(kind = 'suppress' AND cause = 'operator' AND cause_id = '` + forgetCause + `' AND state <> 'sent')`

	suppressionWaits = `SELECT EXISTS (SELECT FROM pushes
		WHERE (person = @person AND state = 'pending' OR person = @person AND state <> 'pending') AND ` + suppressing + `)`

	// Held for credentials or not is found out when it is sent.
	writeSuppression = `
	INSERT INTO pushes (person, kind, cause, cause_id, occurred_at, state)
	VALUES (@person, 'suppress', 'operator', '` + forgetCause + `', now(), 'pending')`
)

// Suppress writes the push that lets Customer.io delete a person's profile for
// good, unless it waits already. The push keeps the person's name until it is
// sent, and goes then.
func (a *Act) Suppress(ctx context.Context, person string) (written bool, err error) {
	args := pgx.NamedArgs{"person": person}
	var waits bool
	if err = a.tx.QueryRow(ctx, suppressionWaits, args).Scan(&waits); err != nil || waits {
		return false, err
	}
	if _, err = a.tx.Exec(ctx, writeSuppression, args); err != nil {
		return false, fmt.Errorf("write a push that suppresses %s: %w", person, err)
	}

	return true, nil
}

// Suppressing reports whether a push waits that suppresses a person who is
// forgotten.
func (s *Store) Suppressing(ctx context.Context, person string) (waits bool, err error) {
	if err := s.pool.QueryRow(ctx, suppressionWaits, pgx.NamedArgs{"person": person}).Scan(&waits); err != nil {
		return false, fmt.Errorf("find pushes of %s: %w", person, err)
	}

	return waits, nil
}

const (
	forgetSuppressed = `
	DELETE FROM pushes AS p
	WHERE p.person = ANY($1::text[]) AND p.state <> 'pending'
		AND EXISTS (
			SELECT FROM pushes AS f
			WHERE f.person = p.person AND f.state <> 'pending' AND f.state = 'sent'
				AND f.kind = 'suppress' AND f.cause = 'operator' AND f.cause_id = '` + forgetCause + `')`

	forgetLeases = `
	DELETE FROM push_people AS k
	WHERE k.person = ANY($1::text[]) AND NOT EXISTS (SELECT FROM pushes AS p WHERE p.person = k.person AND p.state = 'pending')
		AND NOT EXISTS (SELECT FROM pushes AS p WHERE p.person = k.person AND p.state <> 'pending')`
)

// suppressedNow reports whether t has ended with Customer.io suppressing a
// person who is forgotten: then nothing is to be kept of them.
func (t TurnEnd) suppressedNow() bool {
	for _, e := range t.Ends {
		for _, p := range t.Turn.Pushes {
			if p.ID == e.ID && e.State == trivia.PushSent && p.Kind == trivia.PushSuppress && p.CauseID == forgetCause {
				return true
			}
		}
	}

	return false
}
