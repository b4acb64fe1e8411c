package customerio_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"trivia/internal/customerio"
)

func TestAnswers(t *testing.T) {
	t.Parallel()

	tests := []struct {
		status       int
		good         bool
		passing      bool
		unauthorized bool
	}{
		{status: 200, good: true},
		{status: 201, good: true},
		{status: 202, good: true},
		{status: 204, good: true},
		{status: 299, good: true},
		{status: 300, passing: true},
		{status: 301, passing: true},
		{status: 302, passing: true},
		{status: 303, passing: true},
		{status: 304, passing: true},
		{status: 307, passing: true},
		{status: 308, passing: true},
		{status: 400},
		{status: 401, unauthorized: true},
		{status: 402},
		{status: 403},
		{status: 404},
		{status: 408, passing: true},
		{status: 409},
		{status: 413},
		{status: 422},
		{status: 429, passing: true},
		{status: 500, passing: true},
		{status: 502, passing: true},
		{status: 503, passing: true},
		{status: 504, passing: true},
		{status: 599, passing: true},
	}

	for _, tt := range tests {
		for verb, call := range calls {
			t.Run(fmt.Sprintf("%s, %d", verb, tt.status), func(t *testing.T) {
				t.Parallel()

				api := newFakeAPI(t, func(w http.ResponseWriter, r *http.Request) {
					// Whoever followed it would be told that all is well.
					if r.URL.Path == "/elsewhere" {
						return
					}
					if tt.status >= 300 && tt.status <= 399 {
						w.Header().Set("Location", "/elsewhere")
					}
					w.WriteHeader(tt.status)
				})
				err := call(t.Context(), api.client(), "u1")

				if (err == nil) != tt.good || customerio.Passing(err) != tt.passing || customerio.Unauthorized(err) != tt.unauthorized {
					t.Errorf("after %d: %v, passing %t, unauthorized %t", tt.status, err, customerio.Passing(err), customerio.Unauthorized(err))
				}
				if failed, ok := errors.AsType[*customerio.CallError](err); !tt.good && (!ok || failed.Status != tt.status) {
					t.Errorf("after %d: %#v, want a CallError with it", tt.status, err)
				}
				if n := len(api.requests()); n != 1 {
					t.Errorf("%d calls were made, want 1", n)
				}
			})
		}
	}
}

func TestCallErrorRepeatsWhatWasSaid(t *testing.T) {
	t.Parallel()

	basic := base64.StdEncoding.EncodeToString([]byte(siteID + ":" + apiKey))

	tests := []struct {
		name     string
		status   int
		location string
		body     string
		want     string
	}{
		{"words", 400, "", `{"meta":{"error":"id is wrong"}}`, `suppress of "u1": Customer.io answered 400 Bad Request: {"meta":{"error":"id is wrong"}}`},
		{"no words", 503, "", "", `suppress of "u1": Customer.io answered 503 Service Unavailable`},
		{"a status without a name", 599, "", "", `suppress of "u1": Customer.io answered 599`},
		{"several lines", 404, "", " not\r\n\tfound\x00\x1b[2J\u0085 ", `suppress of "u1": Customer.io answered 404 Not Found: not found [2J`},
		{"no text", 404, "", "caf\xe9", `suppress of "u1": Customer.io answered 404 Not Found: caf` + "\uFFFD"},
		{"too many words", 404, "", strings.Repeat("é", 1e6), `suppress of "u1": Customer.io answered 404 Not Found: ` + strings.Repeat("é", 299) + "…"},
		{"a redirect", 302, "https://elsewhere.example/x", "<html>", `suppress of "u1": Customer.io answered 302 Found: go to https://elsewhere.example/x`},
		{"the key", 400, "", "sent: " + apiKey + " " + basic, `suppress of "u1": Customer.io answered 400 Bad Request: sent: [secret] [secret]`},
		{"the key in a redirect", 302, "https://elsewhere.example/" + basic, "", `suppress of "u1": Customer.io answered 302 Found: go to https://elsewhere.example/[secret]`},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			api := newFakeAPI(t, func(w http.ResponseWriter, _ *http.Request) {
				if tt.location != "" {
					w.Header().Set("Location", tt.location)
				}
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body)
			})
			if err := api.client().Suppress(t.Context(), "u1"); err == nil || err.Error() != tt.want {
				t.Errorf("Suppress = %v, want %s", err, tt.want)
			}
		})
	}
}

