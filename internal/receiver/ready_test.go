package receiver_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

func TestReadinessFollowsWhatCanBeKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		in := &inbox{}
		e := newBubble(t, setup{inbox: in})
		step := func() {
			t.Helper()
			if n, err := e.intake.Probe(t.Context()); n != 0 || err != nil {
				t.Errorf("Probe = %d, %v", n, err)
			}
		}
		ready := func(want bool) {
			t.Helper()
			if err := e.intake.Ready(t.Context()); (err == nil) != want {
				t.Errorf("Ready = %v, want ready %v", err, want)
			}
		}

		ready(false) // nobody has asked
		step()
		ready(true)
		wantCalls(t, in, "probe")

		// What comes answers the question; when nothing does, it is asked.
		time.Sleep(time.Second)
		e.call("k1").wants(t, http.StatusOK, "awarded")
		time.Sleep(1500 * time.Millisecond)
		step()
		time.Sleep(time.Second)
		step()
		wantCalls(t, in, "probe", "take k1", "look")

		// One delivery that is not kept makes the question a thorough one.
		in.take, in.keep = failing(errGone), failing(errGone)
		e.call("k2").wants(t, http.StatusServiceUnavailable, "")
		ready(true)
		in.probe = func(context.Context) error { return errGone }
		step()
		ready(false)
		if err := e.intake.Ready(t.Context()); !errors.Is(err, errGone) {
			t.Errorf("Ready = %v, want the reason", err)
		}
		step()
		in.probe = nil
		step()
		ready(true)
		wantCalls(t, in, "probe", "take k1", "look", "take k2", "keep k2", "probe", "probe", "probe")

		// So does what is kept again meanwhile.
		in.probe = func(context.Context) error { return errGone }
		time.Sleep(3 * time.Second)
		step()
		ready(false)
		in.take, in.keep = nil, nil
		e.call("k3").wants(t, http.StatusOK, "awarded")
		ready(true)
		if n := len(e.log.lines("deliveries cannot be kept")); n != 2 {
			t.Errorf("%d lines say that deliveries cannot be kept, want one for each time", n)
		}
		if n := len(e.log.lines("deliveries can be kept again")); n != 2 {
			t.Errorf("%d lines say that they can again, want one for each time", n)
		}
	})
}

func TestADatabaseThatHangsIsNotReadyWithinASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		in := &inbox{probe: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
		e := newBubble(t, setup{inbox: in})
		start := time.Now()
		_, _ = e.intake.Probe(t.Context())
		if err := e.intake.Ready(t.Context()); err == nil || time.Since(start) != time.Second {
			t.Errorf("Ready = %v after %v, want an error after a second", err, time.Since(start))
		}
	})
}

func TestAnIntakeThatStopsLearnsNothing(t *testing.T) {
	t.Parallel()
	in := &inbox{}
	e := newEdge(t, setup{inbox: in})
	_, _ = e.intake.Probe(t.Context())
	in.probe = func(ctx context.Context) error { return ctx.Err() }
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, _ = e.intake.Probe(ctx); e.intake.Ready(t.Context()) != nil {
		t.Error("an intake that is told to stop takes the database for gone")
	}
}
