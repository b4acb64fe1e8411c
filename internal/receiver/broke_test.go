package receiver_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/jackc/pgx/v5/pgconn"

	"trivia/internal/store"
)

// The award may be what has ended the session, and the server has not come back
// in time to keep the delivery without it.
func TestAfterABrokenSessionTheNextTryIsKeptWithoutAwards(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"the connection broke":  fmt.Errorf("take in: %w", io.ErrUnexpectedEOF),
		"the session was ended": &pgconn.PgError{Code: "57P01"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := &inbox{take: failing(err), keep: failing(errGone)}
			synctest.Test(t, func(t *testing.T) {
				e := newBubble(t, setup{inbox: in})
				e.call("k1").wants(t, http.StatusServiceUnavailable, "")
				in.keep = nil
				e.call("k1").wants(t, http.StatusOK, "pending")
				wantCalls(t, in, "take k1", "keep k1", "keep k1")
			})
		})
	}
}

// What is refused for no row's fault is refused for all: it is not tried for
// half of them, and half of those.
func TestARefusalOfAllIsNotTriedForEach(t *testing.T) {
	t.Parallel()

	const size = 512
	for _, err := range []error{
		&pgconn.PgError{Code: "25006"}, &pgconn.PgError{Code: "26000"}, &pgconn.PgError{Code: "42501"},
		&pgconn.PgError{Code: "42P01"}, &pgconn.PgError{Code: "53100"}, &pgconn.PgError{Code: "XX000"},
		store.ErrUnconfirmed, io.ErrUnexpectedEOF, context.DeadlineExceeded, errors.New("anything else"),
	} {
		t.Run(err.Error(), func(t *testing.T) {
			t.Parallel()
			in := &inbox{take: failing(err), keep: failing(err)}
			synctest.Test(t, func(t *testing.T) {
				e := newBubble(t, setup{inbox: in, writers: -1})
				callers := make([]*caller, size)
				for n := range callers {
					callers[n] = e.call(fmt.Sprint("k", n))
				}
				ctx, stop := context.WithCancel(t.Context())
				stop()
				e.intake.Run(ctx)
				for _, c := range callers {
					c.wants(t, http.StatusServiceUnavailable, "")
				}
				if calls := len(in.seen()); calls != 2 {
					t.Errorf("%d commits were tried, want one with awards and one without", calls)
				}
			})
		})
	}
}
