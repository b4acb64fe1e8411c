package operator

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

// ErrSealed is what every error is that says that a trivia can never be opened
// again.
var ErrSealed = errors.New("trivia is sealed")

// sealed says which trivia is, and why.
type sealed string

func (s sealed) Error() string { return string(s) }

// Is reports whether target is [ErrSealed].
func (sealed) Is(target error) bool { return target == ErrSealed }

// ListTrivias yields the trivias that anything is known of, in the order of
// their identifiers. After an error it yields nothing more.
func (o *Operator) ListTrivias(ctx context.Context, page store.Page) iter.Seq2[store.TriviaRow, error] {
	return o.store.Trivias(ctx, page)
}

// A TriviaStory is a trivia with what people did to it.
type TriviaStory struct {
	store.TriviaRow

	Deeds []store.DeedRow // newest first
}

// ShowTrivia returns what is known of a trivia, or an [ErrNotFound] if nothing
// is.
func (o *Operator) ShowTrivia(ctx context.Context, id trivia.ID) (TriviaStory, error) {
	t, err := o.store.Trivia(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return TriviaStory{}, noTrivia(id)
	}
	if err != nil {
		return TriviaStory{}, err
	}
	story := TriviaStory{TriviaRow: t}
	story.Deeds, err = first(o.store.Deeds(ctx, store.DeedFilter{Verb: "trivia", Target: string(id)}, store.Page{Limit: mostTold}))

	return story, err
}

func noTrivia(id trivia.ID) error {
	return missing(fmt.Sprintf("nothing is known of a trivia %q", id))
}

// A Closing says what closing or opening a trivia came to.
type Closing struct {
	Changed bool      // it was not so before
	Since   time.Time // when it was closed; zero if it is open
	Known   bool      // anything was known of the trivia before
}

// CloseTrivia lets nobody win a trivia from now on. One that is closed stays
// so, and one that nothing is known of is closed, too.
func (o *Operator) CloseTrivia(ctx context.Context, id trivia.ID, reason string) (c Closing, err error) {
	if err := trivia.CheckID(id); err != nil {
		return c, fmt.Errorf("close trivia %q: %w", id, err)
	}
	err = o.store.Act(ctx, func(act *store.Act) (store.Deed, error) {
		_, err := act.Trivia(ctx, id)
		c.Known = err == nil
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return store.Deed{}, err
		}
		if c.Since, c.Changed, err = act.CloseTrivia(ctx, id); err != nil || !c.Changed {
			return store.Deed{}, err
		}

		return o.triviaDeed("trivia close", id, reason), nil
	})

	return c, err
}

// OpenTrivia lets people win a closed trivia again. It is an [ErrNotFound] if
// nothing is known of it, and an [ErrSealed] if it is sealed.
func (o *Operator) OpenTrivia(ctx context.Context, id trivia.ID, reason string) (c Closing, err error) {
	err = o.store.Act(ctx, func(act *store.Act) (store.Deed, error) {
		t, err := act.Trivia(ctx, id)
		switch {
		case errors.Is(err, store.ErrNotFound):
			return store.Deed{}, noTrivia(id)
		case err != nil:
			return store.Deed{}, err
		case !t.SealedAt.IsZero():
			return store.Deed{}, sealed(fmt.Sprintf(
				"trivia %q is sealed: wins of it are gone, and could be won again if it were opened", id))
		}
		c.Known = true
		if c.Changed, err = act.OpenTrivia(ctx, id); err != nil || !c.Changed {
			return store.Deed{}, err
		}
		deed := o.triviaDeed("trivia open", id, reason)
		deed.Detail["closed_at"] = t.ClosedAt

		return deed, nil
	})

	return c, err
}

func (o *Operator) triviaDeed(verb string, id trivia.ID, reason string) store.Deed {
	deed := o.deed(verb, string(id), reason)
	deed.Detail = map[string]any{"trivia": id}

	return deed
}

// TriviaStats counts what has come of a trivia, or is an [ErrNotFound] if
// nothing is known of it.
func (o *Operator) TriviaStats(ctx context.Context, span store.TriviaSpan) (store.TriviaStats, error) {
	_, err := o.store.Trivia(ctx, span.Trivia)
	if errors.Is(err, store.ErrNotFound) {
		return store.TriviaStats{}, noTrivia(span.Trivia)
	}
	if err != nil {
		return store.TriviaStats{}, err
	}

	return o.store.TriviaStats(ctx, span, bucketOf)
}

// bucketOf chooses how wide the buckets are in which the wins of a span are
// counted: few enough to be read, as many as tell a peak from a plateau.
func bucketOf(span time.Duration) time.Duration {
	const day = 24 * time.Hour
	switch {
	case span <= 3*time.Hour:
		return time.Minute
	case span <= 10*day:
		return time.Hour
	}

	return day
}
