package stream

import "time"

// A Sample is how late a few events came that were received together.
type Sample struct {
	At  time.Time     // when the last of them was received
	Lag time.Duration // of the one in the middle
	N   int           // how many they are; 0: there are none
}

// Bounds of what an event can say of when it happened.
const (
	// MostLag is how late an event can come: a sender that tries for a week, and
	// as long again for one that was held back. Whatever claims to be older was
	// stamped by a clock that nobody has set.
	MostLag = 30 * 24 * time.Hour

	// MostAhead is how far a clock may be ahead of ours. What it stamps has
	// happened just now; what lies farther ahead says nothing.
	MostAhead = 24 * time.Hour
)

// Lag is how long after it happened something arrived, at least 0. It returns
// false if the time at which it happened is missing, or makes no sense.
func Lag(occurred, arrived time.Time) (time.Duration, bool) {
	if occurred.IsZero() {
		return 0, false
	}
	lag := arrived.Sub(occurred) // of centuries apart, as much as fits
	if lag > MostLag || lag < -MostAhead {
		return 0, false
	}

	return max(0, lag), true
}
