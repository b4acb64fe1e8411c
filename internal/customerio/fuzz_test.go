package customerio_test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"trivia/internal/customerio"
	"trivia/internal/trivia"
)

// seeds are bodies that lie at the borders of what is JSON, and of what is a
// win or an event.
func seeds(f *testing.F) [][]byte {
	f.Helper()

	bodies := [][]byte{
		nil, []byte("null"), []byte("[]"), []byte("{}"), []byte("{\"a\":1}x"), []byte("\uFEFF{}"), []byte("\xff"),
		[]byte(`{"user_id":"u1","trivia_id":"t1","item":"gem"}`),
		[]byte(` { "user_id" : 17 , "trivia_id" : -1.5 , "item" : "\ud83c\udf89\u0000" } `),
		[]byte(`{"user_id":"\ud800","trivia_id":1e3,"item":null,"item":"\"}]\\"}`),
		[]byte(`{"a":[{"}":"]"},"\\\"{"],"us\u0065r_id":"u1","b":true,"c":{"item":"x"},"item":{}}`),
		[]byte(`{"event_id":"e\u0000","object_type_type":"email","metric":"\udc00 ","timestamp":"1767225661.5"}`),
		[]byte(`{"metric":"m","data":{"identifiers":{"id":"\u0000","cio_id":"c","email":"a@b"},"customer_id":1e3,"recipients":[[],{"failure_message":"x"}]}}`),
		[]byte(`{"metric":"m","data":{"identifiers":{"\u0069d":" u\/1 "},"machine":"TRUE","link_id":-0.5,"recipients":[1,"]",{}]}}`),
		[]byte("{\"metric\":\"m\",\"object_type\":\"email\",\"data\":{\"identifiers\":{\"id\":\"\xff\"},\"recipient\":\"a\\u0040b\",\"href\":\"\\ud800\"}}"),
		[]byte("{\"event_id\":\"\xff\",\"object_type\":5,\"metric\":\"" + strings.Repeat("é", 70) + "\",\"timestamp\":1e999}"),
	}
	for _, ev := range samples(f) {
		bodies = append(bodies, ev.Payload)
	}

	return bodies
}

// FuzzDecodeAction holds that a win is taken only if it can be kept as it is
// and is the one that a plain decoder finds, and that reasons blame the body
// only where that decoder does.
func FuzzDecodeAction(f *testing.F) {
	for _, body := range seeds(f) {
		f.Add(body)
	}

	f.Fuzz(func(t *testing.T, body []byte) {
		win, err := customerio.DecodeAction(body)
		if err != nil {
			checkReason(t, err)
			ofBody := strings.HasPrefix(err.Error(), "body ")
			if usable := utf8.Valid(body) && isObject(body); usable == ofBody || win != (trivia.Win{}) {
				t.Fatalf("DecodeAction(%q) = %+v, %v", body, win, err)
			}

			return
		}

		if err := win.Check(); err != nil {
			t.Fatalf("DecodeAction(%q) took %+v: %v", body, win, err)
		}
		for _, word := range []string{string(win.User), string(win.Trivia), string(win.Item)} {
			if !storable(word) {
				t.Fatalf("DecodeAction(%q) took %q, which cannot be kept", body, word)
			}
		}
		members := plainMembers(t, body)
		plain := trivia.Win{
			User:   trivia.UserID(plainText(t, members["user_id"])),
			Trivia: trivia.ID(plainText(t, members["trivia_id"])),
			Item:   trivia.Item(plainText(t, members["item"])),
		}
		if win != plain {
			t.Fatalf("DecodeAction(%q) = %+v, want %+v", body, win, plain)
		}
	})
}

// FuzzDecodeEvent holds that nothing but a body without a metric is refused,
// and that what is taken can be kept and indexed.
func FuzzDecodeEvent(f *testing.F) {
	for _, body := range seeds(f) {
		f.Add(body)
	}

	f.Fuzz(func(t *testing.T, body []byte) {
		id, ev, err := customerio.DecodeEvent(body)
		if key := customerio.Key(sha256.Sum256(body), id); !keepable(key) {
			t.Fatalf("DecodeEvent(%q) has the key %q, which cannot be kept", body, key)
		}
		if err != nil {
			checkReason(t, err)
			ofBody := strings.HasPrefix(err.Error(), "body ")
			if isObject(body) == ofBody || ev != (trivia.Event{}) {
				t.Fatalf("DecodeEvent(%q) = %+v, %v", body, ev, err)
			}

			return
		}

		checkWords(t, body, ev)
		if ev.Metric == "" || !ev.At.IsZero() && (ev.At.Year() < 1970 || ev.At.Year() > 9999) {
			t.Fatalf("DecodeEvent(%q) = %+v", body, ev)
		}
		// Where a plain decoder sees ordinary words, they are the same.
		members := plainMembers(t, body)
		if plain := plainText(t, members["metric"]); plainWord(plain) && ev.Metric != plain {
			t.Fatalf("DecodeEvent(%q): metric %q, want %q", body, ev.Metric, plain)
		}
		if plain := plainText(t, members["event_id"]); plainWord(plain) && id != plain {
			t.Fatalf("DecodeEvent(%q): id %q, want %q", body, id, plain)
		}
		checkPerson(t, body, ev)
	})
}

