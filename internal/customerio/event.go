package customerio

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"trivia/internal/trivia"
)

// maxWord is how many characters of an object type or a metric are kept. The
// longest documented one has 36, and an index has to hold both of them.
const maxWord = 64

// DecodeEvent reads the envelope of a reporting webhook. It is lenient, since
// the vendor's samples disagree with each other: numbers and strings stand for
// one another, object_type may be spelled object_type_type or be absent, and
// unknown words are kept. Only a body that is no JSON object, or that says no
// metric, cannot be used; the error is a [trivia.Unusable].
//
// The words of the event are valid UTF-8 without NUL, and cut to 64 characters
// (the whole word is in the body). The identifier is for [Key] to judge; it is
// empty if the body has none, and may be given beside an error.
func DecodeEvent(body []byte) (id string, ev trivia.Event, err error) {
	if err := checkObject(body); err != nil {
		return "", trivia.Event{}, err
	}

	var object, otherObject, metric []byte
	for name, value := range members(body) {
		switch string(name) {
		case "event_id":
			id = identity(value)
		case "object_type":
			object = value
		case "object_type_type":
			otherObject = value
		case "metric":
			metric = value
		case "timestamp":
			ev.At = seconds(loose(value))
		}
	}

	ev.Metric = clip(loose(metric), maxWord)
	if ev.ObjectType = clip(loose(object), maxWord); ev.ObjectType == "" {
		ev.ObjectType = clip(loose(otherObject), maxWord)
	}
	if ev.Metric == "" {
		return id, trivia.Event{}, noMetric(metric)
	}

	return id, ev, nil
}

func noMetric(raw []byte) error {
	switch {
	case len(raw) == 0:
		return trivia.Unusable("metric is missing")
	case raw[0] != '"':
		return trivia.Unusablef("metric is %s, want text", kindOf(raw))
	}

	return trivia.Unusable("metric is empty")
}

// identity returns what names an event. One that would not come out of its
// literal whole names it by the literal, or two events would become one.
func identity(raw []byte) string {
	if raw[0] != '"' {
		return loose(raw)
	}
	id := unquote(raw)
	if !exact(raw) || strings.ContainsRune(id, 0) {
		return string(raw)
	}

	return strings.TrimSpace(id)
}

// loose returns the text of a string or a number, trimmed and without what
// Postgres cannot hold in a text, and nothing for everything else.
func loose(raw []byte) string {
	switch {
	case len(raw) == 0:
		return ""
	case isNumber(raw):
		return string(raw)
	case raw[0] != '"':
		return ""
	}

	return strings.TrimSpace(strings.ReplaceAll(unquote(raw), "\x00", ""))
}

// clip cuts a text of more than most characters, and lets its last character
// say so.
func clip(text string, most int) string {
	if len(text) <= most || utf8.RuneCountInString(text) <= most {
		return text
	}

	n, end := 0, 0
	for end = range text {
		if n++; n == most {
			break
		}
	}

	return text[:end] + "…"
}

// seconds reads a Unix time, and returns the zero time for what cannot be one:
// most often milliseconds, which would lie beyond the year 9999.
func seconds(word string) time.Time {
	const lastSecond = 253402300799

	n, err := strconv.ParseFloat(word, 64)
	if err != nil || !(n >= 1 && n < lastSecond+1) {
		return time.Time{}
	}

	return time.Unix(int64(n), 0).UTC()
}
