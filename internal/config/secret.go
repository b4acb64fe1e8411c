package config

import "log/slog"

// A Secret is a value that must not be printed: every way of formatting it
// shows "[secret]". [Secret.Reveal] is the one way to read it. The zero value
// is an empty secret.
type Secret struct {
	// Two pointers: with a wrong verb, as in a %s of a struct that holds a
	// Secret, fmt calls no method and follows the first pointer, but never the
	// second.
	value **string
}

// NewSecret hides text.
func NewSecret(text string) Secret {
	inner := &text

	return Secret{&inner}
}

// Reveal returns the secret itself.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}

	return **s.value
}

// IsZero reports whether there is no secret, or an empty one.
func (s Secret) IsZero() bool { return s.Reveal() == "" }

// String returns "[secret]".
func (Secret) String() string { return "[secret]" }

// GoString is [Secret.String], for the verb %#v.
func (Secret) GoString() string { return "[secret]" }

// LogValue keeps the secret out of every log line.
func (Secret) LogValue() slog.Value { return slog.StringValue("[secret]") }

// MarshalText keeps the secret out of JSON.
func (Secret) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }
