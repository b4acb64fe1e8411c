package pushback

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"trivia/internal/customerio"
	"trivia/internal/drain"
	"trivia/internal/faultpoint"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// call makes a call if it may be made, and returns what becomes of the pushes
// that it tells of. That has no state if there was no call; then, and after
// most failures, the turn is over.
func (tn *turn) call(ctx context.Context, name string, fn func(context.Context) error) store.PushEnd {
	if _, ok := tn.may(ctx); !ok || tn.Rate.Wait(ctx) != nil {
		tn.over = true

		return store.PushEnd{}
	}
	epoch, ok := tn.may(ctx) // waiting may have taken its time
	if !ok {
		tn.over = true

		return store.PushEnd{}
	}

	tn.calls++
	ctx, stop := outlive(ctx)
	defer stop()
	begin := tn.Now()
	faultpoint.At(faultpoint.PushCalling)
	err := fn(ctx)
	faultpoint.At(faultpoint.PushCalled)
	if !errors.Is(err, customerio.ErrPerson) {
		tn.Metrics.PushCall(name, answerOf(err), tn.Now().Sub(begin))
	}
	if err != nil && ctx.Err() != nil { // cut off: it says nothing
		tn.over = true

		return store.PushEnd{}
	}

	return tn.judge(ctx, epoch, err)
}

// may reports whether another call may be made in this turn.
func (tn *turn) may(ctx context.Context) (epoch int, ok bool) {
	if ctx.Err() != nil {
		return 0, false
	}
	if tn.calls == callsPerTurn || tn.until.Sub(tn.Now()) < tn.CallTime {
		tn.more = true

		return 0, false
	}

	return tn.pause.call(tn.trial)
}

// outlive returns a context that lasts a moment longer than ctx: a call that is
// under way when the service stops may still be answered.
func outlive(ctx context.Context) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	forget := context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })

	return longer, func() {
		forget()
		cancel()
	}
}

// answerOf returns the label of a call's answer.
func answerOf(err error) string {
	if err == nil {
		return strconv.Itoa(http.StatusOK)
	}
	if call, ok := errors.AsType[*customerio.CallError](err); ok && call.Status != 0 {
		return strconv.Itoa(call.Status)
	}

	return "none"
}

// judge says what a call's answer means for its pushes, for the turn and for
// everybody.
func (tn *turn) judge(ctx context.Context, epoch int, err error) store.PushEnd {
	if err == nil {
		tn.answered(ctx, epoch)

		return store.PushEnd{State: trivia.PushSent, Status: http.StatusOK, Tried: true}
	}

	call, ok := errors.AsType[*customerio.CallError](err)
	if !ok {
		return tn.unsendable(err)
	}
	e := store.PushEnd{State: trivia.PushParked, Status: call.Status, Reason: wordsOf(call), Tried: true}
	switch {
	case customerio.Unauthorized(err):
		tn.over = true
		tn.alarm(ctx, err)
	case customerio.Passing(err):
		e.State = trivia.PushPending
		tn.over = true
		if tn.moved {
			tn.Failures = 0
		}
		tn.Failures++
		tn.rest = max(call.RetryAfter, drain.Backoff(tn.Failures, firstRest, longestRest, tn.Jitter()))
		tn.passing(ctx, epoch, call)
	default: // it refuses only this
		tn.answered(ctx, epoch)
	}

	return e
}

func (tn *turn) answered(ctx context.Context, epoch int) {
	if tn.pause.succeeded(epoch) {
		tn.Log.InfoContext(ctx, "Customer.io answers: sending again")
	}
}

// unsendable parks everything of a person who cannot be named: no call will
// ever be made.
func (tn *turn) unsendable(err error) store.PushEnd {
	e := store.PushEnd{State: trivia.PushParked, Reason: err.Error()}
	if errors.Is(err, customerio.ErrPerson) {
		tn.over = true
		for _, p := range tn.Pushes {
			if _, ended := tn.ended[p.ID]; !ended {
				tn.end(p.ID, e)
			}
		}

		return store.PushEnd{}
	}

	return e
}

// passing pauses everybody if the failure of this call is not about it alone.
func (tn *turn) passing(ctx context.Context, epoch int, call *customerio.CallError) {
	if call.Status == http.StatusTooManyRequests {
		if wait, paused := tn.pause.limited(epoch, call.RetryAfter); paused {
			tn.Log.WarnContext(ctx, "Customer.io wants less of us: sending is paused", slog.Duration("pause", wait))
		}

		return
	}
	if wait, paused := tn.pause.failed(epoch, tn.Person); paused {
		tn.Log.WarnContext(ctx, "Customer.io fails for everybody: sending is paused",
			slog.String("error", call.Error()), slog.Duration("pause", wait))
	}
}

// wordsOf returns what Customer.io said, or else what came of the call.
func wordsOf(call *customerio.CallError) string {
	if call.Status == 0 {
		return call.Error()
	}

	return cmp.Or(call.Said, http.StatusText(call.Status), call.Error())
}
