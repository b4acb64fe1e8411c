package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"trivia/internal/trivia"
)

// What createUsers and awardWins take: wins to be settled, one array each. No
// two have the same key.
//
// In the transaction that keeps deliveries, a win counts only if its very body
// stands under its key, as awarded in this transaction. So a second body under a
// key is never awarded, whoever was first; and a repeat changes nothing, even if
// somebody has taken its win away. (A subquery by the whole key, and no join:
// see judgeWins.)
const (
	askedWins = `
		FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[])
			WITH ORDINALITY AS a (user_id, trivia_id, item, key, sha256, n)`

	areAsked = `
		NOT EXISTS (SELECT FROM trivias AS t WHERE t.trivia_id = a.trivia_id AND t.closed_at IS NOT NULL)
		AND (a.sha256 IS NULL OR a.sha256 = (
			SELECT d.body_sha256 FROM deliveries AS d
			WHERE d.key = a.key AND d.kind = 'win' AND d.rival = '' AND d.outcome = 'awarded' AND d.settled_at = now()))`
)

const createUsers = `
	INSERT INTO users (user_id)
	SELECT a.user_id` + askedWins + `
	WHERE` + areAsked + `
	GROUP BY a.user_id
	ORDER BY a.user_id COLLATE "C"
	ON CONFLICT (user_id) DO NOTHING`

// The primary key of trivia_wins decides who is first, and only a row that is
// really inserted is granted a prize. Inserting in the order of that key keeps
// processes from waiting for each other in a circle.
const awardWins = `
	WITH won AS (
		INSERT INTO trivia_wins (user_id, trivia_id, item, delivery_key)
		SELECT a.user_id, a.trivia_id, a.item, a.key` + askedWins + `
		JOIN users AS u ON u.user_id = a.user_id
		WHERE` + areAsked + `
		ORDER BY a.user_id COLLATE "C", a.trivia_id COLLATE "C", a.n
		ON CONFLICT (user_id, trivia_id) DO NOTHING
		RETURNING user_id, trivia_id, item
	)
	SELECT count(*) FROM (SELECT grant_prize(user_id, item, trivia_id) FROM won OFFSET 0) AS granted`

// Whether what is settled was kept by the same transaction, or stands there
// already, and is in the caller's hands.
const (
	afterKeeping = true
	alreadyKept  = false
)

// queueAward awards all of wins that can be, and says how many these were. Of
// several of one user and trivia the first in order is awarded; the wins must
// be sorted by person.
func queueAward(q *pgx.Batch, wins []*slip, createMissing, keeping bool, awarded *int) {
	if len(wins) == 0 {
		return
	}

	n := len(wins)
	users, trivias, items, keys := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	sums := make([][]byte, n)
	for i, s := range wins {
		users[i], trivias[i], items[i], keys[i] = string(s.Win.User), string(s.Win.Trivia), string(s.Win.Item), s.Key
		if keeping {
			sums[i] = s.SHA256[:]
		}
	}

	if createMissing {
		q.Queue(createUsers, users, trivias, items, keys, sums)
	}
	q.Queue(awardWins, users, trivias, items, keys, sums).QueryRow(func(row pgx.Row) error {
		return row.Scan(awarded)
	})
}

// Of deliveries that this transaction has kept as awarded, those that were not:
// their win is another delivery's, or nobody's. A row for which no reason holds
// any more (a user was added this very moment) goes back to pending.
const judgeWins = `
	WITH judged AS MATERIALIZED (
		SELECT d.key, w.item AS held,
			CASE
				WHEN w.item = d.item THEN 'already_won'
				WHEN w.item IS NOT NULL THEN 'prize_conflict'
				WHEN EXISTS (
					SELECT FROM trivias AS t WHERE t.trivia_id = d.trivia_id AND t.closed_at IS NOT NULL
				) THEN 'trivia_closed'
				WHEN NOT EXISTS (SELECT FROM users AS u WHERE u.user_id = d.user_id) THEN 'unknown_user'
			END AS outcome
		FROM deliveries AS d
		LEFT JOIN trivia_wins AS w ON w.user_id = d.user_id AND w.trivia_id = d.trivia_id
		WHERE d.key = ANY($1::text[]) AND d.kind = 'win' AND d.rival = ''
			AND w.delivery_key IS DISTINCT FROM d.key
	)
	UPDATE deliveries AS d
	SET outcome = j.outcome,
		reason = CASE j.outcome
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

// judge corrects those of wins, kept as awarded, that queueAward has not
// awarded. Those whose user is not there are tried again after retry; nil gives
// them up.
func judge(ctx context.Context, db querier, wins []*slip, retry *time.Duration) error {
	keys := make([]string, len(wins))
	byKey := make(map[string]*slip, len(wins))
	for i, s := range wins {
		keys[i] = s.Key
		byKey[s.Key] = s
	}

	rows, err := db.Query(ctx, judgeWins, plannedNow, keys, retry) //nolint:rowserrcheck // ForEachRow checks it
	if err != nil {
		return fmt.Errorf("judge: %w", err)
	}
	var (
		key string
		v   verdict
	)
	_, err = pgx.ForEachRow(rows, []any{&key, &v.state, &v.outcome, &v.reason}, func() error {
		s, ok := byKey[key]
		if !ok {
			return fmt.Errorf("judged win %s, which was not asked for", key)
		}
		s.receipt.State, s.receipt.Outcome, s.receipt.Reason = v.state, v.outcome, v.reason

		return nil
	})
	if err != nil {
		return fmt.Errorf("judge: %w", err)
	}

	return nil
}

// sortByPerson brings wins into the order in which they are awarded: the first
// to come of those that are after the same prize.
func sortByPerson(wins []*slip) {
	slices.SortStableFunc(wins, func(x, y *slip) int {
		return cmp.Or(
			cmp.Compare(x.Win.User, y.Win.User),
			cmp.Compare(x.Win.Trivia, y.Win.Trivia),
			x.At.Compare(y.At),
			cmp.Compare(x.members[0], y.members[0]),
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
