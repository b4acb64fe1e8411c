package store

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/jackc/pgx/v5"

	"trivia/internal/trivia"
)

// TriviaStats are numbers of one trivia. Each list is cut after its longest
// parts, and says what it had in all.
type TriviaStats struct {
	Wins        int // and so many distinct winners: nobody wins twice
	First, Last time.Time
	Bucket      time.Duration // of PerBucket
	PerBucket   []BucketCount // oldest first, without the empty ones
	Items       []ItemCount   // most first
	ItemsInAll  int
	Unsettled   []OutcomeCount // deliveries that won nothing and are not repeats, by outcome and state
	Revoked     int            // prizes
	Answers     []AnswerCount  // most first
	AnswersAll  int            // different ones
	Responses   int            // answers in all
	Right       int            // of them
	Respondents int            // who answered
}

// A BucketCount says how many wins came in a bucket that begins at At.
type BucketCount struct {
	At   time.Time
	Wins int
}

// An ItemCount says how often an item was won.
type ItemCount struct {
	Item trivia.Item
	Wins int
}

// An OutcomeCount says how many deliveries ended, or wait, so.
type OutcomeCount struct {
	Outcome trivia.Outcome
	State   trivia.State
	Count   int
}

// An AnswerCount says how often an answer was given, and how often by somebody
// who has won the trivia.
type AnswerCount struct {
	Answer string
	Count  int
	Right  int
}

// A TriviaSpan is a trivia, and optionally a span of time.
type TriviaSpan struct {
	Trivia       trivia.ID
	Since, Until time.Time
}

const (
	// statsTime is how long one statement of the statistics may take.
	statsTime = 30 * time.Second

	// mostStats is how many parts a list of the statistics has.
	mostStats = 20

	// mostBuckets bounds what one wrong clock could make of the chart.
	mostBuckets = 10_000
)

// TriviaStats counts what has come of a trivia, at one moment. bucket chooses
// the width of the buckets from the span of the wins.
func (s *Store) TriviaStats(
	ctx context.Context, span TriviaSpan, bucket func(time.Duration) time.Duration,
) (st TriviaStats, err error) {
	err = s.look(ctx, statsTime, func(tx pgx.Tx) error {
		c := counting{ctx: ctx, tx: tx, span: span}
		c.totals(&st)
		if st.Wins > 0 {
			st.Bucket = bucket(st.Last.Sub(st.First))
			c.buckets(&st)
		}
		c.items(&st)
		c.unsettled(&st)
		c.revoked(&st)
		c.answers(&st)

		return c.err
	})
	if err != nil {
		return TriviaStats{}, fmt.Errorf("count what came of trivia %s: %w", span.Trivia, err)
	}

	return st, nil
}

// look runs reads that belong together: they see one moment, and change nothing.
func (s *Store) look(ctx context.Context, statement time.Duration, read func(pgx.Tx) error) error {
	opts := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}

	return pgx.BeginTxFunc(ctx, s.pool, opts, func(tx pgx.Tx) error {
		const limit = `SELECT set_config('statement_timeout', $1, true)`
		if _, err := tx.Exec(ctx, limit, fmt.Sprint(statement.Milliseconds())); err != nil {
			return err
		}

		return read(tx)
	})
}

// A counting counts until something fails.
type counting struct {
	ctx  context.Context
	tx   pgx.Tx
	span TriviaSpan
	err  error
}

// rowsOf runs one statement on the rows of the trivia, and of the span by column.
func rowsOf[T any](c *counting, head, column, tail string, limit int, args pgx.NamedArgs, scan pgx.RowToFunc[T]) []T {
	if c.err != nil {
		return nil
	}

	q := newQuery(head, tail)
	q.where("x.trivia_id = @trivia", "trivia", c.span.Trivia)
	q.during(column, c.span.Since, c.span.Until)
	maps.Copy(q.args, args)
	sql, named := q.text(limit)
	rows, err := c.tx.Query(c.ctx, sql, named)
	if err != nil {
		c.err = err

		return nil
	}
	var all []T
	all, c.err = pgx.CollectRows(rows, scan)

	return all
}

