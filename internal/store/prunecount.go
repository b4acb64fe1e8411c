package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// A PruneCount says what a [PruneSpan] comes to.
type PruneCount struct {
	What   Prunable
	Rows   int
	Bytes  int64     // of bodies exactly; of tables about, with their indexes
	Oldest time.Time // zero if there is nothing
	Parked int       // deliveries and pushes of the span that stay, since they wait for a person
	Waits  int       // likewise, since the service has not ended them, or a warehouse was not sent them yet
}

const (
	countOldEvents = `
	SELECT count(*) FILTER (WHERE NOT ` + eventIsUnsent + `), 0, min(received_at) FILTER (WHERE NOT ` + eventIsUnsent + `),
		0, count(*) FILTER (WHERE ` + eventIsUnsent + `)
	FROM events AS e
	WHERE received_at >= @from AND received_at < @before`

	countOldDeliveries = `
	SELECT count(*) FILTER (WHERE ` + deliveryEnded + ` AND (@events_go OR ` + eventIsGone + `)), 0,
		min(received_at) FILTER (WHERE ` + deliveryEnded + ` AND (@events_go OR ` + eventIsGone + `)),
		count(*) FILTER (WHERE state = 'parked' AND NOT @parked), count(*) FILTER (WHERE state = 'pending')
	FROM deliveries AS d
	WHERE received_at >= @from AND received_at < @before`

	countOldBodies = `
	SELECT count(*) FILTER (WHERE u.may), coalesce(sum(length(body)) FILTER (WHERE u.may), 0)::bigint,
		min(received_at) FILTER (WHERE u.may), 0, count(*) FILTER (WHERE NOT u.may)
	FROM deliveries AS d
	CROSS JOIN LATERAL (SELECT NOT ` + bodyIsUnsent + ` AS may) AS u
	WHERE received_at >= @from AND received_at < @before AND ` + bodyUsed

	countOldPushes = `
	SELECT count(*) FILTER (WHERE ` + pushEnded + `), 0, min(created_at) FILTER (WHERE ` + pushEnded + `),
		count(*) FILTER (WHERE state = 'parked' AND NOT @parked), count(*) FILTER (WHERE state IN ('pending', 'held'))
	FROM pushes AS p
	WHERE id >= @from_id AND id < @to_id AND created_at >= @from AND created_at < @before`

	// What a row of a table takes, about, with its part of the indexes.
	rowSize = `
	SELECT coalesce((SELECT pg_total_relation_size(oid) / nullif(reltuples, 0)
		FROM pg_class WHERE oid = to_regclass(@table) AND reltuples > 0), 0)::float8`
)

// CountPrune says what pruning a span would come to, and changes nothing. It
// costs as much as there is in the span.
func (s *Store) CountPrune(ctx context.Context, span PruneSpan) (PruneCount, error) {
	c := PruneCount{What: span.What}
	err := pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		return c.read(ctx, tx, span)
	})
	if err != nil {
		return c, fmt.Errorf("count old %s: %w", span.What, err)
	}

	return c, nil
}

func (c *PruneCount) read(ctx context.Context, tx pgx.Tx, span PruneSpan) error {
	if _, err := tx.Exec(ctx, byIndex); err != nil {
		return err
	}
	before, err := (&Act{tx}).notRepeated(ctx, span)
	if err != nil {
		return err
	}

	args := pgx.NamedArgs{"from": span.From, "before": before, "parked": span.Parked, "events_go": !span.EventsStay}
	sql, table := countOldEvents, "events"
	switch span.What {
	case PruneEvents:
	case PruneDeliveries:
		sql, table = countOldDeliveries, "deliveries"
	case PruneBodies:
		sql, table = countOldBodies, ""
	case PrunePushes:
		sql, table = countOldPushes, "pushes"
		args["from_id"] = int64(0)
		if !span.From.IsZero() {
			if args["from_id"], err = pushSince(ctx, tx, span.From.Add(-idSlack)); err != nil {
				return err
			}
		}
		if args["to_id"], err = pushSince(ctx, tx, before.Add(idSlack)); err != nil {
			return err
		}
	}

	var oldest *time.Time
	if err := tx.QueryRow(ctx, sql, args).Scan(&c.Rows, &c.Bytes, &oldest, &c.Parked, &c.Waits); err != nil {
		return err
	}
	if oldest != nil {
		c.Oldest = *oldest
	}
	if table == "" {
		return nil
	}
	var size float64
	if err := tx.QueryRow(ctx, rowSize, pgx.NamedArgs{"table": table}).Scan(&size); err != nil {
		return err
	}
	c.Bytes = int64(float64(c.Rows) * size)

	return nil
}

// Now returns the database's clock, by which ages are judged.
func (s *Store) Now(ctx context.Context) (now time.Time, err error) {
	if err := s.pool.QueryRow(ctx, `SELECT now()`).Scan(&now); err != nil {
		return now, fmt.Errorf("ask for the database's clock: %w", err)
	}

	return now, nil
}

const markPruned = `
	INSERT INTO pruned AS p (what, before) VALUES (@what, @before)
	ON CONFLICT (what) DO UPDATE SET before = excluded.before WHERE p.before < excluded.before`

// MarkPruned notes that of what came before a time, all that has ended may be
// gone from now on. It belongs into the commit in which the first of it goes.
func (a *Act) MarkPruned(ctx context.Context, what Prunable, before time.Time) error {
	if _, err := a.tx.Exec(ctx, markPruned, pgx.NamedArgs{"what": what, "before": before}); err != nil {
		return fmt.Errorf("mark %s as pruned: %w", what, err)
	}

	return nil
}
