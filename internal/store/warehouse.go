package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// A WarehouseTable is a table of the warehouse.
type WarehouseTable string

// What is copied there.
const (
	WarehouseEvents WarehouseTable = "customerio_events"
	WarehouseWins   WarehouseTable = "trivia_wins"
)

// A WarehousePlace is a place in the order in which rows are copied: by the
// transaction that wrote them. The zero value stands before the first.
type WarehousePlace struct {
	Written   uint64
	At        time.Time // when the row was received or won
	Key, Key2 string    // the event, or the user and the trivia
}

// A WarehouseLease is the right to send one table to one warehouse, which one
// process has at a time.
type WarehouseLease struct {
	Sink  string
	Table WarehouseTable

	Begun time.Time      // with the very first row
	Turn  int64          // rises with every process that takes over
	Place WarehousePlace // of the last row that was sent
	Ahead WarehousePlace // likewise, of those that this server has not counted up to
	Error string         // why nothing was sent when it was last tried; empty if it was

	// Anew says that the database is a copy of the one whose transactions Place
	// counted: it begins anew, and sends all that is there again.
	Anew bool

	until time.Time // by the database's clock
}

// ErrWarehouseHeld says that another process sends.
var ErrWarehouseHeld = errors.New("another process has this warehouse in hand")

const askCluster = `SELECT system_identifier::text FROM pg_control_system()`

// cluster names the server's data: transactions are counted anew in another.
// Where that may not be asked, all servers are called the same, and only a
// position that the server has not counted up to tells of another.
func (s *Store) cluster(ctx context.Context) (name string, err error) {
	const insufficientPrivilege = "42501"
	err = s.pool.QueryRow(ctx, askCluster).Scan(&name)
	if refusal, ok := errors.AsType[*pgconn.PgError](err); ok && refusal.Code == insufficientPrivilege {
		return "", nil
	}

	return name, err
}

const (
	bookWarehouse = `
	INSERT INTO warehouse_positions (sink, what, cluster) VALUES (@sink, @what, @cluster)
	ON CONFLICT (sink, what) DO NOTHING`

	// In another cluster, or one that is not as far as it was, the position means
	// nothing. What is behind it is sent again rather than missed.
	isAnew = `(p.cluster <> @cluster OR p.written >= pg_snapshot_xmax(pg_current_snapshot()))`

	claimWarehouse = `
	WITH old AS (
		SELECT ` + isAnew + ` AS anew, p.sink, p.what
		FROM warehouse_positions AS p
		WHERE p.sink = @sink AND p.what = @what
	)
	UPDATE warehouse_positions AS p
	SET leased_until = now() + @lease::interval, turn = p.turn + 1, cluster = @cluster,
		begun_at = CASE WHEN old.anew THEN now() ELSE p.begun_at END,
		written = CASE WHEN old.anew THEN '0' ELSE p.written END,
		at = CASE WHEN old.anew THEN '0001-01-01 00:00:00+00' ELSE p.at END,
		key = CASE WHEN old.anew THEN '' ELSE p.key END,
		key2 = CASE WHEN old.anew THEN '' ELSE p.key2 END,
		ahead_written = CASE WHEN old.anew THEN '0' ELSE p.ahead_written END,
		ahead_at = CASE WHEN old.anew THEN '0001-01-01 00:00:00+00' ELSE p.ahead_at END,
		ahead_key = CASE WHEN old.anew THEN '' ELSE p.ahead_key END,
		ahead_key2 = CASE WHEN old.anew THEN '' ELSE p.ahead_key2 END,
		sent = CASE WHEN old.anew THEN 0 ELSE p.sent END,
		refused = CASE WHEN old.anew THEN 0 ELSE p.refused END
	FROM old
	WHERE p.sink = old.sink AND p.what = old.what AND p.leased_until <= now()
	RETURNING old.anew, p.leased_until, p.begun_at, p.turn, coalesce(p.error, ''),
		p.written, p.at, p.key, p.key2, p.ahead_written, p.ahead_at, p.ahead_key, p.ahead_key2`
)

// ClaimWarehouse takes the right to send a table to a warehouse for as long as
// lease, or returns [ErrWarehouseHeld].
func (s *Store) ClaimWarehouse(ctx context.Context, sink string, table WarehouseTable, lease time.Duration) (*WarehouseLease, error) {
	l := &WarehouseLease{Sink: sink, Table: table}
	if err := s.claimWarehouse(ctx, l, lease); err != nil {
		return nil, fmt.Errorf("claim %s of %s: %w", table, sink, err)
	}

	return l, nil
}

func (s *Store) claimWarehouse(ctx context.Context, l *WarehouseLease, lease time.Duration) error {
	cluster, err := s.cluster(ctx)
	if err != nil {
		return err
	}
	args := pgx.NamedArgs{"sink": l.Sink, "what": l.Table, "cluster": cluster, "lease": lease}
	if _, err := s.pool.Exec(ctx, bookWarehouse, args); err != nil {
		return err
	}
	err = s.pool.QueryRow(ctx, claimWarehouse, args).Scan(&l.Anew, &l.until, &l.Begun, &l.Turn, &l.Error,
		&l.Place.Written, &l.Place.At, &l.Place.Key, &l.Place.Key2, &l.Ahead.Written, &l.Ahead.At, &l.Ahead.Key, &l.Ahead.Key2)
	l.Place.At, l.Ahead.At = l.Place.At.UTC(), l.Ahead.At.UTC()

	return held(err)
}

