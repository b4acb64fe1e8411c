package tui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

// A linearStage is the linear mode, a beat at a time.
type linearStage struct {
	*linear
	*shelves

	t   *testing.T
	now time.Time
	out bytes.Buffer

	overview store.Overview
	counted  []store.Minute
}

func newLinearStage(t *testing.T, rows int, words ...string) *linearStage {
	t.Helper()

	st := &linearStage{t: t, now: noon}
	d, shelves := newDesk(rows)
	st.shelves = shelves
	d.Do, d.Now = st, func() time.Time { return st.now }
	filter, err := d.Deliveries.Parse(words)
	if err != nil {
		t.Fatal(err)
	}
	st.linear = newLinear(&d, &st.out, filter)
	st.overview = store.Overview{Now: noon}

	return st
}

func (st *linearStage) Overview(context.Context) (store.Overview, error) {
	return st.overview, st.deliveries.err
}

func (st *linearStage) Minutes(context.Context, time.Time, time.Time) ([]store.Minute, error) {
	return st.counted, st.deliveries.err
}

// says lets a second pass, and wants what is written meanwhile.
func (st *linearStage) says(want ...string) {
	st.t.Helper()

	st.out.Reset()
	st.step(st.t.Context())
	st.now = st.now.Add(time.Second)
	got := strings.Split(strings.TrimSuffix(st.out.String(), "\n"), "\n")
	if st.out.Len() == 0 {
		got = nil
	}
	if diff := cmp.Diff(want, got); diff != "" {
		st.t.Errorf("written (-want +got):\n%s", diff)
	}
}

func TestTheLinearModeHasALineForEachArrival(t *testing.T) {
	t.Parallel()

	st := newLinearStage(t, 1000)
	st.desk.Environment = "production"
	st.begin()
	if got := st.out.String(); got != "2026-05-04 12:00:00 deliveries of db.example.com, PRODUCTION\n" {
		t.Errorf("it begins with %q", got)
	}
	st.out.Reset()
	st.step(t.Context())
	lines := strings.Split(st.out.String(), "\n")
	for i, want := range map[int]string{
		0: "2026-05-04 11:59:51 event: recorded; key 01H8XGJWBWBAQ400000991",
		6: "2026-05-04 11:59:57 win: PARKED as malformed (user_id is missing⟨U+001B⟩[31m); key 01H8XGJWBWBAQ400000997",
	} {
		if lines[i] != want {
			t.Errorf("line %d is %q, want %q", i, lines[i], want)
		}
	}
	if len(lines) != linearFirst+2 { // the stream, and the end of the last line
		t.Errorf("it begins with %d lines: %s", len(lines), st.out.String())
	}

	st = newLinearStage(t, 1000, "--state", "parked")
	st.step(t.Context())
	if got := st.out.String(); strings.Count(got, "PARKED") != linearFirst || strings.Contains(got, "awarded") {
		t.Errorf("of those that are parked:\n%s", got)
	}
}

func TestEachArrivalIsWrittenOnceHoweverLateItIsCommitted(t *testing.T) {
	t.Parallel()

	st := newLinearStage(t, 0)
	st.says("2026-05-04 12:00:00 nothing has come yet")
	row := func(key string, at time.Duration) store.DeliveryRow {
		return store.DeliveryRow{Key: key, Kind: trivia.KindEvent, State: trivia.StateDone, Outcome: trivia.Recorded, ReceivedAt: noon.Add(at)}
	}
	st.deliveries.lay(row("b", time.Second))
	st.says("2026-05-04 12:00:01 event: recorded; key b")
	st.deliveries.lay(row("c", 2*time.Second))
	st.deliveries.rows = append(st.deliveries.rows, row("a", 0)) // behind what was seen
	st.says("2026-05-04 12:00:00 event: recorded; key a", "2026-05-04 12:00:02 event: recorded; key c")
	st.says()

	for i := range 150 {
		st.deliveries.lay(row(fmt.Sprint(i), time.Duration(i)*time.Second))
		st.step(t.Context())
	}
	if n := len(st.written); n > 100 {
		t.Errorf("%d are remembered", n)
	}
}

func TestALostDatabaseIsALine(t *testing.T) {
	t.Parallel()

	st := newLinearStage(t, 0)
	st.deliveries.lay(deliveryNumber(1000))
	st.says("2026-05-04 12:00:00 win of rivers by user-1000, golden-cup: awarded; key 01H8XGJWBWBAQ400001000", "2026-05-04 12:00:00 nothing has come yet")
	st.deliveries.err = errors.New("dial: connection refused")
	st.says("2026-05-04 12:00:01 DATABASE LOST: stale since 12:00:00 (connection refused)")
	st.says()
	st.deliveries.err = nil
	st.says("2026-05-04 12:00:03 the database answers again")
	st.says()
}

