package operator

import (
	"context"
	"errors"
	"iter"
	"time"

	"trivia/internal/store"
)

// ErrChecking says that another process checks at this moment.
var ErrChecking = store.ErrChecking

// CheckNames returns the name of every check.
func CheckNames() []string { return store.CheckNames() }

// An Audit says what [Operator.Audit] looks at. The zero value of a field
// stands for what a person wants who is not in a hurry.
type Audit struct {
	Since      time.Time     // only what came, or was won, since; zero: everything
	PendingFor time.Duration // how long a delivery may be pending; 0: [PendingFor]
	NoPushes   bool          // wins are not to be pushed
	Rows       int           // of each breach; 0: [BreachRows]
	Statement  time.Duration // how long each check may take; 0: ten minutes
	Alone      bool          // give way to another one that is Alone: [ErrChecking]

	Progress func(done, whole int) // may be nil
}

// What an audit takes unless it is told otherwise.
const (
	PendingFor = 15 * time.Minute
	BreachRows = 50

	auditStatement = 10 * time.Minute
)

// Audited says what an audit has found.
type Audited struct {
	Checks []store.Checked
}

// Broken returns how many rows are wrong, over all checks.
func (a Audited) Broken() (n int) {
	for _, c := range a.Checks {
		n += c.Broken
	}

	return n
}

// Audit compares the tables with each other, all of them as they are at one
// moment, and changes nothing. A hook may run meanwhile. After an error the
// checks that were done are returned with it.
func (o *Operator) Audit(ctx context.Context, a Audit) (Audited, error) {
	checks := store.Checks{
		Since: a.Since, PendingFor: a.PendingFor, WinsPushed: !a.NoPushes, Rows: a.Rows,
		Statement: a.Statement, Alone: a.Alone,
	}
	if checks.PendingFor == 0 {
		checks.PendingFor = PendingFor
	}
	if checks.Rows == 0 {
		checks.Rows = BreachRows
	}
	if checks.Statement == 0 {
		checks.Statement = auditStatement
	}
	if a.Progress != nil {
		done, whole := 0, len(store.CheckNames())
		checks.Done = func(store.Checked) {
			done++
			a.Progress(done, whole)
		}
	}

	found, err := o.store.Check(ctx, checks)
	if ctx.Err() != nil && err != nil {
		err = errors.Join(context.Cause(ctx), err)
	}

	return Audited{found}, err
}

// ListDeeds yields what people did, newest first. After an error it yields
// nothing more.
func (o *Operator) ListDeeds(ctx context.Context, f store.DeedFilter, page store.Page) iter.Seq2[store.DeedRow, error] {
	return o.store.Deeds(ctx, f, page)
}