const extendLease = `
	UPDATE warehouse_positions SET leased_until = now() + @lease::interval
	WHERE sink = @sink AND what = @what AND turn = @turn AND leased_until = @until
	RETURNING leased_until`

// KeepWarehouse makes a lease last until so long from now. It is
// [ErrWarehouseHeld] if it was lost; a lease of 0 gives it back.
func (s *Store) KeepWarehouse(ctx context.Context, l *WarehouseLease, lease time.Duration) error {
	err := s.pool.QueryRow(ctx, extendLease, l.args(pgx.NamedArgs{"lease": lease})).Scan(&l.until)
	if err = held(err); err != nil {
		return fmt.Errorf("keep %s of %s: %w", l.Table, l.Sink, err)
	}

	return nil
}

// args adds what finds the row of a lease that still holds.
func (l *WarehouseLease) args(more pgx.NamedArgs) pgx.NamedArgs {
	more["sink"], more["what"], more["turn"], more["until"] = l.Sink, l.Table, l.Turn, l.until

	return more
}

func held(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrWarehouseHeld
	}

	return err
}

// A WarehouseRefusal is a row that a warehouse would never take.
type WarehouseRefusal struct {
	Key, Key2 string // the event, or the user and the trivia
	Reason    string // in the warehouse's words
}

// A WarehouseSent is what was sent.
type WarehouseSent struct {
	Rows    int            // with those that were refused
	Last    WarehousePlace // of these rows
	Ahead   bool           // they are of those that the server has not counted up to
	Refused []WarehouseRefusal
}

const (
	sentWarehouse = `
	UPDATE warehouse_positions
	SET written = CASE WHEN @ahead THEN written ELSE @written::xid8 END,
		at = CASE WHEN @ahead THEN at ELSE @at END,
		key = CASE WHEN @ahead THEN key ELSE @key END,
		key2 = CASE WHEN @ahead THEN key2 ELSE @key2 END,
		ahead_written = CASE WHEN @ahead THEN @written::xid8 ELSE ahead_written END,
		ahead_at = CASE WHEN @ahead THEN @at ELSE ahead_at END,
		ahead_key = CASE WHEN @ahead THEN @key ELSE ahead_key END,
		ahead_key2 = CASE WHEN @ahead THEN @key2 ELSE ahead_key2 END,
		sent = sent + @rows, refused = refused + @refused, sent_at = now(), error = NULL, error_since = NULL,
		leased_until = now() + @lease::interval
	WHERE sink = @sink AND what = @what AND turn = @turn AND leased_until = @until
	RETURNING leased_until`

	refuseWarehouse = `
	INSERT INTO warehouse_refused (sink, what, key, key2, reason)
	SELECT @sink, @what, key, key2, min(reason)
	FROM unnest(@keys::text[], @keys2::text[], @reasons::text[]) AS r (key, key2, reason)
	GROUP BY key, key2
	ON CONFLICT (what, key, key2, sink) DO UPDATE SET reason = excluded.reason, at = now()`
)

// SentWarehouse writes down that rows were sent, and how far that is, and makes
// the lease last until so long from now. If the lease was lost it is
// [ErrWarehouseHeld], and nothing is written: another process sends them again.
func (s *Store) SentWarehouse(ctx context.Context, l *WarehouseLease, sent WarehouseSent, lease time.Duration) error {
	args := l.args(pgx.NamedArgs{
		"ahead": sent.Ahead, "written": sent.Last.Written, "at": sent.Last.At, "key": sent.Last.Key, "key2": sent.Last.Key2,
		"rows": sent.Rows, "refused": len(sent.Refused), "lease": lease,
	})
	var keys, keys2, reasons []string
	for _, r := range sent.Refused {
		keys, keys2, reasons = append(keys, r.Key), append(keys2, r.Key2), append(reasons, clean(r.Reason))
	}
	args["keys"], args["keys2"], args["reasons"] = keys, keys2, reasons

	until := l.until
	err := s.commit(ctx, func(tx pgx.Tx) error {
		if err := held(tx.QueryRow(ctx, sentWarehouse, args).Scan(&until)); err != nil || len(keys) == 0 {
			return err
		}
		_, err := tx.Exec(ctx, refuseWarehouse, args)

		return err
	})
	if err != nil {
		return fmt.Errorf("note what of %s was sent to %s: %w", l.Table, l.Sink, err)
	}
	l.until, l.Error = until, ""
	if sent.Ahead {
		l.Ahead = sent.Last
	} else {
		l.Place = sent.Last
	}

	return nil
}

const failedWarehouse = `
	UPDATE warehouse_positions
	SET error = @error, error_since = coalesce(error_since, now()), leased_until = now() + @lease::interval
	WHERE sink = @sink AND what = @what AND turn = @turn AND leased_until = @until
	RETURNING leased_until`

// FailedWarehouse writes down why nothing could be sent, for people who ask, and
// keeps the lease.
func (s *Store) FailedWarehouse(ctx context.Context, l *WarehouseLease, why string, lease time.Duration) error {
	why = clean(why)
	if why == "" {
		why = "an error without words"
	}
	err := s.pool.QueryRow(ctx, failedWarehouse, l.args(pgx.NamedArgs{"error": why, "lease": lease})).Scan(&l.until)
	if err = held(err); err != nil {
		return fmt.Errorf("note why nothing of %s is sent to %s: %w", l.Table, l.Sink, err)
	}
	l.Error = why

	return nil
}
