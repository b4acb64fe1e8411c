package store

import (
	"time"

	"github.com/jackc/pgx/v5"
)

const recordEvents = `
	INSERT INTO events (event_id, object_type, metric, occurred_at, received_at)
	SELECT event_id, object_type, metric, occurred_at, received_at
	FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[])
		AS a (event_id, object_type, metric, occurred_at, received_at)
	ON CONFLICT (event_id) DO NOTHING`

// queueRecord records events that are kept as recorded. They come sorted by
// key, as all slips of a batch.
func queueRecord(q *pgx.Batch, events []*slip) {
	if len(events) == 0 {
		return
	}

	n := len(events)
	ids, objects, metrics := make([]string, n), make([]string, n), make([]string, n)
	occurred, received := make([]*time.Time, n), make([]time.Time, n)
	for i, s := range events {
		ids[i], objects[i], metrics[i], received[i] = s.Key, s.Event.ObjectType, s.Event.Metric, s.At
		if !s.Event.At.IsZero() {
			occurred[i] = &s.Event.At
		}
	}
	q.Queue(recordEvents, ids, objects, metrics, occurred, received)
}
