-- What is odd about how a delivery came: late, reused_key. It decides nothing.
-- The header that names a win is in no signed byte. So a second body under a key
-- is a delivery like any other, under a key of its own, and names here the key
-- that it came under.
ALTER TABLE deliveries
	ADD COLUMN marks       text[],
	ADD COLUMN reuses      text,
	ADD COLUMN body_length bigint; -- of the whole body, where only its beginning is kept

CREATE INDEX deliveries_marked ON deliveries (received_at) WHERE marks IS NOT NULL;
CREATE INDEX deliveries_reuses ON deliveries (reuses) WHERE reuses IS NOT NULL;

-- Such wins were parked before, and never judged. They wait on, so that nobody is
-- awarded by a migration, but now replaying judges them.
UPDATE deliveries
SET reuses = key, marks = '{reused_key}', rival = '', key = CASE
	WHEN char_length(key) <= 255 - 70 THEN key
	ELSE 'sha256:' || encode(sha256(convert_to(key, 'UTF8')), 'hex') END || '#body-' || encode(body_sha256, 'hex')
WHERE kind = 'win' AND outcome = 'key_conflict' AND state = 'parked' AND rival <> '';
