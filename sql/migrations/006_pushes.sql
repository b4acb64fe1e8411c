-- What we owe Customer.io, one row for each cause. Attributes go first, where
-- there are any; then what the kind says. Those of kind event tell of a win:
-- its attributes are read when it is sent, since they tell how things stand.
CREATE TABLE pushes (
	id          bigint GENERATED ALWAYS AS IDENTITY,
	person      text NOT NULL, -- whom the Track API knows it by
	kind        text NOT NULL,
	cause       text NOT NULL, -- what asked for it
	cause_id    text NOT NULL, -- the trivia that was won, the event, or the operator
	attributes  jsonb,
	occurred_at timestamptz NOT NULL, -- when what it tells came to be true
	state       text NOT NULL,
	attempts    integer NOT NULL DEFAULT 0,
	status      integer, -- of Customer.io's last answer; null if there was none
	reason      text, -- Customer.io's words, or why it is held or parked
	created_at  timestamptz NOT NULL DEFAULT now(),
	settled_at  timestamptz, -- when it was sent or parked
	PRIMARY KEY (id, person),
	CHECK (kind IN ('attributes', 'unsubscribe', 'suppress', 'event')
		AND cause IN ('win', 'event', 'operator')
		AND state IN ('pending', 'sent', 'parked', 'held'))
);

-- Who is next, and what of theirs: one turn for each person.
CREATE INDEX pushes_pending ON pushes (person, id) WHERE state = 'pending';
-- The rest of a person's. Apart, so that a new push enters one of the two.
CREATE INDEX pushes_settled ON pushes (person, id) WHERE state <> 'pending';
CREATE INDEX pushes_stuck ON pushes (state, id) WHERE state IN ('parked', 'held');

-- Who is being pushed for, and what Customer.io was told of them.
CREATE TABLE push_people (
	person       text PRIMARY KEY,
	leased_until timestamptz NOT NULL, -- until then somebody has them in hand, or they rest after a failure
	failures     integer NOT NULL DEFAULT 0, -- in a row
	told         jsonb NOT NULL DEFAULT '{}', -- attribute -> since when that was true, in Unix microseconds
	told_at      timestamptz -- the latest timestamp that was sent with attributes
);

-- The addresses that Customer.io said it calls from.
CREATE TABLE source_lists (
	region     text PRIMARY KEY,
	addresses  text[] NOT NULL,
	checked_at timestamptz NOT NULL, -- when it was last asked, with success
	changed_at timestamptz NOT NULL
);
