package tui

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"trivia/internal/diag"
	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/stream"
	"trivia/internal/trivia"
)

func (fakeVerbs) Overview(context.Context) (store.Overview, error) {
	return store.Overview{Now: noon}, nil
}

func (fakeVerbs) Minutes(context.Context, time.Time, time.Time) ([]store.Minute, error) {
	return nil, nil
}

// A lively fake has an hour behind it.
type lively struct {
	fakeVerbs

	now   store.Overview
	none  bool // nothing came in the hour
	err   error
	asked []time.Time // the minutes that were counted, one after the other
	parts int         // of minutes, that were not counted from their beginning
}

func (l *lively) Overview(context.Context) (store.Overview, error) { return l.now, l.err }

func (l *lively) Minutes(_ context.Context, from, until time.Time) ([]store.Minute, error) {
	var all []store.Minute
	for at := from.Truncate(time.Minute); at.Before(until); at = at.Add(time.Minute) {
		m := store.Minute{At: at}
		if at.Before(from) { // all came at its beginning
			l.parts++
			all = append(all, m)

			continue
		}
		l.asked = append(l.asked, at)
		if n := at.Minute(); !l.none {
			m.Wins = int64(3 + n*n%41)
			m.Deliveries = []store.OutcomeCount{
				{Outcome: trivia.Awarded, State: trivia.StateDone, Count: int(m.Wins)},
				{Outcome: trivia.Recorded, State: trivia.StateDone, Count: 300 + n*7919%97},
				{Outcome: trivia.AlreadyWon, State: trivia.StateDone, Count: n % 3},
			}
			if n%20 == 7 {
				m.Deliveries = append(m.Deliveries,
					store.OutcomeCount{Outcome: trivia.Malformed, State: trivia.StateParked, Count: 1},
					store.OutcomeCount{Outcome: trivia.UnknownUser, State: trivia.StatePending, Count: 2})
			}
		}
		all = append(all, m)
	}

	return all, l.err
}

func busy() *lively {
	return &lively{now: store.Overview{
		Now: noon.Add(30 * time.Second), LastDelivery: noon.Add(29 * time.Second), LastWin: noon.Add(20 * time.Second),
		Pending: 12, Oldest: noon.Add(27 * time.Second), Expected: 4,
		ParkedAs:   map[trivia.Outcome]int64{trivia.Malformed: 22, trivia.PrizeConflict: 1204, trivia.Unsettled: 1},
		PushesOwed: 1204, PushesHeld: store.MostPushesSeen, PushesLost: 4,
		Streams: streamsOf(noon.Add(30*time.Second), noon.Add(20*time.Second), noon.Add(29*time.Second)),
	}}
}

// streamsOf are streams of which the last deliveries came at these times.
func streamsOf(now, win, event time.Time) store.Streams {
	return store.Streams{trivia.KindWin: {Now: now, Kept: win}, trivia.KindEvent: {Now: now, Kept: event}}
}

// late returns busy, with events that come late.
func late(lag, before time.Duration) *lively {
	l := busy()
	events := l.now.Streams[trivia.KindEvent]
	events.Latest = stream.Sample{At: l.now.Now, Lag: lag, N: 100}
	events.Earlier = stream.Sample{At: l.now.Now.Add(-time.Minute), Lag: before, N: 100}
	l.now.Streams[trivia.KindEvent] = events

	return l
}

func deskOf(l *lively) Desk {
	return Desk{
		Do: l, Database: "db.example.com", Environment: "test", HookAt: "127.0.0.1:9090",
		AskHook: func(context.Context) (operator.Hook, error) {
			return operator.Hook{
				Refused: map[string]int64{"mismatch": 112, "stale": 3, "not_listed": 1}, Duplicates: 5, Waiting: 1,
				Refusals: []diag.Refusal{{Time: noon.Add(-5 * time.Second), Status: 401, Reason: "mismatch", Caller: "192.0.2.7"}},
			}, nil
		},
	}
}