const countTriviaWins = `
	SELECT count(*), min(x.won_at), max(x.won_at)
	FROM trivia_wins AS x`

func (c *counting) totals(st *TriviaStats) {
	rowsOf(c, countTriviaWins, "x.won_at", "", 1, nil, func(row pgx.CollectableRow) (int, error) {
		var first, last *time.Time
		err := row.Scan(&st.Wins, &first, &last)
		st.First, st.Last = orZero(first), orZero(last)

		return 0, err
	})
}

const winsPerBucket = `
	SELECT date_bin(@bucket::interval, x.won_at, '2000-01-01'::timestamptz) AS at, count(*)
	FROM trivia_wins AS x`

func (c *counting) buckets(st *TriviaStats) {
	st.PerBucket = rowsOf(c, winsPerBucket, "x.won_at", "\n\tGROUP BY at ORDER BY at", mostBuckets,
		pgx.NamedArgs{"bucket": st.Bucket}, pgx.RowToStructByPos[BucketCount])
}

const winsByItem = `
	SELECT x.item, count(*), count(*) OVER ()
	FROM trivia_wins AS x`

func (c *counting) items(st *TriviaStats) {
	st.Items = rowsOf(c, winsByItem, "x.won_at", "\n\tGROUP BY x.item ORDER BY count(*) DESC, x.item", mostStats, nil,
		func(row pgx.CollectableRow) (i ItemCount, err error) {
			err = row.Scan(&i.Item, &i.Wins, &st.ItemsInAll)

			return i, err
		})
}

// The two conditions are those of the indexes that have few rows.
const unsettledOfTrivia = `
	SELECT coalesce(x.outcome, ''), x.state, count(*)
	FROM (
		SELECT trivia_id, outcome, state, received_at FROM deliveries
		WHERE outcome NOT IN ('awarded', 'already_won', 'recorded')
		UNION ALL
		SELECT trivia_id, outcome, state, received_at FROM deliveries
		WHERE outcome IS NULL AND state = 'pending'
		UNION ALL
		SELECT trivia_id, outcome, state, received_at FROM deliveries
		WHERE outcome IS NULL AND state = 'parked'
	) AS x`

func (c *counting) unsettled(st *TriviaStats) {
	st.Unsettled = rowsOf(c, unsettledOfTrivia, "x.received_at", "\n\tGROUP BY 1, 2 ORDER BY 1, 2", mostStats, nil,
		pgx.RowToStructByPos[OutcomeCount])
}

const revokedOfTrivia = `
	SELECT count(*)
	FROM prizes AS x`

func (c *counting) revoked(st *TriviaStats) {
	rowsOf(c, revokedOfTrivia, "x.granted_at", " AND x.revoked_at IS NOT NULL", 1, nil,
		func(row pgx.CollectableRow) (int, error) { return 0, row.Scan(&st.Revoked) })
}

const (
	answersOfTrivia = `
	SELECT x.answer, count(*), count(w.user_id), count(*) OVER (), sum(count(*)) OVER (), sum(count(w.user_id)) OVER ()
	FROM responses AS x
	LEFT JOIN trivia_wins AS w ON w.user_id = x.user_id AND w.trivia_id = x.trivia_id`

	peopleWhoAnswered = `
	SELECT count(DISTINCT x.user_id)
	FROM responses AS x`
)

func (c *counting) answers(st *TriviaStats) {
	st.Answers = rowsOf(c, answersOfTrivia, "x.answered_at", "\n\tGROUP BY x.answer ORDER BY count(*) DESC, x.answer", mostStats, nil,
		func(row pgx.CollectableRow) (a AnswerCount, err error) {
			err = row.Scan(&a.Answer, &a.Count, &a.Right, &st.AnswersAll, &st.Responses, &st.Right)

			return a, err
		})
	rowsOf(c, peopleWhoAnswered, "x.answered_at", "", 1, nil,
		func(row pgx.CollectableRow) (int, error) { return 0, row.Scan(&st.Respondents) })
}
