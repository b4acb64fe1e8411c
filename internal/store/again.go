package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"trivia/internal/trivia"
)

// An Again is a delivery that is settled again. It is the first body under its
// key.
type Again struct {
	DeliveryRow // as it was read: it is settled only if it still stands so

	Now     Arrival // what its body says, decoded anew
	Refused string  // if not empty, the database refuses to settle it, and says this
}

// verdict returns what is written first, before it is judged.
func (a Again) verdict(sl *slip) verdict {
	if a.Refused != "" {
		return verdict{trivia.StateParked, trivia.Unsettled, a.Refused}
	}

	return sl.expected(settledNow)
}

// stays reports whether a is left as it is, since settling it again comes to r.
// What is done stays done, unless it earns a prize after all. What is pending
// for its user is the service's to park.
func (a Again) stays(r Receipt) bool {
	switch {
	case a.State == trivia.StateDone:
		return r.Outcome != trivia.Awarded
	case a.State == trivia.StatePending && r.State == trivia.StateParked && r.Outcome == trivia.UnknownUser:
		return true
	case r.State != a.State || r.Outcome != a.Outcome:
		return false
	}

	return r.Outcome != trivia.Unsettled || r.Reason == a.Reason || r.State == trivia.StatePending
}

// SettleAgain settles deliveries, with the statements that the service uses,
// and returns what became of each. One that comes to the same as before is left
// as it is. It is [ErrBusy], and the act must fail, if one of them no longer
// stands as it was read, or somebody else has it in hand.
//
// Without a Retry in opts, what waits for its user goes on to wait.
func (a *Act) SettleAgain(ctx context.Context, list []Again, opts SettleOptions) ([]Receipt, error) {
	slips := make([]*slip, len(list))
	ends := make([]verdict, len(list))
	var wins []*slip
	for i := range list {
		sl := &slip{Arrival: &list[i].Now, place: i}
		end := list[i].verdict(sl)
		sl.receipt = Receipt{State: end.state, Outcome: end.outcome, Reason: end.reason}
		slips[i], ends[i] = sl, end
		if end.outcome == trivia.Awarded {
			wins = append(wins, sl)
		}
	}
	sortByPerson(wins)

	if err := a.settleAgain(ctx, list, slips, ends, wins, opts); err != nil {
		return nil, fmt.Errorf("settle %d deliveries again: %w", len(list), err)
	}

	var same []DeliveryRow
	receipts := make([]Receipt, len(list))
	for i, sl := range slips {
		receipts[i] = sl.receipt
		if d := list[i]; d.stays(sl.receipt) {
			receipts[i] = Receipt{State: d.State, Outcome: d.Outcome, Reason: d.Reason}
			same = append(same, d.DeliveryRow)
		}
	}
	if len(same) > 0 {
		if _, err := a.tx.Exec(ctx, leaveDeliveries, leftArgs(same)...); err != nil {
			return nil, fmt.Errorf("leave %d deliveries as they are: %w", len(same), err)
		}
	}

	return receipts, nil
}

// settleAgain awards first and takes the deliveries' own rows last, as settle
// does, and for the same reason.
func (a *Act) settleAgain(
	ctx context.Context, list []Again, slips []*slip, ends []verdict, wins []*slip, opts SettleOptions,
) error {
	var q pgx.Batch
	queueRuled(&q, opts.Statement, func() { queueAward(&q, wins, opts.CreateUsers, opts.Owing, alreadyKept) })
	q.Queue(finishDeliveries, finishArgs(list, ends)...).Exec(func(tag pgconn.CommandTag) error {
		if tag.RowsAffected() != int64(len(list)) {
			return ErrBusy
		}

		return nil
	})
	if len(wins) > 0 {
		queueJudge(&q, wins, opts.Retry)
	}
	for i, end := range ends {
		if end.outcome == trivia.Recorded {
			queueRecord(&q, slips[i], opts.Owing)
		}
	}
	queueClean(&q)

	return a.tx.SendBatch(ctx, &q).Close()
}

// What finishDelivery does to one, for many. Nobody is waited for. What they
// were before tells whether they still stand as they were read.
const finishDeliveries = `
	WITH mine AS MATERIALIZED (
		SELECT l.key, l.kind, a.state, a.outcome, a.reason, a.user_id, a.trivia_id, a.item
		FROM unnest($1::text[], $2::text[], $3::text[], $4::integer[], $5::timestamptz[], $6::timestamptz[],
			$7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[])
			AS a (key, kind, was, attempts, due_at, settled_at, state, outcome, reason, user_id, trivia_id, item)
		JOIN deliveries AS l ON l.key = a.key AND l.kind = a.kind AND l.rival = ''
		WHERE l.key = ANY($1::text[]) AND l.state = a.was AND l.attempts = a.attempts AND l.repaired_by IS NULL
			AND l.due_at IS NOT DISTINCT FROM a.due_at AND l.settled_at IS NOT DISTINCT FROM a.settled_at
		FOR UPDATE OF l SKIP LOCKED
	)
	UPDATE deliveries AS d
	SET state = m.state, outcome = m.outcome, reason = m.reason, due_at = NULL, settled_at = now(),
		attempts = d.attempts + 1, user_id = m.user_id, trivia_id = m.trivia_id, item = m.item
	FROM mine AS m
	WHERE d.key = ANY($1::text[]) AND d.key = m.key AND d.kind = m.kind AND d.rival = ''`

