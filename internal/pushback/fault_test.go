package pushback_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"trivia/internal/pushback"
	"trivia/internal/waiting"
)

// Several processes push at once, for people who all have several things to be
// told, in order; and all that can go wrong does, in turn.
func TestEveryPushArrivesInOrderWhateverCustomerIODoes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.twin.fault = inTurn()
	stages := []*pushback.Stage{b.newStage(t, 100*time.Millisecond), b.newStage(t, 100*time.Millisecond)}
	const people = 12
	for n := range people {
		b.owe(t, person(n), "suppress", "1s", fmt.Sprintf(`{"who":%q,"step":1}`, person(n)))
		b.win(t, person(n), "capitals", "mug", "2s")
		b.owe(t, person(n), "suppress", "3s", fmt.Sprintf(`{"who":%q,"step":3}`, person(n)))
		b.owe(t, person(n), "attributes", "0s", fmt.Sprintf(`{"who":%q,"step":0}`, person(n)))
	}

	for round := 0; ; round++ {
		var group errgroup.Group
		for _, st := range stages {
			group.Go(func() error {
				if _, err := st.Step(t.Context()); err != nil {
					return err
				}

				return st.Wait()
			})
		}
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
		if b.rows(t, `SELECT count(*)::text FROM pushes WHERE state <> 'sent'`)[0] == "0" {
			break
		}
		if round == 1000 {
			t.Fatalf("after many rounds: %q", b.rows(t, pushes))
		}
		waiting.For(t, "calls that were given up have ended", b.twin.idle)
		b.later(t)
	}

	if len(b.twin.clashes) > 0 {
		t.Errorf("two calls were under way at once for %q", b.twin.clashes)
	}
	for n := range people {
		checkStory(t, person(n), b.twin.requests())
	}
	for id, n := range b.twin.events {
		if n < 1 {
			t.Errorf("event %s came %d times", id, n)
		}
	}
	if len(b.twin.events) != people {
		t.Errorf("there are %d different events, want %d", len(b.twin.events), people)
	}
}

// told is what one person may be told, in order. What was told and not written
// down in time is told again.
var told = regexp.MustCompile(`^(attributes1 )+(suppress )+(attributes3 )+(attributes3 |events )*events (attributes3 |events )*(suppress )+$`)

// checkStory fails unless what was taken for a person happened in order, and
// was about that person.
func checkStory(t *testing.T, who string, all []request) {
	t.Helper()

	var story strings.Builder
	for _, req := range all {
		if req.Person != who || req.Status != http.StatusOK {
			continue
		}
		if of, ok := req.Body["who"]; ok && of != who {
			t.Errorf("%s was told what is %v's", who, of)
		}
		story.WriteString(req.Verb)
		if step, ok := req.Body["step"]; ok {
			fmt.Fprint(&story, step)
		}
		story.WriteString(" ")
	}
	if !told.MatchString(story.String()) {
		t.Errorf("the story of %s is %q, want %v", who, story.String(), told)
	}
}

func TestOnePersonsFailureIsTheirOwn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.twin.fault = func(w http.ResponseWriter, _ *http.Request, req request) bool {
		if req.Person == "ann" {
			answer(w, http.StatusServiceUnavailable, "not now", "Retry-After", "600")
			return true
		}

		return false
	}
	b.owe(t, "ann", "attributes", "0s", `{"a":1}`)
	b.owe(t, "ann", "suppress", "0s", ``)
	for n := range 9 {
		b.owe(t, person(n), "attributes", "0s", `{"a":1}`)
	}

	b.send(t)
	b.want(t, `SELECT concat_ws(' ', state, attempts, status, reason) FROM pushes WHERE person = 'ann' ORDER BY id`,
		"pending 1 503 not now", "pending 0")
	b.want(t, `SELECT DISTINCT state FROM pushes WHERE person <> 'ann'`, "sent")
	b.want(t, `SELECT person FROM push_people WHERE failures = 1 AND leased_until BETWEEN now() + '590s' AND now() + '600s'`, "ann")

	for failures := range 20 { // its rests grow
		b.exec(t, `UPDATE push_people SET leased_until = now() WHERE person = 'ann'`)
		b.twin.fault = say(http.StatusInternalServerError, "oops")
		b.ahead.Add(int64(2 * time.Minute))
		b.send(t)
		b.want(t, `SELECT failures || ' ' || (leased_until - now() <= least(0.5 * 2 ^ failures, 900) * interval '1 s')
			FROM push_people WHERE person = 'ann'`, fmt.Sprintf("%d true", failures+2))
	}
	b.twin.fault = nil
	b.sendAll(t, b.Stage)
	b.want(t, `SELECT DISTINCT failures::text FROM push_people`, "0")
}

