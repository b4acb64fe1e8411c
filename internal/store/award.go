package store

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"trivia/internal/trivia"
)

// What awardWins, createUsers and judgeWins take: wins to be settled, one
// array each. No two have the same key.
const askedWins = `unnest($1::text[], $2::text[], $3::text[], $4::text[])
			WITH ORDINALITY AS a (user_id, trivia_id, item, key, n)`

const isOpen = `NOT EXISTS (SELECT FROM trivias AS t WHERE t.trivia_id = a.trivia_id AND t.closed_at IS NOT NULL)`

// The primary key of trivia_wins decides who is first, and only a row that is
// really inserted is granted a prize. Inserting in the order of that key keeps
// processes from waiting for each other in a circle.
const awardWins = `
	WITH won AS (
		INSERT INTO trivia_wins (user_id, trivia_id, item, delivery_key)
		SELECT a.user_id, a.trivia_id, a.item, a.key
		FROM ` + askedWins + `
		JOIN users AS u ON u.user_id = a.user_id
		WHERE ` + isOpen + `
		ORDER BY a.user_id COLLATE "C", a.trivia_id COLLATE "C", a.n
		ON CONFLICT (user_id, trivia_id) DO NOTHING
		RETURNING user_id, trivia_id, item
	)
	SELECT count(grant_prize(user_id, item, trivia_id)) FROM won`

const createUsers = `
	INSERT INTO users (user_id)
	SELECT a.user_id
	FROM ` + askedWins + `
	WHERE ` + isOpen + `
	GROUP BY a.user_id
	ORDER BY a.user_id COLLATE "C"
	ON CONFLICT (user_id) DO NOTHING`

// The deliveries that were kept as awarded and are not: their win is another
// delivery's, or nobody's. A row that none of the reasons holds for any more
// (a user was added this very moment) goes back to pending.
const judgeWins = `
	UPDATE deliveries AS d
	SET outcome = j.outcome,
		reason = CASE j.outcome
			WHEN 'prize_conflict' THEN 'the user has won ' || j.held || ' with this trivia already'
			WHEN 'unknown_user' THEN 'no such user'
			WHEN 'trivia_closed' THEN 'the trivia is closed' END,
		state = CASE
			WHEN j.outcome = 'already_won' THEN 'done'
			WHEN j.outcome IS NULL OR j.outcome = 'unknown_user' AND $5::interval IS NOT NULL THEN 'pending'
			ELSE 'parked' END,
		due_at = CASE
			WHEN j.outcome IS NULL THEN now()
			WHEN j.outcome = 'unknown_user' THEN now() + $5::interval END
	FROM (
		SELECT a.key, w.item AS held,
			CASE
				WHEN w.item = a.item THEN 'already_won'
				WHEN w.item IS NOT NULL THEN 'prize_conflict'
				WHEN NOT ` + isOpen + ` THEN 'trivia_closed'
				WHEN NOT EXISTS (SELECT FROM users AS u WHERE u.user_id = a.user_id) THEN 'unknown_user'
			END AS outcome
		FROM ` + askedWins + `
		LEFT JOIN trivia_wins AS w ON w.user_id = a.user_id AND w.trivia_id = a.trivia_id
		WHERE w.delivery_key IS DISTINCT FROM a.key
	) AS j
	WHERE d.key = j.key AND d.kind = 'win' AND d.rival = ''
	RETURNING d.key, d.state, coalesce(d.outcome, ''), coalesce(d.reason, '')`

// queueAward settles wins that are kept as awarded: it awards those that can
// be, and tells the others what they are instead. Wins whose user is not there
// are tried again after retry; nil gives them up.
func queueAward(q *pgx.Batch, wins []*slip, createMissing bool, retry *time.Duration) {
	if len(wins) == 0 {
		return
	}

	// Of several wins of one user and trivia in a batch, the first to come is
	// the one to be awarded.
	slices.SortStableFunc(wins, byPerson)
	queueGrant(q, wins, createMissing)
	queueJudge(q, wins, retry)
}

// queueGrant awards what can be awarded. The wins must be sorted by person.
func queueGrant(q *pgx.Batch, wins []*slip, createMissing bool) {
	args := askedOf(wins)
	if createMissing {
		q.Queue(createUsers, args...)
	}
	q.Queue(awardWins, args...)
}

// queueJudge corrects the deliveries, kept as awarded, that were not.
func queueJudge(q *pgx.Batch, wins []*slip, retry *time.Duration) {
	byKey := make(map[string]*slip, len(wins))
	for _, s := range wins {
		byKey[s.Key] = s
	}

	q.Queue(judgeWins, append(askedOf(wins), retry)...).Query(func(rows pgx.Rows) error {
		var (
			key string
			v   verdict
		)
		_, err := pgx.ForEachRow(rows, []any{&key, &v.state, &v.outcome, &v.reason}, func() error {
			s, ok := byKey[key]
			if !ok {
				return fmt.Errorf("judged win %s, which was not asked for", key)
			}
			s.receipt.State, s.receipt.Outcome, s.receipt.Reason = v.state, v.outcome, v.reason

			return nil
		})

		return err
	})
}

// askedOf returns what askedWins takes.
func askedOf(wins []*slip) []any {
	n := len(wins)
	users, trivias, items, keys := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	for i, s := range wins {
		users[i], trivias[i], items[i], keys[i] = string(s.Win.User), string(s.Win.Trivia), string(s.Win.Item), s.Key
	}

	return []any{users, trivias, items, keys}
}

func byPerson(x, y *slip) int {
	return cmp.Or(
		cmp.Compare(x.Win.User, y.Win.User),
		cmp.Compare(x.Win.Trivia, y.Win.Trivia),
		x.At.Compare(y.At),
		cmp.Compare(x.members[0], y.members[0]),
	)
}

// firstRetry is what a win whose user is not there waits after intake.
func firstRetry() *time.Duration {
	if wait, ok := trivia.RetryUnknownUser(0); ok {
		return &wait
	}

	return nil
}