func TestOverviewGoldens(t *testing.T) {
	t.Parallel()

	goldens(t, pageOverview, "full", func() Desk { return deskOf(busy()) })
	goldens(t, pageOverview, "empty", func() Desk {
		return deskOf(&lively{now: store.Overview{Now: noon}, none: true})
	})
	goldens(t, pageOverview, "failing", func() Desk {
		d := deskOf(&lively{err: errors.New("look at how things stand: connect to db.example.com: connection refused")})
		d.AskHook = func(context.Context) (operator.Hook, error) { return operator.Hook{}, errors.New("refused") }

		return d
	})
	goldens(t, pageOverview, "draining", func() Desk { return deskOf(late(2*time.Hour, 2*time.Hour+4*time.Minute)) })
	goldens(t, pageOverview, "behind", func() Desk { return deskOf(late(12*time.Minute, 11*time.Minute+15*time.Second)) })
	goldens(t, pageOverview, "blocked", func() Desk {
		l := busy()
		l.now.Now = noon.Add(4*time.Minute + 30*time.Second)
		l.now.Streams = streamsOf(l.now.Now, noon.Add(20*time.Second), noon.Add(29*time.Second))
		d := deskOf(l)
		d.AskHook = func(context.Context) (operator.Hook, error) {
			h := operator.Hook{Refused: map[string]int64{"mismatch": 34}}
			for i := range 34 {
				at := noon.Add(time.Duration(120-i) * time.Second)
				h.Refusals = append(h.Refusals, diag.Refusal{Time: at, Route: "event", Reason: "mismatch", Caller: "35.188.196.183"})
			}

			return h, nil
		}

		return d
	})
	goldens(t, pageOverview, "unreachable", func() Desk {
		l := busy()
		l.now.Now = noon.Add(20 * time.Hour)
		l.none = true
		l.now.Streams = streamsOf(l.now.Now, noon.Add(20*time.Second), noon.Add(29*time.Second))
		for kind, s := range l.now.Streams {
			s.Pause = 9 * time.Hour
			l.now.Streams[kind] = s
		}

		return deskOf(l)
	})
	goldens(t, pageOverview, "silent", func() Desk {
		l := busy()
		l.now.Now = noon.Add(4*time.Minute + 30*time.Second)
		l.now.Streams = streamsOf(l.now.Now, noon.Add(20*time.Second), noon.Add(29*time.Second))
		d := deskOf(l)
		d.AskHook = func(context.Context) (operator.Hook, error) { return operator.Hook{}, errors.New("refused") }

		return d
	})
}

func TestMinutesThatAreOverAreCountedOnce(t *testing.T) {
	t.Parallel()

	l := busy()
	s := newStage(t, deskOf(l), pageOverview, 80, 24)
	counted := map[time.Time]int{}
	for _, at := range l.asked {
		counted[at]++
	}
	if len(counted) != hourOf || len(l.asked) != hourOf || l.parts != 1 {
		t.Fatalf("%d minutes were counted %d times, want %d once each", len(counted), len(l.asked), hourOf)
	}

	l.asked = nil
	s.beat()
	if len(l.asked) != 0 {
		t.Errorf("a second later %v were counted from their beginning, want none", l.asked)
	}

	// In the next minute the one before is counted until it is settled.
	l.now.Now = noon.Add(65 * time.Second)
	s.beat()
	if want := noon.Add(time.Minute); len(l.asked) == 0 || !l.asked[0].Equal(want) {
		t.Errorf("in the next minute %v were counted, want that one first", l.asked)
	}
	log := &s.frame.pages[pageOverview][0].(*overview).minutes
	if m := log.counted[noon]; m.over() || !m.through.Equal(noon.Add(50*time.Second)) || m.Wins != 3 {
		t.Errorf("of the minute before, %d wins until %v are counted, want 3 until ten seconds ago", m.Wins, m.through)
	}
	l.now.Now = noon.Add(75 * time.Second)
	s.beat()
	if m := log.counted[noon]; !m.over() || m.Wins != 3 {
		t.Errorf("ten seconds after it, the minute before is not over: %+v", m)
	}
	l.now.Now, l.parts = noon.Add(95*time.Second), 0
	s.beat()
	if l.parts != 1 {
		t.Errorf("%d parts of minutes are counted then, want the end of that of now", l.parts)
	}
}

