package signature_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"trivia/internal/signature"
)

// vectors are the published one and our own, each computed twice with two
// other tools.
var vectors = []struct{ name, key, stamp, body, sig string }{
	{
		"the published vector", "signing-secret", "1614265384",
		`{"event_id":"abc","object_type":"email","metric":"delivered"}`,
		"6f55cf23f9b73a2ff07733fe04421f64ce9ec5e409696edda6b2a80311944230",
	},
	{
		"an empty body", "whsec_test_key_1", "1700000000", "",
		"15520c40b8711af31756c55d5166f4bd80431fcddf05843e8640d8253646e95e",
	},
	{
		"a body beyond ASCII", "whsec_test_key_1", "1735689600", `{"name":"Zoë 漢字 🎉","prize":"café"}`,
		"c38b971a1091540fc9505a57f443063608670a3f4eadb983ca6de00ea5b75d21",
	},
	{
		"a key beyond ASCII", "clé-secrète-🔑", "1735689600", `{"a":1}`,
		"7a273c20350bfafb1483dc9aef0e0de441e3c7396a425ae274d434f62be82f8e",
	},
}

func newKey(tb testing.TB, text string) signature.Key {
	tb.Helper()

	key, err := signature.NewKey(text)
	if err != nil {
		tb.Fatalf("NewKey(%q): %v", text, err)
	}

	return key
}

func TestSignMatchesTheVectors(t *testing.T) {
	t.Parallel()

	for _, tt := range vectors {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			if got := signature.Sign(newKey(t, tt.key), tt.stamp, []byte(tt.body)); got != tt.sig {
				t.Errorf("Sign(%q, %q) = %s, want %s", tt.stamp, tt.body, got, tt.sig)
			}
		})
	}
}

func TestVerifyAcceptsTheVectors(t *testing.T) {
	t.Parallel()

	for _, tt := range vectors {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			key := newKey(t, tt.key)
			v := signature.Verifier{Keys: []signature.Key{newKey(t, "another"), key}}

			got, err := v.Verify(time.Time{}, tt.stamp, []byte(tt.body), tt.sig)
			if err != nil || got != key {
				t.Errorf("Verify(%q, %q) = %v, %v; want %v, nil", tt.stamp, tt.body, got, err, key)
			}
		})
	}
}

