package trivia

import "time"

// A Kind says which of the two routes a delivery came by.
type Kind string

// The kinds of a delivery. The table's CHECK lists the same words.
const (
	KindWin   Kind = "win"   // a campaign action: a user won a trivia
	KindEvent Kind = "event" // a reporting webhook
)

// Kinds returns every kind.
func Kinds() []Kind { return []Kind{KindWin, KindEvent} }

// A State says whether a delivery still has to be settled, and by whom.
type State string

// The states of a delivery. The table's CHECK lists the same words.
const (
	StatePending State = "pending" // kept; the service settles it by itself
	StateDone    State = "done"    // settled
	StateParked  State = "parked"  // waits for a person
)

// States returns every state, in the order in which a delivery may pass them.
func States() []State { return []State{StatePending, StateDone, StateParked} }

// An Outcome is what became of a delivery, in one word. The zero value is the
// outcome of a delivery that is not settled yet.
type Outcome string

// The outcomes of a delivery. The table's CHECK lists the same words.
const (
	Unsettled     Outcome = ""
	Awarded       Outcome = "awarded"        // the first win: one win row, one prize
	AlreadyWon    Outcome = "already_won"    // the user has this trivia's prize, the same item
	PrizeConflict Outcome = "prize_conflict" // the user has this trivia's prize, another item
	KeyConflict   Outcome = "key_conflict"   // the identifier of an event was used before with another body
	UnknownUser   Outcome = "unknown_user"   // no such user; tried again by itself, then parked
	TriviaClosed  Outcome = "trivia_closed"  // an operator closed the trivia
	Malformed     Outcome = "malformed"      // the body cannot be used
	Recorded      Outcome = "recorded"       // an event, kept
)

// Outcomes returns every outcome but [Unsettled].
func Outcomes() []Outcome {
	return []Outcome{
		Awarded, AlreadyWon, PrizeConflict, KeyConflict, UnknownUser, TriviaClosed, Malformed, Recorded,
	}
}

// How long a win whose user is not there is tried again by itself: as long as
// Customer.io itself would go on trying the action.
const (
	unknownUserFirst = 5 * time.Second
	unknownUserMost  = 15 * time.Minute // between two tries
	unknownUserTime  = time.Hour
)

// RetryUnknownUser returns how long to wait before a win of a user who is not
// there is tried again, age after it was received: about as long as it has
// waited already. It returns false when a person has to look at it instead.
func RetryUnknownUser(age time.Duration) (time.Duration, bool) {
	if age >= unknownUserTime {
		return 0, false
	}

	return min(max(age, unknownUserFirst), unknownUserMost), true
}