func TestTheEndOfAMinuteIsAddedToItsBeginning(t *testing.T) {
	t.Parallel()

	some := func(at time.Time, wins int64, done, parked int) []store.Minute {
		return []store.Minute{{At: at, Wins: wins, Deliveries: []store.OutcomeCount{
			{Outcome: trivia.Awarded, State: trivia.StateDone, Count: done}, {Outcome: trivia.Malformed, State: trivia.StateParked, Count: parked},
		}}}
	}
	log := newMinuteLog()
	first := log.tail(noon.Add(25 * time.Second))
	if want := (tail{noon, noon.Add(10 * time.Second), noon.Add(time.Minute)}); first != want {
		t.Fatalf("tail = %v, want %v", first, want)
	}
	log.addTail(first, some(noon, 3, 3, 1), some(noon, 2, 2, 0), noon.Add(25*time.Second))
	second := log.tail(noon.Add(42 * time.Second))
	if want := (tail{noon.Add(10 * time.Second), noon.Add(30 * time.Second), noon.Add(time.Minute)}); second != want {
		t.Fatalf("the next tail = %v, want %v", second, want)
	}
	log.addTail(second, some(noon, 4, 4, 0), some(noon, 1, 1, 1), noon.Add(42*time.Second))
	if m := log.counted[noon]; m.Wins != 8 || m.Total() != 10 || m.settled.Wins != 7 {
		t.Errorf("counted %+v, want 8 wins, 7 of them settled, and 10 deliveries", m)
	}

	// Nothing was asked for a while, the minute has gone by, and so has the next.
	if third := log.tail(noon.Add(3 * time.Minute)); !third.from.Equal(noon.Add(3 * time.Minute)) {
		t.Errorf("after minutes, the tail = %v", third)
	}
	if from, until, ok := log.older(noon.Add(3 * time.Minute)); !ok || !until.Equal(noon.Add(3*time.Minute)) || from.Before(noon.Add(-time.Minute)) {
		t.Errorf("after minutes, older = %v to %v, %v", from, until, ok)
	}
}

func TestAMinuteWithSomethingPendingIsCountedAgain(t *testing.T) {
	t.Parallel()

	l := busy()
	s := newStage(t, deskOf(l), pageOverview, 80, 24)
	l.now.Now, l.asked = l.now.Now.Add(40*time.Second), nil
	s.beat()
	again := 0
	for _, at := range l.asked {
		if at.Minute()%20 == 7 {
			again++
		}
	}
	if again != 1 {
		t.Errorf("%d minutes with something pending were counted again at once, want one: %v", again, l.asked)
	}
}

func TestAnOverviewAsksLessOfASlowDatabase(t *testing.T) {
	t.Parallel()

	var q question
	if !q.may(noon) || q.may(noon) {
		t.Fatal("a question is out once")
	}
	q.answered(noon, 300*time.Millisecond, nil)
	if q.may(noon.Add(3*time.Second)) || !q.may(noon.Add(3500*time.Millisecond)) {
		t.Error("a question that took 300 ms is to be asked again after ten times that")
	}
	q.answered(noon, 5*time.Second, errors.New("gone"))
	if !q.may(noon.Add(time.Second)) {
		t.Error("a question that failed is to be asked again at once")
	}

	log := newMinuteLog()
	log.chunk = 4
	log.paced(time.Second)
	if log.chunk != 2 {
		t.Errorf("after a slow answer %d minutes are asked for, want 2", log.chunk)
	}
	for range 10 {
		log.paced(time.Millisecond)
	}
	if log.chunk != store.MostMinutes {
		t.Errorf("after quick answers %d minutes are asked for, want %d", log.chunk, store.MostMinutes)
	}
}

