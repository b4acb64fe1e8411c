package receiver

import (
	"bytes"
	"net/http"
	"time"
)

// A Turned is a request, or what should have been one, that the server refused
// by itself.
type Turned struct {
	Time   time.Time
	Status int    // 0: nothing was answered
	Reason string // one of a closed set
	Peer   string // the other end of the connection
	Begin  string // what came first, cut off
}

// turnedMost is how many bytes of what came are told.
const turnedMost = 100

// What the server refuses by itself.
const (
	turnedBadRequest = "bad_request"        // no HTTP, or not well-formed
	turnedTLS        = "tls_on_plain"       // a sender who speaks TLS on the plain port
	turnedPlainOnTLS = "plain_on_tls"       // and the other way round
	turnedProxy      = "proxy_protocol"     // a proxy that announces its client by the PROXY protocol
	turnedHeader     = "header_too_large"   // longer than the server reads
	turnedCoding     = "transfer_encoding"  // another one than chunked
	turnedExpect     = "expectation"        // another one than 100-continue
	turnedVersion    = "http_version"       // neither HTTP/1.0 nor 1.1
	turnedHandshake  = "tls_handshake"      // neither of the two, but no TLS came about
	turnedUnfinished = "unfinished_request" // the header did not arrive whole, or not in time
	turnedOther      = "server"
)

// turnedFor names what an answer of net/http means, given what came first.
func turnedFor(status int, begin []byte, fresh bool) string {
	switch status {
	case http.StatusBadRequest:
		switch {
		case fresh && len(begin) > 1 && begin[0] == 0x16 && begin[1] == 0x03:
			return turnedTLS
		case fresh && (bytes.HasPrefix(begin, []byte("PROXY ")) || bytes.HasPrefix(begin, []byte("\r\n\r\n\x00\r\nQUIT\n"))):
			return turnedProxy
		}

		return turnedBadRequest
	case http.StatusRequestHeaderFieldsTooLarge:
		return turnedHeader
	case http.StatusNotImplemented:
		return turnedCoding
	case http.StatusExpectationFailed:
		return turnedExpect
	case http.StatusHTTPVersionNotSupported:
		return turnedVersion
	}

	return turnedOther
}

// turnedHint says what to do about a reason that comes of a wrong setting.
func turnedHint(reason string) string {
	switch reason {
	case turnedTLS:
		return "the sender speaks TLS to a port that speaks plain HTTP: end TLS in a proxy, or set TRIVIA_TLS_CERT and TRIVIA_TLS_KEY"
	case turnedPlainOnTLS:
		return "the sender speaks plain HTTP to a port that speaks TLS: call https://, or unset TRIVIA_TLS_CERT and TRIVIA_TLS_KEY"
	case turnedProxy:
		return "the PROXY protocol is not understood: switch it off (HAProxy: send-proxy; nginx: proxy_protocol) and configure X-Forwarded-For"
	}

	return ""
}
