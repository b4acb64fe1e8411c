package store

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"trivia/internal/trivia"
)

const keepCopy = `
	INSERT INTO deliveries (
		key, kind, body, body_sha256, state, user_id, trivia_id, item, received_at, last_seen_at, due_at, repairs)
	VALUES (@key, @kind, @body, @sha256, 'pending', @user, @trivia, @item, now(), now(), now() + @within::interval, @repairs)
	ON CONFLICT (key, kind, rival) DO NOTHING
	RETURNING received_at, due_at`

// KeepCopy keeps the repaired copy of a delivery under another key, for the act
// to settle. It reports false, and has kept nothing, if that key is taken.
func (a *Act) KeepCopy(ctx context.Context, source DeliveryRow, repaired Arrival) (c DeliveryRow, ok bool, err error) {
	const ours = 30 * time.Second // the act ends before

	c = DeliveryRow{
		Key: repaired.Key, Kind: repaired.Kind, Win: repaired.Win, State: trivia.StatePending,
		SHA256: repaired.SHA256[:], Body: repaired.Body, Size: len(repaired.Body), Seen: 1,
		Repairs: source.Key + "@" + hex.EncodeToString(source.SHA256),
	}
	err = a.tx.QueryRow(ctx, keepCopy, pgx.NamedArgs{
		"key": c.Key, "kind": c.Kind, "body": c.Body, "sha256": c.SHA256,
		"user": c.Win.User, "trivia": c.Win.Trivia, "item": c.Win.Item, "within": ours, "repairs": c.Repairs,
	}).Scan(&c.ReceivedAt, &c.DueAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return DeliveryRow{}, false, nil
	}
	if err != nil {
		return DeliveryRow{}, false, fmt.Errorf("keep a copy of %s: %w", source.Key, err)
	}
	c.LastSeenAt = c.ReceivedAt

	return c, true, nil
}

// Like a settled delivery's, its row comes last, and is not waited for.
const markRepaired = `
	UPDATE deliveries AS d
	SET repaired_by = @copy, reason = concat_ws(': ', 'repaired by ' || @copy::text, reason)
	WHERE d.key = @key AND d.kind = @kind AND d.rival = '' AND EXISTS (
		SELECT FROM deliveries AS l
		WHERE l.key = @key AND l.kind = @kind AND l.rival = '' AND l.state = 'parked'
			AND l.repaired_by IS NULL AND l.settled_at IS NOT DISTINCT FROM @settled_at
		FOR UPDATE SKIP LOCKED)`

// MarkRepaired says on a parked delivery which copy stands for it from now on.
// It is [ErrBusy], and the act must fail, if it no longer stands as it was read.
func (a *Act) MarkRepaired(ctx context.Context, source DeliveryRow, copyKey string) error {
	tag, err := a.tx.Exec(ctx, markRepaired, pgx.NamedArgs{
		"copy": copyKey, "key": source.Key, "kind": source.Kind, "settled_at": source.SettledAt,
	})
	if err == nil && tag.RowsAffected() == 0 {
		err = ErrBusy
	}
	if err != nil {
		return fmt.Errorf("mark %s as repaired: %w", source.Key, err)
	}

	return nil
}
