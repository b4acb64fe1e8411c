package ctl

import (
	"testing"
	"time"
	_ "time/tzdata" // a bare machine has no time zones
)

func TestTimesAreReadAsPeopleWriteThem(t *testing.T) {
	t.Parallel()

	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 30, 9, 30, 0, 0, zone) // the day after the clocks went forward
	tests := []struct{ text, want string }{
		{"now", "2026-03-30T09:30:00+02:00"},
		{"today", "2026-03-30T00:00:00+02:00"},
		{"yesterday", "2026-03-29T00:00:00+01:00"},
		{" Today ", "2026-03-30T00:00:00+02:00"},
		{"2h", "2026-03-30T07:30:00+02:00"},
		{"90m", "2026-03-30T08:00:00+02:00"},
		{"1h30m", "2026-03-30T08:00:00+02:00"},
		{"0s", "2026-03-30T09:30:00+02:00"},
		{"1d", "2026-03-29T09:30:00+02:00"},
		{"1d12h", "2026-03-28T20:30:00+01:00"},
		{"2w", "2026-03-16T08:30:00+01:00"},
		{"1w1d1h", "2026-03-22T07:30:00+01:00"},
		{"2026-01-31", "2026-01-31T00:00:00+01:00"},
		{"2026-01-31 15:04", "2026-01-31T15:04:00+01:00"},
		{"2026-01-31T15:04", "2026-01-31T15:04:00+01:00"},
		{"2026-01-31 15:04:05", "2026-01-31T15:04:05+01:00"},
		{"2026-01-31T15:04:05Z", "2026-01-31T15:04:05Z"},
		{"2026-01-31T15:04:05.123456-08:00", "2026-01-31T15:04:05.123456-08:00"},
		{"1614265384", "2021-02-25T16:03:04+01:00"},
	}
	for _, tt := range tests {
		got, err := parseTime(tt.text, now)
		want, _ := time.Parse(time.RFC3339Nano, tt.want)
		if err != nil || !got.Equal(want) {
			t.Errorf("parseTime(%q) = %v, %v, want %v", tt.text, got, err, want)
		}
	}

	for _, text := range []string{
		"", " ", "soon", "tomorrow", "-2h", "+2h", "2", "0", "2026", "31.01.2026", "2026-02-30", "2026-13-01", "15:04",
		"1614265384000", "2h ago", "h", "d", "1d2w", "99999999d", "5000w", "900000h", "0000-01-01", "2026-01-31T25:00:00Z", "１h",
	} {
		if got, err := parseTime(text, now); err == nil {
			t.Errorf("parseTime(%q) = %v, want an error", text, got)
		}
	}
}

func TestRelativeTimesAreShort(t *testing.T) {
	t.Parallel()

	const day = 24 * time.Hour
	tests := []struct {
		ago  time.Duration
		want string
	}{
		{0, "now"},
		{999 * time.Millisecond, "now"},
		{time.Second, "1s ago"},
		{59 * time.Second, "59s ago"},
		{time.Minute, "1m ago"},
		{119 * time.Minute, "1h ago"},
		{47 * time.Hour, "47h ago"},
		{48 * time.Hour, "2d ago"},
		{30 * day, "30d ago"},
		{31 * day, "2026-04-03"},
		{-5 * time.Minute, "in 5m"},
		{-40 * day, "2026-06-13"},
	}
	for _, tt := range tests {
		if got := relative(noon.Add(-tt.ago), noon); got != tt.want || len(got) > 10 {
			t.Errorf("relative(%v ago) = %q, want %q", tt.ago, got, tt.want)
		}
	}
}

func FuzzParseTime(f *testing.F) {
	for _, text := range []string{"2h", "1w2d3h", "yesterday", "2026-01-31", "2026-01-31 15:04", "1614265384", "2026-01-31T15:04:05.1Z"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseTime(text, noon)
		if err != nil {
			return
		}
		if y := got.UTC().Year(); y < -200 || y > 10000 {
			t.Errorf("parseTime(%q) = %v, which no database has", text, got)
		}
		again, err := parseTime(got.Format(time.RFC3339Nano), noon)
		if err != nil || !again.Equal(got) {
			t.Errorf("parseTime(%q) = %v, which reads as %v, %v", text, got, again, err)
		}
	})
}