func TestTooManyRequestsPauseEverybodyForAsLongAsIsSaid(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.twin.fault = say(http.StatusTooManyRequests, "slow down", "Retry-After", "300")
	b.owe(t, "ann", "attributes", "0s", `{"a":1}`)
	step(t, b.Stage)
	b.scraped(t, `trivia_push_paused{reason="rate"} 1`)
	b.twin.fault = nil
	for n := range 200 {
		b.owe(t, person(n), "attributes", "0s", `{"a":1}`)
	}

	b.ahead.Add(int64(200 * time.Second))
	if n := step(t, b.Stage); n != 0 || len(b.twin.requests()) != 1 {
		t.Errorf("Step = %d with %d calls, want none while it is paused", n, len(b.twin.requests())-1)
	}
	b.ahead.Add(int64(110 * time.Second))
	if n := step(t, b.Stage); n != 1 {
		t.Errorf("Step = %d, want one person who goes first", n)
	}
	b.send(t)
	b.sendAll(t, b.Stage)
	b.want(t, `SELECT DISTINCT state FROM pushes`, "sent")
	if n := b.log.count("sending is paused"); n != 1 {
		t.Errorf("the log says %d times that sending is paused, want once", n)
	}
	if n := b.log.count("sending again"); n != 1 {
		t.Errorf("the log says %d times that it is over, want once", n)
	}
}

func TestWhenAllFailsOnePersonTriesForEverybody(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.twin.fault = say(http.StatusBadGateway, "")
	for n := range 500 {
		b.owe(t, person(n), "attributes", "0s", `{"a":1}`)
	}

	b.send(t)
	if n := len(b.twin.requests()); n < 5 || n > 64 {
		t.Errorf("%d calls were made before sending is paused, want few", n)
	}
	b.scraped(t, `trivia_push_paused{reason="down"} 1`)
	for range 10 {
		b.ahead.Add(int64(time.Minute))
		before := len(b.twin.requests())
		b.send(t)
		if n := len(b.twin.requests()) - before; n != 1 {
			t.Errorf("%d calls were made to see whether it answers, want 1", n)
		}
	}

	b.twin.fault = nil
	b.sendAll(t, b.Stage)
	b.want(t, `SELECT DISTINCT state FROM pushes`, "sent")
}

