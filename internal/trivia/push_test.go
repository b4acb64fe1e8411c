package trivia_test

import (
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/trivia"
)

func TestWhatIsOwedForAnEvent(t *testing.T) {
	t.Parallel()

	const at = 1767225661
	type told = map[string]any
	event := func(object, metric string) trivia.Event {
		return trivia.Event{ObjectType: object, Metric: metric, DeliveryID: "msg-1"}
	}
	with := func(ev trivia.Event, change func(*trivia.Event)) trivia.Event {
		change(&ev)
		return ev
	}
	var (
		usual      = trivia.DefaultPolicy()
		nothing    = trivia.Policy{trivia.Nothing, trivia.Nothing, trivia.Nothing, trivia.Nothing, trivia.Nothing}
		attributes = trivia.Policy{trivia.Attributes, trivia.Attributes, trivia.Attributes, trivia.Attributes, trivia.Attributes}
		softer     = trivia.Policy{Bounce: trivia.Unsubscribe, Spam: trivia.Unsubscribe, Unsubscribe: trivia.Suppress}
		bounce     = told{"email_bounced": true, "email_bounced_at": int64(at), "last_bounce_delivery_id": "msg-1"}
		spam       = told{"spam_complaint": true, "spam_complaint_at": int64(at)}
		left       = told{"unsubscribed": true, "unsubscribed_at": int64(at)}
		both       = func(a, b told) told {
			c := maps.Clone(a)
			maps.Copy(c, b)

			return c
		}
		none trivia.Push
	)

	tests := []struct {
		name   string
		policy trivia.Policy
		event  trivia.Event
		want   trivia.Push
	}{
		{"a bounce", usual, event("email", "bounced"), trivia.Push{Kind: trivia.PushSuppress, Attributes: bounce}},
		{
			"a bounce of no message that has a name", usual,
			trivia.Event{ObjectType: "email", Metric: "bounced"},
			trivia.Push{Kind: trivia.PushSuppress, Attributes: told{"email_bounced": true, "email_bounced_at": int64(at)}},
		},
		{"a bounce that only unsubscribes", softer, event("email", "bounced"), trivia.Push{Kind: trivia.PushUnsubscribe, Attributes: both(bounce, left)}},
		{"a bounce that is only told", attributes, event("email", "bounced"), trivia.Push{Kind: trivia.PushAttributes, Attributes: bounce}},
		{"a bounce that means nothing", nothing, event("email", "bounced"), none},
		{"no policy", trivia.Policy{}, event("email", "bounced"), none},

		{"spam", usual, event("email", "spammed"), trivia.Push{Kind: trivia.PushSuppress, Attributes: spam}},
		{"spam that only unsubscribes", softer, event("email", "spammed"), trivia.Push{Kind: trivia.PushUnsubscribe, Attributes: both(spam, left)}},
		{"spam that means nothing", nothing, event("email", "spammed"), none},

		{"unsubscribed by an email", usual, event("email", "unsubscribed"), trivia.Push{Kind: trivia.PushUnsubscribe, Attributes: left}},
		{"unsubscribed", usual, event("customer", "unsubscribed"), trivia.Push{Kind: trivia.PushUnsubscribe, Attributes: left}},
		{"unsubscribed, and suppressed for it", softer, event("customer", "unsubscribed"), trivia.Push{Kind: trivia.PushSuppress, Attributes: left}},
		{"unsubscribed, only told: there is nothing else to tell", attributes, event("customer", "unsubscribed"), trivia.Push{Kind: trivia.PushUnsubscribe, Attributes: left}},
		{"unsubscribed from something else", usual, event("in_app", "unsubscribed"), none},
		{"unsubscribed, which means nothing", nothing, event("customer", "unsubscribed"), none},

		{"opened", usual, event("email", "opened"), trivia.Push{Kind: trivia.PushAttributes, Attributes: told{"last_email_engaged_at": int64(at), "last_email_metric": "opened"}}},
		{"clicked", usual, event("email", "clicked"), trivia.Push{Kind: trivia.PushAttributes, Attributes: told{"last_email_engaged_at": int64(at), "last_email_metric": "clicked"}}},
		{
			"opened behind a proxy", usual, with(event("email", "opened"), func(ev *trivia.Event) { ev.Proxied = true }),
			trivia.Push{Kind: trivia.PushAttributes, Attributes: told{"last_email_engaged_at": int64(at), "last_email_metric": "opened"}},
		},
		{"opened by a machine", usual, with(event("email", "opened"), func(ev *trivia.Event) { ev.Prefetched = true }), none},
		{"clicked by a machine", usual, with(event("email", "clicked"), func(ev *trivia.Event) { ev.Machine = true }), none},
		{"opened, which means nothing", nothing, event("email", "opened"), none},

		{"an SMS bounce says nothing about the email", usual, event("sms", "bounced"), none},
		{"a push that was opened", usual, event("push", "opened"), none},
		{"sent", usual, event("email", "sent"), none},
		{"deferred: it will be tried again", usual, event("email", "deferred"), none},
		{"unknown", usual, event("fax", "burnt"), none},
		{"nothing at all", usual, trivia.Event{}, none},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			got := tt.policy.Owed(tt.event, time.Unix(at, 999))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%+v.Owed(%+v) (-want +got):\n%s", tt.policy, tt.event, diff)
			}
		})
	}
}

func TestWhetherAPolicyDeletesAnybody(t *testing.T) {
	t.Parallel()

	if !trivia.DefaultPolicy().Suppresses() || (trivia.Policy{Bounce: trivia.Unsubscribe}).Suppresses() || (trivia.Policy{}).Suppresses() {
		t.Error("Suppresses is wrong about a policy")
	}
	if p := (trivia.Policy{Unsubscribe: trivia.Suppress}); !p.Suppresses() {
		t.Errorf("%+v.Suppresses() = false, want true", p)
	}
}
