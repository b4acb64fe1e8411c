package customerio_test

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"trivia/internal/customerio"
	"trivia/internal/trivia"
)

func TestKey(t *testing.T) {
	t.Parallel()

	body := sha256.Sum256([]byte("a body"))
	hashed := func(name string) string {
		sum := sha256.Sum256([]byte(name))

		return "sha256:" + hex.EncodeToString(sum[:])
	}

	tests := []struct {
		name  string
		names []string
		want  string
	}{
		{"the first name", []string{"k1", "d1"}, "k1"},
		{"the second if the first is empty", []string{"", "d1"}, "d1"},
		{"the body if there are only empty names", []string{"", ""}, hex.EncodeToString(body[:])},
		{"the body if there is no name", nil, hex.EncodeToString(body[:])},
		{"a name is kept as it is", []string{" Ключ/1?x#%00 "}, " Ключ/1?x#%00 "},
		{"255 characters are kept", []string{strings.Repeat("é", 255)}, strings.Repeat("é", 255)},
		{"256 are not", []string{strings.Repeat("é", 256)}, hashed(strings.Repeat("é", 256))},
		{"nor a NUL", []string{"a\x00b", "d1"}, hashed("a\x00b")},
		{"nor invalid UTF-8", []string{"a\xff", "d1"}, hashed("a\xff")},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			if got := customerio.Key(body, tt.names...); got != tt.want {
				t.Errorf("Key(%q) = %q, want %q", tt.names, got, tt.want)
			}
		})
	}
}

func TestAnActionIsNamedByAHeaderThatNamesIt(t *testing.T) {
	t.Parallel()

	sum := sha256.Sum256([]byte("a body"))
	body := hex.EncodeToString(sum[:])
	own, others := trivia.BodyKey("k1", sum), trivia.BodyKey("k1", sha256.Sum256([]byte("another")))
	for _, tt := range []struct {
		names []string
		want  string
	}{
		{[]string{"k1", "d1"}, "k1"},
		{[]string{"", "d1"}, "d1"},
		{[]string{"unsent", "d1"}, "d1"},
		{[]string{"unsent", "unsent"}, body},
		{[]string{"Unsent ", ""}, body},
		{[]string{"0", "d1"}, "d1"},
		{[]string{"00000000-0000-0000-0000-000000000000", "000"}, body},
		{[]string{"null", "undefined"}, body},
		{[]string{"-", " "}, body},
		{[]string{"0a", "d1"}, "0a"},
		{[]string{"unsent-1", "d1"}, "unsent-1"},
		{[]string{own, "d1"}, own},
		{[]string{others, "d1"}, body},
		{nil, body},
	} {
		if got := customerio.ActionKey(sum, tt.names...); got != tt.want {
			t.Errorf("ActionKey(%q) = %q, want %q", tt.names, got, tt.want)
		}
	}
}