func TestVerifyRefusesNearMisses(t *testing.T) {
	t.Parallel()

	var (
		v    = vectors[0]
		live = newKey(t, v.key)
		old  = newKey(t, "the key before")
		keys = []signature.Key{live}
		flip = "7" + v.sig[1:]
	)

	tests := []struct {
		name             string
		keys             []signature.Key
		stamp, body, sig string
		want             string // the reason; empty if it is accepted
	}{
		{"the published vector", keys, v.stamp, v.body, v.sig, ""},
		{"while rotating, the old key first", []signature.Key{old, live}, v.stamp, v.body, v.sig, ""},
		{"while rotating, the old key last", []signature.Key{live, old}, v.stamp, v.body, v.sig, ""},
		{"the same key twice", []signature.Key{live, live}, v.stamp, v.body, v.sig, ""},
		{"uppercase hex", keys, v.stamp, v.body, strings.ToUpper(v.sig), ""},

		{"no key at all", nil, v.stamp, v.body, v.sig, signature.ReasonMismatch},
		{"another key", []signature.Key{old}, v.stamp, v.body, v.sig, signature.ReasonMismatch},
		{"the key with a space", []signature.Key{newKey(t, v.key+" ")}, v.stamp, v.body, v.sig, signature.ReasonMismatch},
		{"no timestamp", keys, "", v.body, v.sig, signature.ReasonNoTimestamp},
		{"a leading zero", keys, "0" + v.stamp, v.body, v.sig, signature.ReasonMismatch},
		{"a sign", keys, "+" + v.stamp, v.body, v.sig, signature.ReasonMismatch},
		{"a space behind the timestamp", keys, v.stamp + " ", v.body, v.sig, signature.ReasonMismatch},
		{"another second", keys, "1614265385", v.body, v.sig, signature.ReasonMismatch},
		{"no signature", keys, v.stamp, v.body, "", signature.ReasonNoSignature},
		{"half a signature", keys, v.stamp, v.body, v.sig[:32], signature.ReasonBadSignature},
		{"a digit too few", keys, v.stamp, v.body, v.sig[:63], signature.ReasonBadSignature},
		{"a digit too many", keys, v.stamp, v.body, v.sig + "0", signature.ReasonBadSignature},
		{"one digit changed", keys, v.stamp, v.body, flip, signature.ReasonMismatch},
		{"the last digit changed", keys, v.stamp, v.body, v.sig[:63] + "1", signature.ReasonMismatch},
		{"no hex", keys, v.stamp, v.body, "g" + v.sig[1:], signature.ReasonBadSignature},
		{"a prefix", keys, v.stamp, v.body, "v0=" + v.sig, signature.ReasonBadSignature},
		{"a prefix in place of digits", keys, v.stamp, v.body, "v0=" + v.sig[3:], signature.ReasonBadSignature},
		{"a space around", keys, v.stamp, v.body, " " + v.sig, signature.ReasonBadSignature},
		{"two signatures", keys, v.stamp, v.body, v.sig + "," + v.sig, signature.ReasonBadSignature},
		{"no body", keys, v.stamp, "", v.sig, signature.ReasonMismatch},
		{"a newline behind the body", keys, v.stamp, v.body + "\n", v.sig, signature.ReasonMismatch},
		{"the body printed anew", keys, v.stamp, strings.ReplaceAll(v.body, ":", ": "), v.sig, signature.ReasonMismatch},
		{
			"the border moved into the body", keys,
			v.stamp + `:{"event_id"`, strings.TrimPrefix(v.body, `{"event_id":`), v.sig, signature.ReasonBadTimestamp,
		},
		{
			"the body signed alone, as many do", keys, v.stamp, v.body,
			"48a2c707557630ccb0c523c3187c8617805c8ff7958b50de5fbeb0ee36b3ddca", signature.ReasonMismatch,
		},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			_, err := signature.Verifier{Keys: tt.keys}.Verify(time.Time{}, tt.stamp, []byte(tt.body), tt.sig)
			checkRefusal(t, err, tt.want)
		})
	}
}

// checkRefusal fails t unless err is a refusal with reason, or nil for none.
func checkRefusal(t *testing.T, err error, reason string) {
	t.Helper()

	if reason == "" {
		if err != nil {
			t.Errorf("Verify: %v, want no error", err)
		}

		return
	}

	refusal, ok := errors.AsType[*signature.Refusal](err)
	if !ok || refusal.Reason != reason {
		t.Errorf("Verify: %#v, want a refusal with reason %q", err, reason)
	}
	if !errors.Is(err, signature.ErrUnsigned) || err.Error() != signature.ErrUnsigned.Error() {
		t.Errorf("Verify: %q, want it to be and to read as ErrUnsigned", err)
	}
}

func TestVerifyJudgesTheStampOnlyOnceItIsSigned(t *testing.T) {
	t.Parallel()

	key := newKey(t, "a key")
	sent := time.Unix(1_700_000_000, 0)

	tests := []struct {
		name      string
		tolerance time.Duration
		stamp     string
		now       time.Time
		want      string
	}{
		{"at once", time.Minute, "1700000000", sent, ""},
		{"at the far end of the window", time.Minute, "1700000000", sent.Add(time.Minute), ""},
		{"at the near end of the window", time.Minute, "1700000000", sent.Add(-time.Minute), ""},
		{"a moment late", time.Minute, "1700000000", sent.Add(time.Minute + 1), signature.ReasonStale},
		{"a moment early", time.Minute, "1700000000", sent.Add(-time.Minute - 1), signature.ReasonStale},
		{"years late", time.Minute, "1700000000", sent.AddDate(10, 0, 0), signature.ReasonStale},
		{"years late, any will do", 0, "1700000000", sent.AddDate(10, 0, 0), ""},
		{"a leading zero is still decimal", time.Minute, "01700000000", sent, ""},
		{"a sign", time.Minute, "+1700000000", sent, signature.ReasonBadTimestamp},
		{"a sign, any will do", 0, "+1700000000", sent, ""},
		{"before 1970", time.Minute, "-5", sent, signature.ReasonBadTimestamp},
		{"a space", time.Minute, "1700000000 ", sent, signature.ReasonBadTimestamp},
		{"a space, any will do", 0, "1700000000 ", sent, ""},
		{"an underscore", time.Minute, "1_700_000_000", sent, signature.ReasonBadTimestamp},
		{"a fraction", time.Minute, "1700000000.0", sent, signature.ReasonBadTimestamp},
		{"an exponent", time.Minute, "17e8", sent, signature.ReasonBadTimestamp},
		{"hex", time.Minute, "0x6553F100", sent, signature.ReasonBadTimestamp},
		{"milliseconds", time.Minute, "1700000000000", sent, signature.ReasonBadTimestamp},
		{"the year 9999", time.Minute, "253402300799", sent, signature.ReasonStale},
		{"more than 64 bits", time.Minute, "99999999999999999999", sent, signature.ReasonBadTimestamp},
		{"digits of another script", time.Minute, "١٧٠٠٠٠٠٠٠٠", sent, signature.ReasonBadTimestamp},
		{"a date", 0, "2023-11-14T22:13:20Z", sent, signature.ReasonBadTimestamp},
		{"no clock at all", time.Minute, "1700000000", time.Time{}, signature.ReasonStale},
		{"a tolerance below zero accepts nothing", -1, "1700000000", sent, signature.ReasonStale},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			v := signature.Verifier{Keys: []signature.Key{key}, Tolerance: tt.tolerance}
			body := []byte("a body")

			_, err := v.Verify(tt.now, tt.stamp, body, signature.Sign(key, tt.stamp, body))
			checkRefusal(t, err, tt.want)
		})
	}
}

