package operator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

// A PushMove is what an operator does to pushes that wait.
type PushMove string

// The moves.
const (
	RetryPush   PushMove = "retry"   // let what Customer.io refused be sent again
	HoldPush    PushMove = "hold"    // keep it from being sent, and out of the way of others
	ReleasePush PushMove = "release" // let what is held be sent
)

// to returns the state that m leads to, and the reason for it.
func (m PushMove) to(actor, reason string) (trivia.PushState, string) {
	if m != HoldPush {
		return trivia.PushPending, ""
	}
	held := "held by " + actor // never what is held for credentials, which a service releases
	if reason != "" {
		held += ": " + reason
	}

	return trivia.PushHeld, held
}

// moves reports whether m can move p.
func (m PushMove) moves(p store.PushRow) bool {
	switch m {
	case RetryPush:
		return p.State == trivia.PushParked
	case ReleasePush:
		return p.State == trivia.PushHeld
	case HoldPush:
		return p.State == trivia.PushPending || p.State == trivia.PushParked ||
			p.State == trivia.PushHeld && p.Reason == trivia.HeldForCredentials
	}

	return false
}

// ErrPushState is what every error is that says that a push is not in a state
// from which it can be moved so.
var ErrPushState = errors.New("push is in another state")

// unmoved says why some pushes cannot be moved.
type unmoved string

func (u unmoved) Error() string { return string(u) }

// Is reports whether target is [ErrPushState].
func (unmoved) Is(target error) bool { return target == ErrPushState }

// MovePushes moves the pushes called ids, all or none of them. It is an
// [ErrNotFound] if one of them is not there, and an [ErrPushState] if one of
// them cannot be moved so.
func (o *Operator) MovePushes(ctx context.Context, move PushMove, ids []int64, reason string) (int, error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	err := o.store.Act(ctx, func(act *store.Act) (store.Deed, error) {
		found, err := act.LockPushes(ctx, ids)
		if err != nil {
			return store.Deed{}, err
		}
		if err := move.check(ids, found); err != nil {
			return store.Deed{}, err
		}

		deed := o.deed("push "+string(move), countPushes(len(ids)), reason)
		deed.Detail = map[string]any{"pushes": ids}
		state, why := move.to(o.actor, reason)

		return deed, act.MovePushes(ctx, found, state, why)
	})
	if err != nil {
		return 0, err
	}

	return len(ids), nil
}

// check returns nil if every one of ids is there and can be moved.
func (m PushMove) check(ids []int64, found []store.PushRow) error {
	there := map[int64]bool{}
	var wrong []string
	for _, p := range found {
		there[p.ID] = true
		if !m.moves(p) {
			wrong = append(wrong, fmt.Sprintf("push %d is %s", p.ID, stateWords(p)))
		}
	}
	for _, id := range ids {
		if !there[id] {
			return noPush(id)
		}
	}
	if len(wrong) == 0 {
		return nil
	}

	most := min(len(wrong), 3)
	words := strings.Join(wrong[:most], ", ")
	if more := len(wrong) - most; more > 0 {
		words += fmt.Sprintf(", and %d more cannot be moved either", more)
	}

	return unmoved(words)
}

func stateWords(p store.PushRow) string {
	switch {
	case p.State == trivia.PushHeld && p.Reason != "":
		return "held: " + p.Reason
	case p.State == trivia.PushPending:
		return "pending already"
	}

	return string(p.State)
}

func countPushes(n int) string {
	if n == 1 {
		return "1 push"
	}

	return strconv.Itoa(n) + " pushes"
}

// A PushSweep says which pushes are moved, many at once.
type PushSweep struct {
	Set      store.PushSet // State and Person may not both be empty, State must fit the move
	Reason   string
	Progress func(done, whole int) // may be nil
}

const (
	// sweepBatch is how many pushes are moved in one commit.
	sweepBatch = 1000

	// mostPasses is how often what is pending is gone through: what the service
	// has in hand is left out, and found there the next time if it was not sent.
	mostPasses = 3
)

// SweepPushes moves all pushes of a set that are there when it begins, and
// returns how many. Each batch is a commit of its own, with its own line in
// the audit log: a sweep that stops halfway can be run again.
func (o *Operator) SweepPushes(ctx context.Context, move PushMove, sweep PushSweep) (int, error) {
	whole, last, err := o.store.CountPushSet(ctx, sweep.Set)
	if err != nil {
		return 0, err
	}

	sw := &sweeping{Operator: o, PushSweep: sweep, move: move, whole: whole, last: last}
	for range mostPasses {
		before := sw.done
		if err := sw.pass(ctx); err != nil || sw.done == before || move != HoldPush {
			return sw.done, err
		}
	}

	return sw.done, nil
}

// A sweeping is a sweep under way.
type sweeping struct {
	*Operator
	PushSweep

	move        PushMove
	done, whole int
	last        int64
}

// pass goes through the set once.
func (sw *sweeping) pass(ctx context.Context) error {
	for after, more := (store.PushPlace{}), true; more; {
		if ctx.Err() != nil {
			return fmt.Errorf("%s pushes: %w", sw.move, context.Cause(ctx))
		}

		var found []store.PushRow
		moved := 0
		err := sw.store.Act(ctx, func(act *store.Act) (deed store.Deed, err error) {
			if found, err = act.LockPushSet(ctx, sw.Set, after, sw.last, sweepBatch); err != nil {
				return deed, err
			}
			moved, deed, err = sw.step(ctx, act, found)

			return deed, err
		})
		if err != nil && !errors.Is(err, errNothing) {
			return err
		}
		if more = len(found) == sweepBatch; len(found) > 0 {
			after = found[len(found)-1].Place()
		}
		sw.done += moved
		if sw.Progress != nil {
			sw.Progress(sw.done, sw.whole)
		}
	}

	return nil
}

// errNothing undoes a commit in which nothing was done.
var errNothing = errors.New("nothing to do")

func (sw *sweeping) step(ctx context.Context, act *store.Act, found []store.PushRow) (int, store.Deed, error) {
	chosen := slices.DeleteFunc(slices.Clone(found), func(p store.PushRow) bool { return !sw.move.moves(p) })
	if len(chosen) == 0 {
		return 0, store.Deed{}, errNothing
	}
	state, why := sw.move.to(sw.actor, sw.Reason)
	if err := act.MovePushes(ctx, chosen, state, why); err != nil {
		return 0, store.Deed{}, err
	}

	ids := make([]int64, len(chosen))
	for i, p := range chosen {
		ids[i] = p.ID
	}
	deed := sw.deed("push "+string(sw.move), countPushes(len(chosen)), sw.Reason)
	deed.Detail = map[string]any{"pushes": ids}
	for name, value := range map[string]string{"state": string(sw.Set.State), "person": sw.Set.Person} {
		if value != "" {
			deed.Detail[name] = value
		}
	}

	return len(chosen), deed, nil
}
