package store

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"trivia/internal/trivia"
)

// A row that is there already is counted if its body is the same. If it is
// not, the WHERE leaves it alone and nothing is returned: a rival.
//
// xmax is 0 in a row that this statement has inserted, and never in one that
// it has updated.
const keepDeliveries = `
	WITH kept AS (
	INSERT INTO deliveries AS d (
		key, kind, body, body_sha256, state, outcome, reason, user_id, trivia_id, item,
		received_at, seen, last_seen_at, caller, signed_by, stamp, marks, reuses, due_at, settled_at)
	SELECT key, kind, body, sha256, state, outcome, reason, user_id, trivia_id, item,
		at, seen, at, caller, signed_by, stamp, string_to_array(marks, ','), reuses,
		CASE WHEN state = 'pending' THEN now() END,
		CASE WHEN state <> 'pending' THEN now() END
	FROM unnest(` + arrivedArrays + `) AS arrived (` + arrivedColumns + `)` + keepOrCount + `
	)` + tellKept + `cardinality($1)`

const keepOrCount = `
	ON CONFLICT (key, kind, rival) DO UPDATE
	SET seen = d.seen + excluded.seen, last_seen_at = greatest(d.last_seen_at, excluded.last_seen_at)
	WHERE d.body_sha256 = excluded.body_sha256
	RETURNING d.key, d.kind, d.xmax = 0 AS fresh, d.state, coalesce(d.outcome, '') AS outcome`

// tellKept returns how many were kept or counted, and those that are not fresh.
// Nearly always that is all there is to tell. If there are rivals, it returns
// all others, so that one can tell who they are.
const tellKept = `
	SELECT count(*), '', '', false, '', '' FROM kept
	UNION ALL
	SELECT NULL, kind, key, fresh, state, outcome FROM kept
	WHERE NOT fresh OR (SELECT count(*) FROM kept) < `

// What columns.args sends, in this order.
const (
	arrivedArrays = `
		$1::text[], $2::text[], $3::bytea[], $4::bytea[], $5::text[], $6::text[], $7::text[],
		$8::text[], $9::text[], $10::text[],
		$11::timestamptz[], $12::integer[], $13::text[], $14::text[], $15::text[], $16::text[], $17::text[]`
	arrivedColumns = `
		key, kind, body, sha256, state, outcome, reason,
		user_id, trivia_id, item,
		at, seen, caller, signed_by, stamp, marks, reuses`
)

// queueKeep keeps slips. A usable one is written with the outcome that nearly
// all of them will have, so that nearly no row is written twice; queueAward
// corrects the rest before the commit.
func (b *batch) queueKeep(q *pgx.Batch, slips []*slip, settle bool) {
	if len(slips) == 0 {
		return
	}

	c := newColumns(len(slips))
	for _, s := range slips {
		c.add(s, s.expected(settle))
	}
	q.Queue(keepDeliveries, c.args()...).Query(b.readKept(slips, settle))
}

// readKept reads what tellKept returns into the receipts of slips.
func (b *batch) readKept(slips []*slip, settle bool) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		type told struct {
			name
			verdict

			fresh bool
		}
		var (
			n    *int
			kept int
			t    told
			all  []told
		)
		_, err := pgx.ForEachRow(rows, []any{&n, &t.kind, &t.key, &t.fresh, &t.state, &t.outcome}, func() error {
			if n != nil {
				kept = *n
			} else {
				all = append(all, t)
			}

			return nil
		})
		if err != nil {
			return err
		}

		if kept == len(slips) {
			expectFresh(slips, settle)
		}
		for _, t := range all {
			s, ok := b.first(t.name)
			if !ok {
				return fmt.Errorf("kept %s %s, which was not asked for", t.kind, t.key)
			}
			s.fresh = t.fresh
			s.receipt = Receipt{Duplicate: !t.fresh, State: t.state, Outcome: t.outcome}
			if t.fresh {
				s.receipt.Reason = s.Unusable
			}
		}

		return nil
	}
}

// expectFresh gives slips the receipts of what was not there before.
func expectFresh(slips []*slip, settle bool) {
	for _, s := range slips {
		v := s.expected(settle)
		s.fresh = true
		s.receipt = Receipt{State: v.state, Outcome: v.outcome, Reason: v.reason}
	}
}

// A verdict is what a delivery's row says about it.
type verdict struct {
	state   trivia.State
	outcome trivia.Outcome
	reason  string
}

// expected returns how a slip is kept at first.
func (s *slip) expected(settle bool) verdict {
	switch {
	case s.Unusable != "":
		return verdict{trivia.StateParked, trivia.Malformed, s.Unusable}
	case !settle:
		return verdict{trivia.StatePending, trivia.Unsettled, ""}
	case s.Kind == trivia.KindEvent:
		return verdict{trivia.StateDone, trivia.Recorded, ""}
	}

	return verdict{trivia.StateDone, trivia.Awarded, ""}
}

