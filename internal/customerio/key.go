// Package customerio speaks the vendor's dialect both ways: it decodes the
// campaign actions and reporting events that Customer.io sends, and calls its
// Track API.
package customerio

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"trivia/internal/trivia"
)

// Headers that name an action's delivery. Both stay the same over retries, and
// either may be missing. They are not signed: a key never decides an award.
const (
	HeaderIdempotencyKey = "X-CIO-Idempotency-Key"
	HeaderDeliveryID     = "X-CIO-Delivery-ID"
)

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

// ActionKey is [Key] of an action, whose names are what its headers say. One
// that only holds the place of a name names nothing: it would be everybody's.
func ActionKey(bodySHA256 [sha256.Size]byte, names ...string) string {
	for _, name := range names {
		switch {
		case isPlaceholder(name):
			continue
		case trivia.IsBodyKey(name) && !strings.HasSuffix(name, hex.EncodeToString(bodySHA256[:])):
			return Key(bodySHA256) // another body's, and ours to give
		}

		return Key(bodySHA256, name)
	}

	return Key(bodySHA256)
}

// isPlaceholder reports whether name is what stands where no name is known:
// Customer.io's own word in test sends, zeros, or what a template makes of
// nothing.
func isPlaceholder(name string) bool {
	switch strings.ToLower(strings.Trim(name, " \t")) {
	case "unsent", "null", "nil", "undefined":
		return true
	}

	return strings.Trim(name, " \t0-") == ""
}

func keepable(name string) bool {
	if !utf8.ValidString(name) || utf8.RuneCountInString(name) > trivia.MaxKey {
		return false
	}
	for i := range len(name) {
		if name[i] == 0 {
			return false
		}
	}

	return true
}