func TestRefusedCredentialsPauseAllWithOneAlarm(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	const alarm = "Customer.io refuses the credentials"
	b.twin.fault = say(http.StatusUnauthorized, "bad key")
	for n := range 300 {
		b.owe(t, person(n), "suppress", "0s", `{"a":1}`)
	}

	b.send(t)
	if n := len(b.twin.requests()); n > 64 {
		t.Errorf("%d calls were made before sending is paused", n)
	}
	b.want(t, `SELECT DISTINCT concat_ws(' ', attempts, status, reason) FROM pushes WHERE state = 'parked'`, "1 401 bad key")
	if b.log.count(alarm) != 1 {
		t.Errorf("there are %d alarms, want one", b.log.count(alarm))
	}
	b.scraped(t, `trivia_push_paused{reason="credentials"} 1`)
	for range 5 { // it asks now and then, for the account only
		b.later(t)
		b.send(t)
	}
	if n := b.twin.count("account", http.StatusUnauthorized); n != 5 {
		t.Errorf("it asked %d times, want 5", n)
	}
	b.twin.fault = say(http.StatusInternalServerError, "oops") // no word about the credentials
	b.later(t)
	b.send(t)

	// The account is fine, and calls are not: that is no news.
	b.twin.fault = func(w http.ResponseWriter, _ *http.Request, req request) bool {
		if req.Verb == "account" {
			return false
		}
		answer(w, http.StatusUnauthorized, "bad key")

		return true
	}
	b.later(t)
	b.send(t)
	if n := b.log.count(alarm); n != 1 {
		t.Errorf("there are %d alarms without a success in between, want one", n)
	}

	b.twin.fault = nil
	b.sendAll(t, b.Stage)
	b.send(t)
	b.sendAll(t, b.Stage)
	b.want(t, `SELECT DISTINCT state || ' ' || status FROM pushes`, "sent 200")
	if n := b.log.count("push parked"); n != 0 {
		t.Errorf("the log says %d times that a push is parked, want only the alarm", n)
	}

	b.twin.fault = say(http.StatusUnauthorized, "bad key")
	b.owe(t, "ann", "attributes", "0s", `{"a":1}`)
	b.send(t)
	if n := b.log.count(alarm); n != 2 {
		t.Errorf("there are %d alarms, want another one after a success", n)
	}

	// Who starts now has other credentials, perhaps.
	b.twin.fault = nil
	other := b.newStage(t, time.Second)
	b.sendAll(t, other)
	for step(t, other) > 0 {
	}
	b.want(t, `SELECT DISTINCT state || ' ' || status FROM pushes`, "sent 200")
}

func TestWhatIsHeldForCredentialsIsSentWhenThereAreSome(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.exec(t, `
		INSERT INTO pushes (person, kind, cause, cause_id, attributes, occurred_at, state, reason)
		SELECT 'p' || n % 50, 'attributes', 'event', 'e', jsonb_build_object('n', n), now(), 'held',
			CASE WHEN n % 100 = 7 THEN 'by bob' ELSE 'no credentials' END
		FROM generate_series(1, 5000) AS n`)

	b.send(t)
	b.want(t, `SELECT concat_ws(' ', state, count(*)) FROM pushes GROUP BY state ORDER BY state`,
		"held 50", "sent 4950")

	b.exec(t, `UPDATE pushes SET state = 'held', reason = 'no credentials' WHERE id = 1`)
	b.send(t)
	b.want(t, `SELECT state FROM pushes WHERE id = 1`, "held")
	b.later(t)
	b.send(t)
	b.want(t, `SELECT state FROM pushes WHERE id = 1`, "sent")
}

func TestTurnsAreFair(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Stage = nil
	opts := b.opts
	opts.Rate = rate.NewLimiter(2, 1_000_000) // so two people at once
	st := pushback.New(opts)
	b.exec(t, `INSERT INTO users (user_id) VALUES ('busy')`)
	b.exec(t, `
		INSERT INTO trivia_wins (user_id, trivia_id, item, delivery_key) SELECT 'busy', n, 'mug', n FROM generate_series(1, 300) AS n`)
	b.exec(t, `
		INSERT INTO pushes (person, kind, cause, cause_id, occurred_at, state)
		SELECT 'busy', 'event', 'win', n, now(), 'pending' FROM generate_series(1, 300) AS n`)
	for n := range 9 {
		b.owe(t, person(n), "attributes", "0s", `{"a":1}`)
	}

	for range 5 {
		step(t, st)
	}
	b.want(t, `SELECT person || ' ' || count(*) FROM pushes WHERE state = 'pending' GROUP BY person`, "busy 290")
	for step(t, st) > 0 {
	}
	b.want(t, `SELECT person FROM pushes WHERE state = 'pending'`)
	if n := len(b.twin.events); n != 300 {
		t.Errorf("there are %d events, want 300", n)
	}
}
