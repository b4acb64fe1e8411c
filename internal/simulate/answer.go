package simulate

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A Verdict is what an answer means for the stream that its event is in.
type Verdict string

// The verdicts.
const (
	Delivered Verdict = "delivered" // the next one, please
	Backoff   Verdict = "backoff"   // again after a little while, longer each time
	Stall     Verdict = "stall"     // again after an hour, and everything behind it waits too
)

// An Answer is what came back for one try.
type Answer struct {
	Code    int           // of HTTP; 0 if there was no answer
	Status  string        // accepted, duplicate, refused; empty if the other side is no trivia-hook
	Outcome string        // what a trivia-hook says became of it
	Fault   string        // why it was refused
	Err     error         // why there was no answer
	Took    time.Duration // real
}

// Verdict returns what the answer costs, by the vendor's list. What is not on
// it, an answer that takes too long included, costs the ordinary backoff.
func (a Answer) Verdict() Verdict {
	if a.Code >= 200 && a.Code < 300 {
		return Delivered
	}
	switch a.Code {
	case 0:
		return verdictOf(a.Err)
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden,
		http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone, http.StatusTooManyRequests,
		http.StatusInternalServerError, http.StatusBadGateway, webServerIsDown:
		return Stall
	default:
		return Backoff
	}
}

// webServerIsDown is a status that a proxy makes up.
const webServerIsDown = 521

// Cause names the answer among those that have the same cost: its status, or
// what kind of error there was instead of one.
func (a Answer) Cause() string {
	if a.Code > 0 {
		return strconv.Itoa(a.Code)
	}

	return causeOf(a.Err)
}

// Words say what kind of answer it was, as in "200 accepted: awarded".
func (a Answer) Words() string {
	if a.Code == 0 {
		return "no answer: " + a.Cause()
	}
	said := a.Outcome
	if a.Verdict() != Delivered {
		said = a.Fault
	}

	return strings.TrimRight(fmt.Sprintf("%d %s: %s", a.Code, a.Status, said), ": ")
}

// The errors that cost an hour, and the time-out, which does not.
const (
	causeTimeout = "time-out"
	causeEOF     = "EOF"
	causeDNS     = "DNS failure"
	causeRefused = "connection refused"
	causeReset   = "connection reset"
	causeTLS     = "TLS failure"
)

func verdictOf(err error) Verdict {
	switch causeOf(err) {
	case causeEOF, causeDNS, causeRefused, causeReset, causeTLS:
		return Stall
	default:
		return Backoff
	}
}

// causeOf names an error without what differs each time.
func causeOf(err error) string {
	_, dns := errors.AsType[*net.DNSError](err)
	timeout, ok := errors.AsType[net.Error](err)
	switch {
	case dns:
		return causeDNS
	case errors.Is(err, context.DeadlineExceeded), ok && timeout.Timeout():
		return causeTimeout
	case errors.Is(err, syscall.ECONNREFUSED):
		return causeRefused
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNABORTED):
		return causeReset
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), closedIdle(err):
		return causeEOF
	case ofTLS(err):
		return causeTLS
	}
	if number, ok := errors.AsType[syscall.Errno](err); ok {
		return number.Error()
	}
	if call, ok := errors.AsType[*url.Error](err); ok {
		err = call.Err // it repeats the URL
	}
	text, _, _ := strings.Cut(fmt.Sprint(err), "\n")

	return text
}

// closedIdle reports whether a kept connection was closed just when it was used
// again, which net/http has no exported error for.
func closedIdle(err error) bool {
	return strings.Contains(err.Error(), "server closed idle connection")
}

func ofTLS(err error) bool {
	_, unverified := errors.AsType[*tls.CertificateVerificationError](err)
	_, record := errors.AsType[tls.RecordHeaderError](err)
	_, alert := errors.AsType[tls.AlertError](err)
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)

	return unverified || record || alert || unknown || strings.Contains(err.Error(), "gave HTTP response to HTTPS client")
}

// readAnswer takes what it can out of an answer, which may be anybody's.
func readAnswer(code int, text []byte) Answer {
	var said struct{ Status, Outcome, Error string }
	if json.Unmarshal(text, &said) != nil {
		said.Error, _, _ = strings.Cut(strings.TrimSpace(string(text)), "\n")
	}

	return Answer{Code: code, Status: said.Status, Outcome: said.Outcome, Fault: said.Error}
}
