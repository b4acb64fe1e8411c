package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
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

	// What stands at the other end of its connections; nil until one was made.
	far atomic.Pointer[far]
}

// A far is what stands at the other end of a connection.
type far struct {
	// Pooled says that a pooler does, or seems to: what is prepared by name, or
	// set, may be unknown to the session that runs the next transaction.
	pooled bool

	path, onDisk string // of the server's session, as ours are to have them
}

// OpenIntake opens an intake on the database at text, as [ParseDSN] reads it.
// Close it after use.
func OpenIntake(ctx context.Context, text string, opts IntakeOptions) (*Intake, error) {
	d, err := ParseDSN(text, DSNOptions{})
	if err != nil {
		return nil, fmt.Errorf("open the database for intake: %w", err)
	}

	return d.OpenIntake(ctx, opts)
}

// OpenIntake opens an intake on the database, which may be absent: it is
// connected to when it is needed. Close it after use.
func (d *DSN) OpenIntake(ctx context.Context, opts IntakeOptions) (*Intake, error) {
	cfg, in := d.config(), &Intake{opts: opts}
	cfg.MaxConns = int32(max(opts.Conns, 1)) //nolint:gosec // a handful
	cfg.MinConns = cfg.MaxConns
	plain := cfg.ConnConfig.DefaultQueryExecMode != pgx.QueryExecModeCacheStatement
	if plain { // somebody knows of a pooler
		in.far.Store(&far{pooled: true})
	}
	cfg.BeforeConnect = in.prepare
	cfg.AfterConnect = in.meet
	dropWhenLost(cfg, func() {
		if !plain {
			in.far.Store(nil) // the next server may be another one
		}
		in.pool.Reset()
	})

	var err error
	in.pool, err = d.newPool(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open the database for intake: %w", err)
	}

	return in, nil
}

// leastCache is more than the statements that there are.
const leastCache = 64

// prepare makes the next connection fit what is known of the other end.
// Statements that are prepared by name, once, save the server to parse and plan
// them for every batch.
func (in *Intake) prepare(_ context.Context, cfg *pgx.ConnConfig) error {
	cfg.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	cfg.DescriptionCacheCapacity = max(cfg.DescriptionCacheCapacity, leastCache)
	f := in.far.Load()
	if f == nil || f.pooled {
		return nil
	}

	cfg.DefaultQueryExecMode = pgx.QueryExecModeCacheStatement
	set := cfg.RuntimeParams
	for _, s := range intakeSettings() {
		set[s[0]] = s[1]
	}
	set["statement_timeout"] = in.limit()
	set["search_path"], set["synchronous_commit"] = f.path, f.onDisk

	return nil
}

func (in *Intake) limit() string { return strconv.FormatInt(in.opts.Statement.Milliseconds(), 10) }

// errLate says that a batch was given up while it was being committed.
var errLate = errors.New("given up during the commit")

// errNews refuses a connection that was made before it was known what stands at
// the other end.
var errNews = errors.New("the connection does not fit what is in front of the database")

// meet looks who is at the other end.
func (in *Intake) meet(ctx context.Context, conn *pgx.Conn) error {
	encodeArrays(conn)
	direct, err := meet(ctx, conn)
	if err != nil {
		return err
	}

	s := sessionOf(conn.PgConn())
	s.named = conn.Config().DefaultQueryExecMode == pgx.QueryExecModeCacheStatement
	f := in.far.Load()
	if f == nil || !f.pooled && !direct {
		f = &far{pooled: !direct, path: s.path, onDisk: s.onDisk}
		in.far.Store(f)
	}
	if s.named == f.pooled {
		return errNews
	}

	return nil
}

