package ctl

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// errTime says what a time may look like.
var errTime = errors.New("want 2h, 3d, now, today, yesterday, 2026-01-31, 2026-01-31 15:04 or RFC 3339")

// layouts are the times of day that are read as those of the local clock.
var layouts = []string{
	"2006-01-02", "2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02T15:04:05",
}

// firstUnix and lastUnix bound what is read as Unix seconds, so that neither a
// year nor milliseconds are.
const (
	firstUnix = 100_000_000    // 1973
	lastUnix  = 99_999_999_999 // 5138
)

// parseTime reads a time as a person writes it: how long ago, a day, which
// means its first moment, or an instant. now says which zone is local.
func parseTime(text string, now time.Time) (time.Time, error) {
	midnight := func(days int) time.Time {
		return time.Date(now.Year(), now.Month(), now.Day()+days, 0, 0, 0, 0, now.Location())
	}

	word := strings.TrimSpace(text)
	switch strings.ToLower(word) {
	case "now":
		return now, nil
	case "today":
		return midnight(0), nil
	case "yesterday":
		return midnight(-1), nil
	}
	if ago, ok := parseAgo(word); ok {
		return now.Add(-ago), nil
	}
	if n, err := strconv.ParseInt(word, 10, 64); err == nil && firstUnix <= n && n <= lastUnix {
		return time.Unix(n, 0).In(now.Location()), nil
	}
	if t, err := time.Parse(time.RFC3339Nano, word); err == nil {
		return sane(t)
	}
	for _, layout := range layouts {
		if t, err := time.ParseInLocation(layout, word, now.Location()); err == nil {
			return sane(t)
		}
	}

	return time.Time{}, errTime
}

// sane refuses the years that the database cannot compare with ours.
func sane(t time.Time) (time.Time, error) {
	if t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}, errTime
	}

	return t, nil
}

// parseAgo reads what time.ParseDuration does, and days and weeks before it:
// 1w2d3h. Signs are refused: ago is backwards already.
func parseAgo(word string) (time.Duration, bool) {
	const (
		day  = 24 * time.Hour
		most = 80 * 365 * day // of each part: three of them still fit a Duration
	)

	var total time.Duration
	for _, unit := range []struct {
		letter string
		length time.Duration
	}{{"w", 7 * day}, {"d", day}} {
		number, rest, ok := strings.Cut(word, unit.letter)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(number, 10, 16)
		if err != nil || time.Duration(n) > most/unit.length {
			return 0, false
		}
		total += time.Duration(n) * unit.length
		if word = rest; word == "" {
			return total, true
		}
	}

	if word == "" || !unicode.IsDigit(rune(word[0])) {
		return 0, false
	}
	rest, err := time.ParseDuration(word)
	if err != nil || rest > most || word == "0" {
		return 0, false
	}

	return total + rest, true
}

// exact writes a time as machines read it.
//
// All have the same length, so that they sort as text and stand in columns.
func exact(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z07:00") }

// relative writes a time as a person would say it at now, in at most ten
// letters.
func relative(t, now time.Time) string {
	d := now.Sub(t)
	if d < 0 {
		if span := span(-d); span != "" {
			return "in " + span
		}
	} else if d < time.Second {
		return "now"
	} else if span := span(d); span != "" {
		return span + " ago"
	}

	return t.In(now.Location()).Format("2006-01-02")
}

// span writes up to 30 days in its largest unit, and nothing above.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	case d <= 30*24*time.Hour:
		return fmt.Sprintf("%dd", int(d.Hours()/24))
	}

	return ""
}
