package operator

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"trivia/internal/customerio"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// A Repair says what is put right in the body of a win.
type Repair struct {
	Source      store.DeliveryRow // with its body
	With        trivia.Win        // the words that are not empty stand instead of the body's
	Reason      string
	CreateUsers bool
	Owing       store.Owing
}

// Repaired is the copy that stands for a body that was repaired.
type Repaired struct {
	Copy   store.DeliveryRow // as it was kept, with its body
	After  Standing
	Reason string
}

// ErrNotRepairable is what every error is that says that a delivery is none
// that can be repaired, or not so.
var ErrNotRepairable = errors.New("cannot be repaired")

// unrepairable says why.
type unrepairable string

func (u unrepairable) Error() string { return string(u) }

// Is reports whether target is [ErrNotRepairable].
func (unrepairable) Is(target error) bool { return target == ErrNotRepairable }

// PreviewRepair says what [Operator.Repair] would do. It does it, in a
// transaction that is undone.
func (o *Operator) PreviewRepair(ctx context.Context, r Repair) (Repaired, error) {
	return o.repair(ctx, r, true)
}

// Repair keeps a copy of a parked win in which some words are put right, and
// settles it, by the same rules as any. The win that is repaired is kept, and
// from now on the copy stands for it: it is never settled again, nor repaired,
// so that it earns no second prize.
func (o *Operator) Repair(ctx context.Context, r Repair) (Repaired, error) {
	return o.repair(ctx, r, false)
}

func (o *Operator) repair(ctx context.Context, r Repair, rehearse bool) (Repaired, error) {
	if err := checkRepairable(r.Source); err != nil {
		return Repaired{}, err
	}
	body, win, err := customerio.RepairAction(r.Source.Body, r.With)
	if err != nil {
		return Repaired{}, unrepairable(fmt.Sprintf("%q could not be used even so: %v", r.Source.Key, err))
	}
	repaired := store.Arrival{Kind: trivia.KindWin, Body: body, SHA256: sha256.Sum256(body), Win: win}

	var done Repaired
	err = o.store.Act(ctx, func(act *store.Act) (deed store.Deed, err error) {
		if done, err = o.settleCopy(ctx, act, r, repaired); err != nil {
			return deed, err
		}
		if err := act.MarkRepaired(ctx, r.Source, done.Copy.Key); err != nil {
			return deed, err
		}
		if rehearse {
			return deed, errRehearsed
		}

		deed = o.deed("replay repair", r.Source.Key, r.Reason)
		deed.Detail = map[string]any{
			"copy": done.Copy.Key, "source_sha256": hex.EncodeToString(r.Source.SHA256),
			"user": win.User, "trivia": win.Trivia, "item": win.Item,
			"before": standingOf(r.Source).String(), "after": done.After.String(),
		}

		return deed, nil
	})
	switch {
	case errors.Is(err, errRehearsed):
		err = nil
	case errors.Is(err, store.ErrBusy):
		err = unrepairable(fmt.Sprintf("%q is in other hands, or was settled meanwhile", r.Source.Key))
	case err != nil && !store.Passing(err):
		err = unrepairable(fmt.Sprintf("the database refuses the repaired copy of %q: %s", r.Source.Key, store.Message(err)))
	}
	if err != nil {
		return Repaired{}, err
	}

	return done, nil
}

func checkRepairable(d store.DeliveryRow) error {
	why := ""
	switch {
	case d.Kind != trivia.KindWin:
		why = "is an event; only wins can be repaired"
	case d.RepairedBy != "":
		why = fmt.Sprintf("was repaired already; %q stands for it", d.RepairedBy)
	case len(d.Rival) > 0:
		why = "came under a key that was used before with another body, when that was never awarded"
	case d.State != trivia.StateParked:
		why = fmt.Sprintf("is %s; only what is parked can be repaired", standingOf(d))
	}
	if why == "" {
		return nil
	}

	return unrepairable(fmt.Sprintf("%q %s", d.Key, why))
}

// settleCopy keeps the copy under the first key that is free, and settles it.
func (o *Operator) settleCopy(ctx context.Context, act *store.Act, r Repair, repaired store.Arrival) (Repaired, error) {
	const mostCopies = 1000

	kept, ok := store.DeliveryRow{}, false
	for n := 1; !ok; n++ {
		if n > mostCopies {
			return Repaired{}, unrepairable(fmt.Sprintf("no key is free for a copy of %q", r.Source.Key))
		}
		var err error
		repaired.Key = copyKey(r.Source.Key, n)
		if kept, ok, err = act.KeepCopy(ctx, r.Source, repaired); err != nil {
			return Repaired{}, err
		}
	}

	repaired.At = kept.ReceivedAt
	opts := store.SettleOptions{CreateUsers: r.CreateUsers, Statement: awardWithin, Owing: r.Owing}
	if wait, ok := trivia.RetryUnknownUser(0); ok {
		opts.Retry = &wait
	}
	receipts, err := act.SettleAgain(ctx, []store.Again{{DeliveryRow: kept, Now: repaired}}, opts)
	if err != nil {
		return Repaired{}, err
	}

	return Repaired{kept, Standing{receipts[0].State, receipts[0].Outcome}, receipts[0].Reason}, nil
}

// copyKey names the nth copy of a delivery. The copy of a copy counts on.
func copyKey(key string, n int) string {
	const (
		mark = "#repair-"
		most = 255 - len(mark) - 4
	)
	if before, number, ok := strings.Cut(key, mark); ok {
		if m, err := strconv.Atoi(number); err == nil {
			key, n = before, n+m
		}
	}
	if utf8.RuneCountInString(key) > most {
		sum := sha256.Sum256([]byte(key))
		key = "sha256:" + hex.EncodeToString(sum[:])
	}

	return key + mark + strconv.Itoa(n)
}
