package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// ErrUnconfirmed says that a commit stands on this server, and that the
// standby which the server was told to wait for has not confirmed it: it may
// be gone after a failover.
var ErrUnconfirmed = errors.New("committed here, but the standby has not confirmed it; it may be gone after a failover")

// Whatever a rule (a team's grant_prize, a trigger) has done to the session,
// here or in a former batch, our statements run as they must; and what it has
// left behind is gone when the batch is committed.
//
// On a connection of the server's own, what intake needs is what the session
// resets its settings to, so that the end of a batch costs next to nothing.
// Poolers refuse that when a connection is made, and lend each transaction
// another session: there everything is set, and cleaned, inside of it.
const (
	// All settings of the session, as the server, the role, the URL and we have
	// them. As the last before the commit it also sees to it that the commit
	// waits for the disk.
	resetSettings = `RESET ALL`

	// What is no setting. Locks are given back at once; the rest costs the session
	// its connection.
	findLeft = `SELECT session_user, current_setting('role'),
		pg_advisory_unlock_all() IS NULL OR pg_my_temp_schema() <> 0`

	// Temporary tables come last, or one that is called deliveries would stand in
	// front of ours.
	ourPath = `concat_ws(', ', nullif(current_setting('search_path'), ''), 'pg_temp')`

	// A database or role that was set to acknowledge commits before they are on
	// disk is overruled: a 200 would then promise too much. A standby may be left
	// out: that is its owner's decision.
	onDisk = `CASE current_setting('synchronous_commit')
		WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END`

	setPath, setOnDisk = `set_config('search_path', ` + ourPath + `, true)`, `set_config('synchronous_commit', ` + onDisk + `, true)`

	// That a standby has not confirmed a commit is told by a warning.
	hearWarnings = `set_config('client_min_messages', 'warning', true)`

	// For one transaction: what statements need beside which a rule runs.
	rulesNeed = `SELECT ` + setPath + `, ` + setOnDisk + `, ` + hearWarnings + `, set_config('statement_timeout', $1, true)`

	stayOnDisk = `SELECT ` + setOnDisk + `, ` + hearWarnings + `, pg_advisory_unlock_all() IS NULL`
)

// intakeSettings are what intake's statements need, beside the path, the limit
// of time and the disk. It does not ask for a transaction that may write: a
// server that was told to be read-only, as an old primary, must not be
// overruled.
//
// Every statement of intake finds its rows by key. A plan that was made while
// a table was small, or before it was analyzed, must not scan it later.
func intakeSettings() [][2]string {
	return [][2]string{
		{"enable_seqscan", "off"},
		{"plan_cache_mode", "force_generic_plan"},
		{"jit", "off"},
		{"lock_timeout", "0"},
		{"client_encoding", "UTF8"},
		{"client_min_messages", "warning"},
		{"default_transaction_isolation", "read committed"},
	}
}

// intakeNeeds sets for one transaction what intake's statements need.
var intakeNeeds = func() string {
	var sql strings.Builder
	sql.WriteString(rulesNeed)
	for _, set := range intakeSettings() {
		_, _ = fmt.Fprintf(&sql, `, set_config('%s', '%s', true)`, set[0], set[1])
	}

	return sql.String()
}()

// Where closing our connection does not end what is in a session, it is cleaned
// in the transaction of the rule that has left it. What is prepared stays: other
// clients of a pooler may count on it. What others have left is looked for only
// when something was refused.
var (
	cleanBefore = []string{`BEGIN`, `RESET SESSION AUTHORIZATION`, `RESET ROLE`, resetSettings, `DISCARD TEMP`, `COMMIT`}
	cleanAfter  = []string{`RESET SESSION AUTHORIZATION`, `RESET ROLE`, `DISCARD TEMP`, `CLOSE ALL`, `UNLISTEN *`, resetSettings}
)

func queueAll(q *pgx.Batch, statements []string) {
	for _, sql := range statements {
		q.Queue(sql)
	}
}

// A session is what a connection remembers: who the server takes us for, and
// what has happened on it.
type session struct {
	user, role  string
	path        string // its search_path, with temporary tables last
	onDisk      string // its synchronous_commit, unless that was off
	named       bool   // it prepares its statements by name, and has its settings from the start
	batches     int    // so far
	soiled      bool   // a rule has left something that closing the connection removes
	unconfirmed bool   // the server has given up to wait for a standby
}

const sessionKey = "session"

// sessionOf returns what conn remembers.
func sessionOf(conn *pgconn.PgConn) *session {
	s, ok := conn.CustomData()[sessionKey].(*session)
	if !ok {
		s = &session{}
		conn.CustomData()[sessionKey] = s
	}

	return s
}

// noteWarning notes that the server has ended the wait for a standby, as it
// does when a statement is cancelled while its commit is under way: it then
// commits here, and says that all is well. Its words may be in any language.
func noteWarning(conn *pgconn.PgConn, n *pgconn.Notice) {
	if n.Routine == "SyncRepWaitForLSN" || n.File == "syncrep.c" {
		sessionOf(conn).unconfirmed = true
	}
}

// queueTidy queues what stands behind the statements of a batch, on a
// connection of the server's own.
func queueTidy(q *pgx.Batch, s *session) {
	q.Queue(resetSettings)
	q.Queue(findLeft).QueryRow(func(row pgx.Row) error {
		var (
			user, role string
			left       bool
		)
		if err := row.Scan(&user, &role, &left); err != nil {
			return err
		}
		s.soiled = left || user != s.user || role != s.role

		return nil
	})
}

// queueRuled queues what award queues as statements in which rules run, and
// after them what the others need.
func queueRuled(q *pgx.Batch, limit time.Duration, award func()) {
	milliseconds := strconv.FormatInt(limit.Milliseconds(), 10)
	q.Queue(rulesNeed, milliseconds)
	award()
	queueClean(q)
	q.Queue(rulesNeed, milliseconds)
}

// queueClean does the same where closing the connection would not help, or the
// transaction goes on.
func queueClean(q *pgx.Batch) {
	queueAll(q, cleanAfter)
	q.Queue(stayOnDisk)
}

// confirmed returns err, or [ErrUnconfirmed] if what was committed on conn has
// not reached the standby.
func confirmed(conn *pgx.Conn, err error) error {
	s := sessionOf(conn.PgConn())
	unconfirmed := s.unconfirmed
	s.unconfirmed = false
	if err == nil && unconfirmed {
		return ErrUnconfirmed
	}

	return err
}

// commit runs change in one transaction. It returns [ErrUnconfirmed] if that is
// committed and the standby has not confirmed it.
func (s *Store) commit(ctx context.Context, change func(pgx.Tx) error) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()

	// BeginFunc's rollback runs even when ctx has ended.
	return confirmed(conn.Conn(), pgx.BeginFunc(ctx, conn, change))
}

// commitRuled is commit for a change in which rules run: what they have done to
// a session whose transaction fails goes with it.
func (s *Store) commitRuled(ctx context.Context, change func(pgx.Tx) error) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()

	err = confirmed(conn.Conn(), pgx.BeginFunc(ctx, conn, change))
	switch {
	case leftBehind(err):
		scrap(conn.Conn()) //nolint:contextcheck // the caller's may have ended; this one has its own bound
		s.pool.Reset()
	case err != nil:
		rollBack(conn.Conn()) //nolint:contextcheck // likewise
	}

	return err
}

// farewellTime bounds what is done with a connection that is given up.
const farewellTime = 250 * time.Millisecond

// scrap closes a connection for good. The pool makes another one.
func scrap(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), farewellTime)
	defer cancel()
	_ = conn.Close(ctx)
}

// rollBack ends a transaction that has failed, with the locks that a rule has
// taken for the session: they alone would survive it. It closes a connection
// on which that does not work.
func rollBack(conn *pgx.Conn) {
	if conn.IsClosed() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), farewellTime)
	defer cancel()
	sql := `SELECT pg_catalog.pg_advisory_unlock_all()`
	if conn.PgConn().TxStatus() != 'I' {
		sql = `ROLLBACK; ` + sql
	}
	if _, err := conn.PgConn().Exec(ctx, sql).ReadAll(); err != nil {
		scrap(conn)
	}
}