func finishArgs(list []Again, ends []verdict) []any {
	n := len(list)
	part := parts(n, 9)
	var (
		keys, kinds, was, states, outcomes = part(), part(), part(), part(), part()
		reasons, users, trivias, items     = part(), part(), part(), part()
		tries                              = make(counts, n)
		dues, settled                      = make(times, n), make(times, n)
	)
	for i, d := range list {
		keys[i], kinds[i], was[i] = d.Key, string(d.Kind), string(d.State)
		tries[i], dues[i], settled[i] = int32(d.Attempts), d.DueAt, d.SettledAt //nolint:gosec // read from an integer
		states[i], outcomes[i], reasons[i] = string(ends[i].state), string(ends[i].outcome), clean(ends[i].reason)
		users[i], trivias[i], items[i] = string(d.Now.Win.User), string(d.Now.Win.Trivia), string(d.Now.Win.Item)
	}

	return []any{
		words(keys), words(kinds), words(was), tries, dues, settled,
		words(states), texts(outcomes), texts(reasons), texts(users), texts(trivias), texts(items),
	}
}

// parts cuts columns of n words each out of one piece.
func parts(n, columns int) func() []string {
	all := make([]string, n*columns)

	return func() []string {
		next := all[:n:n]
		all = all[n:]

		return next
	}
}

// What settling again comes to the same for is put back as it was, in the
// transaction that has touched it.
const leaveDeliveries = `
	UPDATE deliveries AS d
	SET state = a.state, outcome = a.outcome, reason = a.reason, due_at = a.due_at, settled_at = a.settled_at,
		attempts = a.attempts, user_id = a.user_id, trivia_id = a.trivia_id, item = a.item
	FROM unnest($1::text[], $2::text[], $3::text[], $4::integer[], $5::timestamptz[], $6::timestamptz[],
		$7::text[], $8::text[], $9::text[], $10::text[], $11::text[])
		AS a (key, kind, state, attempts, due_at, settled_at, outcome, reason, user_id, trivia_id, item)
	WHERE d.key = ANY($1::text[]) AND d.key = a.key AND d.kind = a.kind AND d.rival = ''`

func leftArgs(rows []DeliveryRow) []any {
	n := len(rows)
	part := parts(n, 8)
	var (
		keys, kinds, states, outcomes  = part(), part(), part(), part()
		reasons, users, trivias, items = part(), part(), part(), part()
		tries                          = make(counts, n)
		dues, settled                  = make(times, n), make(times, n)
	)
	for i, d := range rows {
		keys[i], kinds[i], states[i], outcomes[i], reasons[i] = d.Key, string(d.Kind), string(d.State), string(d.Outcome), d.Reason
		users[i], trivias[i], items[i] = string(d.Win.User), string(d.Win.Trivia), string(d.Win.Item)
		tries[i], dues[i], settled[i] = int32(d.Attempts), d.DueAt, d.SettledAt //nolint:gosec // read from an integer
	}

	return []any{
		words(keys), words(kinds), words(states), tries, dues, settled,
		texts(outcomes), texts(reasons), texts(users), texts(trivias), texts(items),
	}
}

const recordDeeds = `
	INSERT INTO audit_log (actor, verb, target, reason, detail)
	SELECT actor, verb, target, reason, detail::jsonb
	FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) AS a (actor, verb, target, reason, detail)`

// Record writes deeds into the audit log, with the act.
func (a *Act) Record(ctx context.Context, deeds []Deed) error {
	if len(deeds) == 0 {
		return nil
	}

	part := parts(len(deeds), 5)
	actors, verbs, targets, reasons, details := part(), part(), part(), part(), part()
	for i, d := range deeds {
		detail, err := json.Marshal(d.Detail)
		if err != nil {
			return fmt.Errorf("write %q to the audit log: %w", d.Verb, err)
		}
		if d.Detail == nil {
			detail = []byte(`{}`)
		}
		actors[i], verbs[i], targets[i], reasons[i] = d.Actor, d.Verb, d.Target, d.Reason
		details[i] = strings.ReplaceAll(string(detail), `\u0000`, "")
	}
	_, err := a.tx.Exec(ctx, recordDeeds, words(actors), words(verbs), words(targets), words(reasons), words(details))
	if err != nil {
		return fmt.Errorf("write %d deeds to the audit log: %w", len(deeds), err)
	}

	return nil
}
