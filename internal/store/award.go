package store

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"trivia/internal/trivia"
)

// What createUsers and awardWins take: wins to be settled, one array each. No
// two have the same key.
const askedWins = `unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[])
			WITH ORDINALITY AS a (user_id, trivia_id, item, key, sha256, n)`

// Those that are still to be settled. In the transaction that keeps deliveries,
// these are the ones whose very body it has put under its key, as awarded. So a
// second body under a key is never awarded, whoever was first, and a repeat
// changes nothing.
const freshWins = `
	WITH fresh AS MATERIALIZED (
		SELECT a.user_id, a.trivia_id, a.item, a.key, a.sha256, a.n
		FROM ` + askedWins + `
		WHERE a.sha256 IS NULL OR a.sha256 = (
			SELECT d.body_sha256 FROM deliveries AS d
			WHERE d.key = a.key AND d.kind = 'win' AND d.rival = ''
				AND d.outcome = 'awarded' AND d.settled_at = now())
	)`

const isClosed = `EXISTS (SELECT FROM trivias AS t WHERE t.trivia_id = a.trivia_id AND t.closed_at IS NOT NULL)`

// wonForgotten holds for what was won before by somebody who is forgotten.
// Where nobody ever was, that is asked once for all wins. All is asked for as
// values: of an EXISTS or a join the planner may think that it is cheaper to
// read the whole of a table first.
const wonForgotten = `((SELECT k.single FROM forget_key AS k) IS TRUE AND (
			SELECT true FROM forgotten AS f
			WHERE f.hash = (SELECT forgotten_hash(k.key, a.user_id, a.trivia_id) FROM forget_key AS k)) IS TRUE)`

const createUsers = freshWins + `
	INSERT INTO users (user_id)
	SELECT a.user_id
	FROM fresh AS a
	WHERE NOT ` + isClosed + ` AND NOT ` + wonForgotten + `
	GROUP BY a.user_id
	ORDER BY a.user_id COLLATE "C"
	ON CONFLICT (user_id) DO NOTHING`

// The primary key of trivia_wins decides who is first, and only a row that is
// really inserted is granted a prize. Inserting in the order of that key keeps
// processes from waiting for each other in a circle.
//
// Deliveries that were kept as awarded by this transaction, and are not, become
// pending: judgeWins says what they are, and the stage behind intake does if we
// are gone by then.
const (
	awardWins = freshWins + won + leaveRest

	// What is owed for a win is written with it. What exactly is told is read
	// when it is sent.
	awardWinsOwing = freshWins + won + `, owed AS (
		INSERT INTO pushes (person, kind, cause, cause_id, occurred_at, state, reason)
		SELECT user_id, 'event', 'win', trivia_id, now(), $7, nullif($8, '') FROM won
	)` + leaveRest

	won = `, won AS (
		INSERT INTO trivia_wins (user_id, trivia_id, item, delivery_key)
		SELECT a.user_id, a.trivia_id, a.item, a.key
		FROM fresh AS a
		JOIN users AS u ON u.user_id = a.user_id
		WHERE NOT ` + isClosed + ` AND NOT ` + wonForgotten + `
		ORDER BY a.user_id COLLATE "C", a.trivia_id COLLATE "C", a.n
		ON CONFLICT (user_id, trivia_id) DO NOTHING
		RETURNING user_id, trivia_id, item, delivery_key
	), granted AS MATERIALIZED (
		SELECT grant_prize(user_id, item, trivia_id) FROM won
	)`

	leaveRest = `
	UPDATE deliveries AS d
	SET state = 'pending', outcome = NULL, due_at = now() + $6::interval, settled_at = NULL
	WHERE d.kind = 'win' AND d.rival = '' AND d.key = ANY(ARRAY(
		SELECT a.key
		FROM fresh AS a
		WHERE (SELECT count(*) FROM granted) < (SELECT count(*) FROM fresh)
			AND a.sha256 IS NOT NULL
			AND NOT EXISTS (SELECT FROM won AS w WHERE w.delivery_key = a.key)))
	RETURNING d.key, d.state, '', ''`
)

