package store

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Passing reports whether err may be gone when the same thing is tried again:
// a lost connection, a deadlock, a time-out, a database that is starting or
// full. What the database refuses for what was asked of it, as an error that
// grant_prize raises or a constraint, does not pass.
func Passing(err error) bool {
	// What is refused before anything was asked says nothing about what would
	// have been: a password that was changed, a database that is being restored.
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	refusal, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return true
	}
	switch refusal.Code[:min(len(refusal.Code), 2)] {
	case "", // not Postgres's own words: a proxy in between
		"08", // connection
		"25", // transaction state: read-only, as after a failover
		"40", // serialization, deadlock
		"53", // resources
		"55", // lock not available
		"57", // operator intervention: cancelled, shutting down
		"58": // system: disk
		return true
	}

	return false
}

// TooSlow reports whether err is a time-out, ours or the server's.
func TooSlow(err error) bool {
	const queryCanceled = "57014"
	refusal, ok := errors.AsType[*pgconn.PgError](err)

	return ok && refusal.Code == queryCanceled || errors.Is(err, context.DeadlineExceeded)
}

// Message returns what the database said, without our own words around it,
// for a person who reads the reason of a parked delivery.
func Message(err error) string {
	refusal, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return clean(err.Error())
	}
	said := refusal.Message
	if refusal.Detail != "" {
		said += " (" + refusal.Detail + ")"
	}

	return clean(said)
}

// clean makes a text that Postgres can hold.
func clean(word string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(word, "\x00", ""), "\uFFFD")
}
