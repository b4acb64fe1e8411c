package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// A Deed is a line of the audit log: what a person did.
type Deed struct {
	Actor  string // who did it
	Verb   string // such as "users add"
	Target string // what was changed, as its name or as a count
	Reason string // why, in the person's own words; may be empty
	Detail map[string]any
}

// An Act is a person's change while it is being made. Nothing of it shows
// before [Store.Act] returns.
type Act struct {
	tx pgx.Tx
}

const recordDeed = `
	INSERT INTO audit_log (actor, verb, target, reason, detail)
	VALUES (@actor, @verb, @target, @reason, @detail)`

// Act makes a change and writes the deed that it returns into the audit log,
// in one commit. If change or anything else fails, nothing has happened. The
// zero Deed says that there was nothing to do, and is not written.
//
// [ErrUnconfirmed] says that it has happened, on this server alone.
func (s *Store) Act(ctx context.Context, change func(*Act) (Deed, error)) error {
	return s.commitRuled(ctx, func(tx pgx.Tx) error {
		deed, err := change(&Act{tx})
		if err != nil {
			return err
		}
		if deed.Verb == "" {
			return nil
		}

		detail := deed.Detail
		if detail == nil {
			detail = map[string]any{}
		}
		_, err = tx.Exec(ctx, recordDeed, pgx.NamedArgs{
			"actor": deed.Actor, "verb": deed.Verb, "target": deed.Target, "reason": deed.Reason, "detail": detail,
		})
		if err != nil {
			return fmt.Errorf("write %q to the audit log: %w", deed.Verb, err)
		}

		return nil
	})
}
