package customerio_test

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"trivia/internal/customerio"
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
