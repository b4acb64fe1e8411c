package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"trivia/internal/trivia"
)

// An Overview is how things stand at one moment.
type Overview struct {
	Now          time.Time // by the database's clock
	LastDelivery time.Time // when it was received; zero if none ever was
	LastWin      time.Time // likewise
	Streams      Streams   // how deliveries come

	Pending    int64     // deliveries that wait for the service
	Oldest     time.Time // when the first of them was received; zero if there is none
	Expected   int64     // deliveries that wait for a user who is not there yet
	ParkedAs   map[trivia.Outcome]int64
	PushesOwed int64 // pushes that wait for the service; these three up to [MostPushesSeen]
	PushesHeld int64 // pushes that an operator, or missing credentials, hold back
	PushesLost int64 // pushes that are parked
}

// MostPushesSeen is where [Store.Overview] stops to count pushes.
const MostPushesSeen = 10_000

// Parked is how many deliveries wait for a person.
func (o Overview) Parked() (n int64) {
	for _, of := range o.ParkedAs {
		n += of
	}

	return n
}

const (
	overviewLatest = `
	SELECT now(), (SELECT max(received_at) FROM deliveries), (SELECT max(won_at) FROM trivia_wins)`

	overviewPending = `
	SELECT count(*) FILTER (WHERE outcome IS NULL), min(received_at) FILTER (WHERE outcome IS NULL),
		count(*) FILTER (WHERE outcome IS NOT NULL)
	FROM deliveries
	WHERE state = 'pending'`

	overviewParked = `
	SELECT coalesce(outcome, ''), count(*)
	FROM deliveries
	WHERE state = 'parked'
	GROUP BY outcome`
)

// Overview looks at how things stand. It costs as much as there is pending and
// parked, whatever else there is.
func (s *Store) Overview(ctx context.Context) (Overview, error) {
	o := Overview{ParkedAs: make(map[trivia.Outcome]int64)}
	var (
		last, won, oldest *time.Time

		q pgx.Batch
	)
	q.Queue(quick)
	q.Queue(overviewLatest).QueryRow(func(row pgx.Row) error { return row.Scan(&o.Now, &last, &won) })
	q.Queue(overviewPending).QueryRow(func(row pgx.Row) error { return row.Scan(&o.Pending, &oldest, &o.Expected) })
	q.Queue(overviewParked).Query(func(rows pgx.Rows) error {
		var (
			outcome trivia.Outcome
			n       int64
		)
		_, err := pgx.ForEachRow(rows, []any{&outcome, &n}, func() error {
			o.ParkedAs[outcome] = n
			return nil
		})

		return err
	})
	q.Queue(countPushes, MostPushesSeen).QueryRow(func(row pgx.Row) error {
		return row.Scan(&o.PushesOwed, &o.PushesHeld, &o.PushesLost)
	})
	o.Streams = queueStreams(&q)
	if err := s.pool.SendBatch(ctx, &q).Close(); err != nil {
		return Overview{}, fmt.Errorf("look at how things stand: %w", err)
	}
	o.LastDelivery, o.LastWin, o.Oldest = orZero(last), orZero(won), orZero(oldest)

	return o, nil
}

// A Minute is what came in one, and what has become of it so far.
type Minute struct {
	At         time.Time // when it began
	Wins       int64     // that were won then, whenever their deliveries came
	Deliveries []OutcomeCount
}

// Total is how many deliveries came.
func (m Minute) Total() (n int) {
	for _, of := range m.Deliveries {
		n += of.Count
	}

	return n
}

const (
	// There are few groups, and many rows. Statistics that are older than these
	// rows know of none of them: they would be sorted, on disk.
	byHash = `SELECT set_config('enable_sort', 'off', true)`

	minutesOfDeliveries = `
	SELECT date_bin('1 min', received_at, timestamptz '2000-01-01+00') AS at, coalesce(outcome, ''), state, count(*)
	FROM deliveries
	WHERE received_at >= $1 AND received_at < $2
	GROUP BY at, outcome, state`

	minutesOfWins = `
	SELECT date_bin('1 min', won_at, timestamptz '2000-01-01+00') AS at, count(*)
	FROM trivia_wins
	WHERE won_at >= $1 AND won_at < $2
	GROUP BY at`

	// MostMinutes is how many minutes [Store.Minutes] counts at once.
	MostMinutes = 60

	// LeastSpan is what the spans are made of that [Store.Minutes] counts.
	LeastSpan = 10 * time.Second
)

// errMinutes refuses what would read without bounds.
var errMinutes = errors.New("want a span of whole ten seconds, an hour at most")

// Minutes counts what came from ≤ t < until, which are multiples of
// [LeastSpan]: minute by minute, those without anything included. It reads all
// that came then, and of the first and the last minute nothing else.
func (s *Store) Minutes(ctx context.Context, from, until time.Time) ([]Minute, error) {
	first, last := from.Truncate(time.Minute), until.Add(-1).Truncate(time.Minute)
	n := int(last.Sub(first)/time.Minute) + 1
	if !from.Before(until) || n > MostMinutes || !from.Equal(from.Truncate(LeastSpan)) || !until.Equal(until.Truncate(LeastSpan)) {
		return nil, fmt.Errorf("count from %v until %v: %w", from, until, errMinutes)
	}
	all := make([]Minute, n)
	for i := range all {
		all[i].At = first.Add(time.Duration(i) * time.Minute)
	}
	at := func(t time.Time) *Minute { return &all[int(t.Sub(first)/time.Minute)] }

	var (
		q pgx.Batch

		t    time.Time
		came OutcomeCount
		wins int64
	)
	q.Queue(quick)
	q.Queue(byHash)
	q.Queue(minutesOfDeliveries, from, until).Query(func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{&t, &came.Outcome, &came.State, &came.Count}, func() error {
			at(t).Deliveries = append(at(t).Deliveries, came)
			return nil
		})

		return err
	})
	q.Queue(minutesOfWins, from, until).Query(func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{&t, &wins}, func() error {
			at(t).Wins = wins
			return nil
		})

		return err
	})
	if err := s.pool.SendBatch(ctx, &q).Close(); err != nil {
		return nil, fmt.Errorf("count from %v until %v: %w", from, until, err)
	}
	for _, m := range all {
		slices.SortFunc(m.Deliveries, func(a, b OutcomeCount) int {
			return cmp.Or(cmp.Compare(a.Outcome, b.Outcome), cmp.Compare(a.State, b.State))
		})
	}

	return all, nil
}
