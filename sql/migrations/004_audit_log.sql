-- What people did, written in the commit that did it.
CREATE TABLE audit_log (
	id     uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	at     timestamptz NOT NULL DEFAULT now(),
	actor  text NOT NULL,
	verb   text NOT NULL,
	target text NOT NULL,
	reason text NOT NULL DEFAULT '',
	detail jsonb NOT NULL DEFAULT '{}'
);

CREATE INDEX audit_log_newest ON audit_log (at, id);
