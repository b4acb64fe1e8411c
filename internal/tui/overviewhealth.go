package tui

import (
	"fmt"
	"time"

	"trivia/internal/store"
)

const (
	// leastSilence is the shortest time without anything that is called silence,
	// and manyPauses how much longer than usual it has to be.
	leastSilence = 30 * time.Second
	manyPauses   = 10

	// fewArrivals are too few to know a pace from.
	fewArrivals = 5

	lateToCome   = 30 * time.Second // from signing to receiving
	lateToSettle = time.Minute      // from receiving to settling
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

// judge says how the stream does: what is wrong, or that nothing is. It is
// given the pace of deliveries, and of wins.
func judge(o store.Overview, all, wins pace) (found []finding) {
	if o.LastDelivery.IsZero() {
		return []finding{{Plain, "nothing has come yet"}}
	}

	quiet := o.Now.Sub(o.LastDelivery)
	silent := quiet > all.patience()
	switch {
	case silent && all.n < fewArrivals:
		found = append(found, finding{Bad, "SILENT: nothing has come for " + spanWords(quiet)})
	case silent:
		found = append(found, finding{Bad, fmt.Sprintf("SILENT: nothing has come for %s; before, %s", spanWords(quiet), all.words("came"))})
	}
	if o.Pending > 0 && o.Now.Sub(o.Oldest) > lateToSettle {
		found = append(found, finding{Bad, fmt.Sprintf("LATE: %s not settled, the oldest for %s",
			countWords(o.Pending, "delivery is", "deliveries are"), spanWords(o.Now.Sub(o.Oldest)))})
	}
	if o.Delay > lateToCome && !silent {
		found = append(found, finding{Bad, "LATE: what comes now was signed " + spanWords(o.Delay) + " before"})
	}
	if quiet := o.Now.Sub(o.LastWin); !silent && !o.LastWin.IsZero() && wins.n >= fewArrivals && quiet > wins.patience() {
		found = append(found, finding{Waiting, fmt.Sprintf("NO WINS for %s; before, %s", spanWords(quiet), wins.words("came"))})
	}
	if len(found) > 0 {
		return found
	}

	text := "the last delivery came " + agoWords(quiet)
	if all.n >= fewArrivals {
		text += "; " + all.words("come")
	}

	return []finding{{Good, text}}
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

// spanWords say how long: 3 s, 4 min, 2 h 5 min, 3 days.
func spanWords(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < time.Second:
		return "less than 1 s"
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 2*day:
		return fmt.Sprintf("%d h", d/time.Hour)
	}

	return fmt.Sprintf("%d days", d/day)
}

// agoWords say how long ago. What comes from a clock that is ahead is now.
func agoWords(d time.Duration) string {
	if d < time.Second {
		return "just now"
	}

	return spanWords(d) + " ago"
}

// grouped writes a number with its thousands apart.
func grouped(n int64) string { return thousands(int(n)) }

// countWords say how many there are.
func countWords(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}

	return grouped(n) + " " + many
}
