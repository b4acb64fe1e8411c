package signature

import "errors"

// ErrUnsigned is what every error of [Verifier.Verify] is, so that no caller
// can tell a stranger how near a forgery came.
var ErrUnsigned = errors.New("request is not signed by a known key")

// The reasons of a [Refusal], for logs and metrics only.
const (
	ReasonNoTimestamp  = "no_timestamp"  // the header is missing or empty
	ReasonBadTimestamp = "bad_timestamp" // the header holds no Unix seconds
	ReasonNoSignature  = "no_signature"  // the header is missing or empty
	ReasonBadSignature = "bad_signature" // the header holds no 64 hex digits
	ReasonMismatch     = "mismatch"      // no known key signed these bytes
	ReasonStale        = "stale"         // signed by a known key, but too far from now
)

// A Refusal says why a request counts as unsigned. Its text is the same for
// every reason; Reason is for our own eyes.
type Refusal struct { //nolint:errname // it is named after what it is for us: a refused request, with a reason
	Reason string
}

// Error returns the text of [ErrUnsigned].
func (*Refusal) Error() string { return ErrUnsigned.Error() }

// Is reports whether target is [ErrUnsigned].
func (*Refusal) Is(target error) bool { return target == ErrUnsigned }
