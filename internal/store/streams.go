package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"trivia/internal/stream"
	"trivia/internal/trivia"
)

// Streams are what the database knows of how deliveries come, by their kind.
type Streams map[trivia.Kind]stream.Sight

const (
	// streamsLatest looks at the newest few, since repeats only show in their rows,
	// and no index leads to the newest of a kind. A kind that is not among them is
	// older than all of them, and is looked for where it has left something.
	streamsLatest = `
	SELECT now(), k.kind, coalesce(latest.at, k.other), k.heard
	FROM (VALUES
		('win', (SELECT max(won_at) FROM trivia_wins), (SELECT max(last_used) FROM key_uses WHERE kind = 'win')),
		('event', (SELECT max(received_at) FROM events), (SELECT max(last_used) FROM key_uses WHERE kind = 'event'))
	) AS k (kind, other, heard)
	LEFT JOIN (
		SELECT kind, max(greatest(received_at, last_seen_at)) AS at
		FROM (SELECT kind, received_at, last_seen_at FROM deliveries ORDER BY received_at DESC LIMIT 500) AS newest
		GROUP BY kind
	) AS latest ON latest.kind = k.kind`

	// streamsLag looks at the newest events, and at those a while before. Of each,
	// only those count that came within a minute, and say when they happened.
	streamsLag = `
	SELECT sample.at, sample.lag, sample.n
	FROM (VALUES (1, '0'::interval), (2, $1::interval)) AS back (place, span)
	CROSS JOIN (SELECT max(received_at) AS at FROM events) AS newest
	CROSS JOIN LATERAL (
		SELECT max(received_at) AS at, count(*) AS n,
			coalesce(percentile_disc(0.5) WITHIN GROUP (ORDER BY greatest(received_at - occurred_at, '0'::interval)), '0'::interval) AS lag
		FROM (
			SELECT received_at, occurred_at, max(received_at) OVER () AS latest
			FROM (
				SELECT received_at, occurred_at FROM events
				WHERE received_at <= newest.at - back.span
				ORDER BY received_at DESC LIMIT 100
			) AS few
		) AS few
		WHERE received_at > latest - interval '1 min'
			AND occurred_at BETWEEN received_at - $2::interval AND received_at + $3::interval
	) AS sample
	ORDER BY place`
)

// Streams looks at how deliveries come. It reads a few hundred rows, however
// many there are.
func (s *Store) Streams(ctx context.Context) (Streams, error) {
	var q pgx.Batch
	found := queueStreams(&q)
	if err := s.pool.SendBatch(ctx, &q).Close(); err != nil {
		return nil, fmt.Errorf("look at how deliveries come: %w", err)
	}

	return found, nil
}

// queueStreams asks for what it returns, which is filled when q is answered.
func queueStreams(q *pgx.Batch) Streams {
	found := make(Streams)
	q.Queue(streamsLatest).Query(func(rows pgx.Rows) error {
		var (
			kind        trivia.Kind
			now         time.Time
			kept, heard *time.Time
		)
		_, err := pgx.ForEachRow(rows, []any{&now, &kind, &kept, &heard}, func() error {
			found[kind] = stream.Sight{Now: now, Kept: orZero(kept), Heard: orZero(heard)}
			return nil
		})

		return err
	})
	q.Queue(streamsLag, stream.SampleGap, stream.MostLag, stream.MostAhead).Query(func(rows pgx.Rows) error {
		var (
			samples []stream.Sample
			at      *time.Time
			sample  stream.Sample
		)
		_, err := pgx.ForEachRow(rows, []any{&at, &sample.Lag, &sample.N}, func() error {
			sample.At = orZero(at)
			samples = append(samples, sample)

			return nil
		})
		if err == nil && len(samples) == 2 {
			events := found[trivia.KindEvent]
			events.Latest, events.Earlier = samples[0], samples[1]
			found[trivia.KindEvent] = events
		}

		return err
	})

	return found
}

const (
	// pauseSpan is how exactly pauses are known, and pauseWeek how far back they
	// are looked for.
	pauseSpan = 10 * time.Minute
	pauseWeek = 7 * 24 * time.Hour

	// leastHistory has a night in it.
	leastHistory = 24 * time.Hour
)

// Each span costs one look into an index, whatever there is.
const (
	pausesOfEvents = `
	SELECT at, EXISTS (SELECT FROM events WHERE received_at >= at AND received_at < at + $3::interval)
	FROM generate_series($1::timestamptz, $2, $3) AS at`

	pausesOfWins = `
	SELECT at, EXISTS (SELECT FROM trivia_wins WHERE won_at >= at AND won_at < at + $3::interval)
	FROM generate_series($1::timestamptz, $2, $3) AS at`
)

// LongestPause returns for how long nothing of a kind came at most in the week
// before until, to about ten minutes. It is 0 if not even a day is known.
func (s *Store) LongestPause(ctx context.Context, kind trivia.Kind, until time.Time) (time.Duration, error) {
	sql := pausesOfEvents
	if kind == trivia.KindWin {
		sql = pausesOfWins
	}
	var (
		at, first, last time.Time // of spans in which something came
		longest         time.Duration
		some            bool

		q pgx.Batch
	)
	q.Queue(quick)
	q.Queue(sql, until.Add(-pauseWeek), until, pauseSpan).Query(func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{&at, &some}, func() error {
			switch {
			case !some:
				return nil
			case first.IsZero():
				first = at
			default:
				longest = max(longest, at.Sub(last))
			}
			last = at

			return nil
		})

		return err
	})
	if err := s.pool.SendBatch(ctx, &q).Close(); err != nil {
		return 0, fmt.Errorf("look for the longest pause of %ss: %w", kind, err)
	}
	if first.IsZero() || last.Sub(first) < leastHistory {
		return 0, nil
	}

	return longest, nil
}
