package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"trivia/internal/trivia"
)

// A Prunable is a part of what is kept that has its own time of use.
type Prunable string

// What can be pruned by age. Wins are not among them: see [Act.PruneWins].
const (
	PruneEvents     Prunable = "events"     // with the answers that they tell of
	PruneDeliveries Prunable = "deliveries" // that are settled
	PrunePushes     Prunable = "pushes"     // that were sent
	PruneBodies     Prunable = "bodies"     // of settled deliveries, which stay and are still known when they are repeated
)

// Prunables returns every part, in the order in which they are pruned: an
// event goes before its delivery. Else a repeat would be kept as new, find its
// event there, and spoil the batch that it came with.
func Prunables() []Prunable {
	return []Prunable{PruneEvents, PruneDeliveries, PrunePushes, PruneBodies}
}

// RepeatedFor is how long anything may come again, and a day. Customer.io
// repeats an event for a week, and an action for about an hour. What is younger
// is never deleted, so that nothing is counted twice: the statements see to it,
// by the database's clock.
const RepeatedFor = 8 * 24 * time.Hour

// A PruneSpan says what is pruned.
type PruneSpan struct {
	What         Prunable
	From, Before time.Time // From ≤ received (of pushes: created) < Before; From may be zero
	Parked       bool      // also what waits for a person; never of bodies

	// EventsStay says that events are not pruned as far: then the deliveries of
	// those that are there stay.
	EventsStay bool
}

// A PrunePlace is a place in the walk through a [PruneSpan]. The zero value
// stands before the first.
type PrunePlace struct {
	at              time.Time
	key             string // or the identifier of an event
	kind            trivia.Kind
	rival           []byte
	push, untilPush int64
}

// A PruneStep is what one commit of pruning came to.
type PruneStep struct {
	Gone  int // rows that were deleted or, of bodies, blanked
	Bytes int64
	After PrunePlace // go on behind it
	End   bool       // nothing came behind it
}

// What of a delivery d may go. It is asked again when the row is locked.
const (
	deliveryEnded = `(d.state = 'done' OR d.state = 'parked' AND @parked) AND d.last_seen_at < @before`
	bodyUsed      = `d.state = 'done' AND length(d.body) > 0`

	// A warehouse that has not been sent an event gets it with its body.
	bodyIsUnsent = `(d.kind = 'event' AND d.rival = '' AND EXISTS (
			SELECT FROM events AS e WHERE e.event_id = d.key AND ` + eventIsUnsent + `))`
	bodyMayGo = bodyUsed + ` AND NOT ` + bodyIsUnsent
)

// Intake may be counting a repeat: that one is left out, and found the next
// time. So nobody waits for anybody.
func pruneDeliveries(may, act string) string {
	return `
	WITH walked AS MATERIALIZED (
		SELECT d.key, d.kind, d.rival, d.received_at, ` + may + ` AS may
		FROM deliveries AS d
		WHERE d.received_at < @before AND (d.received_at, d.key, d.kind, d.rival) > (@at, @key, @kind, @rival)
		ORDER BY d.received_at, d.key, d.kind, d.rival
		LIMIT @limit
	), locked AS MATERIALIZED (
		SELECT d.key, d.kind, d.rival
		FROM walked AS w
		JOIN deliveries AS d ON d.key = w.key AND d.kind = w.kind AND d.rival = w.rival
		WHERE w.may AND ` + may + `
		ORDER BY d.kind, d.key, d.rival
		FOR UPDATE OF d SKIP LOCKED
	), gone AS (
		` + act + `
	)
	SELECT (SELECT count(*) FROM gone), (SELECT coalesce(sum(bytes), 0)::bigint FROM gone), (SELECT count(*) FROM walked),
		received_at, key, kind, rival
	FROM walked
	ORDER BY received_at DESC, key DESC, kind DESC, rival DESC
	LIMIT 1`
}

const (
	deleteDeliveries = `DELETE FROM deliveries AS d
		USING locked AS l
		WHERE d.key = l.key AND d.kind = l.kind AND d.rival = l.rival
		RETURNING length(d.body) AS bytes`

	blankBodies = `UPDATE deliveries AS d
		SET body = ''
		FROM locked AS l, deliveries AS b
		WHERE d.key = l.key AND d.kind = l.kind AND d.rival = l.rival
			AND b.key = l.key AND b.kind = l.kind AND b.rival = l.rival
		RETURNING length(b.body) AS bytes`

	// The delivery of an event that stays, stays.
	eventIsGone = `(d.kind <> 'event' OR NOT EXISTS (SELECT FROM events AS e WHERE e.event_id = d.key))`
)

// What a warehouse has not been sent yet stays.
const pruneEvents = `
	WITH walked AS MATERIALIZED (
		SELECT e.event_id, e.received_at, e.person, e.tracked_response, NOT ` + eventIsUnsent + ` AS may
		FROM events AS e
		WHERE e.received_at < @before AND (e.received_at, e.event_id) > (@at, @key)
		ORDER BY e.received_at, e.event_id
		LIMIT @limit
		FOR UPDATE OF e SKIP LOCKED
	), unanswered AS (
		DELETE FROM responses AS r
		USING walked AS w
		WHERE w.may AND w.tracked_response IS NOT NULL AND r.user_id = w.person AND r.event_id = w.event_id
	), gone AS (
		DELETE FROM events AS e USING walked AS w WHERE w.may AND e.event_id = w.event_id RETURNING e.event_id
	)
	SELECT (SELECT count(*) FROM gone), 0, (SELECT count(*) FROM walked), received_at, event_id, 'event', ''::bytea
	FROM walked
	ORDER BY received_at DESC, event_id DESC
	LIMIT 1`

