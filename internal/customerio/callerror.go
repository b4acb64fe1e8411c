package customerio

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// A CallError is what came of a call that was made and did not succeed.
type CallError struct {
	Status     int           // 0 if there was no answer
	RetryAfter time.Duration // when to come again; 0 if Customer.io did not say
	Said       string        // Customer.io's words, in one line of at most 300 characters

	cause error // of there being no answer
}

func (e *CallError) Error() string {
	if e.Status == 0 {
		return fmt.Sprintf("no answer from Customer.io: %v", e.cause)
	}
	answer := strings.TrimSpace(fmt.Sprintf("Customer.io answered %d %s", e.Status, http.StatusText(e.Status)))
	if e.Said == "" {
		return answer
	}

	return answer + ": " + e.Said
}

// Unwrap returns why there was no answer: a time-out, a cancelled context, the
// network. It is nil if there was one.
func (e *CallError) Unwrap() error { return e.cause }

// Passing reports whether the same call may succeed later: there was no
// answer, or one that is about the moment and not about the call. A redirect
// is of this kind: it comes from something in between, or the address is
// wrong, and neither is the fault of what we had to say.
func Passing(err error) bool {
	call, ok := errors.AsType[*CallError](err)
	if !ok {
		return false
	}

	switch s := call.Status; {
	case s == 0, s >= 300 && s <= 399, s >= 500:
		return true
	default:
		return s == http.StatusRequestTimeout || s == http.StatusTooManyRequests
	}
}

// Unauthorized reports whether Customer.io refuses the credentials, or they
// are of the other region; then every call fails.
func Unauthorized(err error) bool {
	call, ok := errors.AsType[*CallError](err)

	return ok && call.Status == http.StatusUnauthorized
}
