-- The transaction that wrote a row. The warehouse's stage reads in this order,
-- and only what was written before every transaction that is still under way:
-- whatever order they commit in, nothing is missed. Times cannot tell that: what
-- was pending is recorded later, as of when it came.
--
-- What is there already gets the number of this migration, and is not rewritten.
-- Transactions are counted by each server for itself: spread over several, each
-- would need a stage of its own.
ALTER TABLE events ADD COLUMN written xid8 NOT NULL DEFAULT pg_current_xact_id();
ALTER TABLE trivia_wins ADD COLUMN written xid8 NOT NULL DEFAULT pg_current_xact_id();

-- By time among what one transaction wrote: files are by day. Those of the very
-- same time are few, and put in order as they are read.
CREATE INDEX events_by_written ON events (written, received_at);
CREATE INDEX trivia_wins_by_written ON trivia_wins (written, won_at);

-- How far each warehouse has come, one row for each of its tables. What of a
-- table it has not been sent yet is not pruned.
CREATE TABLE warehouse_positions (
	sink          text NOT NULL,
	what          text NOT NULL, -- customerio_events or trivia_wins
	begun_at      timestamptz NOT NULL DEFAULT now(), -- with the very first row
	cluster       text NOT NULL, -- that counts the transactions; in another one it begins anew
	-- The last row that was sent.
	written       xid8 NOT NULL DEFAULT '0',
	at            timestamptz NOT NULL DEFAULT '0001-01-01 00:00:00+00', -- when it was received or won
	key           text NOT NULL DEFAULT '', -- event_id or user_id
	key2          text NOT NULL DEFAULT '', -- trivia_id
	-- Likewise, of those that this server has not counted up to yet: they were
	-- written in another one, and restored here.
	ahead_written xid8 NOT NULL DEFAULT '0',
	ahead_at      timestamptz NOT NULL DEFAULT '0001-01-01 00:00:00+00',
	ahead_key     text NOT NULL DEFAULT '',
	ahead_key2    text NOT NULL DEFAULT '',
	sent          bigint NOT NULL DEFAULT 0, -- rows, since begun_at
	refused       bigint NOT NULL DEFAULT 0, -- of them, rows that the warehouse did not take
	sent_at       timestamptz, -- when rows were last sent
	error         text, -- why nothing is sent; null if it is
	error_since   timestamptz,
	turn          bigint NOT NULL DEFAULT 0, -- rises with every process that takes over
	leased_until  timestamptz NOT NULL DEFAULT '0001-01-01 00:00:00+00', -- one process sends at a time
	PRIMARY KEY (sink, what),
	CHECK (what IN ('customerio_events', 'trivia_wins') AND (error IS NULL) = (error_since IS NULL))
);

-- Rows that a warehouse would never take.
CREATE TABLE warehouse_refused (
	sink   text NOT NULL,
	what   text NOT NULL,
	key    text NOT NULL,
	key2   text NOT NULL,
	reason text NOT NULL, -- in the warehouse's words
	at     timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (what, key, key2, sink)
);

CREATE INDEX warehouse_refused_newest ON warehouse_refused (at);