func TestASilentStreamIsALine(t *testing.T) {
	t.Parallel()

	st := newLinearStage(t, 0)
	beats := func(n int) {
		t.Helper()
		for range n {
			st.says()
		}
	}
	for i := range hourOf {
		st.counted = append(st.counted, store.Minute{
			At: noon.Add(time.Duration(i-hourOf) * time.Minute), Deliveries: []store.OutcomeCount{{Outcome: trivia.Recorded, Count: 60}},
		})
	}
	at := func(seconds int) {
		st.overview.Now, st.overview.LastDelivery = noon.Add(time.Duration(seconds)*time.Second), noon
		st.overview.Streams = streamsOf(st.overview.Now, time.Time{}, noon)
	}
	st.deliveries.lay(store.DeliveryRow{Key: "a", Kind: trivia.KindEvent, State: trivia.StateDone, Outcome: trivia.Recorded, ReceivedAt: noon})
	at(1)
	st.says("2026-05-04 12:00:00 event: recorded; key a", "2026-05-04 12:00:01 flowing: the last delivery came 1 s ago; 60 come a minute")
	beats(judgeEvery - 1)
	at(45)
	st.says("2026-05-04 12:00:45 QUIET: nothing has come for 45 s; before, 60 came a minute")
	beats(judgeEvery - 1)
	at(50)
	beats(judgeEvery)
	st.overview.LastDelivery = st.overview.Now
	st.overview.Streams = streamsOf(st.overview.Now, time.Time{}, st.overview.Now)
	st.says("2026-05-04 12:00:50 flowing: the last delivery came just now; 60 come a minute")
	beats(judgeEvery - 1)
	st.overview.Streams = late(2*time.Hour, 2*time.Hour+4*time.Minute).now.Streams
	st.says("2026-05-04 12:00:50 DRAINING: events come 2 h late, caught up in about 30 min; 4 min less than 60 s ago")
	beats(judgeEvery - 1)
	st.overview.Streams = late(2*time.Hour, 2*time.Hour+2*time.Minute).now.Streams // of the same kind
	beats(judgeEvery)
}

func TestDeliveriesAreSaidInWords(t *testing.T) {
	t.Parallel()

	win := trivia.Win{User: "ann", Trivia: "capitals", Item: "mug"}
	tests := []struct {
		row  store.DeliveryRow
		want string
	}{
		{store.DeliveryRow{Key: "k", Kind: trivia.KindWin, Win: win, State: trivia.StateDone, Outcome: trivia.Awarded}, "win of capitals by ann, mug: awarded; key k"},
		{store.DeliveryRow{Key: "k", Kind: trivia.KindWin, Win: win, State: trivia.StatePending}, "win of capitals by ann, mug: not settled yet; key k"},
		{
			store.DeliveryRow{Key: "k", Kind: trivia.KindWin, Win: win, State: trivia.StatePending, Outcome: trivia.UnknownUser, Reason: "no such user"},
			"win of capitals by ann, mug: unknown_user, tried again later (no such user); key k",
		},
		{
			store.DeliveryRow{Key: "k", Kind: trivia.KindWin, State: trivia.StateParked, Outcome: trivia.Malformed, Reason: "no user_id"},
			"win: PARKED as malformed (no user_id); key k",
		},
		{store.DeliveryRow{Key: "k", Kind: trivia.KindEvent, State: trivia.StateDone, Outcome: trivia.Recorded}, "event: recorded; key k"},
	}
	for _, tt := range tests {
		if got := deliveryWords(tt.row); got != tt.want {
			t.Errorf("deliveryWords = %q, want %q", got, tt.want)
		}
	}
}

func TestTheLinearModeEndsWhenNobodyReads(t *testing.T) {
	t.Parallel()

	d, _ := newDesk(10)
	d.ReadOnly = true
	if err := Linear(t.Context(), d, fullDisk{}, nil); err == nil || err.Error() != "write what arrives: no space left" {
		t.Errorf("Linear = %v", err)
	}
	if err := Linear(t.Context(), d, &bytes.Buffer{}, []string{"--nonsense", "x"}); err == nil {
		t.Error("it takes any flag")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	if err := Linear(ctx, d, &out, nil); err != nil {
		t.Errorf("ended, it says %v", err)
	}
	if strings.ContainsAny(out.String(), "\x1b\x07") {
		t.Errorf("escape codes: %q", out.String())
	}
}
