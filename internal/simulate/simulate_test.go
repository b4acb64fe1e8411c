package simulate

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"trivia/internal/trivia"
)

// A fakeHook answers tries without a network, and remembers them.
type fakeHook struct {
	answer func(Try) Answer // Took is how long it takes

	mu    sync.Mutex
	tries []Try
	times []time.Time
}

func (h *fakeHook) post(_ context.Context, t Try) Answer {
	h.mu.Lock()
	h.tries, h.times = append(h.tries, t), append(h.times, time.Now())
	h.mu.Unlock()
	got := h.answer(t)
	time.Sleep(got.Took)

	return got
}

// gaps returns how long after the try before it each was made.
func (h *fakeHook) gaps() (gaps []time.Duration) {
	for i := 1; i < len(h.times); i++ {
		gaps = append(gaps, h.times[i].Sub(h.times[i-1]))
	}

	return gaps
}

// simulated runs o against the hook, an hour of waiting being an hour.
func (h *fakeHook) simulated(t *testing.T, o Options) *Report {
	t.Helper()
	o.Now, o.Post = time.Now, h.post
	if o.Hour == 0 {
		o.Hour = time.Hour
	}
	got, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}

	return got
}

func code(code int) Answer { return Answer{Code: code} }

// after answers 200 to all but the first tries of delivery 0.
func after(tries int, first Answer) func(Try) Answer {
	return func(t Try) Answer {
		if t.N == 0 && t.Number <= tries {
			return first
		}

		return code(http.StatusOK)
	}
}

func TestAnEventHoldsUpAllBehindItUntilItIsThrough(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		h := &fakeHook{answer: after(3, code(http.StatusUnauthorized))}
		got := h.simulated(t, Options{Events: 3})
		var order []int
		for _, try := range h.tries {
			order = append(order, try.N)
		}
		if want := []int{0, 0, 0, 0, 1, 2}; !slices.Equal(order, want) {
			t.Errorf("tried %v, want %v", order, want)
		}
		if want := []time.Duration{time.Hour, time.Hour, time.Hour, 0, 0}; !slices.Equal(h.gaps(), want) {
			t.Errorf("waited %v, want %v", h.gaps(), want)
		}
		if want := []Hold{{"401", 3, 3 * time.Hour}}; !slices.Equal(got.Stalls, want) || got.Stalled() != 3*time.Hour || got.Held() != 0 {
			t.Errorf("stalls %v of %v, holds of %v; want %v", got.Stalls, got.Stalled(), got.Held(), want)
		}
		want := Machine{Made: 3, Sent: 6, Delivered: 3, LongestQueue: 1, Slowest: 3 * time.Hour}
		if diff := cmp.Diff(want, got.Events, cmpopts.IgnoreUnexported(Machine{})); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

func TestTheOrdinaryBackoffDoublesUpToAnHour(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		h := &fakeHook{answer: after(14, code(http.StatusServiceUnavailable))}
		got := h.simulated(t, Options{Events: 1})
		for i, gap := range h.gaps() {
			about := min(5*time.Second<<i, time.Hour)
			if gap < about*9/10 || gap > about*11/10 {
				t.Errorf("wait %d is %v, want about %v", i+1, gap, about)
			}
		}
		if got.Stalled() != 0 || len(got.Holds) != 1 || got.Holds[0].Times != 14 || (got.Held()-got.Events.Slowest).Abs() > time.Second {
			t.Errorf("stalled %v, holds %v; want none, and all waits", got.Stalled(), got.Holds)
		}
	})
}

func TestAnEventIsLostAfterSevenDaysAndTheNextComes(t *testing.T) {
	t.Parallel()

	for _, answer := range []Answer{code(http.StatusBadGateway), code(http.StatusServiceUnavailable)} {
		t.Run(strconv.Itoa(answer.Code), func(t *testing.T) {
			t.Parallel()

			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				h := &fakeHook{answer: after(1000, answer)}
				got := h.simulated(t, Options{Events: 2})
				if got.Events.Lost != 1 || got.Events.Delivered != 1 || got.Lost() != 1 {
					t.Errorf("%+v, want one lost and one delivered", got.Events)
				}
				last := h.times[len(h.times)-1]
				if passed := last.Sub(begun); (passed - EventLife).Abs() > time.Second {
					t.Errorf("the next came after %v, want %v", passed, EventLife)
				}
				if got.Stalled()+got.Held() != EventLife {
					t.Errorf("stalled %v, held %v, want seven days in all", got.Stalled(), got.Held())
				}
			})
		})
	}
}

