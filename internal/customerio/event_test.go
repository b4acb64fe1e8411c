package customerio_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/customerio"
	"trivia/internal/trivia"
)

var update = flag.Bool("update", false, "write the golden file anew")

// The golden file has every word of every documented event; a word that is not
// there is empty.
func TestDecodeEventReadsTheSamples(t *testing.T) {
	t.Parallel()

	var all strings.Builder
	for _, sample := range samples(t) {
		id, ev, err := customerio.DecodeEvent(sample.Payload)
		if err != nil {
			t.Errorf("%s %s: %v", sample.ObjectType, sample.Metric, err)
		}
		fmt.Fprintf(&all, "%s %s\n\tid: %s\n", sample.ObjectType, sample.Metric, id)
		words := reflect.ValueOf(ev)
		for i, field := range reflect.VisibleFields(words.Type()) {
			if word := words.Field(i); !word.IsZero() {
				fmt.Fprintf(&all, "\t%s: %v\n", field.Name, word)
			}
		}
	}

	const file = "testdata/events.golden"
	if *update {
		if err := os.WriteFile(file, []byte(all.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), all.String()); diff != "" {
		t.Errorf("%s (-want +got; go test -update writes it anew):\n%s", file, diff)
	}
}

// documentedMetrics are all pairs that the vendor documents, and those that can
// be subscribed to without a documented payload.
const documentedMetrics = `
	customer: subscribed unsubscribed cio_subscription_preferences_changed
	email: subscribed unsubscribed cio_subscription_preferences_changed
		drafted attempted sent delivered opened clicked converted bounced dropped spammed failed undeliverable deferred
	push: drafted attempted delivered sent opened clicked converted bounced dropped failed undeliverable
	in_app: subscribed unsubscribed cio_subscription_preferences_changed
		drafted attempted sent opened clicked converted failed undeliverable
	sms: drafted attempted sent delivered clicked converted bounced failed undeliverable replied dropped
	slack: drafted attempted sent clicked failed undeliverable converted
	webhook: drafted attempted sent clicked failed undeliverable converted
	whatsapp: drafted attempted sent delivered opened clicked converted bounced dropped failed undeliverable replied
	carrier_pigeon: landed
`

func TestDecodeEventReadsEveryDocumentedPair(t *testing.T) {
	t.Parallel()

	object, pairs := "", 0
	for word := range strings.FieldsSeq(documentedMetrics) {
		if name, ok := strings.CutSuffix(word, ":"); ok {
			object = name
			continue
		}
		pairs++
		want := trivia.Event{ObjectType: object, Metric: word, At: time.Unix(1767225661, 0).UTC()}

		for _, spelling := range []string{"object_type", "object_type_type"} {
			body := fmt.Sprintf(`{"event_id":"01JZ","%s":"%s","metric":"%s","timestamp":1767225661,`+
				`"data":{"metric":"other","content":"{\"metric\":\"other\"}","recipients":[{"device_id":"d"}]}}`, spelling, object, word)

			id, got, err := customerio.DecodeEvent([]byte(body))
			if err != nil || id != "01JZ" || got != want {
				t.Errorf("DecodeEvent(%s) = %q, %+v, %v, want 01JZ, %+v", body, id, got, err, want)
			}
		}
	}
	if pairs != 79 {
		t.Errorf("looked at %d pairs, want 79", pairs)
	}
}

func TestDecodeEventIsLenient(t *testing.T) {
	t.Parallel()

	at := time.Unix(1767225661, 0).UTC()
	long := strings.Repeat("é", 64)

	tests := []struct {
		name, body string
		id         string
		want       trivia.Event
	}{
		{"only a metric", `{"metric":"sent"}`, "", trivia.Event{Metric: "sent"}},
		{"no data, null and wrong data", `{"metric":"sent","data":null,"data":[1]}`, "", trivia.Event{Metric: "sent"}},
		{
			"members in another order", `{"data":{"event_id":"x"},"timestamp":1767225661,"metric":"sent","object_type":"email","event_id":"e"}`,
			"e",
			trivia.Event{ObjectType: "email", Metric: "sent", At: at},
		},
		{"all of it null", `{"event_id":null,"object_type":null,"timestamp":null,"metric":"sent","data":null}`, "", trivia.Event{Metric: "sent"}},
		{"other kinds of value", `{"event_id":["e"],"object_type":{"a":1},"timestamp":true,"metric":"sent"}`, "", trivia.Event{Metric: "sent"}},

		{"the id a number", `{"event_id":12345678901234567890,"metric":"sent"}`, "12345678901234567890", trivia.Event{Metric: "sent"}},
		{"the id blank", `{"event_id":"  ","metric":"sent"}`, "", trivia.Event{Metric: "sent"}},
		{"words as numbers", `{"object_type":1,"metric":2}`, "", trivia.Event{ObjectType: "1", Metric: "2"}},
		{"words with spaces around them", `{"event_id":" e\n","object_type":" email","metric":"sent\t"}`, "e", trivia.Event{ObjectType: "email", Metric: "sent"}},
		{"words with a NUL", `{"object_type":"e\u0000mail","metric":"\u0000sent\u0000 "}`, "", trivia.Event{ObjectType: "email", Metric: "sent"}},
		{"words with half a pair", `{"object_type":"a\ud83c","metric":"\udf89b"}`, "", trivia.Event{ObjectType: "a\uFFFD", Metric: "\uFFFDb"}},
		{"words that are not valid UTF-8", "{\"object_type\":\"a\xff\",\"metric\":\"b\",\"data\":{\"\xfe\":\"\xfd\"}}", "", trivia.Event{ObjectType: "a\uFFFD", Metric: "b"}},
		{"words with escapes", `{"object_type":"e\u006dail","metr\u0069c":"caf\u00e9 \ud83c\udf89"}`, "", trivia.Event{ObjectType: "email", Metric: "café 🎉"}},
		{"as long as words may be", `{"object_type":"` + long + `","metric":"` + long + `"}`, "", trivia.Event{ObjectType: long, Metric: long}},
		{
			"longer", `{"object_type":"` + long + `é","metric":"` + strings.Repeat("9", 1000) + `"}`, "",
			trivia.Event{ObjectType: strings.Repeat("é", 63) + "…", Metric: strings.Repeat("9", 63) + "…"},
		},
		{"a number of a thousand digits", `{"metric":` + strings.Repeat("9", 1000) + `}`, "", trivia.Event{Metric: strings.Repeat("9", 63) + "…"}},

		{"object_type_type beside a blank object_type", `{"object_type":" ","object_type_type":"email","metric":"sent"}`, "", trivia.Event{ObjectType: "email", Metric: "sent"}},
		{"object_type before object_type_type", `{"object_type_type":"in_app","object_type":"customer","metric":"sent"}`, "", trivia.Event{ObjectType: "customer", Metric: "sent"}},
		{"names in another case are other names", `{"metric":"sent","Metric":"x","METRIC":"y","Event_ID":"z"}`, "", trivia.Event{Metric: "sent"}},
		{"the last of several equal names", `{"metric":"x","event_id":"d","event_id":"e","metric":"sent"}`, "e", trivia.Event{Metric: "sent"}},

		{"the time as text", `{"metric":"sent","timestamp":" 1767225661 "}`, "", trivia.Event{Metric: "sent", At: at}},
		{"the time with a fraction", `{"metric":"sent","timestamp":1767225661.9}`, "", trivia.Event{Metric: "sent", At: at}},
		{"the time with an exponent", `{"metric":"sent","timestamp":1.767225661e9}`, "", trivia.Event{Metric: "sent", At: at}},
		{"the time in milliseconds", `{"metric":"sent","timestamp":1767225661000}`, "", trivia.Event{Metric: "sent"}},
		{"the last second of 9999", `{"metric":"sent","timestamp":253402300799}`, "", trivia.Event{Metric: "sent", At: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)}},
		{"the second after it", `{"metric":"sent","timestamp":253402300800}`, "", trivia.Event{Metric: "sent"}},
		{"the time 0", `{"metric":"sent","timestamp":0}`, "", trivia.Event{Metric: "sent"}},
		{"the time nearly 0", `{"metric":"sent","timestamp":0.5}`, "", trivia.Event{Metric: "sent"}},
		{"a negative time", `{"metric":"sent","timestamp":-1767225661}`, "", trivia.Event{Metric: "sent"}},
		{"no number at all", `{"metric":"sent","timestamp":"NaN"}`, "", trivia.Event{Metric: "sent"}},
		{"infinity", `{"metric":"sent","timestamp":"inf"}`, "", trivia.Event{Metric: "sent"}},
		{"a number beyond all bounds", `{"metric":"sent","timestamp":1e999}`, "", trivia.Event{Metric: "sent"}},
		{"a date", `{"metric":"sent","timestamp":"2026-01-01T00:01:01Z"}`, "", trivia.Event{Metric: "sent"}},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			id, got, err := customerio.DecodeEvent([]byte(tt.body))
			if err != nil || id != tt.id || got != tt.want {
				t.Errorf("DecodeEvent(%s) = %q, %+v, %v, want %q, %+v", tt.body, id, got, err, tt.id, tt.want)
			}
		})
	}
}

