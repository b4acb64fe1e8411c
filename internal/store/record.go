package store

import (
	"time"

	"github.com/jackc/pgx/v5"
)

// As with wins, an event counts in the transaction that keeps it only if its
// very body was put under its key there.
const recordEvents = `
	INSERT INTO events (event_id, object_type, metric, occurred_at, received_at)
	SELECT a.event_id, a.object_type, a.metric, a.occurred_at, a.received_at
	FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::bytea[])
		AS a (event_id, object_type, metric, occurred_at, received_at, sha256)
	WHERE a.sha256 IS NULL OR a.sha256 = (
		SELECT d.body_sha256 FROM deliveries AS d
		WHERE d.key = a.event_id AND d.kind = 'event' AND d.rival = ''
			AND d.outcome = 'recorded' AND d.settled_at = now())
	ON CONFLICT (event_id) DO NOTHING`

// queueRecord records events that are kept as recorded. They come sorted by
// key, as all slips of a batch.
func queueRecord(q *pgx.Batch, events []*slip, keeping bool) {
	if len(events) == 0 {
		return
	}

	n := len(events)
	ids, objects, metrics := make([]string, n), make([]string, n), make([]string, n)
	occurred, received := make([]*time.Time, n), make([]time.Time, n)
	sums := make([][]byte, n)
	for i, s := range events {
		ids[i], objects[i], metrics[i], received[i] = s.Key, s.Event.ObjectType, s.Event.Metric, s.At
		if !s.Event.At.IsZero() {
			occurred[i] = &s.Event.At
		}
		if keeping {
			sums[i] = s.SHA256[:]
		}
	}
	q.Queue(recordEvents, ids, objects, metrics, occurred, received, sums)
}
