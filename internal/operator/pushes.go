package operator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"
	"unicode/utf8"

	"trivia/internal/customerio"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// ListPushes yields pushes, newest first. After an error it yields nothing
// more.
func (o *Operator) ListPushes(ctx context.Context, f store.PushFilter, page store.Page) iter.Seq2[store.PushRow, error] {
	return o.store.Pushes(ctx, f, page)
}

// A PushStory is a push with what is known of its person.
type PushStory struct {
	store.PushRow

	Known store.PushPerson // zero if nobody has tried to push for them
}

// ShowPush returns one push, or an [ErrNotFound].
func (o *Operator) ShowPush(ctx context.Context, id int64) (PushStory, error) {
	p, err := o.store.Push(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return PushStory{}, noPush(id)
	}
	if err != nil {
		return PushStory{}, err
	}

	known, err := o.store.PushPerson(ctx, p.Person)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return PushStory{}, err
	}

	return PushStory{p, known}, nil
}

func noPush(id int64) error { return missing(fmt.Sprintf("there is no push %d", id)) }

// PushAttributes writes a push of attributes that is sent next, and returns
// its identifier. Values are text, booleans and numbers. They count as true
// from at on: what Customer.io was told of a later time stays.
func (o *Operator) PushAttributes(
	ctx context.Context, person string, attributes map[string]any, at time.Time, reason string,
) (id int64, err error) {
	object, err := checkedAttributes(person, attributes)
	if err != nil {
		return 0, fmt.Errorf("push attributes of %q: %w", person, err)
	}

	push := store.PushRow{
		Person: person, Kind: trivia.PushAttributes, Cause: trivia.CauseOperator, CauseID: o.actor,
		Attributes: object, OccurredAt: at,
	}
	err = o.store.Act(ctx, func(act *store.Act) (deed store.Deed, err error) {
		id, err = act.WritePush(ctx, push)
		deed = o.deed("push attributes", person, reason)
		deed.Detail = map[string]any{"push": id, "attributes": object}

		return deed, err
	})

	return id, err
}

func checkedAttributes(person string, attributes map[string]any) (json.RawMessage, error) {
	if err := customerio.CheckPerson(person); err != nil {
		return nil, err
	}
	if !utf8.ValidString(person) || strings.ContainsRune(person, 0) {
		return nil, errors.New("the identifier is no text")
	}
	if err := customerio.CheckAttributes(attributes); err != nil {
		return nil, err
	}

	return json.Marshal(attributes)
}
