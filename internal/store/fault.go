package store

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
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

// OfRow reports whether err is the database's refusal of what one row says, so
// that the others may be kept without it. Whatever else it refuses, as a table
// that is missing or a role without a right, it refuses for all of them.
func OfRow(err error) bool {
	refusal, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return false
	}
	switch refusal.Code[:min(len(refusal.Code), 2)] {
	case
		"21", // cardinality, as of a trigger's query
		"22", // data: bytes that are no text, a number out of range
		"23", // constraint
		"38", // a trigger's function
		"39", // the same
		"44", // a view's check
		"54", // limits: too large for an index
		"P0": // a trigger raises it
		return true
	}

	return false
}

// Broke reports whether err says that the session has ended under what was
// asked of it: the server has stopped, or what was asked has killed it.
func Broke(err error) bool {
	if err == nil || errors.Is(err, ErrUnconfirmed) || errors.Is(err, ErrBusy) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return false
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return false // nothing was asked yet
	}
	if refusal, ok := errors.AsType[*pgconn.PgError](err); ok {
		return refusal.Code == "57P01" || refusal.Code == "57P02" // ended, by whom or what ever
	}
	_, network := errors.AsType[net.Error](err)

	return network || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// leftBehind reports whether err is what a statement meets with that finds
// something of its name in the session already, or no more.
func leftBehind(err error) bool {
	refusal, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return false
	}
	switch refusal.Code {
	case
		"0A000", // a plan that is out of date
		"34000", // no such cursor
		"42P03", // such a cursor
		"42P07": // such a table
		return true
	}

	return wantsNoNames(err)
}

// wantsNoNames reports whether err says that statements which are prepared by
// name are not found again, as behind a pooler.
func wantsNoNames(err error) bool {
	refusal, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return false
	}
	switch refusal.Code {
	case
		"08P01", // parameters that do not fit: another statement of that name
		"26000", // no such statement
		"42P05": // such a statement
		return true
	}

	return false
}

// lostServer reports whether a refusal says that this server, or this way to
// it, is not to be asked again: it stops, has become a standby, or is read-only.
func lostServer(refusal *pgconn.PgError) bool {
	switch refusal.Code {
	case
		"25006",                            // read-only
		"57P01", "57P02", "57P03", "57P04": // shut down, crashed, starting, dropped
		return true
	}

	return strings.HasPrefix(refusal.Code, "08") && !wantsNoNames(refusal)
}

// dropWhenLost makes the connections of a pool close as soon as the server says
// that it is gone or read-only, and calls reset so that the idle ones go too:
// the next is made to whoever is the primary then.
func dropWhenLost(cfg *pgxpool.Config, reset func()) {
	isFatal := cfg.ConnConfig.OnPgError
	cfg.ConnConfig.OnPgError = func(conn *pgconn.PgConn, refusal *pgconn.PgError) bool {
		if !lostServer(refusal) {
			return isFatal(conn, refusal)
		}
		reset()

		return false
	}
}

// TooSlow reports whether err is a time-out, ours or the server's.
func TooSlow(err error) bool {
	const queryCanceled = "57014"
	refusal, ok := errors.AsType[*pgconn.PgError](err)

	return ok && refusal.Code == queryCanceled || errors.Is(err, context.DeadlineExceeded)
}

// Kind returns in a word or two why a database could not be used, so that two
// errors of one cause have the same: they may name other ports, times and
// processes.
func Kind(err error) string {
	if refusal, ok := errors.AsType[*pgconn.PgError](err); ok {
		return refusal.Code
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno.Error()
	}
	if unknown, ok := errors.AsType[*net.DNSError](err); ok {
		return "unknown host " + unknown.Name
	}
	if TooSlow(err) {
		return "time-out"
	}

	return "other"
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

// Denied reports whether the role lacks a right. The error names the table.
func Denied(err error) bool {
	const insufficientPrivilege = "42501"
	refusal, ok := errors.AsType[*pgconn.PgError](err)

	return ok && refusal.Code == insufficientPrivilege
}
