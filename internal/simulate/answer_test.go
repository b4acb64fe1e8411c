package simulate

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"trivia/internal/signature"
	"trivia/internal/trivia"
)

func TestEveryAnswerCostsWhatTheVendorSays(t *testing.T) {
	t.Parallel()

	anHour := []int{400, 401, 402, 403, 404, 405, 410, 429, 500, 502, 521}
	for status := 200; status < 600; status++ {
		want := Backoff
		switch {
		case status < 300:
			want = Delivered
		case slices.Contains(anHour, status):
			want = Stall
		}
		if got := (Answer{Code: status}).Verdict(); got != want {
			t.Errorf("%d: %s, want %s", status, got, want)
		}
	}
}

func TestEveryErrorCostsWhatTheVendorSays(t *testing.T) {
	t.Parallel()

	tests := []struct {
		err   error
		cause string
		want  Verdict
	}{
		{io.EOF, "EOF", Stall},
		{io.ErrUnexpectedEOF, "EOF", Stall},
		{errors.New("http: server closed idle connection"), "EOF", Stall},
		{&net.DNSError{Err: "no such host", IsTimeout: true}, "DNS failure", Stall},
		{&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, "connection refused", Stall},
		{&net.OpError{Op: "read", Err: syscall.ECONNRESET}, "connection reset", Stall},
		{&net.OpError{Op: "write", Err: syscall.EPIPE}, "connection reset", Stall},
		{tls.AlertError(40), "TLS failure", Stall},
		{context.DeadlineExceeded, "time-out", Backoff},
		{&net.OpError{Op: "dial", Err: syscall.ENETUNREACH}, "network is unreachable", Backoff},
		{errors.New("odd\nand long"), "odd", Backoff},
	}
	for _, tt := range tests {
		got := Answer{Err: &url.Error{Op: "Post", URL: "http://a", Err: tt.err}}
		if got.Verdict() != tt.want || got.Cause() != tt.cause || got.Words() != "no answer: "+tt.cause {
			t.Errorf("%v: %s, %s, %q; want %s, %s", tt.err, got.Verdict(), got.Cause(), got.Words(), tt.want, tt.cause)
		}
	}
}

func TestWhatAnAnswerSays(t *testing.T) {
	t.Parallel()

	tests := []struct {
		code       int
		text, want string
	}{
		{200, `{"status":"accepted","outcome":"awarded","key":"k"}`, "200 accepted: awarded"},
		{503, `{"status":"refused","error":"busy"}`, "503 refused: busy"},
		{200, "OK\n", "200"},
		{502, "<html>\n<body>", "502 : <html>"},
	}
	for _, tt := range tests {
		if got := readAnswer(tt.code, []byte(tt.text)).Words(); got != tt.want {
			t.Errorf("%d %s: %q, want %q", tt.code, tt.text, got, tt.want)
		}
	}
}

func newKey(t *testing.T, text string) signature.Key {
	t.Helper()
	key, err := signature.NewKey(text)
	if err != nil {
		t.Fatal(err)
	}

	return key
}

// against returns options that send to a URL.
func against(t *testing.T, at string) Options {
	t.Helper()
	eventKey, winKey := newKey(t, "event-key"), newKey(t, "win-key")

	return Options{
		EventURL: at + "/webhooks/customerio", WinURL: at + "/bet_service/cio/trivia_win", Now: time.Now, Seed: 36,
		Keys: func(kind trivia.Kind) signature.Key {
			if kind == trivia.KindEvent {
				return eventKey
			}

			return winKey
		},
		Hour: time.Millisecond, Agent: "sim/1",
	}
}