// A second body under an event's identifier. It may be the body of the first row after all, if
// it lost its place to another one in the same batch; then it is a repeat.
const keepFurther = `
	WITH arrived AS (
		SELECT * FROM unnest(` + arrivedArrays + `) AS arrived (` + arrivedColumns + `)
	), repeated AS (
		UPDATE deliveries AS d
		SET seen = d.seen + a.seen, last_seen_at = greatest(d.last_seen_at, a.at)
		FROM arrived AS a
		WHERE d.key = ANY($1::text[]) AND d.rival = ''
			AND d.key = a.key AND d.kind = a.kind AND d.body_sha256 = a.sha256
		RETURNING d.key, d.kind, d.body_sha256, d.state, coalesce(d.outcome, '') AS outcome
	), kept AS (
		INSERT INTO deliveries AS d (
			key, kind, rival, body, body_sha256, state, outcome, reason, user_id, trivia_id, item,
			received_at, seen, last_seen_at, caller, signed_by, stamp, marks, settled_at)
		SELECT key, kind, sha256, body, sha256, state, outcome, reason, user_id, trivia_id, item,
			at, seen, at, caller, signed_by, stamp, string_to_array(marks, ','), now()
		FROM arrived AS a
		WHERE NOT EXISTS (
			SELECT FROM repeated AS r WHERE r.key = a.key AND r.kind = a.kind AND r.body_sha256 = a.sha256)
		ORDER BY key, kind, sha256
		ON CONFLICT (key, kind, rival) DO UPDATE
		SET seen = d.seen + excluded.seen, last_seen_at = greatest(d.last_seen_at, excluded.last_seen_at)
		RETURNING d.key, d.kind, d.body_sha256, d.xmax = 0 AS fresh, d.state, d.outcome
	)
	SELECT key, kind, body_sha256, fresh, state, outcome FROM kept
	UNION ALL
	SELECT key, kind, body_sha256, false, state, outcome FROM repeated`

const rivalReason = "this key came before with another body"

// queueRivals keeps further bodies under known keys.
func queueRivals(q *pgx.Batch, rivals []*slip) {
	slices.SortFunc(rivals, bySlipName)
	c := newColumns(len(rivals))
	for _, s := range rivals {
		c.add(s, verdict{trivia.StateParked, trivia.KeyConflict, rivalReason})
	}
	q.Queue(keepFurther, c.args()...).Query(readRivals(rivals))
}

// readRivals reads what keepFurther returns into the receipts of rivals.
func readRivals(rivals []*slip) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		var (
			n     name
			sum   []byte
			fresh bool
			v     verdict
		)
		_, err := pgx.ForEachRow(rows, []any{&n.key, &n.kind, &sum, &fresh, &v.state, &v.outcome}, func() error {
			for _, s := range rivals {
				if s.name() == n && string(s.SHA256[:]) == string(sum) {
					s.receipt = Receipt{Duplicate: !fresh, State: v.state, Outcome: v.outcome}
					if fresh {
						s.receipt.Reason = rivalReason
					}
				}
			}

			return nil
		})

		return err
	}
}

// Columns are slips as arrays, for unnest.
type columns struct {
	keys, kinds, states, callers, signers, stamps words
	outcomes, reasons, users, trivias, items      texts
	marks, reuses                                 texts
	bodies, sums                                  blobs
	ats                                           times
	counts                                        counts
}

func newColumns(n int) *columns {
	parts := make([]string, 13*n)
	part := func(i int) []string { return parts[i*n : i*n : (i+1)*n] }

	return &columns{
		keys: part(0), kinds: part(1), states: part(2), callers: part(3), signers: part(4), stamps: part(5),
		outcomes: part(6), reasons: part(7), users: part(8), trivias: part(9), items: part(10),
		marks: part(11), reuses: part(12),
		bodies: make(blobs, 0, n), sums: make(blobs, 0, n),
		ats: make(times, 0, n), counts: make(counts, 0, n),
	}
}

// body returns the body as what is not null, also if there is none.
func (s *slip) body() []byte {
	if s.Body == nil {
		return []byte{}
	}

	return s.Body
}

// marks returns the marks as one word, for string_to_array.
func (s *slip) marks() string {
	switch len(s.Marks) {
	case 0:
		return ""
	case 1:
		return string(s.Marks[0])
	}
	var all strings.Builder
	for i, m := range s.Marks {
		if i > 0 {
			all.WriteByte(',')
		}
		all.WriteString(string(m))
	}

	return all.String()
}

func (c *columns) add(s *slip, v verdict) {
	c.keys = append(c.keys, s.Key)
	c.kinds = append(c.kinds, string(s.Kind))
	c.states = append(c.states, string(v.state))
	c.outcomes = append(c.outcomes, string(v.outcome))
	c.reasons = append(c.reasons, v.reason)
	c.users = append(c.users, string(s.Win.User))
	c.trivias = append(c.trivias, string(s.Win.Trivia))
	c.items = append(c.items, string(s.Win.Item))
	c.callers = append(c.callers, s.Caller)
	c.signers = append(c.signers, s.SignedBy)
	c.stamps = append(c.stamps, s.Stamp)
	c.marks = append(c.marks, s.marks())
	c.reuses = append(c.reuses, s.Reuses)
	c.bodies = append(c.bodies, s.body())
	c.sums = append(c.sums, s.SHA256[:])
	c.ats = append(c.ats, s.At)
	c.counts = append(c.counts, s.count)
}

func (c *columns) args() []any {
	return []any{
		c.keys, c.kinds, c.bodies, c.sums, c.states, c.outcomes, c.reasons,
		c.users, c.trivias, c.items,
		c.ats, c.counts, c.callers, c.signers, c.stamps, c.marks, c.reuses,
	}
}
