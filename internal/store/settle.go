package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"trivia/internal/faultpoint"
	"trivia/internal/trivia"
)

// A Ref names a pending delivery. Only the first body under a key is ever
// pending.
type Ref struct {
	Kind trivia.Kind
	Key  string
}

func (r Ref) String() string { return fmt.Sprintf("%s %s", r.Kind, r.Key) }

// A Pending is a delivery that one process has claimed, to settle it before
// the lease ends.
type Pending struct {
	Ref

	Body     []byte
	Attempts int // of settling, with this one
	Received time.Time
	lease    time.Time // until when the claim holds, by the database's clock
}

// ErrBusy says that somebody else has the delivery in hand, or has settled it.
var ErrBusy = errors.New("delivery is in other hands")

const listDue = `
	SELECT kind, key
	FROM deliveries
	WHERE state = 'pending' AND due_at <= now()
	ORDER BY due_at
	LIMIT $1`

// Due returns up to limit pending deliveries whose time has come, of whatever
// process, the longest waiting first. It claims nothing.
func (s *Store) Due(ctx context.Context, limit int) ([]Ref, error) {
	rows, err := s.pool.Query(ctx, listDue, limit)
	if err != nil {
		return nil, fmt.Errorf("list due deliveries: %w", err)
	}
	refs, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Ref])
	if err != nil {
		return nil, fmt.Errorf("list due deliveries: %w", err)
	}

	return refs, nil
}

// The attempt is counted before it is made, so that a delivery whose award
// kills the process or the database is not tried forever.
const claimDelivery = `
	UPDATE deliveries
	SET attempts = attempts + 1, due_at = now() + $3::interval
	WHERE key = $1 AND kind = $2 AND rival = '' AND state = 'pending' AND due_at <= now()
	RETURNING body, attempts, received_at, due_at`

// Claim takes a due delivery for as long as lease. It returns [ErrBusy] if
// another process was first.
func (s *Store) Claim(ctx context.Context, ref Ref, lease time.Duration) (Pending, error) {
	p := Pending{Ref: ref}
	err := s.commit(ctx, func(tx pgx.Tx) error {
		// On the disk, since an award may crash the server; a standby may lag behind.
		if _, err := tx.Exec(ctx, `SET LOCAL synchronous_commit = local`); err != nil {
			return err
		}

		return tx.QueryRow(ctx, claimDelivery, ref.Key, ref.Kind, lease).
			Scan(&p.Body, &p.Attempts, &p.Received, &p.lease)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return Pending{}, fmt.Errorf("claim %s: %w", ref, ErrBusy)
	}
	if err != nil {
		return Pending{}, fmt.Errorf("claim %s: %w", ref, err)
	}

	return p, nil
}

// Intake may hold the row's lock for a moment, counting a repeat. Waiting for
// it here, behind the award, could be a circle: it is skipped, and tried again.
const finishDelivery = `
	UPDATE deliveries AS d
	SET state = $3, outcome = nullif($4, ''), reason = nullif($5, ''), due_at = NULL, settled_at = now(),
		user_id = nullif($6, ''), trivia_id = nullif($7, ''), item = nullif($8, '')
	WHERE d.key = $1 AND d.kind = $2 AND d.rival = '' AND EXISTS (
		SELECT FROM deliveries AS l
		WHERE l.key = $1 AND l.kind = $2 AND l.rival = '' AND l.state = 'pending' AND l.due_at = $9
		FOR UPDATE SKIP LOCKED)`

// SettleOptions say how [Store.Settle] settles.
type SettleOptions struct {
	CreateUsers bool           // insert a missing user with the win
	Retry       *time.Duration // when a win whose user is not there is tried again; nil parks it
	Statement   time.Duration  // after which the server gives up a statement
	Owing       Owing
}

// Settle settles one claimed delivery as a says it is, in one commit, with the
// statements that intake uses. It returns [ErrBusy] if the claim is lost.
func (s *Store) Settle(ctx context.Context, p Pending, a Arrival, opts SettleOptions) (Receipt, error) {
	receipt, err := s.settleOnce(ctx, p, a, opts)
	if leftBehind(err) {
		receipt, err = s.settleOnce(ctx, p, a, opts) // in another session
	}
	if err != nil {
		return Receipt{}, fmt.Errorf("settle %s: %w", p.Ref, err)
	}

	return receipt, nil
}

func (s *Store) settleOnce(ctx context.Context, p Pending, a Arrival, opts SettleOptions) (Receipt, error) {
	sl := &slip{Arrival: &a}
	end := sl.expected(settledNow)
	sl.receipt = Receipt{State: end.state, Outcome: end.outcome, Reason: end.reason}
	err := s.commitRuled(ctx, func(tx pgx.Tx) error {
		return s.settle(ctx, tx, p, sl, end, opts)
	})

	return sl.receipt, err
}

// settle awards first and takes the delivery's own row last: intake waits for
// that row when a repeat comes, and an award may take its time.
func (s *Store) settle(ctx context.Context, tx pgx.Tx, p Pending, sl *slip, end verdict, opts SettleOptions) error {
	var q pgx.Batch
	queueRuled(&q, opts.Statement, func() {
		if end.outcome == trivia.Awarded {
			queueAward(&q, []*slip{sl}, opts.CreateUsers, opts.Owing, alreadyKept)
		}
	})
	finished := q.Queue(finishDelivery, p.Key, p.Kind, end.state, end.outcome, end.reason,
		sl.Win.User, sl.Win.Trivia, sl.Win.Item, p.lease)
	finished.Exec(func(tag pgconn.CommandTag) error {
		if tag.RowsAffected() == 0 {
			return ErrBusy
		}

		return nil
	})
	if end.outcome == trivia.Awarded {
		queueJudge(&q, []*slip{sl}, opts.Retry)
	}
	if end.outcome == trivia.Recorded {
		queueRecord(&q, sl, opts.Owing)
	}
	queueClean(&q)

	if err := tx.SendBatch(ctx, &q).Close(); err != nil {
		return err
	}
	faultpoint.At(faultpoint.SettleAwarded)

	return nil
}

const deferDelivery = `
	UPDATE deliveries
	SET due_at = now() + $4::interval, outcome = NULL, reason = $5
	WHERE key = $1 AND kind = $2 AND rival = '' AND state = 'pending' AND due_at = $3`

// Defer gives a claimed delivery back, to be tried again after wait.
func (s *Store) Defer(ctx context.Context, p Pending, wait time.Duration, reason string) error {
	if _, err := s.pool.Exec(ctx, deferDelivery, p.Key, p.Kind, p.lease, wait, clean(reason)); err != nil {
		return fmt.Errorf("defer %s: %w", p.Ref, err)
	}

	return nil
}

const parkDelivery = `
	UPDATE deliveries
	SET state = 'parked', due_at = NULL, settled_at = now(), outcome = NULL, reason = $4
	WHERE key = $1 AND kind = $2 AND rival = '' AND state = 'pending' AND due_at = $3`

// Park sets a claimed delivery aside for a person, with the reason.
func (s *Store) Park(ctx context.Context, p Pending, reason string) error {
	if _, err := s.pool.Exec(ctx, parkDelivery, p.Key, p.Kind, p.lease, clean(reason)); err != nil {
		return fmt.Errorf("park %s: %w", p.Ref, err)
	}

	return nil
}
