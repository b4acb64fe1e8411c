package signature

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"sync"
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
	sums        sync.Pool // of *summer; one that is used again skips half the hashing
}

// A summer is what one sum needs.
type summer struct {
	mac    hash.Hash
	prefix []byte
	sum    [sha256.Size]byte
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

// sum returns the HMAC of what Customer.io signs.
func (k Key) sum(stamp string, body []byte) [sha256.Size]byte {
	if k.secret == nil {
		return newSummer(nil).of(stamp, body)
	}

	s, ok := k.secret.sums.Get().(*summer)
	if !ok {
		s = newSummer(*k.secret.text)
	}
	defer k.secret.sums.Put(s)

	return s.of(stamp, body)
}

func newSummer(text []byte) *summer { return &summer{mac: hmac.New(sha256.New, text)} }

func (s *summer) of(stamp string, body []byte) [sha256.Size]byte {
	s.prefix = append(append(append(s.prefix[:0], "v0:"...), stamp...), ':')

	s.mac.Reset()
	_, _ = s.mac.Write(s.prefix) // a hash never returns an error
	_, _ = s.mac.Write(body)
	s.mac.Sum(s.sum[:0])

	return s.sum
}