func TestWaitingIsShortAndRequestsAreNot(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		h := &fakeHook{answer: after(2, Answer{Code: http.StatusInternalServerError, Took: 3 * time.Second})}
		got := h.simulated(t, Options{Events: 1, Hour: 250 * time.Millisecond})
		want := []time.Duration{3250 * time.Millisecond, 3250 * time.Millisecond}
		if !slices.Equal(h.gaps(), want) || got.Stalled() != 2*time.Hour || got.Max < 2999*time.Millisecond {
			t.Errorf("gaps %v, stalled %v, slowest answer %v; want %v, 2h and 3s", h.gaps(), got.Stalled(), got.Max, want)
		}
	})
}

func TestAnActionIsTriedTwelveTimesWithinAnHour(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		h := &fakeHook{answer: after(1000, code(http.StatusUnauthorized))}
		got := h.simulated(t, Options{Wins: 3, Concurrency: 1})
		var keys []string
		tries := 0
		for _, try := range h.tries {
			if try.N == 0 {
				keys, tries = append(keys, try.Key), tries+1
			}
		}
		if keys = slices.Compact(keys); tries != 12 || len(keys) != 1 {
			t.Errorf("%d tries under %q, want 12 under one key", tries, keys)
		}
		if got.Wins.Lost != 1 || got.Wins.Delivered != 2 {
			t.Errorf("%+v, want one lost, and two that it did not hold up", got.Wins)
		}
		if got.Took < 54*time.Minute || got.Took > 66*time.Minute {
			t.Errorf("lost after %v, want about an hour", got.Took)
		}
		if got.Stalled() != 0 || got.Held() != 0 {
			t.Errorf("stalled %v, held %v: an action holds nothing up", got.Stalled(), got.Held())
		}
	})
}

func TestAfterAnOutageActionsComeInABurstAndEventsOneByOne(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		var mu sync.Mutex
		underWay, most := map[trivia.Kind]int{}, map[trivia.Kind]int{}
		h := &fakeHook{answer: func(try Try) Answer {
			mu.Lock()
			underWay[try.Kind]++
			most[try.Kind] = max(most[try.Kind], underWay[try.Kind])
			mu.Unlock()
			time.Sleep(100 * time.Millisecond)
			mu.Lock()
			underWay[try.Kind]--
			mu.Unlock()
			if time.Since(begun) < 20*time.Second {
				return code(http.StatusServiceUnavailable)
			}

			return code(http.StatusOK)
		}}
		got := h.simulated(t, Options{Events: 1000, Wins: 1000, EventRate: 20, WinRate: 20, Concurrency: 4, Streams: 2})
		if got.Events.Delivered != 1000 || got.Wins.Delivered != 1000 {
			t.Errorf("events %+v, wins %+v; want all delivered", got.Events, got.Wins)
		}
		if want := map[trivia.Kind]int{trivia.KindEvent: 2, trivia.KindWin: 4}; !maps.Equal(most, want) {
			t.Errorf("at once %v, want %v", most, want)
		}
		// 20 s of 10 a second in each stream, and of 20 a second of the wins.
		if q := got.Events.LongestQueue; q < 200 || q > 400 {
			t.Errorf("the longest queue of events is %d", q)
		}
		if q := got.Wins.LongestQueue; q < 300 || q > 800 {
			t.Errorf("the longest queue of wins is %d", q)
		}
	})
}

func TestTheSameSeedSendsTheSame(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		send := func(seed uint64) []Try {
			h := &fakeHook{answer: after(2, code(http.StatusServiceUnavailable))}
			h.simulated(t, Options{
				Seed: seed, Begun: time.Unix(1_700_000_000, 0), Events: 50, Wins: 50, Concurrency: 1, NewConnections: 0.5,
				EventRate: 10, Users: 7,
			})
			// The two machines know nothing of each other.
			slices.SortStableFunc(h.tries, func(a, b Try) int { return len(a.Kind) - len(b.Kind) })

			return h.tries
		}
		one := send(42)
		time.Sleep(time.Hour)
		if diff := cmp.Diff(one, send(42)); diff != "" {
			t.Errorf("the second time (-want +got):\n%s", diff)
		}
		if cmp.Equal(one, send(43)) {
			t.Error("another seed sends the same")
		}
		fresh := 0
		for _, try := range one {
			if try.New {
				fresh++
			}
		}
		if fresh < len(one)/4 || fresh > len(one)*3/4 {
			t.Errorf("%d of %d over new connections, want half", fresh, len(one))
		}
	})
}

