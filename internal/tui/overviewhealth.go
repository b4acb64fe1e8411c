package tui

import (
	"fmt"
	"strings"
	"time"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/stream"
)

const (
	// leastSilence is the shortest time without anything that is called silence,
	// and manyPauses how much longer than usual it has to be.
	leastSilence = 30 * time.Second
	manyPauses   = 10

	// fewArrivals are too few to know a pace from.
	fewArrivals = 5

	lateToSettle = time.Minute // from receiving to settling
)

// A pace is how things came during the last hour, until the last of them did.
type pace struct {
	n       int64
	each    time.Duration // from one to the next, on average
	longest time.Duration // that nothing came for, in whole minutes
}

// paceOf reads a pace from a number of each minute.
func paceOf(perMinute []float64) (p pace) {
	first, last := -1, -1
	for i, n := range perMinute {
		if n == 0 {
			continue
		}
		if first < 0 {
			first = i
		} else {
			p.longest = max(p.longest, time.Duration(i-last-1)*time.Minute)
		}
		last = i
		p.n += int64(n)
	}
	if p.n > 0 {
		p.each = time.Duration(last-first+1) * time.Minute / time.Duration(p.n)
	}

	return p
}

// patience is how long nothing may come before that is odd.
func (p pace) patience() time.Duration {
	if p.n < fewArrivals {
		return time.Hour
	}

	return min(time.Hour, max(leastSilence, manyPauses*p.each, 2*p.longest))
}

// A finding is what a person should know of the stream, in one line. Its sign
// says what its tone does.
type finding struct {
	tone Tone
	text string
}

func (f finding) sign() string {
	switch f.tone {
	case Bad:
		return "▲"
	case Waiting:
		return "!"
	case Good:
		return "●"
	case Plain:
	}

	return "○"
}

// judge says how the stream does: what is wrong, or that nothing is. It is given
// the pace of deliveries, and of wins, and how each route does.
func judge(o store.Overview, all, wins pace, routes []operator.Route) (found []finding) {
	quiet := o.Now.Sub(latestOf(o.LastDelivery, routes))
	found = wrongRoutes(routes)
	if o.LastDelivery.IsZero() {
		if len(found) > 0 {
			return found
		}

		return []finding{{Plain, "nothing has come yet"}}
	}

	silent := quiet > all.patience()
	if silent && all.n >= fewArrivals && len(found) == 0 { // it has just stopped, which need not mean anything
		found = append(found, finding{Waiting, fmt.Sprintf("QUIET: nothing has come for %s; before, %s", spanWords(quiet), all.words("came"))})
	}
	if o.Pending > 0 && o.Now.Sub(o.Oldest) > lateToSettle {
		found = append(found, finding{Bad, fmt.Sprintf("LATE: %s not settled, the oldest for %s",
			countWords(o.Pending, "delivery is", "deliveries are"), spanWords(o.Now.Sub(o.Oldest)))})
	}
	if quiet := o.Now.Sub(o.LastWin); !silent && !o.LastWin.IsZero() && wins.n >= fewArrivals && quiet > wins.patience() {
		found = append(found, finding{Waiting, fmt.Sprintf("NO WINS for %s; before, %s", spanWords(quiet), wins.words("came"))})
	}
	if len(found) > 0 {
		return found
	}

	return []finding{calm(quiet, all, routes)}
}

// latestOf is when the latest delivery came, repeats included.
func latestOf(at time.Time, routes []operator.Route) time.Time {
	for _, r := range routes {
		if r.Kept.After(at) {
			at = r.Kept
		}
	}

	return at
}

// wrongRoutes tells of those that are neither quiet nor flowing. What keeps
// everybody away is told once.
func wrongRoutes(routes []operator.Route) (found []finding) {
	var away *operator.Route
	for i, r := range routes {
		common := r.State == stream.Unreachable || r.State == stream.Blocked && r.Unready != ""
		switch {
		case r.State.Normal():
		case common && away != nil && !r.Kept.After(away.Kept):
		case common:
			away = &routes[i]
		default:
			found = append(found, wrongRoute(r))
		}
	}
	if away != nil {
		found = append(found, wrongRoute(*away))
	}

	return found
}

func wrongRoute(r operator.Route) finding {
	tone := Bad
	if r.State == stream.Draining {
		tone = Waiting // for the end of it
	}

	return finding{tone, strings.ToUpper(string(r.State)) + ": " + r.Details(string(r.Kind), string(r.Kind)+"s")}
}

// calm says that nothing is wrong.
func calm(quiet time.Duration, all pace, routes []operator.Route) finding {
	state, tone := stream.Quiet, Plain
	for _, r := range routes {
		if r.State == stream.Flowing {
			state, tone = stream.Flowing, Good
		}
	}
	text := string(state) + ": the last delivery came " + agoWords(quiet)
	if all.n >= fewArrivals {
		text += "; " + all.words("come")
	}

	return finding{tone, text}
}

// words say the pace: 12 come a minute.
func (p pace) words(come string) string {
	for _, unit := range []struct {
		name   string
		length time.Duration
	}{{"second", time.Second}, {"minute", time.Minute}} {
		if p.each > 0 && 2*p.each <= unit.length {
			return fmt.Sprintf("%s %s a %s", grouped(int64(unit.length/p.each)), come, unit.name)
		}
	}

	return "one every " + spanWords(p.each)
}

// spanWords say how long: 3 s, 4 min, 5 h, 3 days.
func spanWords(d time.Duration) string { return stream.Span(d) }

// agoWords say how long ago. What comes from a clock that is ahead is now.
func agoWords(d time.Duration) string { return stream.Ago(d) }

// grouped writes a number with its thousands apart.
func grouped(n int64) string { return thousands(int(n)) }

// countWords say how many there are.
func countWords(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}

	return grouped(n) + " " + many
}