func TestDecodeEventRefuses(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name, body string
		id         string
		want       trivia.Unusable
	}{
		{"nothing", "", "", "body is empty"},
		{"null", "null", "", "body is null, want an object"},
		{"an array of events", `[{"event_id":"e","metric":"sent"}]`, "", "body is an array, want an object"},
		{"cut off", `{"event_id":"e","metric":"se`, "", "body is cut off after byte 28"},
		{"deeply nested", `{"metric":"sent","data":` + strings.Repeat(`{"a":`, 20_000), "", "body is nested too deeply, at byte 50020"},
		{"trailing text", `{"event_id":"e","metric":"sent"}{`, "", "body is not JSON: invalid character '{' after top-level value, at byte 33"},
		{"a byte order mark", "\uFEFF{}", "", "body starts with a byte order mark, want {"},
		{"binary", "\x1f\x8b\x08", "", `body is not JSON: invalid character '\x1f' looking for beginning of value, at byte 1`},
		{"binary, high bytes", "\xff\xfe", "", "body is not JSON: invalid character 'ÿ' looking for beginning of value, at byte 1"},
		{"a NUL", "{\"metric\":\"se\x00nt\"}", "", `body is not JSON: invalid character '\x00' in string literal, at byte 14`},

		{"no metric", `{"event_id":"e","object_type":"email"}`, "e", "metric is missing"},
		{"metric null", `{"event_id":"e","metric":null}`, "e", "metric is null, want text"},
		{"metric an object", `{"event_id":"e","metric":{}}`, "e", "metric is an object, want text"},
		{"metric empty", `{"event_id":"e","metric":""}`, "e", "metric is empty"},
		{"metric blank", `{"event_id":"e","metric":" \u0000 "}`, "e", "metric is empty"},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			id, ev, err := customerio.DecodeEvent([]byte(tt.body))
			if got, ok := errors.AsType[trivia.Unusable](err); !ok || got != tt.want {
				t.Errorf("DecodeEvent(%.100q) = %v, want %q", tt.body, err, tt.want)
			}
			if id != tt.id || ev != (trivia.Event{}) {
				t.Errorf("DecodeEvent(%.100q) = %q, %+v beside its error, want %q and no event", tt.body, id, ev, tt.id)
			}
		})
	}
}

