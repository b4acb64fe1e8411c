// Package stream judges, from a few times and counts, how deliveries come: that
// a silence is one of those that are usual, that a queue at the sender drains or
// grows, that everything is refused, that nothing reaches us. It is pure: it
// reads no clock, no network and no database.
package stream

import "time"

// A State is how the deliveries of one route come.
type State string

// The states.
const (
	Quiet         State = "quiet"          // nothing comes, and nothing need come
	Flowing       State = "flowing"        // deliveries come, and in time
	Draining      State = "draining"       // they come late, and less so as time goes by
	FallingBehind State = "falling behind" // they come late, and ever more so
	Blocked       State = "blocked"        // none is kept, while requests are refused
	Unreachable   State = "unreachable"    // none comes, none is refused, and for longer than is usual
)

// Normal reports whether s asks nothing of anybody.
func (s State) Normal() bool { return s == Quiet || s == Flowing }

// A Sight is what is known of the deliveries of one route.
type Sight struct {
	Now   time.Time
	Kept  time.Time // when the latest that was kept came, repeats included; zero: none ever
	Heard time.Time // when the latest that was signed came, kept or not; zero if nobody knows

	Latest  Sample        // of how late events come
	Earlier Sample        // likewise, [SampleGap] before
	Pause   time.Duration // the longest in the week that ends with Kept; 0 if nobody knows

	Limit     time.Duration // how long an operator says that nothing may come; 0: Pause decides
	Elsewhere bool          // another route is not silent, so that the hook can be reached
	Unready   string        // why the hook cannot keep anything; empty: it can, or nobody knows
	Refused   Refused       // since Kept
}

// Refused is what a hook remembers of requests that it refused.
type Refused struct {
	Known  bool // the hook was asked
	Count  int
	Reason string    // of most of them
	From   string    // where the last came from
	Last   time.Time // when it came
}

// A Judgement is what a [Sight] comes to.
type Judgement struct {
	Sight

	State   State
	Silence time.Duration // since anything was heard; 0 if nothing ever was
	Unusual bool          // nothing has come for longer than is usual, which need not mean anything
	Left    time.Duration // until a queue that drains is empty; 0 if it cannot be told
}

// From where on something is told.
const (
	// LateAfter is how late events come from where on they are called late.
	LateAfter = time.Minute

	// SampleGap is how much older [Sight.Earlier] is at least.
	SampleGap = time.Minute

	stale        = 5 * time.Minute  // an older sample tells nothing of now
	steady       = 0.02             // of the time between two samples; what lag changes by less does not change
	moment       = 30 * time.Second // without anything, which means nothing
	manyRefused  = 10               // are no stranger's single try
	leastPause   = 10 * time.Minute // that is unusual, however short pauses were
	unknownPause = 24 * time.Hour   // that is unusual where nobody knows
)

// NeedsPause reports whether s cannot be judged without [Sight.Pause], which
// costs more to find out than the rest.
func (s Sight) NeedsPause() bool {
	return s.Limit == 0 && s.Now.Sub(s.heard()) > leastPause && !s.heard().IsZero()
}

func (s Sight) heard() time.Time {
	if s.Heard.After(s.Kept) {
		return s.Heard
	}

	return s.Kept
}

// Patience is how long nothing may come before that is unusual.
func (s Sight) Patience() time.Duration {
	switch {
	case s.Limit > 0:
		return s.Limit
	case s.Pause == 0:
		return unknownPause
	}

	return max(leastPause, s.Pause+s.Pause/2)
}

// Silent reports whether nothing has come for longer than is usual. What never
// came is not missed.
func (s Sight) Silent() bool {
	heard := s.heard()

	return !heard.IsZero() && s.Now.Sub(heard) > s.Patience()
}

// Judge tells what s comes to.
func Judge(s Sight) Judgement {
	j := Judgement{Sight: s, State: Quiet, Unusual: s.Silent()}
	if heard := s.heard(); !heard.IsZero() {
		j.Silence = max(0, s.Now.Sub(heard))
	}

	switch {
	case s.blocked(j.Unusual):
		j.State = Blocked
	case s.heard().IsZero():
	case j.Unusual && !s.Elsewhere:
		j.State = Unreachable
	case s.late():
		j.State, j.Left = s.queue()
	case j.Silence <= max(moment, LateAfter):
		j.State = Flowing
	}

	return j
}

// blocked reports whether nothing is kept because we refuse it. One stranger
// who is turned away between two deliveries is no sign of that.
func (s Sight) blocked(unusual bool) bool {
	unkept := s.Kept.IsZero() || s.Now.Sub(s.Kept) > moment
	switch {
	case !unkept:
		return false
	case s.Unready != "":
		return true
	case s.Refused.Count == 0:
		return false
	}

	return s.Kept.IsZero() || unusual || s.Refused.Count >= manyRefused
}

func (s Sight) late() bool {
	return s.Latest.N > 0 && s.Latest.Lag >= LateAfter && s.Now.Sub(s.Latest.At) <= stale
}

// queue tells from two samples whether events that come late do so less and
// less, and when they will be in time at that rate. Without a trend they do come,
// so that somewhere a queue gets shorter.
func (s Sight) queue() (State, time.Duration) {
	over, ok := s.trend()
	if !ok {
		return Draining, 0
	}
	change := s.Latest.Lag - s.Earlier.Lag
	if float64(change) > -steady*float64(over) {
		return FallingBehind, 0
	}

	left := float64(s.Latest.Lag) * float64(over) / float64(-change)

	return Draining, time.Duration(min(left, float64(MostLag)))
}

// trend returns the time between both samples. They cannot be compared if that
// is long, or if what came since had happened before: that is not one queue.
func (s Sight) trend() (over time.Duration, ok bool) {
	over = s.Latest.At.Sub(s.Earlier.At)
	backwards := s.Latest.Lag-s.Earlier.Lag > over+moment

	return over, s.Earlier.N > 0 && over > 0 && over <= stale && !backwards
}
