package ctl

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trivia/internal/customerio"
	"trivia/internal/signature"
)

func TestSigningPassesThePublishedVector(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	st.env["CUSTOMERIO_WEBHOOK_SECRET"] = "signing-secret,another"
	st.Stdin = strings.NewReader(`{"event_id":"abc","object_type":"email","metric":"delivered"}`)
	st.want(t, []string{"sign", "--route", "event", "--at", "1614265384"}, 0, `X-CIO-Timestamp: 1614265384
X-CIO-Signature: 6f55cf23f9b73a2ff07733fe04421f64ce9ec5e409696edda6b2a80311944230
`, "")
}

func TestSignPrintsACurlCommand(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	key, _ := signature.NewKey("action-key")
	headers := "  -H 'Content-Type: application/json' \\\n  -H 'X-CIO-Timestamp: 1777896000' \\\n  -H 'X-CIO-Signature: "

	st.Stdin = strings.NewReader(`{"user_id":"O'Hara"}`)
	sig := signature.Sign(key, "1777896000", []byte(`{"user_id":"O'Hara"}`))
	st.want(t, []string{"sign", "--curl", "http://127.0.0.1:8080"}, 0,
		"curl -sS -X POST 'http://127.0.0.1:8080/bet_service/cio/trivia_win' \\\n"+headers+sig+"' \\\n  --data-binary '{\"user_id\":\"O'\\''Hara\"}'\n", "")

	file := filepath.Join(t.TempDir(), "body.json")
	if err := os.WriteFile(file, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	sig = signature.Sign(key, "1777896000", []byte("{}"))
	st.want(t, []string{"sign", file, "--curl", "https://hooks.example.com/elsewhere"}, 0,
		"curl -sS -X POST 'https://hooks.example.com/elsewhere' \\\n"+headers+sig+"' \\\n  --data-binary '@"+file+"'\n", "")

	st.Stdin = strings.NewReader("\xff")
	st.want(t, []string{"sign", "--curl", "http://127.0.0.1:8080"}, 1, "",
		"triviactl: a body that is no text cannot stand in a command\ntriviactl: hint: put it into a file: triviactl sign FILE --curl URL\n")
	st.want(t, []string{"sign", "/nowhere"}, 1, "",
		"triviactl: open /nowhere: no such file or directory\ntriviactl: hint: - reads standard input\n")
}

// verifying runs verify on a body with a signature.
func (st *stage) verifying(t *testing.T, body, sig string, more ...string) (code int, said string) {
	t.Helper()
	st.Stdin = strings.NewReader(body)
	code = st.call(t, append([]string{"verify", "-", "--timestamp", "1777896000", "--signature", sig}, more...)...)

	return code, st.out.String() + st.err.String()
}

func TestVerifySaysWhichKeyFits(t *testing.T) {
	t.Parallel()

	for text, route := range map[string]string{"action-key": "win", "older-key": "win", "event-key": "event"} {
		st := newStage(t)
		key, _ := signature.NewKey(text)
		code, said := st.verifying(t, "body", signature.Sign(key, "1777896000", []byte("body")))
		want := "signed by key " + key.Fingerprint() + ", a key of the " + route + " route\ntimestamp 2026-05-04T12:00:00.000000Z, now\n"
		if code != 0 || said != want {
			t.Errorf("signed by %s: exit %d, %q, want 0, %q", text, code, said, want)
		}
	}

	st := newStage(t)
	key, _ := signature.NewKey("event-key")
	code, said := st.verifying(t, "body", signature.Sign(key, "1777896000", []byte("body")), "--route", "win")
	if code != 1 || !strings.HasPrefix(said, "triviactl: not signed by a known key; tried ") || !strings.Contains(said, "each route has its own key") {
		t.Errorf("with the other route's key: exit %d, %q", code, said)
	}
}

func TestVerifySaysThatItIsStale(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	key, _ := signature.NewKey("action-key")
	st.Stdin = strings.NewReader("body")
	words := []string{"verify", "-", "--timestamp", "1777888800", "--signature", signature.Sign(key, "1777888800", []byte("body"))}
	said := "signed by key " + key.Fingerprint() + ", a key of the win route\ntimestamp 2026-05-04T10:00:00.000000Z, 2h ago\n"
	st.want(t, words, 0, said, "triviactl: that is further from now than 5m0s: a hook takes it, and marks it late\n")

	st.env["TRIVIA_SIGNATURE_TOLERANCE"] = "5m"
	st.Stdin = strings.NewReader("body")
	st.want(t, words, 0, said,
		"triviactl: that is further from now than 5m0s: a hook refuses it today\n")
}

func TestVerifyReadsRawHeaders(t *testing.T) {
	t.Parallel()

	key, _ := signature.NewKey("action-key")
	sig := signature.Sign(key, "1777896000", []byte("body"))
	for _, headers := range []string{
		"X-CIO-Timestamp: 1777896000\r\nX-CIO-Signature: " + sig + "\r\n",
		"POST /x HTTP/1.1\nhost: a:1\nx-cio-signature:" + sig + "\nx-cio-timestamp:1777896000",
		"> X-Cio-Timestamp: 1777896000\n> X-Cio-Signature: " + sig,
	} {
		st := newStage(t)
		file := filepath.Join(t.TempDir(), "headers")
		if err := os.WriteFile(file, []byte(headers), 0o600); err != nil {
			t.Fatal(err)
		}
		st.Stdin = strings.NewReader("body")
		if code := st.call(t, "verify", "-", "--headers", file); code != 0 {
			t.Errorf("verify with %q exits with %d: %s", headers, code, st.err.String())
		}
		if code := st.call(t, "verify", "-", "--headers", file, "--timestamp", "1"); code != 2 {
			t.Errorf("with two timestamps: exit %d, %s, want 2", code, st.err.String())
		}
	}
}

func TestVerifyKnowsTheUsualMistakes(t *testing.T) {
	t.Parallel()

	sign := func(key, stamp, body string) string {
		k, _ := signature.NewKey(key)

		return signature.Sign(k, stamp, []byte(body))
	}
	const (
		stamp  = "1777896000"
		body   = "{\"a\": 1,\n \"b\": [\"x\", \"y\"]}"
		hexKey = "00ff10ab"
	)
	raw, _ := hex.DecodeString(hexKey)
	tests := []struct{ name, sig, body, want string }{
		{"the body alone", bodyAlone(hexKey, []byte(body)), body, "the signature was made over the body alone"},
		{"no v0", bodyAlone(hexKey, []byte(stamp+":"+body)), body, `the signature was made without "v0:" in front`},
		{"a decoded key", sign(string(raw), stamp, body), body, "the key was decoded from hex"},
		{"a key read from a file", sign(hexKey+"\n", stamp, body), body, "the key had a newline at its end"},
		{"a newline added after signing", sign(hexKey, stamp, body), body + "\n", "the body was signed with another newline at its end"},
		{"a newline lost after signing", sign(hexKey, stamp, body+"\n"), body, "the body was signed with another newline at its end"},
		{"line ends changed", sign(hexKey, stamp, strings.ReplaceAll(body, "\n", "\r\n")), body, "the body was signed with other line ends"},
		{"compact", sign(hexKey, stamp, `{"a":1,"b":["x","y"]}`), body, "the body was signed in another form of the same JSON"},
		{"spaced", sign(hexKey, stamp, `{"a": 1, "b": ["x", "y"]}`), body, "the body was signed in another form of the same JSON"},
		{"sorted", sign(hexKey, stamp, `{"a":1,"b":2}`), `{"b":2,"a":1}`, "the body was signed in another form of the same JSON"},
		{"empty", sign(hexKey, stamp, ""), body, "an empty body was signed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			st := newStage(t)
			st.env["CUSTOMERIO_ACTION_SECRET"] = hexKey
			code, said := st.verifying(t, tt.body, tt.sig)
			if want := "triviactl: not signed as Customer.io does: " + tt.want + "\ntriviactl: hint: "; code != 1 || !strings.HasPrefix(said, want) {
				t.Errorf("exit %d, %q, want 1, %q", code, said, want)
			}
		})
	}

	st := newStage(t)
	for sig, want := range map[string]string{
		"sha256=ab":             "triviactl: not signed by a known key: the signature is not 64 hex digits\n",
		strings.Repeat("0", 64): "triviactl: not signed by a known key; tried ",
	} {
		if code, said := st.verifying(t, body, sig); code != 1 || !strings.HasPrefix(said, want) {
			t.Errorf("signature %q: exit %d, %q, want 1, %q", sig, code, said, want)
		}
	}
}

// TestBodyAloneIsHMAC uses the vectors of RFC 4231.
func TestBodyAloneIsHMAC(t *testing.T) {
	t.Parallel()

	tests := []struct{ key, text, want string }{
		{"Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
		{
			strings.Repeat("\xaa", 131), "Test Using Larger Than Block-Size Key - Hash Key First",
			"60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
		},
	}
	for _, tt := range tests {
		if got := bodyAlone(tt.key, []byte(tt.text)); got != tt.want {
			t.Errorf("bodyAlone(%q, %q) = %s, want %s", tt.key, tt.text, got, tt.want)
		}
	}
}

func TestTemplateAndCompletionArePrinted(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	st.want(t, []string{"template", "--body"}, 0, customerio.ActionBody+"\n", "")
	st.want(t, []string{"template", "--url", "https://hooks.example.com/"}, 0, customerio.ActionSetup("https://hooks.example.com"), "")
	for shell, script := range completionScripts {
		st.want(t, []string{"completion", shell}, 0, script, "")
		if !strings.Contains(script, completionFlag) {
			t.Errorf("the script for %s does not ask for completion", shell)
		}
	}
}
