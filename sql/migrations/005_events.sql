-- What people ask events by. Identifiers are text, also those that look like
-- numbers: the vendor's own samples disagree about which is which.
ALTER TABLE events
	ADD COLUMN person           text, -- whom the Track API knows it by; null if the event names nobody
	ADD COLUMN customer_id      text, -- the company's own identifier of the person
	ADD COLUMN email            text,
	ADD COLUMN cio_id           text,
	ADD COLUMN delivery_id      text, -- Customer.io's name of the message
	ADD COLUMN campaign_id      text,
	ADD COLUMN broadcast_id     text,
	ADD COLUMN newsletter_id    text,
	ADD COLUMN action_id        text,
	ADD COLUMN transactional_id text,
	ADD COLUMN template_id      text,
	ADD COLUMN link_id          text,
	ADD COLUMN href             text,
	ADD COLUMN tracked_response text,
	ADD COLUMN failure_message  text,
	ADD COLUMN machine          boolean NOT NULL DEFAULT false,
	ADD COLUMN prefetched       boolean NOT NULL DEFAULT false,
	ADD COLUMN proxied          boolean NOT NULL DEFAULT false,
	ADD COLUMN synthetic        boolean NOT NULL DEFAULT false,
	ADD COLUMN owed             text; -- the kind of push that it asked for, or nobody if there was no one to push for

CREATE INDEX events_by_person ON events (person, received_at) WHERE person IS NOT NULL;
CREATE INDEX events_by_metric ON events (metric, object_type, received_at);
CREATE INDEX events_by_campaign ON events (campaign_id, received_at) WHERE campaign_id IS NOT NULL;

-- The whole of an event, byte for byte, as in SELECT e.payload FROM events AS e.
-- It is stored once, with its delivery; null when that is gone.
CREATE FUNCTION payload(events) RETURNS bytea
LANGUAGE sql STABLE AS $$
	SELECT d.body FROM deliveries AS d WHERE d.key = $1.event_id AND d.kind = 'event' AND d.rival = ''
$$;

-- Answers to a trivia, right and wrong ones: clicks whose tracked response is
-- trivia/<trivia_id>/<answer>.
CREATE TABLE responses (
	user_id     text NOT NULL, -- the person of the event; perhaps no user of ours
	trivia_id   text NOT NULL,
	event_id    text NOT NULL,
	answer      text NOT NULL,
	answered_at timestamptz NOT NULL,
	PRIMARY KEY (user_id, trivia_id, event_id)
);

CREATE INDEX responses_by_trivia ON responses (trivia_id, answered_at);
CREATE INDEX responses_newest ON responses (answered_at);
