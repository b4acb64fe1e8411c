package receiver_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/receiver"
	"trivia/internal/store"
)

func wantCalls(t *testing.T, in *inbox, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, in.seen()); diff != "" {
		t.Errorf("the inbox saw (-want +got):\n%s", diff)
	}
}

func TestWhoComesAloneWaitsForNobody(t *testing.T) {
	t.Parallel()
	in := &inbox{}
	synctest.Test(t, func(t *testing.T) {
		e := newBubble(t, setup{inbox: in})
		for n := range 3 {
			c := e.call(fmt.Sprint("k", n))
			c.wants(t, http.StatusOK, "awarded")
			if c.took != 0 {
				t.Errorf("it took %v, want no time", c.took)
			}
		}
		wantCalls(t, in, "take k0", "take k1", "take k2")
	})
}

func TestWhoComesDuringACommitSharesTheNextOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := make(door)
		in := &inbox{take: d.Take}
		e := newBubble(t, setup{inbox: in})

		callers := []*caller{e.call("k1"), e.call("k2"), e.call("k3"), e.call("k4")}
		wantCalls(t, in, "take k1")
		if n := e.intake.Waiting(); n != 3 {
			t.Errorf("%d wait, want 3", n)
		}
		d.open()
		callers[0].wants(t, http.StatusOK, "awarded")
		wantCalls(t, in, "take k1", "take k2 k3 k4")

		callers = append(callers, e.call("k5"))
		d.open()
		wantCalls(t, in, "take k1", "take k2 k3 k4", "take k5")
		d.open()
		for _, c := range callers {
			c.wants(t, http.StatusOK, "awarded")
		}
		e.counted(t, "trivia_batch_size_count 3")
		e.counted(t, "trivia_batch_size_sum 5")
	})
}

func TestAnotherWriterCommitsAtOnceIfItIsWorthIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := make(door)
		in := &inbox{take: d.Take}
		e := newBubble(t, setup{inbox: in, writers: 2})

		callers := []*caller{e.call("first")}
		for range receiver.MinBatch - 1 {
			callers = append(callers, e.call("k"))
		}
		wantCalls(t, in, "take first")

		callers = append(callers, e.call("k"))
		worth := "take" + strings.Repeat(" k", receiver.MinBatch)
		wantCalls(t, in, "take first", worth)

		callers = append(callers, e.call("last"))
		wantCalls(t, in, "take first", worth)
		d.open()
		d.open()
		wantCalls(t, in, "take first", worth, "take last")
		d.open()
		for _, c := range callers {
			c.wants(t, http.StatusOK, "awarded")
		}
	})
}

func TestABatchAndTheQueueAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := make(door)
		in := &inbox{take: d.Take}
		e := newBubble(t, setup{inbox: in})

		callers := []*caller{e.call("first")}
		for range receiver.MaxQueue {
			callers = append(callers, e.callWithoutRest(t.Context(), "k"))
		}
		synctest.Wait()
		if n := e.intake.Waiting(); n != receiver.MaxQueue {
			t.Errorf("%d wait, want %d", n, receiver.MaxQueue)
		}

		late := e.call("late")
		late.wants(t, http.StatusServiceUnavailable, "")
		if late.took != 0 || !strings.Contains(late.answer.Body.String(), "busy") {
			t.Errorf("who finds the queue full is told %s after %v, want busy at once", late.answer.Body, late.took)
		}
		e.counted(t, `trivia_refused_total{reason="queue_full"} 1`)

		for range 1 + receiver.MaxQueue/receiver.MaxBatch {
			d.open()
		}
		for _, c := range callers {
			c.wants(t, http.StatusOK, "awarded")
		}
		for i, call := range in.seen()[1:] {
			if n := strings.Count(call, " "); n != receiver.MaxBatch {
				t.Errorf("batch %d holds %d, want %d", i, n, receiver.MaxBatch)
			}
		}
	})
}

