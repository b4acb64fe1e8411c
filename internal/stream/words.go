package stream

import (
	"fmt"
	"strings"
	"time"
)

// Says puts j into words that begin with its state. What comes is called one
// and many: event, events.
func (j Judgement) Says(one, many string) string {
	return string(j.State) + ": " + j.Details(one, many)
}

// Details are the words of [Judgement.Says] behind the state.
func (j Judgement) Details(one, many string) string {
	switch j.State {
	case Quiet, Flowing:
		return j.silence(one)
	case Draining, FallingBehind:
		return j.lateness(many)
	case Blocked:
		return j.refusals(one)
	case Unreachable:
	}

	text := "nothing has come for " + Span(j.Silence)
	if j.Limit > 0 {
		text += "; the limit is " + Span(j.Limit)
	} else {
		text += j.before()
	}
	if j.Refused.Known {
		text += "; no " + one + " was refused"
	}

	return text
}

func (j Judgement) silence(one string) string {
	if j.heard().IsZero() {
		return "no " + one + " has ever come"
	}
	text := "the last " + one + " came " + Ago(j.Silence)
	if j.Unusual {
		text += j.before()
	}

	return text
}

// before tells of the pauses of the week before.
func (j Judgement) before() string {
	if j.Pause == 0 {
		return ""
	}

	return "; the longest pause in a week was " + Span(j.Pause)
}

func (j Judgement) lateness(many string) string {
	text := many + " come " + Span(j.Latest.Lag) + " late"
	over, ok := j.trend()
	if !ok {
		return text + "; it is too early to say for how long"
	}
	switch change := j.Latest.Lag - j.Earlier.Lag; {
	case j.State == Draining:
		return text + ", caught up in about " + Span(j.Left) + "; " + Span(-change) + " less than " + Ago(over)
	case change >= time.Second:
		return text + ", " + Span(change) + " more than " + Ago(over)
	}

	return text + ", as " + Ago(over)
}

func (j Judgement) refusals(one string) string {
	text := "no " + one + " was ever kept"
	if !j.Kept.IsZero() {
		text = "no " + one + " kept for " + Span(j.Now.Sub(j.Kept))
	}
	if r := j.Refused; r.Count > 0 {
		text += fmt.Sprintf("; %d refused (%s", r.Count, r.Reason)
		if r.From != "" {
			text += ", from " + r.From
		}
		text += "), the last " + Ago(j.Now.Sub(r.Last))
	}
	if j.Unready != "" {
		text += "; trivia-hook is not ready: " + strings.TrimPrefix(j.Unready, "not ready: ")
	}

	return text
}

// Span says how long, in the largest unit that tells enough: 3 s, 4 min, 5 h,
// 3 days.
func Span(d time.Duration) string {
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

// Ago says how long ago. What comes from a clock that is ahead is now.
func Ago(d time.Duration) string {
	if d < time.Second {
		return "just now"
	}

	return Span(d) + " ago"
}
