package warehouse_test

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"trivia/internal/warehouse"
)

func TestPayloadsAreMadeDocuments(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name, payload, want string
		invalid             bool
	}{
		{"an object", `{"a":1}`, `{"a":1}`, false},
		{"an object with space around it", " {\"a\":1}\n", " {\"a\":1}\n", false},
		{"nothing", "", "", false},
		{"bytes that are no text", "{\"a\":\"\xff\"}", `{"a":"` + "\uFFFD" + `"}`, false},
		{"something else in JSON", `[1]`, `[1]`, false},
		{"no JSON", `oops "x"`, `"oops \"x\""`, true},
		{"space", " ", `" "`, true},
		{"an object with a line break in a text", "{\"a\":\"\n\"}", `"{\"a\":\"\n\"}"`, true},
		{"half of an object", `{"a":`, `"{\"a\":"`, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			events := []warehouse.Event{{Payload: tt.payload}}
			warehouse.Mend(events, false)
			if got := events[0]; got.Payload != tt.want || got.PayloadIsInvalid != tt.invalid {
				t.Errorf("mend(%q) = %q, %t, want %q, %t", tt.payload, got.Payload, got.PayloadIsInvalid, tt.want, tt.invalid)
			}
		})
	}
}

func FuzzMend(f *testing.F) {
	for _, seed := range []string{"", "{}", `{"a":1}`, "x", "\xff", "{\xff}", "{", `"a"`, "[1", "\x00"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		events := []warehouse.Event{{Payload: string(body)}}
		warehouse.Mend(events, false)
		if got := events[0].Payload; !utf8.ValidString(got) || got != "" && !json.Valid([]byte(got)) {
			t.Errorf("mend(%q) = %q, which is no text or no JSON", body, got)
		}

		events = []warehouse.Event{{Payload: string(body)}}
		warehouse.Mend(events, true)
		got := events[0].Payload
		if !utf8.ValidString(got) {
			t.Errorf("mend(%q) of text = %q, which is no text", body, got)
		}
		if json.Valid(body) && utf8.Valid(body) && got != string(body) {
			t.Errorf("mend(%q) of text = %q, want it as it was", body, got)
		}
	})
}
