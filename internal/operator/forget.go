package operator

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"trivia/internal/customerio"
	"trivia/internal/store"
)

const (
	forgetBatch  = 1000        // rows of each table in one commit
	forgetRounds = 10          // how often what comes meanwhile is gone after
	awardsEnd    = time.Minute // that an award takes at most, with a team's own grant_prize
	awardsAgain  = 20 * time.Millisecond
)

// ErrAwardUnderWay says that an award that has begun long ago still runs.
var ErrAwardUnderWay = errors.New("an award that began before is still under way")

// A Kept says what is kept of a person.
type Kept struct {
	store.Person
	store.Forgotten

	Mentions    []string // keys of deliveries that nobody can read, or that are not settled, with their name in the body
	Suppressing bool     // a push waits that suppresses them
	Warehouses  []string // keep what they were sent
}

// Nothing reports whether nothing is kept.
func (k Kept) Nothing() bool { return k.Forgotten == store.Forgotten{} }

// PreviewForget says what is kept of a person, and does nothing.
func (o *Operator) PreviewForget(ctx context.Context, user string) (k Kept, err error) {
	if err = checkPerson(user); err != nil {
		return k, fmt.Errorf("forget %q: %w", user, err)
	}
	if k.Person, err = o.store.Person(ctx, user); err != nil {
		return k, err
	}
	if k.Forgotten, err = o.store.CountForgotten(ctx, k.Person); err != nil {
		return k, err
	}
	if k.Mentions, err = o.store.Mentions(ctx, k.Person); err != nil {
		return k, err
	}
	if k.Suppressing, err = o.store.Suppressing(ctx, user); err != nil {
		return k, err
	}
	k.Warehouses, err = o.store.WarehousesSent(ctx)

	return k, err
}

func checkPerson(user string) error {
	switch {
	case user == "":
		return errors.New("the identifier is empty")
	case !utf8.ValidString(user) || strings.ContainsRune(user, 0):
		return errors.New("the identifier is no text")
	}

	return nil
}

// A Forgetting says how a person is forgotten.
type Forgetting struct {
	Suppress bool   // let Customer.io delete their profile for good
	Reason   string // for the audit log; it should not name them
}

// A ForgottenPerson says what forgetting came to.
type ForgottenPerson struct {
	store.Forgotten

	Mark     string // stands in the audit log where they stood
	Hashes   int    // of what they have won, new ones
	Suppress bool   // a push was written
	UserStay error  // why they are still in the users table; nil if they are not
	Left     int    // wins that came meanwhile: forget again
}

// Forget removes all that is kept of a person. What they have won stays as
// hashes, so that nobody wins it twice. Each batch is a commit of its own, with
// its own line in the audit log. Forgetting again is harmless, and goes on with
// what is left.
func (o *Operator) Forget(ctx context.Context, user string, f Forgetting) (all ForgottenPerson, err error) {
	if err = checkPerson(user); err != nil {
		return all, fmt.Errorf("forget %q: %w", user, err)
	}
	if f.Suppress {
		if err = customerio.CheckPerson(user); err != nil {
			return all, fmt.Errorf("suppress %q: %w", user, err)
		}
	}
	p, err := o.store.Person(ctx, user)
	if err != nil {
		return all, err
	}

	fg := &forgetting{Operator: o, Forgetting: f, person: p, all: &all}
	for range forgetRounds {
		if err = fg.round(ctx); err != nil || all.Left == 0 {
			break
		}
	}

	return all, err
}

// A forgetting is under way.
type forgetting struct {
	*Operator
	Forgetting

	person store.Person
	all    *ForgottenPerson
}

// round goes through everything once.
func (fg *forgetting) round(ctx context.Context) error {
	if err := fg.begin(ctx); err != nil {
		return err
	}
	if err := fg.awaitAwards(ctx); err != nil {
		return err
	}

	names := append(append([]string{}, fg.person.Names...), fg.person.User)
	for _, name := range names {
		err := fg.sweep(ctx, func(act *store.Act) (store.Forgotten, error) { return act.ForgetEvents(ctx, name, forgetBatch) })
		if err != nil {
			return err
		}
	}
	for _, forget := range []func(act *store.Act) (store.Forgotten, error){
		func(act *store.Act) (store.Forgotten, error) { return act.Forget(ctx, fg.person, forgetBatch) },
		func(act *store.Act) (store.Forgotten, error) { return act.ForgetActs(ctx, fg.person, fg.all.Mark) },
		func(act *store.Act) (f store.Forgotten, err error) {
			f, fg.all.UserStay, err = act.ForgetUser(ctx, fg.person)

			return f, err
		},
	} {
		if err := fg.sweep(ctx, forget); err != nil {
			return err
		}
	}

	left, err := fg.store.CountForgotten(ctx, fg.person)
	fg.all.Left = left.Wins

	return err
}

// begin writes the hashes, before anything is removed.
func (fg *forgetting) begin(ctx context.Context) error {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // it never fails

	return fg.store.Act(ctx, func(act *store.Act) (deed store.Deed, err error) {
		mark, hashes, err := act.BeginForgetting(ctx, fg.person, key)
		if err != nil {
			return deed, err
		}
		suppress := fg.Suppress && !fg.all.Suppress
		if suppress {
			if suppress, err = act.Suppress(ctx, fg.person.User); err != nil {
				return deed, err
			}
		}
		fg.all.Mark = mark
		fg.all.Hashes += hashes
		fg.all.Suppress = fg.all.Suppress || suppress
		if hashes == 0 && !suppress {
			return deed, nil
		}

		return fg.line(map[string]any{"hashes": hashes, "suppress": suppress}), nil
	})
}

func (fg *forgetting) line(detail map[string]any) store.Deed {
	deed := fg.deed("forget", fg.all.Mark, fg.Reason)
	deed.Detail = detail

	return deed
}

// awaitAwards returns when every award has ended that may not have seen the
// hashes. It would win again what is removed next.
func (fg *forgetting) awaitAwards(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, awardsEnd)
	defer cancel()
	tick := time.NewTicker(awardsAgain)
	defer tick.Stop()

	under, err := fg.store.AwardsUnderWay(limited, nil)
	for err == nil && len(under) > 0 {
		select {
		case <-limited.Done():
			err = limited.Err()
		case <-tick.C:
			under, err = fg.store.AwardsUnderWay(limited, under)
		}
	}
	if err != nil && ctx.Err() == nil && limited.Err() != nil {
		return ErrAwardUnderWay
	}

	return err
}

// sweep removes batch by batch, until nothing is left.
func (fg *forgetting) sweep(ctx context.Context, forget func(*store.Act) (store.Forgotten, error)) error {
	for {
		if ctx.Err() != nil {
			return fmt.Errorf("forget: %w", context.Cause(ctx))
		}
		var some store.Forgotten
		err := fg.store.Act(ctx, func(act *store.Act) (deed store.Deed, err error) {
			if some, err = forget(act); err != nil || some == (store.Forgotten{}) {
				return deed, err
			}

			return fg.line(counts(some)), nil
		})
		if err != nil || some == (store.Forgotten{}) {
			return err
		}
		fg.all.Add(some)
	}
}

// counts are the numbers of f that are not zero, by table.
func counts(f store.Forgotten) map[string]any {
	all := map[string]any{}
	for name, n := range map[string]int{
		"deliveries": f.Deliveries, "events": f.Events, "responses": f.Responses, "pushes": f.Pushes,
		"push_people": f.People, "trivia_wins": f.Wins, "prizes": f.Prizes, "audit_log": f.Acts, "users": f.Users,
	} {
		if n > 0 {
			all[name] = n
		}
	}

	return all
}
