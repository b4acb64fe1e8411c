package trivia

import (
	"maps"
	"time"
)

// A Treatment is what is done for a person after something happened.
type Treatment string

// The treatments, from the strongest to none.
const (
	Suppress    Treatment = "suppress"    // tell Customer.io what happened, then delete the profile there for good
	Unsubscribe Treatment = "unsubscribe" // tell it, and that the person is unsubscribed
	Attributes  Treatment = "attributes"  // tell it what happened
	Nothing     Treatment = "nothing"
)

// A Policy says what is done for whom. The zero value does nothing.
type Policy struct {
	Bounce      Treatment // of an email
	Spam        Treatment // an email was reported as spam
	Unsubscribe Treatment // of a person, or by an email
	Engagement  Treatment // an email was opened or clicked by a person; Attributes or Nothing
	Win         Treatment // of a trivia; Attributes or Nothing
}

// DefaultPolicy is what is done unless the settings say otherwise.
func DefaultPolicy() Policy {
	return Policy{
		Bounce: Suppress, Spam: Suppress, Unsubscribe: Unsubscribe, Engagement: Attributes, Win: Attributes,
	}
}

// Suppresses reports whether p deletes anybody's profile.
func (p Policy) Suppresses() bool {
	return p.Bounce == Suppress || p.Spam == Suppress || p.Unsubscribe == Suppress
}

// A PushKind says what a push does at Customer.io. All of them may set
// attributes first.
type PushKind string

// The kinds of a push. The table's CHECK lists the same words.
const (
	PushAttributes  PushKind = "attributes"  // only that
	PushUnsubscribe PushKind = "unsubscribe" // among the attributes is unsubscribed
	PushSuppress    PushKind = "suppress"    // then delete the profile for good
	PushEvent       PushKind = "event"       // then tell of a win
)

// PushKinds returns every kind.
func PushKinds() []PushKind {
	return []PushKind{PushAttributes, PushUnsubscribe, PushSuppress, PushEvent}
}

// A PushState says whether a push still has to be sent, and by whom.
type PushState string

// The states of a push. The table's CHECK lists the same words.
const (
	PushPending PushState = "pending" // the service sends it by itself
	PushSent    PushState = "sent"    // Customer.io took it, or it told nothing new
	PushParked  PushState = "parked"  // Customer.io refused it; waits for a person
	PushHeld    PushState = "held"    // waits for credentials, or for whoever held it
)

// PushStates returns every state, in the order in which a push may pass them.
func PushStates() []PushState { return []PushState{PushPending, PushHeld, PushSent, PushParked} }

// A PushCause says what asked for a push.
type PushCause string

// The causes of a push. The table's CHECK lists the same words.
const (
	CauseWin      PushCause = "win"
	CauseEvent    PushCause = "event"
	CauseOperator PushCause = "operator"
)

// HeldForCredentials is the reason of a push that is held because the service
// has no credentials for Customer.io. It is sent when there are some.
const HeldForCredentials = "no credentials"

// Nobody stands for the kind of push of an event that asks for one and names
// nobody.
const Nobody PushKind = "nobody"

// A Push is what an event asks for. The zero value asks for nothing.
type Push struct {
	Kind       PushKind       // empty: nothing
	Attributes map[string]any // numbers, booleans and text; times are Unix seconds
}

// Owed returns what p does for the person of an event that happened at at. It
// looks neither at whether there is a person nor at the event's own time.
func (p Policy) Owed(ev Event, at time.Time) Push {
	switch {
	case ev.ObjectType == "email" && ev.Metric == "bounced":
		told := map[string]any{"email_bounced": true, "email_bounced_at": at.Unix()}
		if ev.DeliveryID != "" {
			told["last_bounce_delivery_id"] = ev.DeliveryID
		}

		return p.Bounce.push(at, told)
	case ev.ObjectType == "email" && ev.Metric == "spammed":
		return p.Spam.push(at, map[string]any{"spam_complaint": true, "spam_complaint_at": at.Unix()})
	case (ev.ObjectType == "email" || ev.ObjectType == "customer") && ev.Metric == "unsubscribed":
		treatment := p.Unsubscribe
		if treatment == Attributes {
			treatment = Unsubscribe // there are no other attributes to set
		}

		return treatment.push(at, unsubscribed(at))
	case ev.ObjectType == "email" && (ev.Metric == "opened" || ev.Metric == "clicked") && !ev.byMachine():
		return p.Engagement.push(at, map[string]any{"last_email_engaged_at": at.Unix(), "last_email_metric": ev.Metric})
	}

	return Push{}
}

func unsubscribed(at time.Time) map[string]any {
	return map[string]any{"unsubscribed": true, "unsubscribed_at": at.Unix()}
}

func (t Treatment) push(at time.Time, attributes map[string]any) Push {
	switch t {
	case Suppress:
		return Push{PushSuppress, attributes}
	case Unsubscribe:
		maps.Copy(attributes, unsubscribed(at))

		return Push{PushUnsubscribe, attributes}
	case Attributes:
		return Push{PushAttributes, attributes}
	case Nothing:
	}

	return Push{}
}
