// Package customerio speaks the vendor's dialect both ways: it decodes the
// campaign actions and reporting events that Customer.io sends, and calls its
// Track API.
package customerio

import (
	"crypto/sha256"
	"encoding/hex"
	"unicode/utf8"
)

// Headers that name an action's delivery. Both stay the same over retries, and
// either may be missing. They are not signed: a key never decides an award.
const (
	HeaderIdempotencyKey = "X-CIO-Idempotency-Key"
	HeaderDeliveryID     = "X-CIO-Delivery-ID"
)

// maxKey is how many characters of a key the database keeps.
const maxKey = 255

// Key returns what a delivery is found again by: the first of names that is
// not empty, else the SHA-256 of its body in hex. A name that the database
// could not keep as it is stands in by its own SHA-256, so that it still names
// one delivery and no other.
func Key(bodySHA256 [sha256.Size]byte, names ...string) string {
	for _, name := range names {
		if name == "" {
			continue
		}
		if keepable(name) {
			return name
		}
		sum := sha256.Sum256([]byte(name))

		return "sha256:" + hex.EncodeToString(sum[:])
	}

	return hex.EncodeToString(bodySHA256[:])
}

func keepable(name string) bool {
	if !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxKey {
		return false
	}
	for i := range len(name) {
		if name[i] == 0 {
			return false
		}
	}

	return true
}
