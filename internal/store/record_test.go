package store_test

import (
	"testing"
	"time"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

// owing is the usual policy, with credentials.
var owing = store.IntakeOptions{Owing: store.Owing{Policy: trivia.DefaultPolicy()}}

const (
	everyPush = `
	SELECT person, kind, cause, cause_id, state, coalesce(reason, '-'), coalesce(attributes::text, '-'), extract(epoch FROM occurred_at)::bigint
	FROM pushes ORDER BY id`
	everyResponse = `
	SELECT user_id, trivia_id, answer, event_id, extract(epoch FROM answered_at)::bigint FROM responses ORDER BY event_id`
)

// about is an event of a person, minutes before noon.
func about(id, object, metric, person string, minutes int) store.Arrival {
	a := event(id, object, metric)
	a.Event.Person, a.Event.At = person, noon.Add(-time.Duration(minutes)*time.Minute)

	return a
}

func answer(id, person, response string) store.Arrival {
	a := about(id, "in_app", "clicked", person, 1)
	a.Event.Response = response

	return a
}

func TestAnEventIsRecordedInAllItsColumns(t *testing.T) {
	t.Parallel()

	b := newBench(t, store.IntakeOptions{})
	a := event("e1", "email", "clicked")
	a.Event = trivia.Event{
		ObjectType: "email", Metric: "clicked", At: noon.Add(-time.Minute),
		Person: "p", CustomerID: "cust", Email: "mail", CioID: "cio",
		DeliveryID: "del", Campaign: "camp", Broadcast: "broad", Newsletter: "news", Action: "act", Transactional: "trans", Template: "tem",
		Link: "link", Href: "href", Response: "resp", Failure: "fail",
		Machine: true, Proxied: true,
	}
	other := event("e2", "email", "opened")
	other.Event.Prefetched, other.Event.Synthetic = true, true
	other.Event.At = time.Time{}
	b.take(t, a, other)

	b.want(t, `
		SELECT event_id, object_type, metric, extract(epoch FROM occurred_at)::bigint, extract(epoch FROM received_at)::bigint,
			person, customer_id, email, cio_id, delivery_id, campaign_id, broadcast_id, newsletter_id, action_id, transactional_id,
			template_id, link_id, href, tracked_response, failure_message, machine, prefetched, proxied, synthetic
		FROM events ORDER BY event_id`,
		"e1 email clicked 1777895940 1777896000 p cust mail cio del camp broad news act trans tem link href resp fail true false true false",
		"e2 email opened <nil> 1777896000 <nil> <nil> <nil> <nil> <nil> <nil> <nil> <nil> <nil> <nil> <nil> <nil> <nil> <nil> <nil> false true false true")
	b.want(t, `SELECT convert_from(e.payload, 'UTF8') FROM events AS e WHERE event_id = 'e1'`,
		`{"event_id":"e1","object_type":"email","metric":"clicked"}`)
	checkInvariants(t, b)
}

func TestWhatIsOwedIsWrittenOnce(t *testing.T) {
	t.Parallel()

	b := newBench(t, owing)
	bounced := about("e1", "email", "bounced", "u1", 5)
	won := win("k1", "u1", "capitals", "mug")
	b.take(t, bounced, won, about("e2", "email", "sent", "u1", 1), about("e3", "email", "opened", "", 1))
	// Again, and in one batch, and under another key.
	b.take(t, bounced, bounced, won, win("k2", "u1", "capitals", "mug"))

	b.want(t, everyPush+` LIMIT 1`,
		`u1 suppress event e1 pending - {"email_bounced": true, "email_bounced_at": 1777895700} 1777895700`)
	b.want(t, `SELECT person, kind, cause, cause_id, state, attributes FROM pushes WHERE cause = 'win'`,
		"u1 event win capitals pending <nil>")
	b.want(t, `SELECT p.occurred_at = w.won_at FROM pushes AS p JOIN trivia_wins AS w ON w.user_id = p.person WHERE p.cause = 'win'`, "true")
	b.want(t, `SELECT event_id, owed FROM events ORDER BY event_id`, "e1 suppress", "e2 <nil>", "e3 nobody")
	checkInvariants(t, b)
}

func TestWhatIsOwedIsHeldWithoutCredentials(t *testing.T) {
	t.Parallel()

	opts := owing
	opts.Owing.Held = true
	b := newBench(t, opts)
	b.take(t, about("e1", "email", "unsubscribed", "u1", 0), win("k1", "u2", "capitals", "mug"))
	b.want(t, `SELECT person, state, reason FROM pushes ORDER BY person`, "u1 held no credentials", "u2 held no credentials")
}

func TestNothingIsOwedByAPolicyThatDoesNothing(t *testing.T) {
	t.Parallel()

	b := newBench(t, store.IntakeOptions{Owing: store.Owing{Policy: trivia.Policy{Win: trivia.Nothing}}})
	b.take(t, about("e1", "email", "bounced", "u1", 0), win("k1", "u2", "capitals", "mug"))
	b.want(t, everyPush)
	b.want(t, `SELECT count(*) FROM events WHERE owed IS NULL`, "1")
}

func TestASecondBodyUnderAKeyOwesNothing(t *testing.T) {
	t.Parallel()

	b := newBench(t, owing)
	first, second := about("e1", "email", "opened", "u1", 1), about("e1", "email", "bounced", "u2", 1)
	b.take(t, first, second)
	b.take(t, second)
	b.want(t, `SELECT person, kind FROM pushes`, "u1 attributes")
	b.want(t, `SELECT person, metric FROM events`, "u1 opened")
	checkInvariants(t, b)
}

// A clock that is ahead must not make an attribute newer than all that follows.
func TestNothingIsTrueBeforeItHasHappened(t *testing.T) {
	t.Parallel()

	b := newBench(t, owing)
	never := about("e3", "email", "opened", "u3", 0)
	never.Event.At = time.Time{}
	b.take(t, about("e1", "email", "opened", "u1", -60), about("e2", "email", "opened", "u2", 60), never)
	b.want(t, `SELECT person, extract(epoch FROM occurred_at)::bigint, attributes->>'last_email_engaged_at' FROM pushes ORDER BY person`,
		"u1 1777896000 1777896000", "u2 1777892400 1777892400", "u3 1777896000 1777896000")
}

func TestEveryAnswerIsWrittenDown(t *testing.T) {
	t.Parallel()

	b := newBench(t, owing)
	first := answer("e1", "u1", "trivia/capitals/lyon")
	b.take(t, first, answer("e2", "u1", "trivia/capitals/paris"), answer("e3", "u2", "close"), answer("e4", "", "trivia/capitals/rome"))
	b.take(t, first)
	b.want(t, everyResponse, "u1 capitals lyon e1 1777895940", "u1 capitals paris e2 1777895940")
	b.want(t, everyPush)
	checkInvariants(t, b)
}

func TestWhatIsSettledLaterOwesTheSame(t *testing.T) {
	t.Parallel()

	b := newBench(t, store.IntakeOptions{})
	arrivals := []store.Arrival{
		about("e1", "email", "spammed", "u1", 5), answer("e2", "u1", "trivia/capitals/paris"), win("k1", "u1", "capitals", "mug"),
	}
	if _, err := b.Keep(t.Context(), arrivals); err != nil {
		t.Fatal(err)
	}
	b.want(t, everyPush)

	for _, a := range arrivals {
		p, err := b.Claim(t.Context(), store.Ref{Kind: a.Kind, Key: a.Key}, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Settle(t.Context(), p, a, store.SettleOptions{Statement: time.Minute, Owing: owing.Owing}); err != nil {
			t.Fatal(err)
		}
	}
	b.want(t, `SELECT person, kind, cause_id, state FROM pushes ORDER BY id`, "u1 suppress e1 pending", "u1 event capitals pending")
	b.want(t, everyResponse, "u1 capitals paris e2 1777895940")
	checkInvariants(t, b)
}