func TestWhateverTheDatabaseDoesTheAnswerComesInTime(t *testing.T) {
	t.Parallel()

	// What a commit does: take this long, or hang until it is given up, or even
	// longer.
	type commit = func(context.Context, []store.Arrival) ([]store.Receipt, error)
	takes := func(d time.Duration) commit {
		return func(_ context.Context, all []store.Arrival) ([]store.Receipt, error) {
			time.Sleep(d)

			return make([]store.Receipt, len(all)), nil
		}
	}
	tests := []struct {
		name       string
		take, keep commit
		status     int
		took       time.Duration
	}{
		{"quick", takes(time.Millisecond), nil, 200, time.Millisecond},
		{"just in time", takes(999 * time.Millisecond), nil, 200, 999 * time.Millisecond},
		{"an award that hangs", hang, takes(time.Millisecond), 200, receiver.TakeTime + time.Millisecond},
		{"an award that fails", failing(errRule), takes(time.Millisecond), 200, time.Millisecond},
		{"everything hangs", hang, hang, 503, receiver.TakeTime + receiver.KeepTime},
		{"everything fails", failing(errRule), failing(errRule), 503, 0},
		{"nothing ever ends", takes(time.Minute), nil, 503, receiver.Patience},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := &inbox{take: tt.take, keep: tt.keep}
			synctest.Test(t, func(t *testing.T) {
				e := newBubble(t, setup{inbox: in})
				outcome := map[int]string{200: "pending"}[tt.status]
				c := e.call("k1")
				c.wants(t, tt.status, outcome)
				if c.took != tt.took {
					t.Errorf("it took %v, want %v", c.took, tt.took)
				}
				if refused := e.refusals.Newest(); (len(refused) == 1) != (tt.status == http.StatusServiceUnavailable) {
					t.Errorf("refused are %v", refused)
				}

				// Those who come at any moment of this, too.
				callers := []*caller{e.call("k2")}
				for range 30 {
					time.Sleep(100 * time.Millisecond)
					callers = append(callers, e.call("more"))
				}
				for _, c := range callers {
					<-c.done
					if c.took > receiver.Patience {
						t.Errorf("an answer came after %v, want at most %v", c.took, receiver.Patience)
					}
				}
			})
		})
	}
}

func TestWhoHasLeftIsNotTakenIn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := make(door)
		in := &inbox{take: d.Take}
		e := newBubble(t, setup{inbox: in})

		first, second := e.call("k1"), e.call("k2")
		time.Sleep(receiver.Patience)
		for _, c := range []*caller{first, second} {
			c.wants(t, http.StatusServiceUnavailable, "")
			if c.took != receiver.Patience {
				t.Errorf("the answer came after %v, want %v", c.took, receiver.Patience)
			}
		}

		third := e.call("k3")
		d.open()
		wantCalls(t, in, "take k1", "take k3")
		d.open()
		third.wants(t, http.StatusOK, "awarded")

		// If all have left, there is no commit.
		e.call("k4")
		e.call("k5")
		time.Sleep(receiver.Patience)
		d.open()
		wantCalls(t, in, "take k1", "take k3", "take k4")
	})
}

func TestASenderThatHangsUpDisturbsNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := make(door)
		in := &inbox{take: func(ctx context.Context, all []store.Arrival) ([]store.Receipt, error) {
			receipts, err := d.Take(ctx, all)
			if ctx.Err() != nil {
				t.Errorf("the commit was told %v", ctx.Err())
			}

			return receipts, err
		}}
		e := newBubble(t, setup{inbox: in})

		ctx, hangUp := context.WithCancel(t.Context())
		e.callWithoutRest(ctx, "k1")
		synctest.Wait()
		e.callWithoutRest(ctx, "k2")
		synctest.Wait()
		stays := e.call("k3")
		hangUp()
		d.open()
		d.open()
		stays.wants(t, http.StatusOK, "awarded")
		wantCalls(t, in, "take k1", "take k2 k3") // a repeat would be found
	})
}

func TestTheEndAnswersEverybody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := make(door)
		in := &inbox{take: d.Take}
		e := newBubble(t, setup{inbox: in})

		callers := []*caller{e.call("k1"), e.call("k2"), e.call("k3")}
		e.stop()
		synctest.Wait()
		d.open()
		d.open()
		e.writers.Wait()
		for _, c := range callers {
			c.wants(t, http.StatusOK, "awarded")
		}
		wantCalls(t, in, "take k1", "take k2 k3")
	})
}

func TestTheEndTakesWhatNobodyHasBegun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		in := &inbox{}
		e := newBubble(t, setup{inbox: in, writers: -1})
		callers := []*caller{e.call("k1"), e.call("k2")}
		wantCalls(t, in)

		ctx, stop := context.WithCancel(t.Context())
		stop()
		e.intake.Run(ctx)
		for _, c := range callers {
			c.wants(t, http.StatusOK, "awarded")
		}
		wantCalls(t, in, "take k1 k2")
	})
}
