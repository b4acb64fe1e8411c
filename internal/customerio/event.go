package customerio

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"trivia/internal/trivia"
)

// lastSecond is the end of the year 9999: a later time is a mistake, most
// often milliseconds.
const lastSecond = 253402300799

// DecodeEvent reads the envelope of a reporting webhook. It is lenient, since
// the vendor's samples disagree with each other: numbers and strings stand for
// one another, object_type may be spelled object_type_type or be absent, and
// unknown words are kept. Only a body that is no JSON object, or that says no
// metric, cannot be used; the error is a [trivia.Unusable]. The identifier is
// empty if the body has none.
func DecodeEvent(body []byte) (id string, ev trivia.Event, err error) {
	members, err := object(body)
	if err != nil {
		return "", trivia.Event{}, err
	}

	id = loose(members["event_id"])
	ev = trivia.Event{
		ObjectType: loose(members["object_type"]),
		Metric:     loose(members["metric"]),
		At:         seconds(loose(members["timestamp"])),
	}
	if ev.ObjectType == "" {
		ev.ObjectType = loose(members["object_type_type"])
	}
	if ev.Metric == "" {
		return id, ev, trivia.Unusable("event has no metric")
	}

	return id, ev, nil
}

// loose returns the text of a string or a number, trimmed and without what
// Postgres cannot hold in a text, and nothing for everything else.
func loose(raw json.RawMessage) string {
	if len(raw) == 0 {
		return ""
	}
	if isNumber(raw) {
		return string(raw)
	}
	if raw[0] != '"' {
		return ""
	}

	var word string
	if err := json.Unmarshal(raw, &word); err != nil {
		return ""
	}
	if bytes.Contains(raw, []byte(`\u0000`)) {
		word = strings.ReplaceAll(word, "\x00", "")
	}

	return strings.TrimSpace(word)
}

func seconds(word string) time.Time {
	n, err := strconv.ParseFloat(word, 64)
	if err != nil || !(n > 0 && n <= lastSecond) {
		return time.Time{}
	}

	return time.Unix(int64(n), 0).UTC()
}
