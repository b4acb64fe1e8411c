package operator

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

// ListEvents yields events, newest first. After an error it yields nothing
// more.
func (o *Operator) ListEvents(ctx context.Context, f store.EventFilter, page store.Page) iter.Seq2[store.EventRow, error] {
	return o.store.Events(ctx, f, page)
}

// CountEvents counts events by object type and metric.
func (o *Operator) CountEvents(ctx context.Context, f store.EventFilter) ([]store.EventCount, error) {
	return o.store.EventCounts(ctx, f)
}

// An EventStory is an event with what came and what it led to.
type EventStory struct {
	store.EventRow

	Payload []byte          // byte for byte; nil if its delivery is gone
	Pushes  []store.PushRow // what it asked for
}

// ShowEvent returns one event, or an [ErrNotFound].
func (o *Operator) ShowEvent(ctx context.Context, id string) (EventStory, error) {
	e, payload, err := o.store.Event(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return EventStory{}, missing(fmt.Sprintf("there is no event %q", id))
	}
	if err != nil {
		return EventStory{}, err
	}

	story := EventStory{EventRow: e, Payload: payload}
	if e.Owed != "" && e.Owed != trivia.Nobody {
		filter := store.PushFilter{Person: e.Person, Cause: trivia.CauseEvent, CauseID: e.ID}
		story.Pushes, err = first(o.store.Pushes(ctx, filter, store.Page{Limit: mostTold}))
	}

	return story, err
}

// mostTold is how many rows of each kind stand behind one that is shown.
const mostTold = 100

// first collects a listing that has a limit.
func first[T any](rows iter.Seq2[T, error]) (all []T, err error) {
	for row, err := range rows {
		if err != nil {
			return nil, err
		}
		all = append(all, row)
	}

	return all, nil
}

// ListResponses yields answers to trivias, newest first. After an error it
// yields nothing more.
func (o *Operator) ListResponses(
	ctx context.Context, f store.ResponseFilter, page store.Page,
) iter.Seq2[store.ResponseRow, error] {
	return o.store.Responses(ctx, f, page)
}