func TestTheStreamIsJudgedByItsOwnPace(t *testing.T) {
	t.Parallel()

	steady := pace{n: 600, each: 6 * time.Second}
	seldom := pace{n: 6, each: 10 * time.Minute, longest: 14 * time.Minute}
	at := func(quiet time.Duration) store.Overview {
		last := noon.Add(-quiet)

		return store.Overview{Now: noon, LastDelivery: last, LastWin: last, Streams: streamsOf(noon, last, last)}
	}
	refusing := &operator.Hook{Unready: "not ready: the disk is full"}
	with := func(o store.Overview, change func(*store.Overview)) store.Overview {
		change(&o)
		return o
	}
	for _, tt := range []struct {
		name      string
		now       store.Overview
		all, wins pace
		hook      *operator.Hook
		want      string
	}{
		{"nothing ever", store.Overview{Now: noon}, pace{}, pace{}, nil, "○ nothing has come yet"},
		{
			"nothing ever, and what comes is refused",
			store.Overview{Now: noon, Streams: streamsOf(noon, time.Time{}, time.Time{})},
			pace{},
			pace{},
			refusing,
			"▲ BLOCKED: no win was ever kept; trivia-hook is not ready: the disk is full",
		},
		{"as usual", at(3 * time.Second), steady, steady, nil, "● flowing: the last delivery came 3 s ago; 10 come a minute"},
		{"a clock ahead", at(-3 * time.Second), steady, steady, nil, "● flowing: the last delivery came just now; 10 come a minute"},
		{"a usual pause", at(50 * time.Second), steady, steady, nil, "● flowing: the last delivery came 50 s ago; 10 come a minute"},
		{"a long pause", at(4 * time.Minute), steady, steady, nil, "! QUIET: nothing has come for 4 min; before, 10 came a minute"},
		{"a long pause of a slow stream", at(20 * time.Minute), seldom, pace{}, nil, "○ quiet: the last delivery came 20 min ago; one every 10 min"},
		{"a repeat after a long pause", with(at(4*time.Minute), func(o *store.Overview) {
			o.Streams = streamsOf(noon, noon.Add(-4*time.Minute), noon.Add(-time.Second))
		}), steady, pace{}, nil, "● flowing: the last delivery came 1 s ago; 10 come a minute"},
		{"nothing for hours", at(50 * time.Hour), pace{}, pace{}, nil, "▲ UNREACHABLE: nothing has come for 2 days"},
		{"nothing for hours, and nothing refused", at(50 * time.Hour), pace{}, pace{}, &operator.Hook{}, "▲ UNREACHABLE: nothing has come for 2 days; no win was refused"},
		{"too few to tell", at(50 * time.Minute), pace{n: 2, each: time.Minute}, pace{}, nil, "○ quiet: the last delivery came 50 min ago"},
		{"nothing is kept", at(4 * time.Minute), steady, steady, refusing, "▲ BLOCKED: no win kept for 4 min; trivia-hook is not ready: the disk is full"},
		{
			"waits to be settled", with(at(time.Second), func(o *store.Overview) { o.Pending, o.Oldest = 1204, noon.Add(-5*time.Minute) }),
			steady, steady, nil, "▲ LATE: 1,204 deliveries are not settled, the oldest for 5 min",
		},
		{
			"waits to come", with(late(2*time.Minute, 3*time.Minute).now, func(o *store.Overview) { o.Pending = 0 }),
			steady, steady, nil, "! DRAINING: events come 2 min late, caught up in about 2 min; 60 s less than 60 s ago",
		},
		{
			"waits longer and longer", with(late(2*time.Minute, 90*time.Second).now, func(o *store.Overview) { o.Pending = 0 }),
			steady, steady, nil, "▲ FALLING BEHIND: events come 2 min late, 30 s more than 60 s ago",
		},
		{
			"events only", with(at(time.Second), func(o *store.Overview) { o.LastWin = noon.Add(-5 * time.Minute) }),
			steady, steady, nil, "! NO WINS for 5 min; before, 10 came a minute",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			var lines []string
			for _, f := range judge(tt.now, tt.all, tt.wins, operator.JudgeRoutes(tt.now.Streams, tt.hook, 0)) {
				lines = append(lines, f.sign()+" "+f.text)
			}
			if got := strings.Join(lines, "\n"); got != tt.want {
				t.Errorf("judge says %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAPaceIsReadFromMinutes(t *testing.T) {
	t.Parallel()

	got := paceOf([]float64{0, 0, 6, 0, 0, 0, 4, 10, 0, 0})
	if want := (pace{n: 20, each: 18 * time.Second, longest: 3 * time.Minute}); got != want {
		t.Errorf("paceOf = %+v, want %+v", got, want)
	}
	if got := paceOf(make([]float64, 60)); got != (pace{}) {
		t.Errorf("paceOf nothing = %+v", got)
	}
	if got := (pace{n: 120_000, each: 500 * time.Microsecond}).words("come"); got != "2,000 come a second" {
		t.Errorf("words = %q", got)
	}
}

func TestTheOverviewLeadsToWhatItCounts(t *testing.T) {
	t.Parallel()

	s := newStage(t, deskOf(busy()), pageOverview, 80, 24)
	s.press("down", "j", "k", "enter")
	if s.frame.current != pageDeliveries {
		t.Errorf("enter leads to %s, want the deliveries", s.frame.current)
	}
	all := s.frame.pages[pageOverview][0].(*overview).spots()
	for i, want := range map[int]string{0: "--outcome awarded", 1: "--outcome already_won", len(all) - 1: "--state parked"} {
		if got := strings.Join(all[i].words, " "); got != want {
			t.Errorf("spot %d leads to %q, want %q", i, got, want)
		}
	}

	s.press("1")
	for range len(all) + 3 {
		s.press("down")
	}
	s.press("enter")
	if s.frame.current != pagePushes {
		t.Errorf("the last line leads to %s, want the pushes", s.frame.current)
	}
}
