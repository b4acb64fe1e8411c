package ctl

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"strings"

	"trivia/internal/signature"
)

// mistake returns which of the usual mistakes leads to this signature with
// key, and the way out; or nothing.
func (said claim) mistake(key string) (mistake, hint string) {
	sig := strings.ToLower(said.signature)
	if bodyAlone(key, said.body) == sig {
		return "the signature was made over the body alone",
			`sign "v0:" + timestamp + ":" + body, the timestamp as it stands in the header`
	}
	if text := said.stamp + ":" + string(said.body); bodyAlone(key, []byte(text)) == sig {
		return `the signature was made without "v0:" in front`, `sign "v0:" + timestamp + ":" + body`
	}
	if raw, err := hex.DecodeString(key); err == nil && said.fits(string(raw), said.body) {
		return "the key was decoded from hex", "use the key's text as it is shown, as bytes of UTF-8"
	}
	if said.fits(key+"\n", said.body) {
		return "the key had a newline at its end", "trim what was read from a file"
	}
	for _, other := range said.otherBodies() {
		if said.fits(key, other.body) {
			return other.mistake, "sign and send the very same bytes, before anything parses them"
		}
	}

	return "", ""
}

// fits reports whether key has signed body, the rest being as it was said.
func (said claim) fits(key string, body []byte) bool {
	k, err := signature.NewKey(key)

	return err == nil && signature.Sign(k, said.stamp, body) == strings.ToLower(said.signature)
}

type otherBody struct {
	body    []byte
	mistake string
}

// otherBodies are what the body may have been before something touched it.
func (said claim) otherBodies() []otherBody {
	const (
		newline    = "the body was signed with another newline at its end"
		serialised = "the body was signed in another form of the same JSON"
	)
	trimmed := bytes.TrimRight(said.body, "\r\n") // as it was before an editor added a newline
	others := []otherBody{
		{trimmed, newline},
		{append(bytes.Clone(trimmed), '\n'), newline},
		{append(bytes.Clone(trimmed), "\r\n"...), newline},
		{bytes.ReplaceAll(said.body, []byte("\r\n"), []byte("\n")), "the body was signed with other line ends"},
		{bytes.ReplaceAll(said.body, []byte("\n"), []byte("\r\n")), "the body was signed with other line ends"},
		{nil, "an empty body was signed"},
	}

	var compact bytes.Buffer
	if json.Compact(&compact, said.body) == nil {
		spaced := strings.NewReplacer(`":`, `": `, `,"`, `, "`).Replace(compact.String()) // as Python writes it
		others = append(others, otherBody{compact.Bytes(), serialised}, otherBody{[]byte(spaced), serialised})
	}
	var value any
	if json.Unmarshal(said.body, &value) == nil {
		if sorted, err := json.Marshal(value); err == nil {
			others = append(others, otherBody{sorted, serialised})
		}
	}

	return others
}

// bodyAlone is the signature of text, with nothing in front of it.
func bodyAlone(key string, text []byte) string {
	k, err := signature.NewKey(key)
	if err != nil {
		return ""
	}

	return signature.SignBodyAlone(k, text)
}
