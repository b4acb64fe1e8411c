package trivia

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

// MaxKey is how many characters a delivery's key may have.
const MaxKey = 255

// bodyMark stands between a key and the body that has no other claim to it.
const bodyMark = "#body-"

// BodyKey returns the key of a win whose body, with the SHA-256 sum, came under
// key when another body had it already. What names a win is in no signed byte,
// so it must not decide who wins: the win gets a key that nobody else can take.
func BodyKey(key string, sum [sha256.Size]byte) string {
	const most = MaxKey - len(bodyMark) - 2*sha256.Size

	if utf8.RuneCountInString(key) > most {
		long := sha256.Sum256([]byte(key))
		key = "sha256:" + hex.EncodeToString(long[:])
	}

	return key + bodyMark + hex.EncodeToString(sum[:])
}

// IsBodyKey reports whether key looks like one that [BodyKey] makes. A sender
// must not choose such a one.
func IsBodyKey(key string) bool {
	const end = len(bodyMark) + 2*sha256.Size

	if len(key) < end || !strings.HasPrefix(key[len(key)-end:], bodyMark) {
		return false
	}
	_, err := hex.DecodeString(key[len(key)-2*sha256.Size:])

	return err == nil
}
