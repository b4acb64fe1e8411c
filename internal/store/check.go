package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"trivia/internal/trivia"
)

// Checks say what [Store.Check] looks at.
type Checks struct {
	Since      time.Time     // only what came, or was won, since; zero: everything
	PendingFor time.Duration // how long a delivery may be pending
	WinsPushed bool          // each win is to be pushed
	Rows       int           // of each breach, at most
	Statement  time.Duration // how long one statement may take
	Alone      bool          // give way to another one that is Alone: [ErrChecking]
	Done       func(Checked) // is told of each check as it ends; may be nil
}

// ErrChecking says that another process checks at this moment.
var ErrChecking = errors.New("another process is checking")

// Checked says what a check has found.
type Checked struct {
	Name    string // one word
	Claim   string // what holds if nothing is broken
	Looked  int    // rows
	Broken  int    // of them
	Skipped string // why it was not looked at; empty if it was
	Rows    []Breach
}

// CheckNames returns the name of every check.
func CheckNames() []string {
	var names []string
	for _, c := range checks() {
		names = append(names, c.name)
	}

	return names
}

// A Breach is a row for which a claim does not hold.
type Breach struct {
	User   trivia.UserID
	Trivia trivia.ID
	Key    string // of the delivery
	At     time.Time
	Detail string
}

// Check compares the tables with each other, all of them at one moment. It
// changes nothing and takes no lock that anybody waits for. After an error it
// returns the checks that were done.
func (s *Store) Check(ctx context.Context, c Checks) (done []Checked, err error) {
	err = s.look(ctx, c.Statement, func(tx pgx.Tx) error {
		if err := c.prepare(ctx, tx); err != nil {
			return err
		}
		scope, err := c.scope(ctx, tx)
		if err != nil {
			return err
		}
		for _, one := range checks() {
			found, err := scope.run(ctx, tx, one)
			if err != nil {
				return fmt.Errorf("%s: %w", one.name, err)
			}
			done = append(done, found)
			if c.Done != nil {
				c.Done(found)
			}
		}

		return nil
	})
	if err != nil {
		return done, fmt.Errorf("check: %w", err)
	}

	return done, nil
}

const (
	// Room for hashing a table, and no help from processes that the service
	// could need.
	checkSettings = `
	SELECT set_config('work_mem', '64MB', true), set_config('max_parallel_workers_per_gather', '0', true),
		set_config('jit', 'off', true)`

	// What a span has is looked up one by one, so that it costs the same however
	// much is older, unless that is what could be many.
	checkJoins = `
	SELECT set_config('enable_seqscan', $1, true), set_config('enable_mergejoin', $1, true),
		set_config('enable_hashjoin', $2, true), set_config('enable_nestloop', $3, true)`

	checkAlone = `SELECT pg_try_advisory_xact_lock(hashtextextended('trivia check ' || current_schema(), 0))`
)

func (c Checks) prepare(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, checkSettings); err != nil {
		return err
	}
	if !c.Alone {
		return nil
	}

	var mine bool
	if err := tx.QueryRow(ctx, checkAlone).Scan(&mine); err != nil {
		return err
	}
	if !mine {
		return ErrChecking
	}

	return nil
}

// A checkScope is what all checks need to know.
type checkScope struct {
	Checks

	ownPrizes bool
	pushed    bool
	args      pgx.NamedArgs
}

const (
	// A grant_prize of a team's own may well leave prizes alone.
	grantsPrizes = `
	SELECT coalesce(bool_or(p.prosrc ~* '(^|[^.[:alnum:]_])prizes($|[^.[:alnum:]_])'), false)
	FROM pg_proc AS p
	WHERE p.oid = to_regprocedure('grant_prize(text, text, text)')`

	// What came before it may be gone.
	prunedBefore = `
	SELECT coalesce(max(before) FILTER (WHERE what = 'deliveries'), 'epoch'),
		coalesce(max(before) FILTER (WHERE what = 'events'), 'epoch'),
		coalesce(max(before) FILTER (WHERE what = 'pushes'), 'epoch')
	FROM pruned`

	firstWinPush = `
	SELECT created_at FROM pushes WHERE cause = 'win' ORDER BY id LIMIT 1`
)

// unknownFor is how long an unknown user is tried again by itself, and a little
// more.
const unknownFor = 75 * time.Minute

func (c Checks) scope(ctx context.Context, tx pgx.Tx) (s checkScope, err error) {
	s.Checks = c
	if err := tx.QueryRow(ctx, grantsPrizes).Scan(&s.ownPrizes); err != nil {
		return s, err
	}

	var deliveries, events, pushes, first time.Time
	if err := tx.QueryRow(ctx, prunedBefore).Scan(&deliveries, &events, &pushes); err != nil {
		return s, err
	}
	err = tx.QueryRow(ctx, firstWinPush).Scan(&first)
	s.pushed = err == nil
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return s, err
	}
	from := int64(0)
	if !c.Since.IsZero() {
		if from, err = pushSince(ctx, tx, c.Since.Add(-idSlack)); err != nil {
			return s, err
		}
	}
	s.args = pgx.NamedArgs{
		"push_from":        from,
		"deliveries_since": deliveries, "events_since": events, "pushes_since": pushes, "first_push": first, "pending": c.PendingFor, "unknown": unknownFor, "since": c.Since,
	}

	return s, nil
}

// skips says why a check means nothing here, or nothing.
func (s checkScope) skips(c check) string {
	switch c.needs {
	case always:
	case ownPrizes:
		if !s.ownPrizes {
			return "grant_prize keeps prizes elsewhere"
		}
	case everything:
		if !s.Since.IsZero() {
			return "only without a limit in time"
		}
	case winPushes:
		if !s.WinsPushed {
			return "wins are not pushed"
		}
		if !s.pushed {
			return "no win was ever pushed"
		}
	}

	return ""
}

// join lets the planner join as suits a check.
func (s checkScope) join(ctx context.Context, tx pgx.Tx, c check) error {
	settings := []any{"on", "on", "on"}
	switch {
	case s.Since.IsZero():
	case c.hashed:
		settings = []any{"off", "on", "off"}
	default:
		settings = []any{"off", "off", "on"}
	}
	_, err := tx.Exec(ctx, checkJoins, settings...)

	return err
}

// where says which rows a check looks at.
func (s checkScope) where(c check) string {
	where := "\n\tFROM " + c.from + "\n\tWHERE " + c.scope
	if c.time != "" && !s.Since.IsZero() {
		where += " AND " + c.time + " >= @since"
	}

	return where
}

func (s checkScope) run(ctx context.Context, tx pgx.Tx, c check) (found Checked, err error) {
	found = Checked{Name: c.name, Claim: c.claim, Skipped: s.skips(c)}
	if found.Skipped != "" {
		return found, nil
	}

	if err := s.join(ctx, tx, c); err != nil {
		return found, err
	}
	where := s.where(c)
	if err := tx.QueryRow(ctx, "SELECT count(*)"+where, s.args).Scan(&found.Looked); err != nil || found.Looked == 0 {
		return found, err
	}

	// Nearly always that is all there is to ask. To ask for rows as well would
	// cost several times as much.
	where += " AND " + c.bad
	if err := tx.QueryRow(ctx, "SELECT count(*)"+where, s.args).Scan(&found.Broken); err != nil || found.Broken == 0 {
		return found, err
	}

	broken := "SELECT " + c.row + where + "\nORDER BY 4 DESC, 3 LIMIT @rows"
	s.args["rows"] = s.Rows
	found.Rows, err = all(ctx, tx, broken, s.args, pgx.RowToStructByPos[Breach])

	return found, err
}
