// Package signature signs and verifies requests the way Customer.io does: an
// HMAC-SHA256, written as lowercase hex, over "v0:", the timestamp header as
// it came, ":" and the raw body.
package signature

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

// The headers that carry a signature.
const (
	HeaderTimestamp = "X-CIO-Timestamp" // Unix seconds: when this request was sent
	HeaderSignature = "X-CIO-Signature" // lowercase hex, no prefix
)

// lastStamp is the last second of the year 9999. No stamp is later, and with
// this bound no arithmetic on one overflows.
const lastStamp = 253402300799

// Sign returns the signature of body at stamp, in lowercase hex.
func Sign(key Key, stamp string, body []byte) string {
	sum := key.sum(stamp, body)

	return hex.EncodeToString(sum[:])
}

// SignBodyAlone returns what those compute who overlook that the timestamp is
// signed too. It verifies nothing: it is for telling them.
func SignBodyAlone(key Key, body []byte) string {
	if key.secret == nil {
		return ""
	}
	mac := hmac.New(sha256.New, *key.secret.text)
	mac.Write(body)

	return hex.EncodeToString(mac.Sum(nil))
}

// A Verifier holds what a route accepts. The zero value accepts nothing.
type Verifier struct {
	Keys      []Key         // any one may have signed; several while a key is rotated
	Tolerance time.Duration // how far a stamp may be from now, either way; 0 means any
}

// Verify returns the key that signed body at stamp. Both are taken as they
// came off the wire: a stamp that was parsed and printed again, or a body that
// was decoded and encoded again, may no longer be what was signed.
//
// Every error is a [*Refusal], and is [ErrUnsigned]. Nothing is read out of
// stamp before the signature holds, and every key is tried, whichever fits.
func (v Verifier) Verify(now time.Time, stamp string, body []byte, sig string) (Key, error) {
	if stamp == "" {
		return Key{}, &Refusal{ReasonNoTimestamp}
	}
	if sig == "" {
		return Key{}, &Refusal{ReasonNoSignature}
	}

	// A colon would let a replay move the border between stamp and body: the
	// signed bytes of "1" and "2:3" are those of "1:2" and "3".
	if strings.Contains(stamp, ":") {
		return Key{}, &Refusal{ReasonBadTimestamp}
	}

	var given [sha256.Size]byte
	if len(sig) != hex.EncodedLen(len(given)) {
		return Key{}, &Refusal{ReasonBadSignature}
	}
	if _, err := hex.Decode(given[:], []byte(sig)); err != nil {
		return Key{}, &Refusal{ReasonBadSignature}
	}

	key, ok := v.match(stamp, body, given[:])
	if !ok {
		return Key{}, &Refusal{ReasonMismatch}
	}
	if err := v.fresh(now, stamp); err != nil {
		return Key{}, err
	}

	return key, nil
}

// match tries every key, so that the time it takes does not tell which fitted.
func (v Verifier) match(stamp string, body, given []byte) (found Key, ok bool) {
	for _, key := range v.Keys {
		if key.secret == nil {
			continue // anyone could sign with the empty key
		}
		if sum := key.sum(stamp, body); hmac.Equal(given, sum[:]) && !ok {
			found, ok = key, true
		}
	}

	return found, ok
}

// fresh refuses a stamp that is no plain decimal number, or too far from now.
func (v Verifier) fresh(now time.Time, stamp string) error {
	if v.Tolerance == 0 {
		return nil
	}

	switch off, ok := Distance(now, stamp); {
	case !ok:
		return &Refusal{ReasonBadTimestamp}
	case off.Abs() > v.Tolerance:
		return &Refusal{ReasonStale}
	}

	return nil
}

// Far is how far a stamp may be from our clock, either way, before that is
// worth a word: requests are stamped when they are sent, and clocks keep time.
const Far = 5 * time.Minute

// Distance returns how long before now the stamp is: below zero where it is ahead. It returns false if stamp is no plain decimal number.
func Distance(now time.Time, stamp string) (time.Duration, bool) {
	// Not ParseInt: that would take a sign.
	seconds, err := strconv.ParseUint(stamp, 10, 63)
	if err != nil || seconds > lastStamp {
		return 0, false
	}

	return now.Sub(time.Unix(int64(seconds), 0)), true
}
