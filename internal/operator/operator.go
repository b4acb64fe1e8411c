// Package operator holds the verbs of a person. What changes something leaves
// a line with actor and reason in the audit log, in the same commit.
package operator

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

// ErrNotFound is what every error is that says that there is no such thing.
var ErrNotFound = store.ErrNotFound

// missing says which thing there is none of.
type missing string

func (m missing) Error() string { return string(m) }

// Is reports whether target is [ErrNotFound].
func (missing) Is(target error) bool { return target == ErrNotFound }

// An Operator is a person at work on a database.
type Operator struct {
	store *store.Store
	actor string

	pauses pauses
}

// New returns an operator on s whose acts are logged as those of actor.
func New(s *store.Store, actor string) *Operator { return &Operator{store: s, actor: actor} }

// ListWins yields wins, newest first. After an error it yields nothing more.
func (o *Operator) ListWins(ctx context.Context, f store.WinFilter, page store.Page) iter.Seq2[store.WinRow, error] {
	return o.store.Wins(ctx, f, page)
}

// A WinStory is a win with what stands behind it.
type WinStory struct {
	store.WinRow

	Prize      store.Prize         // zero if prizes are kept elsewhere
	Deliveries []store.DeliveryRow // what said that this user won this trivia, newest first
	Answers    []store.ResponseRow // what the user answered to it, newest first
	Pushes     []store.PushRow     // what tells Customer.io of it, newest first
}

// ShowWin returns one win, or an [ErrNotFound].
func (o *Operator) ShowWin(ctx context.Context, user trivia.UserID, id trivia.ID) (WinStory, error) {
	w, prize, err := o.store.Win(ctx, user, id)
	if errors.Is(err, store.ErrNotFound) {
		return WinStory{}, o.noWin(ctx, user, id)
	}
	if err != nil {
		return WinStory{}, err
	}

	var (
		story = WinStory{WinRow: w, Prize: prize}
		page  = store.Page{Limit: mostTold}
		errs  [3]error
	)
	story.Deliveries, errs[0] = first(o.store.Deliveries(ctx, store.DeliveryFilter{User: user, Trivia: id}, page))
	story.Answers, errs[1] = first(o.store.Responses(ctx, store.ResponseFilter{User: user, Trivia: id}, page))
	told := store.PushFilter{Person: string(user), Cause: trivia.CauseWin, CauseID: string(id)}
	story.Pushes, errs[2] = first(o.store.Pushes(ctx, told, page))

	return story, errors.Join(errs[:]...)
}

// noWin finds out why there is no such win.
func (o *Operator) noWin(ctx context.Context, user trivia.UserID, id trivia.ID) error {
	there, err := o.store.HasUser(ctx, user)
	switch {
	case err != nil:
		return err
	case !there:
		return missing(fmt.Sprintf("there is no user %q", user))
	default:
		return missing(fmt.Sprintf("user %q has not won trivia %q", user, id))
	}
}

// ListDeliveries yields deliveries without their bodies, newest first. After
// an error it yields nothing more.
func (o *Operator) ListDeliveries(
	ctx context.Context, f store.DeliveryFilter, page store.Page,
) iter.Seq2[store.DeliveryRow, error] {
	return o.store.Deliveries(ctx, f, page)
}

// ShowDelivery returns all that came under key, or an [ErrNotFound]: one row,
// unless the key came with several bodies or by both routes.
func (o *Operator) ShowDelivery(ctx context.Context, key string) ([]store.DeliveryRow, error) {
	found, err := o.store.Delivery(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, missing(fmt.Sprintf("there is no delivery %q", key))
	}

	return found, err
}

// FindDelivery returns the one delivery that came under key by the route of
// kind with exactly this body, or an [ErrNotFound].
func (o *Operator) FindDelivery(
	ctx context.Context, kind trivia.Kind, key string, body []byte,
) (store.DeliveryRow, error) {
	found, err := o.ShowDelivery(ctx, key)
	if err != nil {
		return store.DeliveryRow{}, err
	}

	sum := sha256.Sum256(body)
	for _, d := range found {
		if d.Kind == kind && string(d.SHA256) == string(sum[:]) {
			return d, nil
		}
	}

	return store.DeliveryRow{}, missing(fmt.Sprintf("there is no %s %q with this body", kind, key))
}

// CountParked returns how many deliveries wait for a person.
func (o *Operator) CountParked(ctx context.Context) (int64, error) { return o.store.CountParked(ctx) }

// ListUsers yields users in the order of their identifiers. After an error it
// yields nothing more.
func (o *Operator) ListUsers(ctx context.Context, f store.UserFilter, page store.Page) iter.Seq2[store.UserRow, error] {
	return o.store.Users(ctx, f, page)
}