// checkWords holds that every word of an event can be kept, and indexed where
// it is.
func checkWords(t *testing.T, body []byte, ev trivia.Event) {
	t.Helper()

	for most, words := range map[int][]string{
		64: {ev.ObjectType, ev.Metric},
		255: {
			ev.Email, ev.CioID, ev.DeliveryID, ev.Campaign, ev.Broadcast, ev.Newsletter, ev.Action, ev.Transactional,
			ev.Template, ev.Link,
		},
		512:  {ev.Person, ev.CustomerID, ev.Response},
		2048: {ev.Href, ev.Failure},
	} {
		for _, word := range words {
			if !storable(word) || utf8.RuneCountInString(word) > most || word != "" && strings.TrimSpace(word) == "" {
				t.Fatalf("DecodeEvent(%q) took the word %q", body, word)
			}
		}
	}
	if len(ev.Person) > 504 || len(ev.CustomerID) > 500 {
		t.Fatalf("DecodeEvent(%q): person %q is too long for an index", body, ev.Person)
	}
}

// checkPerson holds that an event is about whom a plain decoder finds, cleaned
// and otherwise letter by letter, or about nobody.
func checkPerson(t *testing.T, body []byte, ev trivia.Event) {
	t.Helper()

	var envelope, data, ids map[string]json.RawMessage
	_ = json.Unmarshal(body, &envelope)
	_ = json.Unmarshal(envelope["data"], &data)
	_ = json.Unmarshal(data["identifiers"], &ids)
	clean := func(raw json.RawMessage) string { return trivia.Clean(plainText(t, raw)) }
	id, customer, cio := clean(ids["id"]), clean(data["customer_id"]), clean(ids["cio_id"])
	emails := []string{clean(ids["email"]), clean(data["email_address"]), clean(data["recipient"])}

	all := append([]string{"", id, customer, "cio_" + cio}, emails...)
	if !slices.Contains(all, ev.Person) || !slices.Contains(all[:3], ev.CustomerID) {
		t.Fatalf("DecodeEvent(%q) is about %q, %q, want one of %q", body, ev.Person, ev.CustomerID, all)
	}

	want := ""
	switch {
	case plainWord(id):
		want = id
	case id == "" && plainWord(cio):
		want = "cio_" + cio
	case id == "" && cio == "" && plainWord(customer):
		want = customer
	}
	numeric := strings.Trim(want, "0123456789+-.eE") == "" && (strings.ContainsAny(want, "eE.") || want == "-0") // may have been rounded
	if want != "" && !numeric && ev.Person != want {
		t.Fatalf("DecodeEvent(%q) is about %q, want %q", body, ev.Person, want)
	}
}

// FuzzKey holds that every key can be kept, and that names that cannot be kept
// themselves stay apart.
func FuzzKey(f *testing.F) {
	f.Add("k1", "d1")
	f.Add("", "a\x00")
	f.Add("\xff", strings.Repeat("é", 256))

	body := sha256.Sum256([]byte("a body"))

	f.Fuzz(func(t *testing.T, a, b string) {
		keyA, keyB := customerio.Key(body, a), customerio.Key(body, b)
		if !keepable(keyA) || !keepable(keyB) {
			t.Fatalf("Key(%q) = %q, Key(%q) = %q: cannot be kept", a, keyA, b, keyB)
		}
		if (a == b) != (keyA == keyB) {
			t.Fatalf("Key(%q) = %q, Key(%q) = %q", a, keyA, b, keyB)
		}
		if first := customerio.Key(body, "", a, b); a != "" && first != keyA {
			t.Fatalf("Key(%q, %q) = %q, want %q", a, b, first, keyA)
		}
	})
}

func keepable(key string) bool {
	n := utf8.RuneCountInString(key)

	return storable(key) && n >= 1 && n <= 255
}

// checkReason holds that an error is for a person to read, and can be kept.
func checkReason(t *testing.T, err error) {
	t.Helper()

	reason, ok := errors.AsType[trivia.Unusable](err)
	if !ok || reason == "" || len(reason) > 200 || !storable(string(reason)) {
		t.Fatalf("the reason is %#v", err)
	}
}

// isObject reports whether encoding/json takes body for an object.
func isObject(body []byte) bool {
	var members map[string]json.RawMessage

	return json.Unmarshal(body, &members) == nil && members != nil
}

// plainMembers splits a body as encoding/json does.
func plainMembers(t *testing.T, body []byte) map[string]json.RawMessage {
	t.Helper()

	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil || members == nil {
		t.Fatalf("%q was taken for an object: %v", body, err)
	}

	return members
}

// plainText returns a text or a number as encoding/json reads it.
func plainText(t *testing.T, raw json.RawMessage) string {
	t.Helper()

	if len(raw) == 0 || !strings.ContainsRune(`"-0123456789`, rune(raw[0])) {
		return ""
	}
	if raw[0] != '"' {
		return string(raw)
	}
	var word string
	if err := json.Unmarshal(raw, &word); err != nil {
		t.Fatal(err)
	}

	return word
}

// plainWord reports whether nothing about word needs leniency.
func plainWord(word string) bool {
	return word != "" && len(word) <= 64 && storable(word) && !strings.ContainsRune(word, utf8.RuneError) &&
		strings.TrimSpace(word) == word
}
