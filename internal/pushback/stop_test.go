package pushback_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"trivia/internal/pushback"
)

func TestWhoIsToldToStopLeavesNobodyInHand(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	called := make(chan struct{}, 100)
	b.twin.fault = func(_ http.ResponseWriter, r *http.Request, req request) bool {
		called <- struct{}{}
		if req.Person == person(0) {
			<-r.Context().Done() // until the caller gives up
			return true
		}

		return false
	}
	b.owe(t, person(0), "suppress", "0s", `{"a":1}`)
	b.owe(t, person(1), "suppress", "0s", `{"a":1}`)

	ctx, stop := context.WithCancel(t.Context())
	if n, err := b.Step(ctx); n != 2 || err != nil {
		t.Fatalf("Step = %d, %v; want 2", n, err)
	}
	for range 3 {
		<-called
	}
	stop()
	if err := b.Wait(); err != nil {
		t.Errorf("Wait = %v", err)
	}

	// Of the call that was left it is not counted that it was made: it did not end
	// by its own time.
	b.want(t, pushes, "p000 suppress pending 0", "p001 suppress sent 1 200")
	b.want(t, `SELECT person FROM push_people WHERE leased_until > now() OR failures > 0`)
}

func TestACallUnderWayAtTheEndIsStillAnswered(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	called, stopped := make(chan struct{}), make(chan struct{})
	b.twin.fault = func(http.ResponseWriter, *http.Request, request) bool {
		close(called)
		<-stopped

		return false
	}
	b.owe(t, "ann", "attributes", "0s", `{"a":1}`)

	ctx, stop := context.WithCancel(t.Context())
	if n, err := b.Step(ctx); n != 1 || err != nil {
		t.Fatalf("Step = %d, %v; want 1", n, err)
	}
	<-called
	stop()
	close(stopped)
	if err := b.Wait(); err != nil {
		t.Errorf("Wait = %v", err)
	}
	b.want(t, pushes, "ann attributes sent 1 200")
}

func TestWhatACrashedProcessHadInHandIsSentByAnother(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.owe(t, "ann", "suppress", "0s", `{"a":1}`)
	crashed := b.newStage(t, time.Second)
	if turns, _, err := crashed.Store.ClaimTurns(t.Context(), nil, 9, 9, time.Minute); len(turns) != 1 || err != nil {
		t.Fatalf("ClaimTurns = %v, %v", turns, err)
	}

	if n := step(t, b.Stage); n != 0 {
		t.Errorf("Step = %d, want 0 while the other's lease holds", n)
	}
	b.exec(t, `UPDATE push_people SET leased_until = now()`)
	b.send(t)
	b.sawTaken(t, "", "ann attributes a=1", "ann suppress")
}

func TestNoCallIsMadeThatCouldOutlastTheLease(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	opts := b.opts
	opts.Lease, opts.CallTime = 25*time.Second, 10*time.Second
	opts.Rate = rate.NewLimiter(rate.Inf, 1)
	st := pushback.New(opts)
	b.twin.fault = func(_ http.ResponseWriter, _ *http.Request, req request) bool {
		if req.Verb == "attributes" {
			b.ahead.Add(int64(16 * time.Second)) // it took so long
		}

		return false
	}
	b.owe(t, "ann", "suppress", "0s", `{"a":1}`)

	step(t, st)
	b.sawTaken(t, "", "ann attributes a=1")
	b.want(t, pushes, "ann suppress pending 0")
	b.twin.fault = nil
	step(t, st)
	b.want(t, pushes, "ann suppress sent 1 200")
}

func TestADatabaseThatIsGoneIsTheStepsError(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.twin.fault = func(http.ResponseWriter, *http.Request, request) bool {
		b.opts.Store.Close() // while a call is under way
		return false
	}
	b.owe(t, "ann", "attributes", "0s", `{"a":1}`)

	if n, err := b.Step(t.Context()); n != 1 || err != nil {
		t.Fatalf("Step = %d, %v; want 1", n, err)
	}
	if err := b.Wait(); err == nil {
		t.Error("Wait = nil, want that the end of a turn could not be written")
	}
	if n, err := b.Step(t.Context()); n != 0 || err == nil {
		t.Errorf("Step = %d, %v; want an error", n, err)
	}
}

func TestAPushInAnOperatorsHandHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for n := range 20 {
		b.owe(t, person(n), "attributes", "0s", `{"a":1}`)
	}
	b.exec(t, `BEGIN`)
	b.exec(t, `SELECT FROM pushes WHERE person = $1 FOR UPDATE`, person(7))

	if n, err := b.Step(t.Context()); n != 20 || err != nil {
		t.Errorf("Step = %d, %v; want 20", n, err)
	}
	if err := b.Wait(); err == nil {
		t.Error("Wait = nil, want that the end of a turn could not be written")
	}
	b.exec(t, `COMMIT`)
	b.want(t, `SELECT person FROM pushes WHERE state = 'pending'`, person(7))
	b.later(t)
	b.send(t)
	b.want(t, `SELECT person FROM pushes WHERE state = 'pending'`)
}

func TestNoMoreCallsAreMadeThanTheRateAllows(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	opts := b.opts
	opts.Rate = rate.NewLimiter(100, 1)
	st := pushback.New(opts)
	for n := range 20 {
		b.owe(t, person(n), "suppress", "0s", `{"a":1}`)
	}

	begin := time.Now()
	for step(t, st) > 0 {
	}
	if took, calls := time.Since(begin), len(b.twin.requests()); calls != 40 || took < 390*time.Millisecond {
		t.Errorf("%d calls took %v, want 40 in 0.39 s or more", calls, took)
	}
}
