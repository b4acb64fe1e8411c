package pushback

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"trivia/internal/customerio"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

const (
	perRelease = 2000
	holdAgain  = time.Minute // how often is looked for what services without credentials hold
)

// A release makes pushes pending again that waited for credentials: those that
// were held since there were none, and those that were parked since they were
// refused.
type release struct {
	started bool

	heldDue   time.Time // when held ones are looked for again
	heldAfter int64

	refused      atomic.Bool // some are parked, and nobody has released them yet
	refusing     bool        // they are being released
	refusedAfter int64
}

func isRefused(e store.PushEnd) bool {
	return e.State == trivia.PushParked && e.Status == http.StatusUnauthorized
}

// found takes note that pushes are parked since the credentials are refused.
func (r *release) found() { r.refused.Store(true) }

// start looks once for what an earlier run has left: the credentials may be
// other ones now.
func (r *release) start(ctx context.Context, st *Stage) error {
	if r.started {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, claimTime)
	defer cancel()

	left, err := st.Store.AnyRefused(ctx, http.StatusUnauthorized)
	if err != nil {
		return err
	}
	if r.started = true; left {
		r.found()
		st.pause.suspect()
	}

	return nil
}

// step releases some, if there are any, and returns how many.
func (r *release) step(ctx context.Context, st *Stage) (n int, err error) {
	ctx, cancel := context.WithTimeout(ctx, claimTime)
	defer cancel()

	if r.refused.Swap(false) {
		r.refusing, r.refusedAfter = true, 0
	}
	if r.refusing {
		if n, r.refusedAfter, err = st.Store.ReleaseRefused(ctx, r.refusedAfter, perRelease, http.StatusUnauthorized); err != nil {
			return n, err
		}
		r.refusing = n == perRelease

		return n, nil
	}

	now := st.Now()
	if now.Before(r.heldDue) {
		return 0, nil
	}
	if n, r.heldAfter, err = st.Store.ReleaseHeld(ctx, r.heldAfter, perRelease); err != nil {
		return n, err
	}
	if n < perRelease {
		r.heldDue, r.heldAfter = now.Add(holdAgain), 0
	}

	return n, nil
}

// ask asks Customer.io whether it takes the credentials now. It returns 1 if
// sending goes on.
func (st *Stage) ask(ctx context.Context) int {
	if st.Rate.Wait(ctx) != nil {
		return 0
	}
	begin := st.Now()
	_, err := st.Client.Account(ctx)
	st.Metrics.PushCall("account", answerOf(err), st.Now().Sub(begin))

	switch {
	case ctx.Err() != nil:
		return 0
	case customerio.Unauthorized(err):
		st.alarm(ctx, err)

		return 0
	case customerio.Passing(err): // says nothing about the credentials
		st.pause.again()

		return 0
	}
	st.pause.accepted()
	st.Log.InfoContext(ctx, "Customer.io takes the credentials: sending again")

	return 1
}

// alarm pauses all sending. However many calls are refused, it is said once.
func (st *Stage) alarm(ctx context.Context, err error) {
	if st.pause.refused() {
		st.Log.ErrorContext(ctx, "Customer.io refuses the credentials: sending is paused until it takes them", slog.Any("error", err))
	}
}