// Two events must not share a row because what tells their identifiers apart
// cannot be kept.
func TestDecodeEventKeepsIdentifiersApart(t *testing.T) {
	t.Parallel()

	literals := []string{
		`"a"`, `"a\u0000"`, `"\u0000a"`, `"a\u0000\u0000"`,
		`"a\uFFFD"`, `"a\ud800"`, `"a\ud801"`, "\"a\xff\"", "\"a\xfe\"",
		`"` + strings.Repeat("a", 255) + `"`, `"` + strings.Repeat("a", 256) + `"`, `"` + strings.Repeat("a", 257) + `"`,
	}

	seen := make(map[string]string, len(literals))
	for _, literal := range literals {
		id, _, err := customerio.DecodeEvent([]byte(`{"metric":"sent","event_id":` + literal + `}`))
		if err != nil {
			t.Fatal(err)
		}
		key := customerio.Key(sha256.Sum256(nil), id)
		if !storable(key) || key == "" || utf8.RuneCountInString(key) > 255 {
			t.Errorf("event_id %s has the key %q, which cannot be kept", literal, key)
		}
		if other, ok := seen[key]; ok {
			t.Errorf("event_ids %s and %s share the key %q", literal, other, key)
		}
		seen[key] = literal
	}
}

// A sampleEvent is one of the vendor's documented events.
type sampleEvent struct {
	ObjectType string          `json:"object_type"`
	Metric     string          `json:"metric"`
	Payload    json.RawMessage `json:"payload"`
}

func samples(tb testing.TB) []sampleEvent {
	tb.Helper()

	text, err := os.ReadFile("testdata/reporting-events.json")
	if err != nil {
		tb.Fatal(err)
	}
	var events []sampleEvent
	if err := json.Unmarshal(text, &events); err != nil {
		tb.Fatal(err)
	}
	if len(events) == 0 {
		tb.Fatal("there are no samples")
	}

	return events
}

// sample returns the body of one of them as it is sent, without white space.
func sample(tb testing.TB, object, metric string) []byte {
	tb.Helper()

	for _, ev := range samples(tb) {
		if ev.ObjectType == object && ev.Metric == metric {
			var body bytes.Buffer
			if err := json.Compact(&body, ev.Payload); err != nil {
				tb.Fatal(err)
			}

			return body.Bytes()
		}
	}
	tb.Fatalf("there is no sample of %s %s", object, metric)

	return nil
}
