package receiver_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"trivia/internal/receiver"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// What a database says.
var (
	errRefused = &pgconn.PgError{Code: "P0001", Message: "no more mugs"}
	errTooSlow = &pgconn.PgError{Code: "57014", Message: "canceling statement due to statement timeout"}
	errGone    = errors.New("connection refused")
)

func TestWhatCannotBeAwardedIsKept(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name   string
		err    error
		reason string
	}{
		{"a rule refuses", errRefused, "refused"},
		{"a rule takes too long", errTooSlow, "timeout"},
		{"a deadlock", &pgconn.PgError{Code: "40P01"}, "unavailable"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := &inbox{take: failing(tt.err)}
			synctest.Test(t, func(t *testing.T) {
				e := newBubble(t, setup{inbox: in})
				e.call("k1").wants(t, http.StatusOK, "pending")

				wantCalls(t, in, "take k1", "keep k1")
				if n := e.nudges.Load(); n != 1 {
					t.Errorf("the stage was nudged %d times, want once", n)
				}
				if lines := e.log.lines(`"level":"WARN"`, "award of a batch failed", `"deliveries":1`); len(lines) != 1 || len(e.log.lines()) != 1 {
					t.Errorf("the log is %q, want one line about the award", e.log.lines())
				}
				e.counted(t, fmt.Sprintf(`trivia_award_fallbacks_total{reason=%q} 1`, tt.reason))
				e.counted(t, `trivia_deliveries_total{kind="win",outcome="pending"} 1`)
				e.counted(t, `trivia_batch_size_count 1`)
			})
		})
	}
}

func TestAnAwardThatHangsIsTimedOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newBubble(t, setup{inbox: &inbox{take: hang}})
		e.call("k1").wants(t, http.StatusOK, "pending")
		e.counted(t, `trivia_award_fallbacks_total{reason="timeout"} 1`)
	})
}

func TestADatabaseThatIsGoneIsNobodysFault(t *testing.T) {
	t.Parallel()
	in := &inbox{take: failing(errGone), keep: failing(errGone)}
	synctest.Test(t, func(t *testing.T) {
		e := newBubble(t, setup{inbox: in})
		for n := range 3 {
			e.call(fmt.Sprint("k", n)).wants(t, http.StatusServiceUnavailable, "")
		}
		wantCalls(t, in, "take k0", "keep k0", "take k1", "keep k1", "take k2", "keep k2")
		if n := e.nudges.Load(); n != 0 {
			t.Errorf("the stage was nudged %d times for nothing", n)
		}
		if lines := e.log.lines("request refused", `"reason":"not_kept"`, "connection refused"); len(lines) != 3 {
			t.Errorf("the log is %q, want a line for each request", e.log.lines())
		}

		// Back at once, and with awards: nothing has to rest.
		in.take, in.keep = nil, nil
		e.call("k3").wants(t, http.StatusOK, "awarded")
	})
}

// A squeamish inbox refuses every batch that holds one of its poisons.
type squeamish struct {
	*inbox

	poison []string
}

func (s squeamish) commit(all []store.Arrival, receipt store.Receipt) ([]store.Receipt, error) {
	for _, a := range all {
		if slices.Contains(s.poison, a.Key) {
			return nil, &pgconn.PgError{Code: "22021", Message: "invalid byte sequence"}
		}
	}

	return slices.Repeat([]store.Receipt{receipt}, len(all)), nil
}

func (s squeamish) Take(_ context.Context, all []store.Arrival) ([]store.Receipt, error) {
	s.note("take", all)
	return s.commit(all, awarded)
}

func (s squeamish) Keep(_ context.Context, all []store.Arrival) ([]store.Receipt, error) {
	s.note("keep", all)
	return s.commit(all, store.Receipt{State: trivia.StatePending})
}

func TestARowThatCannotBeKeptDoesNotSpoilItsNeighbours(t *testing.T) {
	t.Parallel()

	const size = 64
	for _, poison := range [][]string{{"k0"}, {"k63"}, {"k17"}, {"k5", "k6"}, {"k0", "k31", "k32", "k63"}} {
		t.Run(strings.Join(poison, " "), func(t *testing.T) {
			t.Parallel()
			in := squeamish{&inbox{}, poison}
			synctest.Test(t, func(t *testing.T) {
				e := newBubble(t, setup{inbox: in, writers: -1})
				callers := make(map[string]*caller, size)
				for n := range size {
					key := fmt.Sprint("k", n)
					callers[key] = e.call(key)
				}
				ctx, stop := context.WithCancel(t.Context())
				stop()
				e.intake.Run(ctx)

				for key, c := range callers {
					if slices.Contains(poison, key) {
						c.wants(t, http.StatusServiceUnavailable, "")
						continue
					}
					c.wants(t, http.StatusOK, "pending")
				}
				// Halving finds each of them in a dozen commits: 2 for each level.
				if calls := len(in.seen()); calls > 2+12*len(poison) {
					t.Errorf("it took %d commits", calls)
				}
				if lines := e.log.lines("deliveries were not kept", `"deliveries":1`); len(lines) != len(poison) {
					t.Errorf("the log is %q, want one line for each that was not kept", e.log.lines())
				}
				if e.nudges.Load() == 0 {
					t.Error("the stage was not nudged")
				}
			})
		})
	}
}

