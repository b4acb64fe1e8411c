package trivia

import (
	"strings"
	"time"
)

// An Event says that something happened to a message or a person, at
// Customer.io. Its identifier is the key of its delivery. Words that the sender
// left out are empty.
type Event struct {
	ObjectType string    // what it happened to: email, in_app, customer …
	Metric     string    // what happened: sent, opened, clicked …
	At         time.Time // when, by the sender's clock, to the second; zero if the sender did not say

	Person     string // by whom the Track API finds the person; empty if the event names nobody
	CustomerID string // the company's own identifier of the person
	Email      string
	CioID      string // Customer.io's own identifier of the person

	DeliveryID    string // Customer.io's name of the message
	Campaign      string
	Broadcast     string
	Newsletter    string
	Action        string
	Transactional string
	Template      string
	Link          string
	Href          string
	Response      string // what was clicked in an in-app message, by its Action Name
	Failure       string // why a message failed, in the words of who failed

	// Signs that no person did it.
	Machine, Prefetched, Proxied, Synthetic bool
}

// An Answer is what a person answered to a trivia, right or wrong.
type Answer struct {
	Trivia ID
	Text   string
}

// MaxAnswer is how many characters an answer may have.
const MaxAnswer = 255

// answerPrefix begins the Action Name of a button that answers a trivia.
const answerPrefix = "trivia/"

// Answer returns the answer that ev tells of: a click in an in-app message on
// a button whose Action Name is trivia/<trivia_id>/<answer>. It returns false
// if ev tells of none, or of nobody's.
func (ev Event) Answer() (Answer, bool) {
	rest, ok := strings.CutPrefix(ev.Response, answerPrefix)
	if !ok || ev.ObjectType != "in_app" || ev.Metric != "clicked" || ev.Person == "" {
		return Answer{}, false
	}
	name, text, ok := strings.Cut(rest, "/")
	if !ok {
		return Answer{}, false
	}
	id, err := ParseID(name)
	if err != nil || checkText("answer", text, MaxAnswer) != nil {
		return Answer{}, false
	}

	return Answer{id, text}, true
}

// byMachine reports whether a machine opened or clicked, and so says nothing
// about the person. A proxied open is not one: the proxy only hides where the
// person is. Nor is a synthetic one, which follows from a click.
func (ev Event) byMachine() bool { return ev.Machine || ev.Prefetched }
