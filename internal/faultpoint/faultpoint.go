// Package faultpoint names the places at which the service can be interrupted
// so that it matters: between socket, commit, answer, claim, settling, push and
// copying. A program that is built with the tag faults stops there if it is
// told to; in every other one [At] does nothing and costs nothing.
//
// TRIVIA_FAULT says where and how, as in after-commit:kill:3 (see [Parse]).
package faultpoint

// A Name is one place in the program.
type Name string

// The places, in the order in which a delivery passes them. Each is passed by
// some test: a new one is added to [Names], too.
const (
	RequestRead  Name = "request-read"  // its signature holds, and nobody knows of it yet
	BeforeCommit Name = "before-commit" // of a batch of deliveries
	CommitSent   Name = "commit-sent"   // the database has it, and has not answered
	AfterCommit  Name = "after-commit"  // and none of the senders knows
	Answered     Name = "answered"

	SettleClaimed   Name = "settle-claimed"
	SettleAwarded   Name = "settle-awarded" // and not committed
	SettleCommitted Name = "settle-committed"

	PushClaimed Name = "push-claimed" // a person is in hand
	PushCalling Name = "push-calling" // Customer.io is about to be told
	PushCalled  Name = "push-called"  // it was, and the database does not know
	PushEnded   Name = "push-ended"

	CopyRead  Name = "copy-read"  // rows for the warehouse
	CopySent  Name = "copy-sent"  // the warehouse has them, and their position is not saved
	CopySaved Name = "copy-saved" // it is

	Pruned Name = "pruned" // one piece of what is past its use
)

// Names returns all places.
func Names() []Name {
	return []Name{
		RequestRead, BeforeCommit, CommitSent, AfterCommit, Answered,
		SettleClaimed, SettleAwarded, SettleCommitted,
		PushClaimed, PushCalling, PushCalled, PushEnded,
		CopyRead, CopySent, CopySaved,
		Pruned,
	}
}
