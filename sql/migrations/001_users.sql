-- The product's own users table is left alone where there is one; ours stands
-- in where there is none. Wins and prizes refer to it, so its key must be one
-- that text can refer to, and unique.
DO $$
DECLARE
	known regclass := to_regclass('users');
	kind  text;
BEGIN
	IF known IS NULL THEN
		CREATE TABLE users (
			user_id    text PRIMARY KEY CHECK (char_length(user_id) BETWEEN 1 AND 64),
			created_at timestamptz NOT NULL DEFAULT now()
		);
		COMMENT ON TABLE users IS 'who may win; made by trivia, since the database had no users table';
		RETURN;
	END IF;

	SELECT format_type(atttypid, NULL) INTO kind
	FROM pg_attribute
	WHERE attrelid = known AND attname = 'user_id' AND NOT attisdropped;

	IF kind IS NULL THEN
		RAISE EXCEPTION 'table % has no column user_id', known
			USING HINT = 'Wins refer to users.user_id. Add that column, or put trivia into a schema of its own with search_path.';
	END IF;

	IF kind NOT IN ('text', 'character varying') THEN
		RAISE EXCEPTION '%.user_id has type %, and wins can refer only to text or varchar', known, kind
			USING HINT = 'Put trivia into a schema of its own with search_path; it then keeps its own users table.';
	END IF;

	IF NOT EXISTS (
		SELECT FROM pg_index i
		JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attname = 'user_id'
		WHERE i.indrelid = known AND i.indisunique AND i.indimmediate AND i.indpred IS NULL
		  AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum
	) THEN
		RAISE EXCEPTION '%.user_id is not unique, so wins cannot refer to it', known
			USING HINT = format('Run: ALTER TABLE %s ADD UNIQUE (user_id)', known);
	END IF;
END
$$;
