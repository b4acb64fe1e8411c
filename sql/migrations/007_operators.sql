-- What operators look for, over many deliveries.
CREATE INDEX deliveries_by_trivia ON deliveries (trivia_id, received_at) WHERE trivia_id IS NOT NULL;
CREATE INDEX deliveries_odd ON deliveries (outcome, received_at, kind, trivia_id) WHERE outcome NOT IN ('awarded', 'already_won', 'recorded');
CREATE INDEX audit_log_by_target ON audit_log (target, at);
CREATE INDEX audit_log_by_detail ON audit_log USING gin (detail jsonb_path_ops) WITH (fastupdate = off);

-- Some or all wins of a trivia that is sealed are gone: it can never be opened
-- again, or they could be won again.
ALTER TABLE trivias
	ADD COLUMN sealed_at timestamptz,
	ADD CHECK (sealed_at IS NULL OR closed_at IS NOT NULL);

-- A repaired body is a row of its own, and names the delivery that it stands for.
-- What was repaired is never settled again: the copy stands for it.
ALTER TABLE deliveries
	ADD COLUMN repairs     text, -- key and SHA-256, as key@hex
	ADD COLUMN repaired_by text; -- key of the copy

-- A prize that was taken back stays, marked, and so does its win: it cannot be
-- won again.
ALTER TABLE prizes
	ADD COLUMN revoked_at     timestamptz,
	ADD COLUMN revoked_reason text;

CREATE INDEX prizes_revoked ON prizes (granted_at) WHERE revoked_at IS NOT NULL;

-- The other seam: replace it together with grant_prize. It is called in the
-- commit that writes the operator's act down.
CREATE FUNCTION revoke_prize(user_id text, item text, trivia_id text, reason text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	UPDATE prizes AS p
	SET revoked_at = now(), revoked_reason = revoke_prize.reason
	WHERE p.user_id = revoke_prize.user_id AND p.trivia_id = revoke_prize.trivia_id;
END
$$;

-- What people who were forgotten have won, so that nobody wins it twice: a hash
-- of user and trivia, keyed, so that the table alone tells nothing about whom.
CREATE TABLE forgotten (
	hash         bytea PRIMARY KEY,
	forgotten_at timestamptz NOT NULL DEFAULT now()
);

-- The key, made when the first person is forgotten. At most one row.
CREATE TABLE forget_key (
	single boolean PRIMARY KEY DEFAULT true CHECK (single),
	key    bytea NOT NULL
);

-- The key is an argument, so that the server can write the function's text into
-- the statement that calls it.
CREATE FUNCTION forgotten_hash(key bytea, user_id text, trivia_id text) RETURNS bytea
LANGUAGE sql STABLE AS $$
	SELECT sha256(key || sha256(key || convert_to(user_id || E'\x01' || trivia_id, 'UTF8')))
$$;

-- When each signing key has last matched, so that one knows when an old one can
-- go. Services add what they have counted from time to time.
CREATE TABLE key_uses (
	kind        text NOT NULL,
	fingerprint text NOT NULL,
	first_used  timestamptz NOT NULL,
	last_used   timestamptz NOT NULL,
	uses        bigint NOT NULL,
	PRIMARY KEY (fingerprint, kind)
);

-- Events that name a customer and are found by another name. There are few.
CREATE INDEX events_by_customer ON events (customer_id) WHERE customer_id <> person;

-- What may be missing, since it was past its use.
CREATE TABLE pruned (
	what      text PRIMARY KEY, -- bodies, deliveries, events or pushes
	before    timestamptz NOT NULL, -- of what came before this, all that had ended may be gone
	walked    timestamptz, -- the service has looked at all that came before this
	walked_as text, -- under these settings
	whole_at  timestamptz -- when it last began at the very first
);

-- When a service prunes next. Until then nobody does, or one has it in hand.
CREATE TABLE retention (
	single boolean PRIMARY KEY DEFAULT true CHECK (single),
	due_at timestamptz NOT NULL
);
-- What is parked, newest first, by whatever it is looked for: what does not fit
-- is passed over in the index.
CREATE INDEX deliveries_parked_newest ON deliveries (received_at, kind, trivia_id) WHERE state = 'parked';

-- A word that hardly any row has, or none, since it is misspelt, is not looked
-- for in every row. These weigh next to nothing, and ask nothing of the hot path:
-- vacuum keeps them.
CREATE INDEX deliveries_items ON deliveries USING brin (item text_bloom_ops (n_distinct_per_range = 100));
CREATE INDEX trivia_wins_items ON trivia_wins USING brin (item text_bloom_ops (n_distinct_per_range = 100));
CREATE INDEX events_objects ON events USING brin (object_type text_bloom_ops (n_distinct_per_range = 100));
