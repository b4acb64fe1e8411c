package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/store"
	"trivia/internal/stream"
	"trivia/internal/trivia"
)

// happened returns an event that came after noon, so long after it happened.
func happened(id string, after, lag time.Duration) store.Arrival {
	a := event(id, "email", "opened")
	a.At = noon.Add(after)
	a.Event.At = a.At.Add(-lag)

	return a
}

func TestStreamsTellTheLastOfEachKindAndHowLateEventsCome(t *testing.T) {
	t.Parallel()
	b := newBench(t, store.IntakeOptions{})

	var arrivals []store.Arrival
	for i, lag := range []time.Duration{time.Hour, time.Hour, 5 * time.Second} { // of a minute before
		arrivals = append(arrivals, happened(fmt.Sprint("before", i), time.Duration(i)*time.Second, lag))
	}
	for i, lag := range []time.Duration{10 * time.Minute, 30 * time.Minute, 20 * time.Minute} {
		arrivals = append(arrivals, happened(fmt.Sprint("now", i), 90*time.Second+time.Duration(i)*time.Second, lag))
	}
	b.take(t, append(arrivals, win("k1", "u1", "capitals", "mug"))...)

	got, err := b.Streams(t.Context())
	if err != nil {
		t.Fatalf("Streams: %v", err)
	}
	now := got[trivia.KindWin].Now
	want := store.Streams{
		trivia.KindWin: {Now: now, Kept: noon},
		trivia.KindEvent: {
			Now: now, Kept: noon.Add(92 * time.Second),
			Latest:  stream.Sample{At: noon.Add(92 * time.Second), Lag: 20 * time.Minute, N: 3},
			Earlier: stream.Sample{At: noon.Add(2 * time.Second), Lag: time.Hour, N: 3},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" || now.IsZero() {
		t.Errorf("Streams at %v (-want +got):\n%s", now, diff)
	}
}

func TestRepeatsAreDeliveriesToo(t *testing.T) {
	t.Parallel()
	b := newBench(t, store.IntakeOptions{})

	again := happened("e1", time.Hour, time.Hour)
	b.take(t, happened("e1", 0, 0), win("k1", "u1", "capitals", "mug"))
	b.take(t, again)
	b.exec(t, `INSERT INTO key_uses VALUES ('win', 'ab12cd34', '2026-05-04 12:00Z', '2026-05-04 14:00Z', 7), ('win', 'old', '2026-05-04 11:00Z', '2026-05-04 11:00Z', 1)`)

	got, err := b.Streams(t.Context())
	if err != nil {
		t.Fatalf("Streams: %v", err)
	}
	if at := got[trivia.KindEvent].Kept; !at.Equal(noon.Add(time.Hour)) {
		t.Errorf("the last event came at %v, want its repeat at 13:00", at)
	}
	if w := got[trivia.KindWin]; !w.Kept.Equal(noon) || !w.Heard.Equal(noon.Add(2*time.Hour)) {
		t.Errorf("the last win was kept at %v and heard at %v, want 12:00 and 14:00", w.Kept, w.Heard)
	}
}

func TestAnEventFromNoTimeAtAllDoesNotCount(t *testing.T) {
	t.Parallel()
	b := newBench(t, store.IntakeOptions{})

	strange := map[string]time.Time{
		"none": {}, "1970": time.Unix(0, 0), "9999": time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), "next week": noon.Add(7 * 24 * time.Hour),
	}
	for id, at := range strange {
		a := happened(id, time.Second, 0)
		a.Event.At = at
		b.take(t, a)
	}
	got, err := b.Streams(t.Context())
	if e := got[trivia.KindEvent]; err != nil || e.Latest.N != 0 || e.Latest.Lag != 0 || !e.Kept.Equal(noon.Add(time.Second)) {
		t.Errorf("of what makes no sense, Streams = %+v, %v; want no sample, and that it came", e, err)
	}

	b.take(t, happened("ahead", time.Second, -time.Minute), happened("late", 0, 3*time.Second), happened("later", 0, 4*time.Second))
	got, err = b.Streams(t.Context())
	if e := got[trivia.KindEvent].Latest; err != nil || e.N != 3 || e.Lag != 3*time.Second {
		t.Errorf("of a clock ahead and two events, the latest = %+v, %v; want the one in the middle", e, err)
	}
}

func TestTheLongestPauseOfAWeekIsFound(t *testing.T) {
	t.Parallel()
	b := newBench(t, store.IntakeOptions{})

	if got, err := b.LongestPause(t.Context(), trivia.KindEvent, noon); err != nil || got != 0 {
		t.Errorf("of nothing, LongestPause = %v, %v", got, err)
	}
	b.take(t, happened("e1", -20*time.Hour, 0), happened("e2", 0, 0))
	if got, err := b.LongestPause(t.Context(), trivia.KindEvent, noon); err != nil || got != 0 {
		t.Errorf("of less than a day, LongestPause = %v, %v; want that it is not known", got, err)
	}

	b.take(t, happened("e3", -30*24*time.Hour, 0), happened("e4", -30*time.Hour, 0), happened("e5", -28*time.Hour, 0))
	if got, err := b.LongestPause(t.Context(), trivia.KindEvent, noon); err != nil || got != 20*time.Hour {
		t.Errorf("LongestPause = %v, %v; want 20h: what lies before the week does not count", got, err)
	}

	b.take(t, win("k1", "u1", "capitals", "mug"), win("k2", "u2", "capitals", "mug"), win("k3", "u3", "capitals", "mug"))
	b.exec(t, `UPDATE trivia_wins SET won_at = '2026-05-04 12:00Z'::timestamptz - (CASE user_id WHEN 'u1' THEN 50 WHEN 'u2' THEN 10 ELSE 0 END) * interval '1 hour'`)
	if got, err := b.LongestPause(t.Context(), trivia.KindWin, noon); err != nil || got != 40*time.Hour {
		t.Errorf("of wins, LongestPause = %v, %v; want 40h", got, err)
	}
}
