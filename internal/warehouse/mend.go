package warehouse

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// A truster is a sink to which a payload is text. Of one that begins and ends as
// an object it is believed that it is one: it was found so when it was recorded,
// and looking again costs a quarter of all that there is to do for a row.
type truster interface{ trusts() bool }

// mend makes the payloads documents that a warehouse can read. What stands in
// events was found to be a JSON object when it was recorded; only its text may
// hold bytes that are no characters, and somebody may have altered it since.
func mend(events []Event, sink Sink) {
	t, ok := sink.(truster)
	trusting := ok && t.trusts()
	for i := range events {
		e := &events[i]
		if !utf8.ValidString(e.Payload) {
			e.Payload = strings.ToValidUTF8(e.Payload, "\uFFFD")
		}
		if e.Payload == "" || trusting && looksWhole(e.Payload) || json.Valid([]byte(e.Payload)) {
			continue
		}
		text, _ := json.Marshal(e.Payload) // text always marshals
		e.Payload, e.PayloadIsInvalid = string(text), true
	}
}

// looksWhole reports whether payload begins and ends as an object does.
func looksWhole(payload string) bool {
	payload = strings.TrimSpace(payload)

	return len(payload) >= 2 && payload[0] == '{' && payload[len(payload)-1] == '}'
}