// Pooled reports whether there is a pooler between us and the database, as far
// as that is known.
func (in *Intake) Pooled() bool {
	f := in.far.Load()

	return f != nil && f.pooled
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

// commit takes arrivals in. If that fails for what the session was, it is tried
// once more on a fresh connection: what the first try may have kept all the
// same is found by its key.
func (in *Intake) commit(ctx context.Context, arrivals []Arrival, settle bool) ([]Receipt, error) {
	b := newBatch(arrivals)
	err := in.take(ctx, b, settle)
	if err != nil && ctx.Err() == nil && worthAnother(err, settle) {
		b = newBatch(arrivals)
		if err = in.freshen(ctx); err == nil {
			err = in.take(ctx, b, settle)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("take in %d deliveries: %w", len(arrivals), err)
	}

	return b.receipts(), nil
}

// worthAnother reports whether what was refused may do on a fresh connection.
// An award is tried again only if it met with what another one has left: it may
// be what has broken the first connection.
func worthAnother(err error, settle bool) bool {
	if settle {
		return leftBehind(err)
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return false // it was fresh
	}

	return !errors.Is(err, ErrUnconfirmed) && !TooSlow(err) && !OfRow(err)
}

// acquire takes a connection that fits what is at the other end, of which the
// first connections may have told us.
func (in *Intake) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	for {
		conn, err := in.pool.Acquire(ctx)
		switch f := in.far.Load(); {
		case errors.Is(err, errNews):
			continue
		case err != nil && f != nil && !f.pooled && wantsNoNames(err):
			// What has looked like the server refuses what a pooler does.
			in.far.CompareAndSwap(f, &far{pooled: true})
			continue
		}

		return conn, err
	}
}

// freshen gives up all connections, and cleans what a pooler lends for the next.
func (in *Intake) freshen(ctx context.Context) error {
	in.pool.Reset()
	if !in.Pooled() {
		return nil
	}

	conn, err := in.acquire(ctx)
	if err != nil {
		return fmt.Errorf("reach the database: %w", err)
	}
	defer conn.Release()
	var q pgx.Batch
	queueAll(&q, cleanBefore)
	if err := conn.SendBatch(ctx, &q).Close(); err != nil {
		return fmt.Errorf("clean the session: %w", err)
	}

	return nil
}

// take crosses to the server once: each statement finds out by itself what is
// new, and what crosses together is one transaction. Only for a win that cannot
// be awarded, or a second body under a key, it crosses again.
func (in *Intake) take(ctx context.Context, b *batch, settle bool) error {
	if err := in.takeFirsts(ctx, b, settle); err != nil {
		return err
	}
	b.partRivals()
	if len(b.rivals) == 0 {
		return nil
	}

	reused := b.partReused()
	if len(b.rivals) > 0 {
		err := in.run(ctx, func(q *pgx.Batch) { queueRivals(q, b.rivals) })
		if err != nil {
			return fmt.Errorf("keep further bodies under known keys: %w", err)
		}
	}
	if err := in.takeReused(ctx, reused, settle); err != nil {
		return fmt.Errorf("keep wins under keys of their own: %w", err)
	}
	b.rivals = append(b.rivals, reused...)

	return nil
}

// takeFirsts takes the first body under each key, in one crossing.
func (in *Intake) takeFirsts(ctx context.Context, b *batch, settle bool) error {
	wins, events, others := b.parted()

	err := in.run(ctx, func(q *pgx.Batch) {
		if settle {
			b.queueKeepEvents(q, events, in.opts.Owing)
			b.queueKeep(q, others, settle)
			queueAward(q, wins, in.opts.CreateUsers, in.opts.Owing, afterKeeping)
		} else {
			b.queueKeep(q, b.firsts, settle)
		}
	})
	if err != nil {
		return err
	}
	if settle {
		in.judgeLeft(ctx, wins)
	}

	return nil
}

// run sends what fill queues as one transaction, in one crossing.
func (in *Intake) run(ctx context.Context, fill func(*pgx.Batch)) error {
	pooled, err := in.acquire(ctx)
	if err != nil {
		return fmt.Errorf("reach the database: %w", err)
	}
	defer pooled.Release()

	var (
		q    pgx.Batch
		conn = pooled.Conn()
		s    = sessionOf(conn.PgConn())
	)
	if s.named {
		if s.isTimeToReplan() {
			q.Queue("DISCARD PLANS")
		}
		fill(&q)
		queueTidy(&q, s)
	} else {
		q.Queue(intakeNeeds, in.limit())
		fill(&q)
		queueClean(&q)
	}

	results := conn.SendBatch(ctx, &q)
	faultpoint.At(faultpoint.CommitSent)
	err = confirmed(conn, results.Close())
	if err == nil && ctx.Err() != nil {
		// A request to cancel is under way, and may have met the commit.
		err = fmt.Errorf("%w: %w", errLate, ctx.Err())
	}
	switch {
	case ctx.Err() != nil, s.soiled:
		scrap(conn) //nolint:contextcheck // the caller's may have ended; this one has its own bound
	case err == nil:
	case OfRow(err):
		rollBack(conn) //nolint:contextcheck // likewise
	default:
		scrap(conn) //nolint:contextcheck // the caller's may have ended; this one has its own bound
	}
	if f := in.far.Load(); wantsNoNames(err) && f != nil && !f.pooled {
		in.far.CompareAndSwap(f, &far{pooled: true})
	}

	return err
}

// judgeLeft says of the wins that were left pending what they are. They are
// kept already, so that an error here is none of the sender's: the stage behind
// intake judges them then.
func (in *Intake) judgeLeft(ctx context.Context, wins []*slip) {
	var left []*slip
	for _, s := range wins {
		if s.fresh && s.receipt.State == trivia.StatePending {
			left = append(left, s)
		}
	}
	if len(left) == 0 {
		return
	}

	_ = in.run(ctx, func(q *pgx.Batch) { queueJudge(q, left, firstRetry()) })
}

// isTimeToReplan counts the batches of a connection. The plans of its
// statements are kept, and are as good as the tables were when they were made:
// all but empty, at a first start. So they are made anew while the tables grow,
// ever more seldom.
func (s *session) isTimeToReplan() bool {
	n := s.batches
	s.batches++

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
