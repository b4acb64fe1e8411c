package store_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"trivia/internal/store"
)

func TestOnlyARefusalOfWhatWasAskedIsForGood(t *testing.T) {
	t.Parallel()

	says := func(code string) error { return &pgconn.PgError{Code: code, Message: "no"} }
	tests := []struct {
		name string
		err  error
		want bool
	}{
		{"the connection broke", io.ErrUnexpectedEOF, true},
		{"our own deadline", context.DeadlineExceeded, true},
		{"we stop", context.Canceled, true},
		{"the claim was lost", store.ErrBusy, true},
		{"connection_failure", says("08006"), true},
		{"read_only_sql_transaction", says("25006"), true},
		{"serialization_failure", says("40001"), true},
		{"deadlock_detected", says("40P01"), true},
		{"disk_full", says("53100"), true},
		{"too_many_connections", says("53300"), true},
		{"lock_not_available", says("55P03"), true},
		{"query_canceled", says("57014"), true},
		{"admin_shutdown", says("57P01"), true},
		{"cannot_connect_now", says("57P03"), true},
		{"io_error", says("58030"), true},
		{"a proxy that gives no code", says(""), true},
		{"a code cut short", says("4"), false},
		{"raise_exception", says("P0001"), false},
		{"unique_violation", says("23505"), false},
		{"check_violation", says("23514"), false},
		{"foreign_key_violation", says("23503"), false},
		{"character_not_in_repertoire", says("22021"), false},
		{"undefined_table", says("42P01"), false},
		{"insufficient_privilege", says("42501"), false},
		{"internal_error", says("XX000"), false},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			if got := store.Passing(tt.err); got != tt.want {
				t.Errorf("Passing(%v) = %v, want %v", tt.err, got, tt.want)
			}
			if got := store.Passing(fmt.Errorf("settle win k1: %w", tt.err)); got != tt.want {
				t.Errorf("Passing(wrapped %v) = %v, want %v", tt.err, got, tt.want)
			}
		})
	}
}

func TestOnlyWhatARowSaysIsOfTheRow(t *testing.T) {
	t.Parallel()

	for _, code := range []string{
		"22001", "22003", "22021", "22P02", "22P05", // too long, out of range, no text
		"23502", "23505", "23514", // constraints
		"54000",          // too large for an index
		"P0001",          // a trigger raises
		"21000", "44000", // a trigger's query, a view's check
	} {
		err := fmt.Errorf("take in: %w", &pgconn.PgError{Code: code})
		if !store.OfRow(err) {
			t.Errorf("OfRow(%s) = false, want true", code)
		}
	}
	for _, code := range []string{
		"", "0", "08006", "08P01", // a pooler, the connection
		"0A000",                   // a plan out of date
		"25006", "25P02", "26000", // the session
		"28000", "3D000", "3F000", // who, where
		"40001", "40P01", // others
		"42501", "42601", "42703", "42883", "42P01", "42P05", // rights and names
		"53100", "53200", "53300", // the machine
		"55P03", "55000", "57014", "57P01", "57P03", "58030", "XX000", "XX001",
	} {
		err := fmt.Errorf("take in: %w", &pgconn.PgError{Code: code})
		if store.OfRow(err) {
			t.Errorf("OfRow(%s) = true, want false", code)
		}
	}
	for _, err := range []error{io.EOF, context.DeadlineExceeded, store.ErrUnconfirmed, store.ErrBusy} {
		if store.OfRow(err) {
			t.Errorf("OfRow(%v) = true, want false", err)
		}
	}
}

func TestASessionBreaksUnderWhatWasAsked(t *testing.T) {
	t.Parallel()

	reset := &net.OpError{Op: "read", Err: syscall.ECONNRESET}
	for _, err := range []error{io.EOF, io.ErrUnexpectedEOF, reset, &pgconn.PgError{Code: "57P01"}, &pgconn.PgError{Code: "57P02"}} {
		if !store.Broke(fmt.Errorf("settle: %w", err)) {
			t.Errorf("Broke(%v) = false, want true", err)
		}
	}
	for _, err := range []error{
		nil, context.DeadlineExceeded, context.Canceled, store.ErrBusy, store.ErrUnconfirmed, errors.New("no"),
		&pgconn.PgError{Code: "57014"}, &pgconn.PgError{Code: "57P03"}, &pgconn.PgError{Code: "P0001"},
	} {
		if store.Broke(err) {
			t.Errorf("Broke(%v) = true, want false", err)
		}
	}
}

func TestATimeOutIsOursOrTheServers(t *testing.T) {
	t.Parallel()

	for _, err := range []error{context.DeadlineExceeded, &pgconn.PgError{Code: "57014"}} {
		if !store.TooSlow(err) || !store.TooSlow(fmt.Errorf("take in: %w", err)) {
			t.Errorf("TooSlow(%v) = false, want true", err)
		}
	}
	for _, err := range []error{context.Canceled, io.EOF, &pgconn.PgError{Code: "57P01"}, &pgconn.PgError{Code: "40P01"}} {
		if store.TooSlow(err) {
			t.Errorf("TooSlow(%v) = true, want false", err)
		}
	}
}

func TestARefusedConnectionPasses(t *testing.T) {
	t.Parallel()

	// No such database, which would be for good had a statement said it.
	b := newBench(t, store.IntakeOptions{})
	url := strings.Replace(b.url, "/trivia?", "/nowhere?", 1)
	in, err := store.OpenIntake(t.Context(), url, store.IntakeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(in.Close)

	_, err = in.Keep(t.Context(), []store.Arrival{win("k1", "u1", "capitals", "mug")})
	if refusal, ok := errors.AsType[*pgconn.PgError](err); !ok || refusal.Code != "3D000" {
		t.Fatalf("Keep = %v, want the database's refusal 3D000", err)
	}
	if !store.Passing(err) {
		t.Errorf("Passing(%v) = false, want true", err)
	}
}

func TestAPersonReadsWhatTheDatabaseSaid(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name string
		err  error
		want string
	}{
		{
			"the message alone",
			&pgconn.PgError{Severity: "ERROR", Code: "P0001", Message: "no more mugs"},
			"no more mugs",
		},
		{
			"with its detail, without its place",
			&pgconn.PgError{Code: "23505", Message: "duplicate key", Detail: "Key (a)=(1) exists.", Where: "PL/pgSQL function"},
			"duplicate key (Key (a)=(1) exists.)",
		},
		{
			"without our own words around it",
			fmt.Errorf("settle win k1: %w", &pgconn.PgError{Message: "no more mugs"}),
			"no more mugs",
		},
		{"not the database's", errors.New("connection reset"), "connection reset"},
		{"no text at all", errors.New("a\x00b\xff"), "ab\uFFFD"},
		{"no text from the database", &pgconn.PgError{Message: "a\x00b\xff"}, "ab\uFFFD"},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			if got := store.Message(tt.err); got != tt.want {
				t.Errorf("Message(%v) = %q, want %q", tt.err, got, tt.want)
			}
		})
	}
}
