package operator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

// AddUsers adds those of ids that are not there yet. Wins that wait for one of
// them are settled next. If one of ids cannot be used, none is added.
func (o *Operator) AddUsers(ctx context.Context, ids []trivia.UserID, reason string) (store.Addition, error) {
	for _, id := range ids {
		if err := trivia.CheckUserID(id); err != nil {
			return store.Addition{}, fmt.Errorf("add user %q: %w", id, err)
		}
	}

	var added store.Addition
	err := o.store.Act(ctx, func(act *store.Act) (deed store.Deed, err error) {
		added, err = act.AddUsers(ctx, ids)
		deed = o.deed("users add", countUsers(len(ids)), reason)
		deed.Detail = map[string]any{"users": ids, "new": added.New}

		return deed, err
	})
	if err != nil {
		return store.Addition{}, err
	}

	return added, nil
}

func (o *Operator) deed(verb, target, reason string) store.Deed {
	return store.Deed{Actor: o.actor, Verb: verb, Target: target, Reason: reason}
}

func countUsers(n int) string {
	if n == 1 {
		return "1 user"
	}

	return strconv.Itoa(n) + " users"
}

// An Import says how users are imported.
type Import struct {
	Source   string         // what the rows come from, for the audit log
	Reason   string         // for the audit log
	Strict   bool           // one bad row, and nothing is written
	Bad      func(BadRow)   // is told of each bad row; may be nil
	Progress func(Imported) // is told how far it is; may be nil
}

// Imported counts what an import came to.
type Imported struct {
	Rows int // rows read, bad ones included
	Bad  int // rows that name no usable user
	Kept int // rows whose users are in the database now
	New  int // users that were not there before
	Due  int // deliveries that waited for one of the users, and are settled next
}

// A BadRow is a row that names no usable user.
type BadRow struct {
	Line    int
	Problem string
}

// ErrNoColumn says that a file names several columns, and none of them user_id.
var ErrNoColumn = errors.New("no column is called user_id")

// importBatch is how many users enter the database in one commit.
const importBatch = 2000

// errBadRows undoes a strict import.
var errBadRows = errors.New("there are bad rows")

// ImportUsers reads users from CSV and adds those that are not there yet, as
// [Operator.AddUsers] does. It holds no more than a batch in memory.
//
// Each batch is a commit of its own, with its own line in the audit log, and
// bad rows are left out: an import that stops halfway can be run again. A
// strict import is one commit, or none: look at Bad.
func (o *Operator) ImportUsers(ctx context.Context, r io.Reader, opts Import) (Imported, error) {
	in := &importing{Operator: o, opts: opts, rows: newUserRows(r)}
	if !opts.Strict {
		err := in.run(ctx, func(ids []trivia.UserID) error {
			return o.store.Act(ctx, func(act *store.Act) (store.Deed, error) { return in.add(ctx, act, ids) })
		})

		return in.kept, err
	}

	err := o.store.Act(ctx, func(act *store.Act) (store.Deed, error) { return in.all(ctx, act) })
	if err != nil {
		in.kept = Imported{Rows: in.kept.Rows, Bad: in.kept.Bad}
	}
	if errors.Is(err, errBadRows) {
		err = nil
	}

	return in.kept, err
}

// An importing is an import under way.
type importing struct {
	*Operator

	opts Import
	rows *userRows
	kept Imported
}

// run reads all rows, and hands over the good ones batch by batch.
func (in *importing) run(ctx context.Context, keep func([]trivia.UserID) error) error {
	batch := make([]trivia.UserID, 0, importBatch)
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		if err := keep(batch); err != nil {
			return err
		}
		in.kept.Kept += len(batch)
		batch = batch[:0]

		return nil
	}

	for ctx.Err() == nil {
		id, bad, err := in.rows.next()
		switch {
		case errors.Is(err, io.EOF):
			err = flush()
			in.report()

			return err
		case err != nil:
			// What was read before the reader broke is good all the same.
			return errors.Join(flush(), fmt.Errorf("read %s: %w", in.opts.Source, err))
		}
		in.kept.Rows++
		if bad != nil {
			in.reject(*bad)
			continue
		}

		batch = append(batch, id)
		if len(batch) < importBatch {
			continue
		}
		if err := flush(); err != nil {
			return err
		}
		in.report()
	}

	return fmt.Errorf("import %s: %w", in.opts.Source, context.Cause(ctx))
}

func (in *importing) reject(bad BadRow) {
	in.kept.Bad++
	if in.opts.Bad != nil {
		in.opts.Bad(bad)
	}
}

func (in *importing) report() {
	if in.opts.Progress != nil {
		in.opts.Progress(in.kept)
	}
}

// add adds a batch in the transaction of act.
func (in *importing) add(ctx context.Context, act *store.Act, ids []trivia.UserID) (store.Deed, error) {
	added, err := act.AddUsers(ctx, ids)
	if err != nil {
		return store.Deed{}, err
	}
	in.kept.New += added.New
	in.kept.Due += added.Due

	deed := in.deed("users import", countUsers(len(ids)), in.opts.Reason)
	deed.Detail = map[string]any{"source": in.opts.Source, "until_line": in.rows.line, "new": added.New}

	return deed, nil
}

// all adds every batch in the transaction of act. From the first bad row on it
// only counts, since nothing will be kept.
func (in *importing) all(ctx context.Context, act *store.Act) (store.Deed, error) {
	err := in.run(ctx, func(ids []trivia.UserID) error {
		if in.kept.Bad > 0 {
			return nil
		}
		_, err := in.add(ctx, act, ids)

		return err
	})
	if err == nil && in.kept.Bad > 0 {
		err = errBadRows
	}

	deed := in.deed("users import", countUsers(in.kept.Kept), in.opts.Reason)
	deed.Detail = map[string]any{"source": in.opts.Source, "until_line": in.rows.line, "new": in.kept.New}

	return deed, err
}