const pushEnded = `(p.state = 'sent' OR p.state = 'parked' AND @parked) AND p.created_at < @before AND p.settled_at < @before`

const prunePushes = `
	WITH walked AS MATERIALIZED (
		SELECT id, person, ` + pushEnded + ` AS may
		FROM pushes AS p
		WHERE id > @after_id AND id < @to_id
		ORDER BY id
		LIMIT @limit
	), locked AS MATERIALIZED (
		SELECT p.id, p.person
		FROM walked AS w
		JOIN pushes AS p ON p.id = w.id AND p.person = w.person
		WHERE w.may AND ` + pushEnded + `
		ORDER BY p.id
		FOR UPDATE OF p SKIP LOCKED
	), gone AS (
		DELETE FROM pushes AS p USING locked AS l WHERE p.id = l.id AND p.person = l.person RETURNING p.id
	)
	SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM walked), (SELECT max(id) FROM walked)`

// byIndex keeps one act's statements from reading the whole of a table, on
// whatever statistics.
const byIndex = `SELECT set_config('enable_seqscan', 'off', true)`

// Prune deletes what a span names among up to limit rows that come behind a
// place.
func (a *Act) Prune(ctx context.Context, span PruneSpan, after PrunePlace, limit int) (step PruneStep, err error) {
	if _, err = a.tx.Exec(ctx, byIndex); err != nil {
		return step, fmt.Errorf("prune %s: %w", span.What, err)
	}
	var before time.Time
	if before, err = a.notRepeated(ctx, span); err != nil {
		return step, fmt.Errorf("prune %s: %w", span.What, err)
	}
	if after.at.Before(span.From) {
		after.at = span.From.Add(-time.Microsecond)
	}

	args := pgx.NamedArgs{
		"before": before, "parked": span.Parked, "limit": limit,
		"at": after.at, "key": after.key, "kind": after.kind, "rival": orEmpty(after.rival),
	}
	switch span.What {
	case PruneEvents:
		step, err = pruneWalk(a.tx.QueryRow(ctx, pruneEvents, args), limit)
	case PruneDeliveries:
		step, err = pruneWalk(a.tx.QueryRow(ctx, pruneDeliveries(deliveryEnded+" AND "+eventIsGone, deleteDeliveries), args), limit)
	case PruneBodies:
		step, err = pruneWalk(a.tx.QueryRow(ctx, pruneDeliveries(bodyMayGo, blankBodies), args), limit)
	case PrunePushes:
		step, err = a.prunePushes(ctx, span, before, after, limit)
	}
	if err != nil {
		return step, fmt.Errorf("prune %s: %w", span.What, err)
	}

	return step, nil
}

func orEmpty(b []byte) []byte {
	if b == nil {
		return []byte{}
	}

	return b
}

func pruneWalk(row pgx.Row, limit int) (step PruneStep, err error) {
	var walked int
	err = row.Scan(&step.Gone, &step.Bytes, &walked, &step.After.at, &step.After.key, &step.After.kind, &step.After.rival)
	step.End = walked < limit
	if errors.Is(err, pgx.ErrNoRows) {
		return PruneStep{End: true}, nil
	}

	return step, err
}

func (a *Act) prunePushes(ctx context.Context, span PruneSpan, before time.Time, after PrunePlace, limit int) (step PruneStep, err error) {
	if after.untilPush == 0 { // once for a walk
		if !span.From.IsZero() {
			if after.push, err = pushSince(ctx, a.tx, span.From.Add(-idSlack)); err != nil {
				return step, err
			}
			after.push--
		}
		if after.untilPush, err = pushSince(ctx, a.tx, before.Add(idSlack)); err != nil {
			return step, err
		}
	}

	var (
		walked int
		last   *int64
	)
	args := pgx.NamedArgs{
		"before": before, "parked": span.Parked, "limit": limit, "after_id": after.push, "to_id": after.untilPush,
	}
	if err = a.tx.QueryRow(ctx, prunePushes, args).Scan(&step.Gone, &walked, &last); err != nil {
		return step, err
	}
	step.After, step.End = after, walked < limit
	if last != nil {
		step.After.push = *last
	}

	return step, nil
}

const notRepeated = `SELECT least(@before, now() - @repeated::interval)`

// notRepeated returns the end of a span, or an earlier one that no repeat can
// reach any more.
func (a *Act) notRepeated(ctx context.Context, span PruneSpan) (before time.Time, err error) {
	if span.What == PruneBodies {
		return span.Before, nil // the row stays, and a repeat is known
	}
	err = a.tx.QueryRow(ctx, notRepeated, pgx.NamedArgs{"before": span.Before, "repeated": RepeatedFor}).Scan(&before)

	return before, err
}
