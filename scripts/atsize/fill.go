package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// The filling says what stands in the database, from :n deliveries on. Times
// run from 90 days ago to now, a user wins up to three of twenty trivias, and
// three in four deliveries are events. Everything stands in the order in which
// it would have come.
var filling = []struct{ what, sql string }{
	{"users", `
		INSERT INTO users (user_id) SELECT 'user-' || i FROM generate_series(0, $1::int * 2 / 25 - 1) AS i`},
	{"trivias", `
		INSERT INTO trivias (trivia_id, closed_at)
		SELECT 'trivia-' || i, CASE WHEN i >= 18 THEN now() END FROM generate_series(0, 19) AS i`},
	{"wins", `
		INSERT INTO trivia_wins (user_id, trivia_id, item, delivery_key, won_at)
		SELECT user_id, trivia_id, item, key, at FROM atsize_wins($1)`},
	{"prizes", `
		INSERT INTO prizes (user_id, trivia_id, item, granted_at)
		SELECT user_id, trivia_id, item, at FROM atsize_wins($1)`},
	{"deliveries", `
		INSERT INTO deliveries (key, kind, rival, body, body_sha256, state, outcome, reason, user_id, trivia_id, item,
			received_at, seen, last_seen_at, caller, signed_by, stamp, attempts, due_at, settled_at)
		SELECT CASE kind WHEN 'win' THEN 'win-' ELSE 'event-' END || i, kind,
			CASE outcome WHEN 'key_conflict' THEN sha256(body) ELSE '' END, body, sha256(body),
			state, outcome, CASE state WHEN 'parked' THEN 'as filled in' END,
			CASE WHEN kind = 'win' AND outcome <> 'malformed' THEN user_id END,
			CASE WHEN kind = 'win' AND outcome <> 'malformed' THEN trivia_id END,
			CASE WHEN kind = 'win' AND outcome <> 'malformed' THEN 'mug' END,
			at, 1 + (i % 50 = 0)::int, at, '35.188.196.' || i % 250, 'ab12cd34', extract(epoch FROM at)::bigint::text,
			(state = 'pending')::int, CASE state WHEN 'pending' THEN now() + interval '1 h' END,
			CASE WHEN state <> 'pending' THEN at END
		FROM atsize_deliveries($1)`},
	{"events", `
		INSERT INTO events (event_id, object_type, metric, occurred_at, received_at, person, customer_id, email, cio_id,
			delivery_id, campaign_id, action_id, tracked_response)
		SELECT 'event-' || i, object, metric, at, at, user_id, user_id, user_id || '@example.com', 'a1b2' || i % 100000,
			'dgTQ' || i, i % 300, 340, CASE WHEN object = 'in_app' AND metric = 'clicked' THEN 'trivia/' || trivia_id || '/paris' END
		FROM atsize_deliveries($1), atsize_event(i) WHERE kind = 'event'`},
	{"responses", `
		INSERT INTO responses (user_id, trivia_id, event_id, answer, answered_at)
		SELECT user_id, trivia_id, 'event-' || i, CASE i % 3 WHEN 0 THEN 'paris' ELSE 'rome' END, at
		FROM atsize_deliveries($1), atsize_event(i) WHERE kind = 'event' AND object = 'in_app' AND metric = 'clicked'`},
	{"pushes", `
		INSERT INTO pushes (person, kind, cause, cause_id, attributes, occurred_at, state, attempts, status, reason, created_at, settled_at)
		SELECT user_id, 'event', 'win', trivia_id, NULL, at,
			CASE WHEN i % 5000 = 0 THEN 'parked' WHEN i % 7500 = 0 THEN 'held' WHEN i > $1::bigint - 25000 THEN 'pending' ELSE 'sent' END,
			1, 200, NULL, at, at
		FROM atsize_wins($1)`},
	{"people pushed for", `
		INSERT INTO push_people (person, leased_until, told, told_at)
		SELECT DISTINCT person, now() - interval '1 h', '{"trivia_wins": 1777896000000000}'::jsonb, now() FROM pushes`},
	{"audit log", `
		INSERT INTO audit_log (at, actor, verb, target, reason)
		SELECT now() - i * interval '5 min', 'ann@desk', 'users add', 'user-' || i, 'as filled in' FROM generate_series(1, 20000) AS i`},
	{"key uses", `
		INSERT INTO key_uses (kind, fingerprint, first_used, last_used, uses)
		VALUES ('win', 'ab12cd34', now() - interval '90 days', now(), $1::bigint / 5), ('event', 'ab12cd34', now() - interval '90 days', now(), $1::bigint / 5 * 4)`},
}