func TestVerifyTellsAForgerNothingAboutTheStamp(t *testing.T) {
	t.Parallel()

	v := signature.Verifier{Keys: []signature.Key{newKey(t, "a key")}, Tolerance: time.Minute}
	for _, stamp := range []string{"1", "soon", "1700000000"} {
		_, err := v.Verify(time.Unix(1_700_000_000, 0), stamp, nil, strings.Repeat("0", 64))
		checkRefusal(t, err, signature.ReasonMismatch)
	}
}

func TestTheZeroKeyFitsNothing(t *testing.T) {
	t.Parallel()

	v := signature.Verifier{Keys: []signature.Key{{}}}
	_, err := v.Verify(time.Time{}, "1", nil, signature.Sign(signature.Key{}, "1", nil))
	checkRefusal(t, err, signature.ReasonMismatch)

	if _, err := signature.NewKey(""); err == nil {
		t.Error(`NewKey("") succeeds, want an error`)
	}
}

func TestAKeyCannotBePrinted(t *testing.T) {
	t.Parallel()

	const text = "signing-secret"
	key := newKey(t, text)

	if got, want := key.String(), "[key f9e39db2]"; got != want {
		t.Errorf("String() = %s, want %s", got, want)
	}
	if none := (signature.Key{}); none.String() != "[no key]" || none.Fingerprint() != "" || key.Fingerprint() != "f9e39db2" {
		t.Errorf("the zero key is %s %q, want [no key] and nothing", none, none.Fingerprint())
	}

	var log bytes.Buffer
	hidden := struct{ key signature.Key }{key}
	slog.New(slog.NewJSONHandler(&log, nil)).Info("a line", slog.Any("key", key), slog.Any("hidden", hidden))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t", "%p"} {
		_, _ = fmt.Fprintf(&log, verb+verb+verb+"\n", key, &key, hidden)
	}
	if err := json.NewEncoder(&log).Encode(map[string]any{"key": key, "hidden": hidden}); err != nil {
		t.Fatalf("encode: %v", err)
	}

	for _, leak := range []string{text, "7369676e696e67", "115 105 103 110", "c2lnbmluZy1zZWNyZXQ"} {
		if strings.Contains(log.String(), leak) {
			t.Errorf("%q can be read in:\n%s", leak, &log)
		}
	}
}

func TestAKeyMayBeUsedFromAnywhereAtOnce(t *testing.T) {
	t.Parallel()

	v := signature.Verifier{Keys: []signature.Key{newKey(t, "another"), newKey(t, vectors[2].key)}}

	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 200 {
				for _, tt := range vectors[1:3] { // one key, two requests
					if _, err := v.Verify(time.Time{}, tt.stamp, []byte(tt.body), tt.sig); err != nil {
						t.Errorf("Verify of %s: %v", tt.name, err)
					}
				}
			}
		})
	}
	all.Wait()
}
