-- Optional rows: a trivia that has none is open.
CREATE TABLE trivias (
	trivia_id  text PRIMARY KEY CHECK (char_length(trivia_id) BETWEEN 1 AND 64),
	closed_at  timestamptz,
	created_at timestamptz NOT NULL DEFAULT now()
);

-- The primary key is what makes a second award impossible.
CREATE TABLE trivia_wins (
	user_id      text NOT NULL REFERENCES users (user_id),
	trivia_id    text NOT NULL,
	item         text NOT NULL,
	delivery_key text NOT NULL, -- of the delivery that was awarded
	won_at       timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (user_id, trivia_id)
);

CREATE INDEX trivia_wins_newest ON trivia_wins (won_at);
CREATE INDEX trivia_wins_by_trivia ON trivia_wins (trivia_id, won_at);

CREATE TABLE prizes (
	user_id    text NOT NULL REFERENCES users (user_id),
	trivia_id  text NOT NULL,
	item       text NOT NULL,
	granted_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (user_id, trivia_id)
);

-- The seam: replace it to write prize tables of your own in the commit that
-- records the win. An error that it raises undoes the win and parks the
-- delivery with the error's message.
CREATE FUNCTION grant_prize(user_id text, item text, trivia_id text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO prizes (user_id, trivia_id, item)
	VALUES (grant_prize.user_id, grant_prize.trivia_id, grant_prize.item);
END
$$;