func TestRequestsAreThoseOfTheVendor(t *testing.T) {
	t.Parallel()

	requests := make(chan *http.Request, 100)
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		requests <- r
		_, _ = io.WriteString(w, `{"status":"accepted","outcome":"recorded"}`)
	}))
	defer hook.Close()

	o := against(t, hook.URL)
	o.Events, o.Wins, o.Pad, o.Skew, o.NewConnections = 1, 1, 5000, -24*time.Hour, 1
	got, err := Run(t.Context(), o)
	if err != nil || got.Events.Delivered != 1 || got.Wins.Delivered != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	close(requests)
	for r := range requests {
		body, _ := io.ReadAll(r.Body)
		key, keys := "event-key", []string{"", ""}
		if r.URL.Path == "/bet_service/cio/trivia_win" {
			key, keys = "win-key", []string{"sim-10-w-0", "sim-10-w-0"}
		}
		stamp := r.Header.Get("X-CIO-Timestamp")
		if want := signature.Sign(newKey(t, key), stamp, body); r.Header.Get("X-CIO-Signature") != want {
			t.Errorf("%s: signature %s, want %s", r.URL.Path, r.Header.Get("X-CIO-Signature"), want)
		}
		if got := []string{r.Header.Get("X-CIO-Idempotency-Key"), r.Header.Get("X-CIO-Delivery-ID")}; !slices.Equal(got, keys) {
			t.Errorf("%s: keys %q, want %q", r.URL.Path, got, keys)
		}
		seconds, err := strconv.ParseInt(stamp, 10, 64)
		if age := time.Since(time.Unix(seconds, 0)); err != nil || age < 24*time.Hour {
			t.Errorf("%s: stamped %s, which is not a day ago", r.URL.Path, stamp)
		}
		if len(body) < 5000 || r.Header.Get("User-Agent") != "sim/1" || !r.Close {
			t.Errorf("%s: %d bytes by %q, last of its connection: %t", r.URL.Path, len(body), r.Header.Get("User-Agent"), r.Close)
		}
	}
}

// A misbehaving server does something to each connection instead of answering it.
func misbehaving(t *testing.T, do func(*net.TCPConn)) string {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			tcp, _ := conn.(*net.TCPConn)
			do(tcp)
		}
	}()

	return listener.Addr().String()
}

func TestConnectionErrorsAreToldApart(t *testing.T) {
	t.Parallel()

	request := make([]byte, 64<<10)
	reset := misbehaving(t, func(c *net.TCPConn) {
		_, _ = c.Read(request)
		_ = c.SetLinger(0)
		_ = c.Close()
	})
	closed := misbehaving(t, func(c *net.TCPConn) {
		_, _ = c.Read(make([]byte, 64<<10))
		_ = c.Close()
	})
	half := misbehaving(t, func(c *net.TCPConn) {
		_, _ = c.Read(make([]byte, 64<<10))
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
		_ = c.Close()
	})
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	secure.Config.ErrorLog = nil
	t.Cleanup(secure.Close)

	tests := []struct{ name, url, want string }{
		{"nobody listens", "http://127.0.0.1:1", causeRefused},
		{"reset", "http://" + reset, causeReset},
		{"closed without an answer", "http://" + closed, causeEOF},
		{"closed within an answer", "http://" + half, causeEOF},
		{"a certificate that nobody knows", secure.URL, causeTLS},
		{"no TLS where there should be", "https://" + plain(t), causeTLS},
		{"no such host", "http://nowhere.invalid", causeDNS},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			o := against(t, tt.url)
			o.Events, o.Hour = 1, time.Hour
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			o.Watch = func(Try, Answer) { cancel() }
			got, err := Run(ctx, o)
			if err != nil || len(got.Stalls) != 1 || got.Stalls[0].Cause != tt.want {
				t.Errorf("%+v, %v; want a stall because of %s", got.Answers, err, tt.want)
			}
		})
	}
}

func plain(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)

	return server.Listener.Addr().String()
}

func TestAKeptConnectionThatIsClosedIsNotQuietlyReplaced(t *testing.T) {
	t.Parallel()

	served := 0
	listening := misbehaving(t, func(c *net.TCPConn) {
		served++
		request := make([]byte, 64<<10)
		_, _ = c.Read(request)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
		_, _ = c.Read(request) // the next request on it is not answered
		_ = c.Close()
	})
	o := against(t, "http://"+listening)
	o.Events = 2
	got, err := Run(t.Context(), o)
	if err != nil || got.Events.Delivered != 2 || got.Stalled() != time.Hour || got.Stalls[0].Cause != causeEOF {
		t.Errorf("%+v, %v; want one stall because of EOF", got, err)
	}
}

func TestTheSenderCallsFromTheAddressGiven(t *testing.T) {
	t.Parallel()

	callers := make(chan string, 1)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { callers <- r.RemoteAddr }))
	defer hook.Close()
	o := against(t, hook.URL)
	o.Events, o.From = 1, "127.0.0.7"
	if _, err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if got := <-callers; !strings.HasPrefix(got, "127.0.0.7:") {
		t.Errorf("called from %s", got)
	}
	o.From = "here"
	if _, err := Run(t.Context(), o); err == nil {
		t.Error("called from nowhere")
	}
}
