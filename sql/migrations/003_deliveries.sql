-- Every verified request, byte for byte.
CREATE TABLE deliveries (
	key          text NOT NULL,
	kind         text NOT NULL,
	rival        bytea NOT NULL DEFAULT '', -- empty for the first body under a key, else this body's own SHA-256
	body         bytea NOT NULL,
	body_sha256  bytea NOT NULL,
	state        text NOT NULL,
	outcome      text, -- null while unsettled, and where settling was refused
	reason       text,
	user_id      text, -- what the body of a win says; null where it is unusable
	trivia_id    text,
	item         text,
	received_at  timestamptz NOT NULL,
	seen         integer NOT NULL DEFAULT 1,
	last_seen_at timestamptz NOT NULL,
	caller       text NOT NULL DEFAULT '', -- the address that it came from, seen through our own proxies
	signed_by    text NOT NULL DEFAULT '', -- fingerprint of the signing key that matched
	stamp        text NOT NULL DEFAULT '', -- X-CIO-Timestamp as it came
	attempts     integer NOT NULL DEFAULT 0, -- how often settling was tried
	due_at       timestamptz, -- when settling is tried next; null unless pending
	settled_at   timestamptz,
	PRIMARY KEY (key, kind, rival),
	-- One constraint: each costs every statement on the hot path its set-up.
	CHECK (char_length(key) BETWEEN 1 AND 255
		AND kind IN ('win', 'event')
		AND state IN ('pending', 'done', 'parked')
		AND (state = 'pending') = (due_at IS NOT NULL)
		AND outcome IN (
			'awarded', 'already_won', 'prize_conflict', 'key_conflict',
			'unknown_user', 'trivia_closed', 'malformed', 'recorded'))
);

CREATE INDEX deliveries_newest ON deliveries (received_at);
CREATE INDEX deliveries_by_user ON deliveries (user_id, trivia_id) WHERE user_id IS NOT NULL;
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE state = 'pending';
CREATE INDEX deliveries_parked ON deliveries (outcome, received_at) WHERE state = 'parked';

-- What reporting webhooks tell. The body is in deliveries, under the same key.
CREATE TABLE events (
	event_id    text PRIMARY KEY,
	object_type text NOT NULL,
	metric      text NOT NULL,
	occurred_at timestamptz,
	received_at timestamptz NOT NULL
);

CREATE INDEX events_newest ON events (received_at);