// Of deliveries that awardWins has left pending, or that this transaction has
// finished as awarded, those whose win is another delivery's, or nobody's. One
// for which no reason holds any more (its user was added this very moment) is
// pending, and due. An unknown user is tried again after $2; if that is null, no
// more.
const judgeWins = `
	WITH judged AS MATERIALIZED (
		SELECT a.key, w.item AS held,
			CASE
				WHEN w.item = a.item THEN 'already_won'
				WHEN w.item IS NOT NULL THEN 'prize_conflict'
				WHEN ` + wonForgotten + ` THEN 'already_won'
				WHEN ` + isClosed + ` THEN 'trivia_closed'
				WHEN NOT EXISTS (SELECT FROM users AS u WHERE u.user_id = a.user_id) THEN 'unknown_user'
			END AS outcome
		FROM deliveries AS a
		LEFT JOIN trivia_wins AS w ON w.user_id = a.user_id AND w.trivia_id = a.trivia_id
		WHERE a.key = ANY($1::text[]) AND a.kind = 'win' AND a.rival = ''
			AND (a.state = 'pending' OR a.outcome = 'awarded' AND a.settled_at = now())
			AND w.delivery_key IS DISTINCT FROM a.key
	)
	UPDATE deliveries AS d
	SET outcome = j.outcome,
		reason = CASE j.outcome
			WHEN 'already_won' THEN CASE WHEN j.held IS NULL THEN 'it was won before, by a person who was forgotten' END
			WHEN 'prize_conflict' THEN 'the user has won ' || j.held || ' with this trivia already'
			WHEN 'unknown_user' THEN 'no such user'
			WHEN 'trivia_closed' THEN 'the trivia is closed' END,
		state = CASE
			WHEN j.outcome = 'already_won' THEN 'done'
			WHEN j.outcome IS NULL OR j.outcome = 'unknown_user' AND $2::interval IS NOT NULL THEN 'pending'
			ELSE 'parked' END,
		due_at = CASE
			WHEN j.outcome IS NULL THEN now()
			WHEN j.outcome = 'unknown_user' THEN now() + $2::interval END,
		settled_at = CASE WHEN j.outcome <> 'unknown_user' OR $2::interval IS NULL THEN now() END
	FROM judged AS j
	WHERE d.key = ANY($1::text[]) AND d.kind = 'win' AND d.rival = '' AND d.key = j.key
	RETURNING d.key, d.state, coalesce(d.outcome, ''), coalesce(d.reason, '')`

// Whether what is settled was kept by the same transaction, or stands there
// already, and is in the caller's hands.
const (
	afterKeeping = true
	alreadyKept  = false
)

// judgeWithin is how long a delivery that awardWins has left pending is ours to
// judge, before the stage behind intake takes it.
const judgeWithin = 5 * time.Second

// queueAward awards all of wins that can be, and leaves the others pending. Of
// several of one user and trivia the first in order is awarded; the wins must
// be sorted by person.
func queueAward(q *pgx.Batch, wins []*slip, createMissing bool, owing Owing, keeping bool) {
	if len(wins) == 0 {
		return
	}

	args := askedOf(wins, keeping)
	if createMissing {
		q.Queue(createUsers, args...)
	}
	args = append(args, judgeWithin)
	sql := awardWins
	if owing.Policy.Win == trivia.Attributes {
		state, reason := firstPushState(owing.Held)
		sql, args = awardWinsOwing, append(args, state, reason)
	}
	q.Queue(sql, args...).Query(readVerdicts(wins))
}

// queueJudge tells those of wins that are not awarded what they are instead. A
// user who is not there is tried again after retry, and never if that is nil.
func queueJudge(q *pgx.Batch, wins []*slip, retry *time.Duration) {
	keys := make([]string, len(wins))
	for i, s := range wins {
		keys[i] = s.Key
	}
	q.Queue(judgeWins, keys, retry).Query(readVerdicts(wins))
}

// askedOf returns the arrays of askedWins.
func askedOf(wins []*slip, keeping bool) []any {
	n := len(wins)
	parts := make([]string, 4*n)
	users, trivias, items, keys := parts[:n], parts[n:2*n], parts[2*n:3*n], parts[3*n:]
	sums := make(blobs, n)
	for i, s := range wins {
		users[i], trivias[i], items[i], keys[i] = string(s.Win.User), string(s.Win.Trivia), string(s.Win.Item), s.Key
		if keeping {
			sums[i] = s.SHA256[:]
		}
	}

	return []any{words(users), words(trivias), words(items), words(keys), sums}
}

// readVerdicts reads what awardWins and judgeWins return into the receipts of wins.
func readVerdicts(wins []*slip) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		var (
			key string
			v   verdict
		)
		_, err := pgx.ForEachRow(rows, []any{&key, &v.state, &v.outcome, &v.reason}, func() error {
			i := slices.IndexFunc(wins, func(s *slip) bool { return s.Key == key })
			if i < 0 {
				return fmt.Errorf("judged win %s, which was not asked for", key)
			}
			wins[i].receipt.State, wins[i].receipt.Outcome, wins[i].receipt.Reason = v.state, v.outcome, v.reason

			return nil
		})

		return err
	}
}

// sortByPerson brings wins into the order in which they are awarded: the first
// to come of those that are after the same prize.
func sortByPerson(wins []*slip) {
	slices.SortStableFunc(wins, func(x, y *slip) int {
		return cmp.Or(
			cmp.Compare(x.Win.User, y.Win.User),
			cmp.Compare(x.Win.Trivia, y.Win.Trivia),
			x.At.Compare(y.At),
			cmp.Compare(x.place, y.place),
		)
	})
}

// firstRetry is what a win whose user is not there waits after intake.
func firstRetry() *time.Duration {
	if wait, ok := trivia.RetryUnknownUser(0); ok {
		return &wait
	}

	return nil
}