// helpers are functions that the filling uses, and that go when it is done.
const helpers = `
	CREATE FUNCTION atsize_deliveries(n int) RETURNS TABLE (
		i bigint, kind text, outcome text, state text, user_id text, trivia_id text, at timestamptz, body bytea)
	LANGUAGE sql STABLE AS $$
		SELECT i, kind, outcome,
			CASE WHEN outcome IN ('awarded', 'already_won', 'recorded') THEN 'done'
				WHEN outcome = 'unknown_user' AND i > n - n / 50 THEN 'pending' ELSE 'parked' END,
			u, t, now() - interval '90 days' * (n - i) / n,
			convert_to(CASE kind
				WHEN 'win' THEN format('{"user_id":"%s","trivia_id":"%s","item":"mug"}', u, t)
				ELSE format('{"event_id":"event-%s","object_type":"email","metric":"opened","timestamp":1777896000,"data":{"customer_id":"%s","identifiers":{"id":"%s","email":"%s@example.com","cio_id":"a1b2"},"delivery_id":"dgTQ%s","campaign_id":%s,"action_id":340,"subject":"Your Friday trivia round","recipient":"%s@example.com"}}', i, u, u, u, i, i % 300, u)
				END, 'UTF8')
		FROM generate_series(1::bigint, n) AS i,
			LATERAL (SELECT CASE
				WHEN i % 5 = 0 THEN 'awarded'
				WHEN i % 1000 < 40 THEN 'already_won'
				WHEN i % 1000 < 45 THEN 'prize_conflict'
				WHEN i % 1000 < 48 THEN 'key_conflict'
				WHEN i % 1000 < 53 THEN 'unknown_user'
				WHEN i % 1000 < 54 THEN 'trivia_closed'
				WHEN i % 1000 < 55 THEN 'malformed'
				ELSE 'recorded' END) AS o (outcome),
			LATERAL (SELECT CASE outcome WHEN 'recorded' THEN 'event' ELSE 'win' END) AS k (kind),
			LATERAL (SELECT CASE outcome WHEN 'awarded' THEN i / 5 ELSE 1 + i / 5 * 7919 % (n / 5) END, n * 2 / 25) AS j (win, users),
			LATERAL (SELECT CASE outcome WHEN 'unknown_user' THEN 'nobody-' || i ELSE 'user-' || win % users END,
				'trivia-' || (win % users * 7 + win / users * 3) % 20) AS w (u, t)
	$$;
	-- A user wins a trivia once: i runs through the users up to three times, each
	-- time with other trivias.
	CREATE FUNCTION atsize_wins(n int) RETURNS TABLE (
		i bigint, user_id text, trivia_id text, item text, key text, at timestamptz)
	LANGUAGE sql STABLE AS $$
		SELECT i * 5, 'user-' || i % (n * 2 / 25), 'trivia-' || (i % (n * 2 / 25) * 7 + i / (n * 2 / 25) * 3) % 20,
			CASE i % 1000 WHEN 0 THEN 'car' ELSE 'mug' END, 'win-' || i * 5, now() - interval '90 days' * (n - i * 5) / n
		FROM generate_series(1::bigint, n / 5) AS i
	$$;
	CREATE FUNCTION atsize_event(i bigint) RETURNS TABLE (object text, metric text)
	LANGUAGE sql IMMUTABLE AS $$
		SELECT split_part(kind, ' ', 1), split_part(kind, ' ', 2)
		FROM (SELECT CASE
			WHEN n < 26 THEN 'email sent' WHEN n < 51 THEN 'email delivered' WHEN n < 69 THEN 'email opened'
			WHEN n < 74 THEN 'email clicked' WHEN n < 75 THEN 'email bounced' WHEN n < 76 THEN 'email unsubscribed'
			WHEN n < 84 THEN 'in_app sent' WHEN n < 91 THEN 'in_app opened' WHEN n < 97 THEN 'in_app clicked'
			ELSE 'sms delivered' END AS kind FROM (SELECT (i * 7919 / 16) % 100 AS n) AS of) AS k
	$$`

const dropHelpers = `DROP FUNCTION atsize_deliveries(int), atsize_wins(int), atsize_event(bigint)`

// fill puts n deliveries and all that belongs to them into an empty database.
func fill(ctx context.Context, url string, n int) (filled bool, err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return false, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()

	var there bool
	if err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM trivia_wins)`).Scan(&there); err != nil || there {
		return false, err
	}

	// One commit: a database that is half full would be taken for a full one.
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, helpers); err != nil {
			return err
		}
		for _, f := range filling {
			begin := time.Now()
			args := []any{n}
			if f.what == "trivias" || f.what == "people pushed for" || f.what == "audit log" {
				args = nil
			}
			tag, err := tx.Exec(ctx, f.sql, args...)
			if err != nil {
				return fmt.Errorf("fill in %s: %w", f.what, err)
			}
			fmt.Printf("%9d %s in %v\n", tag.RowsAffected(), f.what, time.Since(begin).Round(time.Second))
		}
		_, err := tx.Exec(ctx, dropHelpers)

		return err
	})
	if err != nil {
		return false, err
	}
	for _, sql := range []string{"VACUUM ANALYZE", "CHECKPOINT"} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return false, err
		}
	}

	return true, nil
}
