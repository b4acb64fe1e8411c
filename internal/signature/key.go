package signature

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
)

// A Key is one signing key. It cannot be printed: every way of formatting it
// shows its fingerprint. The zero value signs nothing that [Verifier.Verify]
// would accept.
type Key struct {
	secret *secret
}

// A secret keeps the text two pointers away from whatever holds a Key. With a
// wrong verb, as in a %s of a struct that holds one, fmt calls no method and
// follows the first pointer, but never the second.
type secret struct {
	text        *[]byte
	fingerprint string
}

// NewKey returns the key that Customer.io shows as text. The text is used as
// it is, as UTF-8: it looks like hex, but is never decoded.
func NewKey(text string) (Key, error) {
	if text == "" {
		return Key{}, errors.New("a signing key cannot be empty")
	}
	sum := sha256.Sum256([]byte(text))

	raw := []byte(text)

	return Key{&secret{text: &raw, fingerprint: hex.EncodeToString(sum[:4])}}, nil
}

// Fingerprint returns the first eight hex digits of the SHA-256 of the key's
// text: enough to tell keys apart in a log, too little to find one.
func (k Key) Fingerprint() string {
	if k.secret == nil {
		return ""
	}

	return k.secret.fingerprint
}

// String returns "[key ab12cd34]", with the fingerprint.
func (k Key) String() string {
	if k.secret == nil {
		return "[no key]"
	}

	return "[key " + k.secret.fingerprint + "]"
}

// GoString is [Key.String], for the verb %#v.
func (k Key) GoString() string { return k.String() }

// MarshalText is [Key.String], for JSON and structured logs.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }
