package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"trivia/internal/customerio"
	"trivia/internal/trivia"
)

// closedTrivia is one that nobody can win any more.
const closedTrivia = "summer-quiz"

// players is how many people play.
const players = 3000

// quizzes are what can be won, and by which answer.
var quizzes = []struct{ id, item, right, wrong string }{
	{"capitals", "mug", "canberra", "sydney"},
	{"rivers", "t-shirt", "danube", "rhine"},
	{"film-night", "cinema-ticket", "casablanca", "vertigo"},
	{"flags-of-the-world", "tote-bag", "nepal", "bhutan"},
	{"music-90s", "voucher-10", "portishead", "massive-attack"},
	{"space", "poster", "titan", "europa"},
}

// happenings are the usual events, the more often one stands there the more.
var happenings = [][2]string{
	{"email", "sent"},
	{"email", "sent"},
	{"email", "sent"},
	{"email", "delivered"},
	{"email", "delivered"},
	{"email", "delivered"},
	{"email", "opened"},
	{"email", "opened"},
	{"email", "clicked"},
	{"in_app", "sent"},
	{"in_app", "sent"},
	{"in_app", "opened"},
	{"in_app", "opened"},
	{"push", "sent"},
	{"push", "opened"},
	{"sms", "delivered"},
}

// A request is what is sent.
type request struct {
	kind trivia.Kind
	key  string // empty: none is said
	body []byte

	forged, stale bool // signed by nobody, or long ago
}

// A maker makes up what happens. It remembers a few wins, to have them come
// again.
type maker struct {
	n    int
	last []request
	wins []trivia.Win
	told request // an event, whose identifier comes again with other bodies
}

func newMaker() *maker { return &maker{} }

func (m *maker) id(what string) string {
	m.n++

	return fmt.Sprintf("%s-%06d", what, m.n)
}

func player() string { return fmt.Sprintf("player-%04d", 1+rand.N(players)) }

// campaign chooses the trivia that a burst is about.
func (m *maker) campaign() int { return rand.N(len(quizzes)) }

// next makes up one delivery, by how usual it is.
func (m *maker) next(now time.Time) request {
	chance := rand.N(1000)
	for _, kind := range []struct {
		of   int
		make func(time.Time) request
	}{
		{230, func(time.Time) request { return m.win(m.campaign()) }},
		{110, func(now time.Time) request { return m.response(m.campaign(), now) }},
		{25, m.duplicate},
		{20, m.alreadyWon},
		{10, m.conflict},
		{5, m.keyConflict},
		{14, m.unknown},
		{7, m.closed},
		{8, m.malformed},
		{12, m.forged},
		{4, m.stale},
	} {
		if chance -= kind.of; chance < 0 {
			return kind.make(now)
		}
	}

	return m.event(now)
}

// burst makes up what comes when a campaign has begun.
func (m *maker) burst(campaign int, now time.Time) request {
	switch rand.N(10) {
	case 0, 1, 2, 3:
		return m.win(campaign)
	case 4, 5, 6:
		return m.response(campaign, now)
	}

	return m.next(now)
}

// each makes up one of every kind that does not need another one first.
func (m *maker) each(now time.Time) []request {
	all := []request{
		m.win(0), m.response(0, now), m.event(now), m.keyConflict(now), m.unknown(now), m.closed(now), m.malformed(now), m.forged(now), m.stale(now),
		m.happening("email", "bounced", player(), now), m.happening("email", "unsubscribed", player(), now), m.happening("email", "spammed", player(), now),
	}
	for _, s := range customerio.Samples() {
		all = append(all, m.happening(s.Object, s.Metric, player(), now))
	}

	return all
}

// again makes up one of every kind that comes behind another one.
func (m *maker) again(now time.Time) []request {
	return []request{m.duplicate(now), m.alreadyWon(now), m.conflict(now), m.keyConflict(now)}
}

func (m *maker) win(quiz int) request {
	q := quizzes[quiz]
	w := trivia.Win{User: trivia.UserID(player()), Trivia: trivia.ID(q.id), Item: trivia.Item(q.item)}
	r := m.action(w)
	m.last, m.wins = keepFew(m.last, r), keepFew(m.wins, w)

	return r
}