func TestARunEndsWithItsContextAndSaysWhatIsLeft(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		h := &fakeHook{answer: func(Try) Answer { return code(http.StatusUnauthorized) }}
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
		defer cancel()
		got, err := Run(ctx, Options{
			Now: time.Now, Post: h.post, Hour: time.Hour, Events: -1, Wins: -1, Duration: time.Hour, EventRate: 1, WinRate: 1,
		})
		if err != nil {
			t.Fatal(err)
		}
		for kind, m := range map[string]Machine{"events": got.Events, "wins": got.Wins} {
			if m.Made < 89 || m.Made > 92 || m.Undelivered != m.Made || m.Lost != 0 {
				t.Errorf("%s: %+v, want about 90 that are undelivered", kind, m)
			}
		}
		if got.Stalled() != time.Hour || got.Undelivered() != got.Events.Made+got.Wins.Made {
			t.Errorf("stalled %v, %d undelivered", got.Stalled(), got.Undelivered())
		}
	})
}

func TestNothingIsMadeAfterTheDuration(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		h := &fakeHook{answer: func(Try) Answer { return Answer{Code: http.StatusOK, Took: 100 * time.Millisecond} }}
		got := h.simulated(t, Options{Events: -1, Wins: -1, Duration: 10 * time.Second, Concurrency: 3, WinRate: 5})
		if got.Events.Made != 100 || got.Wins.Made != 50 || got.Undelivered() != 0 {
			t.Errorf("events %+v, wins %+v; want 100 as fast as they go, 50 by the clock", got.Events, got.Wins)
		}
		var keys []string
		for key := range got.Acknowledged(trivia.KindWin) {
			keys = append(keys, key)
		}
		if len(keys) != 50 || keys[7] != "sim-0-w-7" {
			t.Errorf("%d acknowledged: %v", len(keys), keys)
		}
	})

	if _, err := Run(t.Context(), Options{Now: time.Now, Post: (&fakeHook{}).post, Events: -1}); err == nil {
		t.Error("a run without any end was begun")
	}
}

func TestWhatIsMadeBeforeTheEndIsStillDelivered(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		until := make(chan struct{})
		time.AfterFunc(10*time.Second-time.Millisecond, func() { close(until) })
		h := &fakeHook{answer: func(Try) Answer { return Answer{Code: http.StatusOK, Took: time.Second} }}
		got := h.simulated(t, Options{Events: -1, Wins: -1, Until: until, EventRate: 5, WinRate: 20, Concurrency: 2})
		if got.Events.Delivered != 50 || got.Wins.Delivered != 200 || got.Undelivered() != 0 || got.Events.LongestQueue < 40 {
			t.Errorf("events %+v, wins %+v; want 50 and 200", got.Events, got.Wins)
		}
	})
}

func TestAddingUpARun(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		h := &fakeHook{answer: func(try Try) Answer {
			switch {
			case try.Kind == trivia.KindWin && try.Number == 1:
				return Answer{Err: context.DeadlineExceeded, Took: Timeout}
			case try.Kind == trivia.KindWin:
				return Answer{Code: http.StatusOK, Status: "duplicate", Outcome: "awarded", Took: time.Millisecond}
			case try.Number == 1:
				return Answer{Err: errors.New("odd")}
			default:
				return Answer{Code: http.StatusOK, Status: "accepted", Outcome: "recorded", Took: time.Millisecond}
			}
		}}
		got := h.simulated(t, Options{Events: 2, Wins: 3})
		want := []Count{
			{"200 duplicate: awarded", 3}, {"no answer: time-out", 3}, {"200 accepted: recorded", 2}, {"no answer: odd", 2},
		}
		if diff := cmp.Diff(want, got.Answers); diff != "" {
			t.Errorf("answers (-want +got):\n%s", diff)
		}
		if got.Timeouts != 3 || got.Wins.Duplicates != 3 || got.Events.Duplicates != 0 || got.Held() == 0 {
			t.Errorf("%+v", got)
		}
	})
}
