package ctl

import (
	"slices"

	"trivia/internal/operator"
	"trivia/internal/store"
)

// answerFields are those of an answer whose user and trivia are known.
func answerFields() []field[store.ResponseRow] {
	return without(responseNoun().fields, "user_id", "trivia_id")
}

// toldFields are those of a push whose person is known.
func toldFields() []field[store.PushRow] { return without(pushNoun().fields, "person") }

func without[T any](fields []field[T], names ...string) []field[T] {
	return slices.DeleteFunc(slices.Clone(fields), func(f field[T]) bool { return slices.Contains(names, f.name) })
}

func explanationFields() []field[operator.Explanation] {
	type row = operator.Explanation

	return []field[row]{
		{name: "key", value: func(e row) any { return orNil(e.Key) }},
		{name: "deliveries", value: func(e row) any { return rawObjects(deliveryNoun().fields, e.Deliveries) }},
		{name: "chains", value: func(e row) any { return rawObjects(chainFields(), e.Chains) }},
		{name: "events", value: func(e row) any { return rawObjects(eventStoryFields(), e.Events) }},
	}
}

func eventStoryFields() []field[operator.EventStory] {
	type row = operator.EventStory

	return append(
		storyFields(eventNoun().fields, func(e row) store.EventRow { return e.EventRow }),
		field[row]{name: "pushes", value: func(e row) any { return rawObjects(pushNoun().fields, e.Pushes) }},
	)
}

func chainFields() []field[operator.Chain] {
	type row = operator.Chain

	return []field[row]{
		{name: "user_id", value: func(c row) any { return c.User }},
		{name: "trivia_id", value: func(c row) any { return c.Trivia.ID }},
		{name: "won", value: func(c row) any { return c.Won }},
		{name: "verdict", value: func(c row) any { return c.Verdict }},
		{name: "why", value: func(c row) any { return append([]string{}, c.Why...) }},
		{name: "user_known", value: func(c row) any { return c.UserThere }},
		{name: "forgotten_at", value: func(c row) any { return c.ForgottenAt }},
		{name: "trivia_state", value: func(c row) any { return c.Trivia.State() }},
		{name: "trivia_closed_at", value: func(c row) any { return c.Trivia.ClosedAt }},
		{name: "trivia_sealed_at", value: func(c row) any { return c.Trivia.SealedAt }},
		{name: "won_at", value: func(c row) any { return c.Win.At }},
		{name: "item", value: func(c row) any { return orNil(c.Win.Item) }},
		{name: "delivery_key", value: func(c row) any { return orNil(c.Win.Key) }},
		{name: "prize_item", value: func(c row) any { return orNil(c.Prize.Item) }},
		{name: "prize_granted_at", value: func(c row) any { return c.Prize.At }},
		{name: "prize_revoked_at", value: func(c row) any { return c.Prize.RevokedAt }},
		{name: "prize_revoked_reason", value: func(c row) any { return orNil(c.Prize.RevokedReason) }},
		{name: "deliveries_all", value: func(c row) any { return c.Deliveries.All }},
		{name: "deliveries", value: func(c row) any { return rawObjects(deliveryNoun().fields, c.Deliveries.Rows) }},
		{name: "responses_all", value: func(c row) any { return c.Answers.All }},
		{name: "responses", value: func(c row) any { return rawObjects(responseNoun().fields, c.Answers.Rows) }},
		{name: "pushes_all", value: func(c row) any { return c.Pushes.All }},
		{name: "pushes", value: func(c row) any { return rawObjects(pushNoun().fields, c.Pushes.Rows) }},
		{name: "acts_all", value: func(c row) any { return c.Deeds.All }},
		{name: "acts", value: func(c row) any { return rawObjects(deedNoun().fields, c.Deeds.Rows) }},
	}
}
