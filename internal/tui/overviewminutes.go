package tui

import (
	"slices"
	"time"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

const (
	// hourOf is how many minutes an overview shows, with that of now.
	hourOf = 60

	// settling is how long after a minute its last deliveries may be committed.
	settling = 10 * time.Second

	// When a minute is counted again that is over: one that had deliveries pending,
	// and one that had some parked, which an operator may have replayed.
	againPending = 30 * time.Second
	againParked  = 5 * time.Minute

	// How long one question for minutes that are over should take.
	easyQuestion = 250 * time.Millisecond
)

// A minuteLog remembers what came in each minute of the last hour, so that no
// minute is counted twice that is over and settled. All times are the
// database's.
type minuteLog struct {
	counted map[time.Time]countedMinute
	chunk   int // how many minutes that are over to ask for at once
}

type countedMinute struct {
	store.Minute

	as time.Time // it was at that time

	// As long as the minute lasts, only its end is counted again: this is what came
	// until through.
	settled store.Minute
	through time.Time
}

func newMinuteLog() minuteLog {
	return minuteLog{counted: make(map[time.Time]countedMinute, hourOf), chunk: 1}
}

// add takes whole minutes as they were counted at now, and forgets what is
// older than an hour.
func (l *minuteLog) add(minutes []store.Minute, now time.Time) {
	for _, m := range minutes {
		l.counted[m.At.UTC()] = countedMinute{Minute: m, as: now}
	}
	l.forget(now)
}

func (l *minuteLog) forget(now time.Time) {
	first, _ := hourAt(now)
	for at := range l.counted {
		if at.Before(first) {
			delete(l.counted, at)
		}
	}
}

// A tail is the end of what was counted: what came until split stays as it is.
type tail struct{ from, split, until time.Time }

// tail returns the span in which things may still arrive: the end of the minute
// of now, or of that before, too.
func (l *minuteLog) tail(now time.Time) (t tail) {
	_, last := hourAt(now)
	t.from, t.until = last, last.Add(time.Minute)
	if m, ok := l.counted[last]; ok && m.through.After(last) {
		t.from = m.through
	}
	if before, ok := l.counted[last.Add(-time.Minute)]; ok && !before.over() {
		t.from = later(before.At.UTC(), before.through)
	}
	t.split = later(t.from, now.UTC().Add(-settling).Truncate(store.LeastSpan))

	return t
}

// addTail takes what came until the split of a tail, and behind it.
func (l *minuteLog) addTail(t tail, settled, fresh []store.Minute, now time.Time) {
	for at := t.from.Truncate(time.Minute); at.Before(t.until); at = at.Add(time.Minute) {
		m := l.counted[at]
		if m.through.IsZero() {
			m.settled = store.Minute{At: at}
		}
		m.settled = plus(m.settled, settled)
		m.through = t.split
		if end := at.Add(time.Minute); end.Before(t.split) {
			m.through = end
		}
		m.Minute, m.as = plus(m.settled, fresh), now
		l.counted[at] = m
	}
	l.forget(now)
}

// plus adds those of some minutes to one that are of the same.
func plus(m store.Minute, some []store.Minute) store.Minute {
	sum := store.Minute{At: m.At, Wins: m.Wins, Deliveries: slices.Clone(m.Deliveries)}
	for _, part := range some {
		if !part.At.Equal(m.At) {
			continue
		}
		sum.Wins += part.Wins
		for _, of := range part.Deliveries {
			i := slices.IndexFunc(sum.Deliveries, func(o store.OutcomeCount) bool { return o.Outcome == of.Outcome && o.State == of.State })
			if i < 0 {
				sum.Deliveries = append(sum.Deliveries, of)
			} else {
				sum.Deliveries[i].Count += of.Count
			}
		}
	}

	return sum
}

// paced learns from how long it took to count some minutes that were over.
func (l *minuteLog) paced(took time.Duration) {
	switch {
	case took < easyQuestion/2:
		l.chunk = min(l.chunk*2, store.MostMinutes)
	case took > easyQuestion:
		l.chunk = max(l.chunk/2, 1)
	}
}

// hourAt returns the first minute that is shown at now, and that of now.
func hourAt(now time.Time) (first, last time.Time) {
	last = now.UTC().Truncate(time.Minute)

	return last.Add(-(hourOf - 1) * time.Minute), last
}

// over reports whether nothing more came in a minute after it was counted.
func (m countedMinute) over() bool {
	end := m.At.Add(time.Minute)

	return m.as.After(end.Add(settling)) || !m.through.Before(end)
}

// live returns the span of minutes, up to that of now, in which things may
// still arrive: one or two of them.
func (l *minuteLog) live(now time.Time) (from, until time.Time) {
	_, last := hourAt(now)
	from, until = last, last.Add(time.Minute)
	if before, ok := l.counted[last.Add(-time.Minute)]; ok && !before.over() {
		from = from.Add(-time.Minute)
	}

	return from, until
}

// older returns the span of minutes to be counted next of those that are over:
// the latest that never were, or one that may have changed. False: there is none.
func (l *minuteLog) older(now time.Time) (from, until time.Time, ok bool) {
	first, last := hourAt(now)
	for at := last.Add(-time.Minute); !at.Before(first); at = at.Add(-time.Minute) {
		m, counted := l.counted[at]
		if counted && (m.over() || at.Equal(last.Add(-time.Minute))) {
			continue
		}
		from, until = at, at.Add(time.Minute)
		for n := 1; n < l.chunk && from.After(first); n++ {
			if m, counted := l.counted[from.Add(-time.Minute)]; counted && m.over() {
				break
			}
			from = from.Add(-time.Minute)
		}

		return from, until, true
	}

	at, found := time.Time{}, false
	for _, m := range l.counted {
		if m.mayChange(now) && (!found || m.as.Before(l.counted[at].as)) {
			at, found = m.At.UTC(), true
		}
	}

	return at, at.Add(time.Minute), found
}

// mayChange reports whether something was left to be settled when a minute was
// last counted, and that was a while ago.
func (m countedMinute) mayChange(now time.Time) bool {
	for _, of := range m.Deliveries {
		switch of.State {
		case trivia.StatePending:
			if now.Sub(m.as) > againPending {
				return true
			}
		case trivia.StateParked:
			if now.Sub(m.as) > againParked {
				return true
			}
		case trivia.StateDone:
		}
	}

	return false
}

// known is how many minutes of the last hour were counted.
func (l *minuteLog) known() int { return len(l.counted) }

// values returns a number of each minute of the hour, that of now last.
func (l *minuteLog) values(now time.Time, of func(store.Minute) int64) []float64 {
	first, last := hourAt(now)
	values := make([]float64, 0, hourOf)
	for at := first; !at.After(last); at = at.Add(time.Minute) {
		values = append(values, float64(of(l.counted[at].Minute)))
	}

	return values
}

// What can be counted in a minute.
func winsOf(m store.Minute) int64     { return m.Wins }
func arrivalsOf(m store.Minute) int64 { return int64(m.Total()) }

// outcomeOf counts the deliveries of an outcome, of those without one those in a state.
func outcomeOf(outcome trivia.Outcome, state trivia.State) func(store.Minute) int64 {
	return func(m store.Minute) (n int64) {
		for _, of := range m.Deliveries {
			if of.Outcome == outcome && (outcome != trivia.Unsettled || of.State == state) {
				n += int64(of.Count)
			}
		}

		return n
	}
}

// oddOf counts what came and was neither an event nor a first win.
func oddOf(m store.Minute) (n int64) {
	for _, of := range m.Deliveries {
		if of.Outcome != trivia.Recorded && of.Outcome != trivia.Awarded {
			n += int64(of.Count)
		}
	}

	return n
}

// sum adds up a number of all minutes.
func (l *minuteLog) sum(of func(store.Minute) int64) (n int64) {
	for _, m := range l.counted {
		n += of(m.Minute)
	}

	return n
}

// last is a number of the last minute that is over.
func (l *minuteLog) last(now time.Time, of func(store.Minute) int64) int64 {
	_, last := hourAt(now)

	return of(l.counted[last.Add(-time.Minute)].Minute)
}