func TestABatchIsNotHalvedForAFaultThatPasses(t *testing.T) {
	t.Parallel()
	in := &inbox{take: failing(errTooSlow), keep: failing(errTooSlow)}
	synctest.Test(t, func(t *testing.T) {
		e := newBubble(t, setup{inbox: in, writers: -1})
		callers := []*caller{e.call("k1"), e.call("k2"), e.call("k3")}
		ctx, stop := context.WithCancel(t.Context())
		stop()
		e.intake.Run(ctx)

		for _, c := range callers {
			c.wants(t, http.StatusServiceUnavailable, "")
		}
		wantCalls(t, in, "take k1 k2 k3", "keep k1 k2 k3")
	})
}

func TestAwardsRestAfterTheyFailed(t *testing.T) {
	t.Parallel()

	// How long nothing is awarded after the nth failure in a row.
	tests := []struct {
		name  string
		err   error
		rests []time.Duration
	}{
		{
			"too slow", errTooSlow,
			[]time.Duration{1e9, 2e9, 4e9, 8e9, 15e9, 15e9},
		},
		{
			"refused", errRefused,
			[]time.Duration{0, 100e6, 200e6, 400e6, 800e6, 1600e6, 3200e6, 6400e6, 12800e6, 15e9, 15e9},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := &inbox{take: failing(tt.err)}
			synctest.Test(t, func(t *testing.T) {
				e := newBubble(t, setup{inbox: in})
				// tried reports whether the next win was tried to be awarded.
				tried := func() bool {
					before := len(in.seen())
					e.call("k").wants(t, http.StatusOK, "pending")

					return strings.HasPrefix(in.seen()[before], "take")
				}

				for n, rest := range tt.rests {
					if !tried() {
						t.Fatalf("after rest %d nothing is awarded", n)
					}
					if rest == 0 {
						continue
					}
					time.Sleep(rest - time.Nanosecond)
					if tried() {
						t.Errorf("rest %d ended before %v", n, rest)
					}
					time.Sleep(time.Nanosecond)
				}

				// One success, and everything is as it was at first.
				in.take = nil
				time.Sleep(time.Minute)
				e.call("k").wants(t, http.StatusOK, "awarded")
				in.take = failing(tt.err)
				if !tried() {
					t.Error("nothing is awarded after a success")
				}
				time.Sleep(tt.rests[0])
				if !tried() {
					t.Errorf("the rest after a success is longer than %v", tt.rests[0])
				}
			})
		})
	}
}

func TestWhileAwardsRestNobodyWaitsForThem(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newBubble(t, setup{inbox: &inbox{take: hang}})
		first := e.call("k1")
		first.wants(t, http.StatusOK, "pending")
		if first.took != receiver.TakeTime {
			t.Errorf("the first waited %v, want %v", first.took, receiver.TakeTime)
		}
		second := e.call("k2")
		second.wants(t, http.StatusOK, "pending")
		if second.took != 0 {
			t.Errorf("the second waited %v, want no time", second.took)
		}
		if n := e.nudges.Load(); n != 2 {
			t.Errorf("the stage was nudged %d times, want twice", n)
		}
		e.counted(t, `trivia_award_fallbacks_total{reason="timeout"} 1`)
	})
}

func TestTheMetricsCountKindsAndOutcomes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		outcomes := map[string]store.Receipt{
			"a": awarded,
			"b": awarded,
			"c": {State: trivia.StateDone, Outcome: trivia.AlreadyWon},
			"d": {Duplicate: true, State: trivia.StateDone, Outcome: trivia.Awarded},
		}
		in := &inbox{take: func(_ context.Context, all []store.Arrival) ([]store.Receipt, error) {
			receipts := make([]store.Receipt, len(all))
			for i, a := range all {
				receipts[i] = outcomes[a.Key]
			}

			return receipts, nil
		}}
		e := newBubble(t, setup{inbox: in, writers: -1})
		for key := range outcomes {
			e.callWithoutRest(t.Context(), key)
		}
		synctest.Wait()
		ctx, stop := context.WithCancel(t.Context())
		stop()
		e.intake.Run(ctx)
		synctest.Wait()

		e.counted(t, `trivia_deliveries_total{kind="win",outcome="awarded"} 2`)
		e.counted(t, `trivia_deliveries_total{kind="win",outcome="already_won"} 1`)
		e.counted(t, `trivia_deliveries_total{kind="win",outcome="duplicate"} 1`)
		e.counted(t, `trivia_batch_size_sum 4`)
	})
}
