package customerio

import (
	"trivia/internal/trivia"
)

// How many characters of a word are kept. What is longer is in the body.
const (
	maxWord     = 64 // of an object type or a metric: the longest documented one has 36
	maxName     = 255
	maxResponse = 512
	maxText     = 2048 // of an address or a message
)

// An envelope is what surrounds the data of an event, as it is written.
type envelope struct {
	id, object, otherObject, metric, timestamp, data []byte
}

// DecodeEvent reads a reporting webhook. It is lenient, since the vendor's
// samples disagree with each other: numbers and strings stand for one another,
// object_type may be spelled object_type_type or be absent, anything in the
// data may be missing, blank or of another kind, and unknown words are kept.
// The last of several equal names counts. Only a body that is no JSON object,
// or that says no metric, cannot be used; the error is a [trivia.Unusable].
//
// The words of the event are valid UTF-8 without NUL and are cut where they
// are too long for what they are (the whole word is in the body). Person and
// CustomerID are never cut or mended: see [eventData.person]. The identifier
// is for [Key] to judge; it is empty if the body has none, and may be given
// beside an error.
func DecodeEvent(body []byte) (id string, ev trivia.Event, err error) {
	if err := checkObject(body); err != nil {
		return "", trivia.Event{}, err
	}

	var top envelope
	for name, value := range members(body) {
		switch string(name) {
		case "event_id":
			top.id = value
		case "object_type":
			top.object = value
		case "object_type_type":
			top.otherObject = value
		case "metric":
			top.metric = value
		case "timestamp":
			top.timestamp = value
		case "data":
			top.data = value
		}
	}

	var words scribe
	words.expect(len(body))
	id = words.identity(top.id)
	metric := words.word(top.metric, maxWord)
	if metric == "" {
		return id, trivia.Event{}, noMetric(top.metric)
	}
	object := words.word(top.object, maxWord)
	if object == "" {
		object = words.word(top.otherObject, maxWord)
	}

	ev = trivia.Event{ObjectType: object, Metric: metric, At: seconds(wordOf(top.timestamp))}
	if len(top.data) > 0 && top.data[0] == '{' {
		var data eventData
		data.read(top.data)
		data.fill(&ev, &words)
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
