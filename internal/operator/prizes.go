package operator

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"trivia/internal/customerio"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// ErrRevoked is what every error is that says that a prize was taken back
// before.
var ErrRevoked = errors.New("prize is revoked")

// revoked says which prize was, and when.
type revoked string

func (r revoked) Error() string { return string(r) }

// Is reports whether target is [ErrRevoked].
func (revoked) Is(target error) bool { return target == ErrRevoked }

// ListPrizes yields prizes, newest first. After an error it yields nothing
// more.
func (o *Operator) ListPrizes(ctx context.Context, f store.PrizeFilter, page store.Page) iter.Seq2[store.PrizeRow, error] {
	return o.store.Prizes(ctx, f, page)
}

// A Revocation says what taking back a prize came to.
type Revocation struct {
	Win       store.WinRow
	Elsewhere bool   // there is no row in prizes: revoke_prize was called all the same
	Push      int64  // that lets Customer.io know; 0 if there is none
	NoPush    string // why there is none
}

// RevokePrize takes back what a win has earned. The win stays, so that it
// cannot be won again. It is an [ErrNotFound] if there is no such win, and an
// [ErrRevoked] if its prize was taken back before.
//
// In the same commit a push is written that sets trivia_prize_revoked_id,
// trivia_prize_revoked_item and trivia_prize_revoked_at, which is at.
func (o *Operator) RevokePrize(
	ctx context.Context, user trivia.UserID, id trivia.ID, at time.Time, reason string,
) (r Revocation, err error) {
	err = o.store.Act(ctx, func(act *store.Act) (store.Deed, error) {
		win, prize, err := act.LockWin(ctx, user, id)
		if err != nil {
			return store.Deed{}, err
		}
		r = Revocation{Win: win, Elsewhere: prize == (store.Prize{})}
		if err := notRevoked(ctx, act, win, prize); err != nil {
			return store.Deed{}, err
		}
		if err := act.RevokePrize(ctx, win.Win, reason); err != nil {
			return store.Deed{}, err
		}
		if err := o.tellRevoked(ctx, act, &r, at); err != nil {
			return store.Deed{}, err
		}

		deed := o.deed("prizes revoke", string(user), reason)
		deed.Detail = map[string]any{"user": user, "trivia": id, "item": win.Item}
		if r.Push != 0 {
			deed.Detail["push"] = r.Push
		}
		if r.Elsewhere {
			deed.Detail["elsewhere"] = true
		}

		return deed, nil
	})
	if errors.Is(err, store.ErrNotFound) {
		err = o.noWin(ctx, user, id)
	}
	if err != nil {
		return Revocation{}, err
	}

	return r, nil
}

// notRevoked returns an [ErrRevoked] if the prize of a win was taken back.
func notRevoked(ctx context.Context, act *store.Act, w store.WinRow, p store.Prize) error {
	at, why := p.RevokedAt, p.RevokedReason
	if at.IsZero() {
		var err error
		if at, why, err = act.RevokedBefore(ctx, w.User, w.Trivia); err != nil || at.IsZero() {
			return err
		}
	}

	words := fmt.Sprintf("the prize of user %q for trivia %q was revoked at %s", w.User, w.Trivia, at.UTC().Format(time.RFC3339))
	if why != "" {
		words += ": " + why
	}

	return revoked(words)
}

// tellRevoked writes the push, if Customer.io can know the user at all.
func (o *Operator) tellRevoked(ctx context.Context, act *store.Act, r *Revocation, at time.Time) error {
	object, err := checkedAttributes(string(r.Win.User), map[string]any{
		"trivia_prize_revoked_id":   string(r.Win.Trivia),
		"trivia_prize_revoked_item": string(r.Win.Item),
		"trivia_prize_revoked_at":   at.Unix(),
	})
	if err != nil {
		r.NoPush = err.Error()
		if customerio.CheckPerson(string(r.Win.User)) != nil {
			r.NoPush = "Customer.io cannot know the user: " + r.NoPush
		}

		return nil // the prize is to be taken back all the same
	}
	r.Push, err = act.WritePush(ctx, store.PushRow{
		Person: string(r.Win.User), Kind: trivia.PushAttributes, Cause: trivia.CauseOperator, CauseID: o.actor,
		Attributes: object, OccurredAt: at,
	})

	return err
}