// keepFew adds to what is remembered, and forgets what was long ago.
func keepFew[T any](all []T, one T) []T {
	const few = 200
	if all = append(all, one); len(all) > few {
		all = all[len(all)-few:]
	}

	return all
}

func (m *maker) action(w trivia.Win) request {
	body, _ := json.Marshal(map[string]any{"user_id": w.User, "trivia_id": w.Trivia, "item": w.Item}) // strings always marshal

	return request{kind: trivia.KindWin, key: m.id("win"), body: body}
}

func (m *maker) event(now time.Time) request {
	of := happenings[rand.N(len(happenings))]
	switch rand.N(100) {
	case 0:
		of = [2]string{"email", "bounced"}
	case 1:
		of = [2]string{"email", "unsubscribed"}
	}

	return m.happening(of[0], of[1], player(), now)
}

func (m *maker) happening(object, metric, user string, now time.Time) request {
	sample, _ := customerio.SampleOf(object, metric)
	id := m.id("event")
	body, _ := json.Marshal(sample.Event(id, user, now)) // it is made of what marshals

	return request{kind: trivia.KindEvent, body: body}
}

// response is an answer to a trivia: a right one by somebody who has won, or a
// wrong one by anybody.
func (m *maker) response(quiz int, now time.Time) request {
	q, user := quizzes[quiz], player()
	answer := q.wrong
	if rand.N(3) > 0 && len(m.wins) > 0 {
		w := m.wins[rand.N(len(m.wins))]
		user = string(w.User)
		for _, of := range quizzes {
			if of.id == string(w.Trivia) {
				q, answer = of, of.right
			}
		}
	}
	sample, _ := customerio.SampleOf("in_app", "clicked")
	event := sample.Event(m.id("event"), user, now)
	if data, ok := event["data"].(map[string]any); ok {
		data["tracked_response"] = "trivia/" + q.id + "/" + answer
	}
	body, _ := json.Marshal(event) // it is made of what marshals

	return request{kind: trivia.KindEvent, body: body}
}

// duplicate is the very same as before, as when Customer.io retries.
func (m *maker) duplicate(time.Time) request { return m.last[rand.N(len(m.last))] }

// alreadyWon is a second win of the same, under another key.
func (m *maker) alreadyWon(time.Time) request { return m.action(m.wins[rand.N(len(m.wins))]) }

// conflict is a second win that promises something else.
func (m *maker) conflict(time.Time) request {
	w := m.wins[rand.N(len(m.wins))]
	w.Item = "golden-" + w.Item

	return m.action(w)
}

// keyConflict is another body under an event's identifier.
func (m *maker) keyConflict(now time.Time) request {
	if m.told.body == nil {
		m.told = m.event(now)
	}
	r := m.told
	m.told.body = append(slices.Clip(r.body), '\n')

	return r
}

func (m *maker) unknown(time.Time) request {
	q := quizzes[m.campaign()]

	return m.action(trivia.Win{User: trivia.UserID(m.id("stranger")), Trivia: trivia.ID(q.id), Item: trivia.Item(q.item)})
}

func (m *maker) closed(time.Time) request {
	return m.action(trivia.Win{User: trivia.UserID(player()), Trivia: closedTrivia, Item: "sun-hat"})
}

// malformed is what a campaign sends whose template is wrong.
func (m *maker) malformed(time.Time) request {
	bodies := []string{
		`{"user_id": "` + player() + `", "trivia_id": "", "item": "mug"}`,
		`{"user_id": {{customer.id}}, "trivia_id": "capitals", "item": "mug"}`,
		`{"user_id": "` + player() + `", "trivia_id": "capitals"}`,
		"\xff\xfe\x00 no text at all",
		``,
	}

	return request{kind: trivia.KindWin, key: m.id("win"), body: []byte(bodies[rand.N(len(bodies))])}
}

func (m *maker) forged(now time.Time) request {
	r := m.event(now)
	r.forged = true

	return r
}

func (m *maker) stale(now time.Time) request {
	r := m.event(now)
	r.stale = true

	return r
}
