package operator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

// An Explanation is all that is known of how something came to be.
type Explanation struct {
	Key        string              // that was asked for; empty if a user and a trivia were
	Deliveries []store.DeliveryRow // all that came under Key, without bodies
	Chains     []Chain             // one for each user and trivia that these name, or for those asked for
	Events     []EventStory        // if Key is that of an event
}

// A Chain is what stands between a user and the prize of a trivia.
type Chain struct {
	store.Chain

	Verdict string   // what it came to, in a few words
	Why     []string // further reasons, the most telling first; none where the verdict says all
}

// Explain returns what is known of a user and a trivia, won or not. It is an
// [ErrNotFound] if there is no such user and nothing has come of them.
func (o *Operator) Explain(ctx context.Context, user trivia.UserID, id trivia.ID) (Explanation, error) {
	chain, err := o.chain(ctx, user, id)
	if err != nil {
		return Explanation{}, err
	}
	if !chain.UserThere && chain.ForgottenAt.IsZero() && !chain.Won &&
		chain.Deliveries.All+chain.Answers.All+chain.Pushes.All == 0 {
		return Explanation{}, missing(fmt.Sprintf("there is no user %q, and nothing has come of them and trivia %q", user, id))
	}

	return Explanation{Chains: []Chain{chain}}, nil
}

// ExplainKey returns what is known of all that came under key, or an
// [ErrNotFound] if nothing did.
func (o *Operator) ExplainKey(ctx context.Context, key string) (Explanation, error) {
	found, err := o.ShowDelivery(ctx, key)
	if err != nil {
		return Explanation{}, err
	}

	e := Explanation{Key: key, Deliveries: found}
	var asked []trivia.Win
	for i, d := range found {
		found[i].Body = nil
		if d.Kind == trivia.KindEvent && d.Outcome == trivia.Recorded {
			event, err := o.ShowEvent(ctx, key)
			if err != nil && !errors.Is(err, ErrNotFound) {
				return Explanation{}, err
			}
			if err == nil {
				event.Payload = nil
				e.Events = append(e.Events, event)
			}
		}
		who := trivia.Win{User: d.Win.User, Trivia: d.Win.Trivia}
		if who.User == "" || slices.Contains(asked, who) || len(asked) == mostChains {
			continue
		}
		asked = append(asked, who)
		chain, err := o.chain(ctx, who.User, who.Trivia, key)
		if err != nil {
			return Explanation{}, err
		}
		e.Chains = append(e.Chains, chain)
	}

	return e, nil
}

// mostChains bounds what many bodies under one key ask for.
const mostChains = 10

func (o *Operator) chain(ctx context.Context, user trivia.UserID, id trivia.ID, keys ...string) (Chain, error) {
	c, err := o.store.Chain(ctx, user, id, mostTold, keys...)
	if err != nil {
		return Chain{}, err
	}
	chain := Chain{Chain: c}
	chain.judge()

	return chain, nil
}

// judge says in words what the rows come to.
func (c *Chain) judge() {
	switch {
	case c.Won && !c.Prize.RevokedAt.IsZero():
		c.Verdict = fmt.Sprintf("has won %s, and the prize was revoked", c.Win.Item)
	case c.Won && c.Prize == (store.Prize{}):
		c.Verdict = fmt.Sprintf("has won %s; grant_prize keeps the prize elsewhere", c.Win.Item)
	case c.Won:
		c.Verdict = fmt.Sprintf("has won %s, and the prize was granted", c.Win.Item)
	case !c.ForgottenAt.IsZero():
		c.Verdict = "has won, and was forgotten since: what was won is not known any more, and cannot be won again"
	default:
		c.Verdict = "has not won"
		c.Why = c.whyNot()
	}
	if c.Won && c.count(trivia.PrizeConflict) > 0 {
		c.Why = append(c.Why, fmt.Sprintf("%s for another item: the first one counts", countOf(c.count(trivia.PrizeConflict), "delivery came", "deliveries came")))
	}
}

// whyNot says why somebody has not won.
func (c *Chain) whyNot() (why []string) {
	if !c.UserThere {
		why = append(why, "there is no such user: triviactl users add makes one, and awards what waits")
	}
	switch {
	case !c.Trivia.SealedAt.IsZero():
		why = append(why, "the trivia is sealed since "+c.Trivia.SealedAt.UTC().Format(time.RFC3339)+": its wins are gone")
	case !c.Trivia.ClosedAt.IsZero():
		why = append(why, "the trivia is closed since "+c.Trivia.ClosedAt.UTC().Format(time.RFC3339))
	}
	if c.Deliveries.All == 0 {
		why = append(why, "no delivery has ever said so")
		if c.Answers.All > 0 {
			why = append(why, "answers have come: does the campaign send its action for the right one?")
		}

		return why
	}
	for _, end := range c.Ends {
		why = append(why, c.whyOf(end))
	}

	return why
}

func (c *Chain) whyOf(end store.OutcomeCount) string {
	n := countOf(end.Count, "delivery", "deliveries")
	switch {
	case end.State == trivia.StatePending && end.Outcome == trivia.UnknownUser:
		return n + " pending: the user was not there, and it is tried again for about an hour"
	case end.State == trivia.StatePending:
		return n + " pending: not settled yet"
	case end.Outcome == trivia.Unsettled:
		return n + " parked: settling was refused"
	case end.Outcome == trivia.Awarded, end.Outcome == trivia.AlreadyWon, end.Outcome == trivia.PrizeConflict:
		return fmt.Sprintf("%s %s, and yet there is no win: triviactl audit tells more", n, end.Outcome)
	}

	return fmt.Sprintf("%s parked: %s", n, end.Outcome)
}

// count returns how many deliveries ended so.
func (c *Chain) count(outcome trivia.Outcome) (n int) {
	for _, end := range c.Ends {
		if end.Outcome == outcome {
			n += end.Count
		}
	}

	return n
}

func countOf(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}

	return fmt.Sprintf("%d %s", n, many)
}