func TestCallErrorRetryAfter(t *testing.T) {
	t.Parallel()

	tests := []struct {
		header string
		want   time.Duration
	}{
		{"", 0},
		{"0", 0},
		{"7", 7 * time.Second},
		{"120", 2 * time.Minute},
		{"-5", 0},
		{"1.5", 0},
		{"soon", 0},
		{"9000000000000000000", 24 * time.Hour},
		{"90000000000000000000", 0},
		{"Mon, 04 May 2026 12:00:30 GMT", 30 * time.Second},
		{"Mon, 04 May 2026 11:59:30 GMT", 0},
		{"Mon, 04 May 2099 12:00:00 GMT", 24 * time.Hour},
	}

	for _, tt := range tests {
		t.Run(tt.header, func(t *testing.T) {
			t.Parallel()

			api := newFakeAPI(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", tt.header)
				w.WriteHeader(http.StatusTooManyRequests)
			})
			err := api.client().SetAttributes(t.Context(), "u1", nil, noon)
			if failed, ok := errors.AsType[*customerio.CallError](err); !ok || failed.RetryAfter != tt.want {
				t.Errorf("Retry-After %q: %v (%#v), want %v", tt.header, err, failed, tt.want)
			}
		})
	}
}

func TestNoAnswerIsPassing(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name   string
		answer http.HandlerFunc
		want   error // what the error is, if that matters
	}{
		{"a time-out", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, context.DeadlineExceeded},
		{"a time-out in the middle of an answer", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "{")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, context.DeadlineExceeded},
		{"a reset", hijacked(func(conn net.Conn) {
			if tcp, ok := conn.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0)
			}
		}), nil},
		{"a connection closed", hijacked(func(net.Conn) {}), nil},
		{"an answer that is none", hijacked(func(conn net.Conn) {
			_, _ = io.WriteString(conn, "220 mail.example ESMTP\r\n")
		}), nil},
		{"an answer cut off", hijacked(func(conn net.Conn) {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
		}), io.ErrUnexpectedEOF},
	}

	for _, tt := range tests {
		for verb, call := range calls {
			t.Run(verb+", "+tt.name, func(t *testing.T) {
				t.Parallel()

				api := newFakeAPI(t, tt.answer)
				timeout := 10 * time.Second
				if errors.Is(tt.want, context.DeadlineExceeded) {
					timeout = 30 * time.Millisecond
				}
				checkUnanswered(t, call(t.Context(), clientOf(api.URL, timeout), "u1"), tt.want)
			})
		}
	}
}

// hijacked answers with what use does to the connection, and closes it.
func hijacked(use func(net.Conn)) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		use(conn)
		_ = conn.Close()
	}
}

func TestNobodyThereIsPassing(t *testing.T) {
	t.Parallel()

	api := newFakeAPI(t, nil)
	api.Close()
	checkUnanswered(t, api.client().Suppress(t.Context(), "u1"), nil)
}

func TestACancelledCallSaysSo(t *testing.T) {
	t.Parallel()

	ctx, cancel := context.WithCancel(t.Context())
	api := newFakeAPI(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	checkUnanswered(t, api.client().SetAttributes(ctx, "u1", nil, noon), context.Canceled)
}

func checkUnanswered(t *testing.T, err, want error) {
	t.Helper()

	failed, ok := errors.AsType[*customerio.CallError](err)
	if !ok || failed.Status != 0 || !customerio.Passing(err) {
		t.Errorf("error = %#v, want a CallError without a status that passes", err)
	}
	if want != nil && !errors.Is(err, want) {
		t.Errorf("error = %v, want that it is %v", err, want)
	}
	if err != nil && (strings.Contains(err.Error(), apiKey) || strings.Count(err.Error(), "u1") != 1) {
		t.Errorf("error = %v, want the person once and no key", err)
	}
}

// A client may end up in a log line of its owner.
func TestClientDoesNotPrintItsKey(t *testing.T) {
	t.Parallel()

	client := newFakeAPI(t, nil).client()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(verb, client); strings.Contains(text, apiKey) {
			t.Errorf("%s prints the key: %s", verb, text)
		}
	}
}

func TestOtherErrorsDoNotPass(t *testing.T) {
	t.Parallel()

	for _, err := range []error{nil, io.EOF, context.Canceled} {
		if customerio.Passing(err) || customerio.Unauthorized(err) {
			t.Errorf("Passing(%v) = %t, Unauthorized = %t, want neither", err, customerio.Passing(err), customerio.Unauthorized(err))
		}
	}
}
