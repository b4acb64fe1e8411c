package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"trivia/internal/faultpoint"
	"trivia/internal/trivia"
)

// IntakeOptions say how an [Intake] works.
type IntakeOptions struct {
	Conns       int           // connections, and so commits under way at once; at least 1
	Statement   time.Duration // after which the server gives up a statement
	CreateUsers bool          // insert a missing user with the win
	Owing       Owing
}

// Owing says what is owed to Customer.io for what is settled. It is written
// in the same commit. The zero value owes nothing.
type Owing struct {
	Policy trivia.Policy
	Held   bool // there are no credentials: keep what is owed until there are
}

// An Intake takes batches of arrivals into the database, one commit each. It
// has connections of its own, tuned for short statements by key. It is safe
// for concurrent use.
type Intake struct {
	pool *pgxpool.Pool
	opts IntakeOptions
}

// OpenIntake connects to the database at text, as [ParseDSN] reads it. Close it
// after use.
func OpenIntake(ctx context.Context, text string, opts IntakeOptions) (*Intake, error) {
	d, err := ParseDSN(text, DSNOptions{})
	if err != nil {
		return nil, fmt.Errorf("open the database for intake: %w", err)
	}

	return d.OpenIntake(ctx, opts)
}

// OpenIntake connects to the database. Close it after use.
func (d *DSN) OpenIntake(ctx context.Context, opts IntakeOptions) (*Intake, error) {
	cfg := d.config()
	cfg.MaxConns = int32(max(opts.Conns, 1)) //nolint:gosec // a handful
	cfg.MinConns = cfg.MaxConns
	params := cfg.ConnConfig.RuntimeParams
	params["statement_timeout"] = fmt.Sprint(opts.Statement.Milliseconds())
	// Every statement here finds its rows by key. A plan that was made while a
	// table was small, or before it was analyzed, must not scan it later.
	params["enable_seqscan"] = "off"
	params["plan_cache_mode"] = "force_generic_plan"
	params["jit"] = "off"
	cfg.AfterConnect = insistOnDurability

	pool, err := d.newPool(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open the database for intake: %w", err)
	}

	return &Intake{pool: pool, opts: opts}, nil
}

const insistOnSyncCommit = `
	SELECT set_config('synchronous_commit', 'on', false)
	WHERE current_setting('synchronous_commit') = 'off'`

// insistOnDurability overrules a database or role that was set to acknowledge
// commits before they are on disk: a 200 would then promise too much.
func insistOnDurability(ctx context.Context, conn *pgx.Conn) error {
	encodeArrays(conn)
	_, err := conn.Exec(ctx, insistOnSyncCommit)
	return err
}

// Close waits for what is under way and closes the connections.
func (in *Intake) Close() { in.pool.Close() }

// Take keeps all arrivals and settles them, in one commit, and returns their
// receipts in the same order. On an error nothing is kept, or it is kept and
// will be told to be a duplicate when it comes again.
func (in *Intake) Take(ctx context.Context, arrivals []Arrival) ([]Receipt, error) {
	return in.commit(ctx, arrivals, settledNow)
}

// Keep keeps all arrivals in one commit and leaves those that can be used to
// be settled later.
func (in *Intake) Keep(ctx context.Context, arrivals []Arrival) ([]Receipt, error) {
	return in.commit(ctx, arrivals, settledLater)
}

// Whether the usable arrivals of a batch are settled in the commit that keeps
// them.
const (
	settledNow   = true
	settledLater = false
)

func (in *Intake) commit(ctx context.Context, arrivals []Arrival, settle bool) ([]Receipt, error) {
	conn, err := in.pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("take in %d deliveries: reach the database: %w", len(arrivals), err)
	}
	defer conn.Release()

	b := newBatch(arrivals)
	if err := in.take(ctx, conn.Conn(), b, settle); err != nil {
		return nil, fmt.Errorf("take in %d deliveries: %w", len(arrivals), err)
	}

	return b.receipts(), nil
}

// take crosses to the server once: each statement finds out by itself what is
// new, and what crosses together is one transaction. Only for a win that cannot
// be awarded, or a second body under a key, it crosses again.
func (in *Intake) take(ctx context.Context, conn *pgx.Conn, b *batch, settle bool) error {
	wins, events, others := b.parted()

	var q pgx.Batch
	if isTimeToReplan(conn) {
		q.Queue("DISCARD PLANS")
	}
	if settle {
		b.queueKeepEvents(&q, events, in.opts.Owing)
		b.queueKeep(&q, others, settle)
		queueAward(&q, wins, in.opts.CreateUsers, in.opts.Owing, afterKeeping)
	} else {
		b.queueKeep(&q, b.firsts, settle)
	}
	results := conn.SendBatch(ctx, &q)
	faultpoint.At(faultpoint.CommitSent)
	if err := results.Close(); err != nil {
		return err
	}
	b.partRivals()
	if err := keepRivals(ctx, conn, b.rivals); err != nil {
		return err
	}
	if settle {
		judgeLeft(ctx, conn, wins)
	}

	return nil
}

// judgeLeft says of the wins that were left pending what they are. They are
// kept already, so that an error here is none of the sender's: the stage behind
// intake judges them then.
func judgeLeft(ctx context.Context, conn *pgx.Conn, wins []*slip) {
	var left []*slip
	for _, s := range wins {
		if s.fresh && s.receipt.State == trivia.StatePending {
			left = append(left, s)
		}
	}
	if len(left) == 0 {
		return
	}

	var q pgx.Batch
	queueJudge(&q, left, firstRetry())
	_ = conn.SendBatch(ctx, &q).Close()
}

// isTimeToReplan counts the batches of a connection. The plans of its
// statements are kept, and are as good as the tables were when they were made:
// all but empty, at a first start. So they are made anew while the tables grow,
// ever more seldom.
func isTimeToReplan(conn *pgx.Conn) bool {
	const counter = "batches"
	data := conn.PgConn().CustomData()
	n, _ := data[counter].(int)
	data[counter] = n + 1

	return n >= 16 && n&(n-1) == 0 || n > 0 && n%4096 == 0
}

// partRivals moves the slips whose key the table holds with another body from
// the firsts, where keeping them did nothing, to the rivals.
func (b *batch) partRivals() {
	firsts := b.firsts[:0]
	for _, s := range b.firsts {
		if !s.fresh && !s.receipt.Duplicate {
			b.rivals = append(b.rivals, s)
			continue
		}
		firsts = append(firsts, s)
	}
	b.firsts = firsts
}

// parted returns the usable events of b, and all the others, of which the
// usable wins once more by themselves, sorted by person. Repeats are among them:
// only the server knows.
func (b *batch) parted() (wins, events, others []*slip) {
	for _, s := range b.firsts {
		usable := s.Unusable == ""
		if usable && s.Kind == trivia.KindEvent {
			events = append(events, s)
			continue
		}
		others = append(others, s)
		if usable {
			wins = append(wins, s)
		}
	}
	sortByPerson(wins)

	return wins, events, others
}
