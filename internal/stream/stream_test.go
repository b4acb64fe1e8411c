package stream_test

import (
	"math"
	"testing"
	"time"

	"trivia/internal/stream"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// last returns a sight of a route whose last delivery came so long ago.
func last(ago time.Duration) stream.Sight {
	return stream.Sight{Now: noon, Kept: noon.Add(-ago), Refused: stream.Refused{Known: true}}
}

// but returns s with changes.
func but(s stream.Sight, change func(*stream.Sight)) stream.Sight {
	change(&s)

	return s
}

// late returns a sight of events that come so late now, and came so late a while
// before.
func late(now, before, while time.Duration) stream.Sight {
	return but(last(time.Second), func(s *stream.Sight) {
		s.Latest = stream.Sample{At: noon, Lag: now, N: 10}
		s.Earlier = stream.Sample{At: noon.Add(-while), Lag: before, N: 10}
	})
}

func refusing(s stream.Sight, count int) stream.Sight {
	s.Refused = stream.Refused{Known: true, Count: count, Reason: "mismatch", From: "192.0.2.7", Last: noon.Add(-5 * time.Second)}

	return s
}

func TestAStreamIsJudgedByWhatIsKnownOfIt(t *testing.T) {
	t.Parallel()

	const day = 24 * time.Hour
	pause := func(s stream.Sight, longest time.Duration) stream.Sight {
		s.Pause = longest
		return s
	}
	for _, tt := range []struct {
		name  string
		sight stream.Sight
		want  string
	}{
		// Silence.
		{"nothing ever", stream.Sight{Now: noon}, "quiet: no event has ever come"},
		{"nothing ever, with a limit", stream.Sight{Now: noon, Limit: time.Minute}, "quiet: no event has ever come"},
		{"just now", last(time.Second), "flowing: the last event came 1 s ago"},
		{"a clock that is ahead", last(-time.Hour), "flowing: the last event came just now"},
		{"a while ago", last(20 * time.Minute), "quiet: the last event came 20 min ago"},
		{"a night, and nobody knows what is usual", last(9 * time.Hour), "quiet: the last event came 9 h ago"},
		{"two days, and nobody knows what is usual", last(2 * day), "unreachable: nothing has come for 2 days; no event was refused"},
		{"a pause as there was one", pause(last(9*time.Hour), 8*time.Hour), "quiet: the last event came 9 h ago"},
		{
			"a pause longer than any", pause(last(13*time.Hour), 8*time.Hour),
			"unreachable: nothing has come for 13 h; the longest pause in a week was 8 h; no event was refused",
		},
		{"minutes, of what came each second", pause(last(9*time.Minute), time.Second), "quiet: the last event came 9 min ago"},
		{
			"longer than the limit", but(pause(last(2*time.Hour), 8*time.Hour), func(s *stream.Sight) { s.Limit = 90 * time.Minute }),
			"unreachable: nothing has come for 2 h; the limit is 90 min; no event was refused",
		},
		{"within the limit", but(pause(last(2*day), time.Hour), func(s *stream.Sight) { s.Limit = 3 * day }), "quiet: the last event came 2 days ago"},
		{
			"a hook that was not asked", but(last(2*day), func(s *stream.Sight) { s.Refused.Known = false }),
			"unreachable: nothing has come for 2 days",
		},
		{
			"another route is alive", but(pause(last(2*day), time.Hour), func(s *stream.Sight) { s.Elsewhere = true }),
			"quiet: the last event came 2 days ago; the longest pause in a week was 60 min",
		},
		{
			"something signed came, and was not kept", but(last(2*day), func(s *stream.Sight) { s.Heard = noon.Add(-time.Minute) }),
			"flowing: the last event came 60 s ago",
		},

		// Lag.
		{"a little late", late(59*time.Second, 59*time.Second, time.Minute), "flowing: the last event came 1 s ago"},
		{
			"late, and less so", late(30*time.Minute, 31*time.Minute, time.Minute),
			"draining: events come 30 min late, caught up in about 30 min; 60 s less than 60 s ago",
		},
		{
			"late, and ten times as fast", late(time.Hour, time.Hour+18*time.Minute, 2*time.Minute),
			"draining: events come 60 min late, caught up in about 6 min; 18 min less than 2 min ago",
		},
		{"late, and more so", late(12*time.Minute, 11*time.Minute+20*time.Second, time.Minute), "falling behind: events come 12 min late, 40 s more than 60 s ago"},
		{"late, and the same", late(12*time.Minute, 12*time.Minute, time.Minute), "falling behind: events come 12 min late, as 60 s ago"},
		{"late, and hardly less so", late(12*time.Minute, 12*time.Minute+time.Second, time.Minute), "falling behind: events come 12 min late, as 60 s ago"},
		{
			"late, with nothing to compare", late(time.Hour, 0, time.Hour),
			"draining: events come 60 min late; it is too early to say for how long",
		},
		{
			"late, and what is compared came at the same time", late(time.Hour, 0, 0),
			"draining: events come 60 min late; it is too early to say for how long",
		},
		{
			"something old among what is new", late(2*time.Hour, 0, time.Minute),
			"draining: events come 2 h late; it is too early to say for how long",
		},
		{
			"late once, and silent since", but(late(time.Hour, time.Hour, time.Minute), func(s *stream.Sight) {
				s.Now, s.Kept = noon.Add(20*time.Minute), noon
			}), "quiet: the last event came 20 min ago",
		},

		// Refusals.
		{"one stranger between deliveries", refusing(last(5*time.Minute), 1), "quiet: the last event came 5 min ago"},
		{"many strangers between deliveries", refusing(last(5*time.Second), 100), "flowing: the last event came 5 s ago"},
		{
			"many refused, none kept", refusing(last(5*time.Minute), 34),
			"blocked: no event kept for 5 min; 34 refused (mismatch, from 192.0.2.7), the last 5 s ago",
		},
		{
			"one refused an hour, none kept", refusing(pause(last(2*time.Hour), time.Hour), 1),
			"blocked: no event kept for 2 h; 1 refused (mismatch, from 192.0.2.7), the last 5 s ago",
		},
		{
			"one refused, none kept ever", refusing(stream.Sight{Now: noon}, 1),
			"blocked: no event was ever kept; 1 refused (mismatch, from 192.0.2.7), the last 5 s ago",
		},
		{
			"not ready", but(last(time.Hour), func(s *stream.Sight) { s.Unready = "not ready: the disk is full" }),
			"blocked: no event kept for 60 min; trivia-hook is not ready: the disk is full",
		},
		{
			"signed requests that are answered 503", but(refusing(last(time.Hour), 50), func(s *stream.Sight) { s.Heard = noon }),
			"blocked: no event kept for 60 min; 50 refused (mismatch, from 192.0.2.7), the last 5 s ago",
		},
		{"one hook of two is not ready", but(last(time.Second), func(s *stream.Sight) { s.Unready = "the disk is full" }), "flowing: the last event came 1 s ago"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			if got := stream.Judge(tt.sight).Says("event", "events"); got != tt.want {
				t.Errorf("it says\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// TestNoSightIsTooStrange holds for whatever clocks and rows bring about.
func TestNoSightIsTooStrange(t *testing.T) {
	t.Parallel()

	times := []time.Time{{}, noon, noon.Add(-time.Minute), time.Unix(0, 0), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)}
	spans := []time.Duration{0, 1, -time.Hour, time.Hour, math.MaxInt64, math.MinInt64}
	for _, at := range times {
		for _, kept := range times {
			for _, lag := range spans {
				for _, before := range spans {
					j := stream.Judge(stream.Sight{
						Now: noon, Kept: kept, Pause: before, Limit: lag,
						Latest: stream.Sample{At: at, Lag: lag, N: 1}, Earlier: stream.Sample{At: kept, Lag: before, N: 1},
					})
					if j.Silence < 0 || j.Left < 0 {
						t.Errorf("kept %v, at %v, lag %v, before %v: silence %v, left %v", kept, at, lag, before, j.Silence, j.Left)
					}
				}
			}
		}
	}
}

func TestALagThatMakesNoSenseIsNone(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct {
		name     string
		occurred time.Time
		want     time.Duration
		ok       bool
	}{
		{"no time", time.Time{}, 0, false},
		{"at the same time", noon, 0, true},
		{"a second ago", noon.Add(-time.Second), time.Second, true},
		{"a week ago", noon.Add(-7 * 24 * time.Hour), 7 * 24 * time.Hour, true},
		{"more than a month ago", noon.Add(-31 * 24 * time.Hour), 0, false},
		{"in 1970", time.Unix(0, 0), 0, false},
		{"in 1970, nearly", time.Unix(1, 0), 0, false},
		{"a clock that is ahead", noon.Add(10 * time.Minute), 0, true},
		{"in two days", noon.Add(48 * time.Hour), 0, false},
		{"in the year 9999", time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), 0, false},
		{"before Christ", time.Date(-400, 1, 1, 0, 0, 0, 0, time.UTC), 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			if got, ok := stream.Lag(tt.occurred, noon); got != tt.want || ok != tt.ok {
				t.Errorf("Lag = %v, %v; want %v, %v", got, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestAPauseIsAskedForWhereItMatters(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct {
		name  string
		sight stream.Sight
		want  bool
	}{
		{"nothing ever", stream.Sight{Now: noon}, false},
		{"a moment ago", last(time.Minute), false},
		{"an hour ago", last(time.Hour), true},
		{"with a limit", but(last(time.Hour), func(s *stream.Sight) { s.Limit = time.Hour }), false},
	} {
		if got := tt.sight.NeedsPause(); got != tt.want {
			t.Errorf("%s: NeedsPause = %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestSpansAreSaidInTheirLargestUnit(t *testing.T) {
	t.Parallel()

	for d, want := range map[time.Duration]string{
		0: "less than 1 s", 119 * time.Second: "119 s", 2 * time.Minute: "2 min", 119 * time.Minute: "119 min",
		2 * time.Hour: "2 h", 47 * time.Hour: "47 h", 48 * time.Hour: "2 days",
	} {
		if got := stream.Span(d); got != want {
			t.Errorf("Span(%v) = %q, want %q", d, got, want)
		}
	}
	if got := stream.Ago(-time.Second); got != "just now" {
		t.Errorf("Ago of a clock ahead = %q", got)
	}
}
