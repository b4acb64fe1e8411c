package receiver_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"trivia/internal/customerio"
	"trivia/internal/receiver"
	"trivia/internal/signature"
)

// A pipe is a listener whose one connection stays within the test, and so
// within the time of its bubble.
type pipe struct {
	conn   chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipe) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conn:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipe) Close() error {
	p.once.Do(func() { close(p.closed) })

	return nil
}

func (*pipe) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// A named connection comes from peer.
type named struct{ net.Conn }

func (named) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.ParseIP(peer), Port: 1234} }

// serve starts a server for e and returns the client's end of a connection to
// it.
func (e *edge) serve(t *testing.T) net.Conn {
	t.Helper()

	listener := &pipe{conn: make(chan net.Conn, 1), closed: make(chan struct{})}
	server := receiver.NewServer(e, slog.New(slog.NewTextHandler(e.log, nil)))
	served := make(chan error)
	go func() { served <- server.Serve(listener) }()
	ours, theirs := net.Pipe()
	listener.conn <- named{theirs}
	t.Cleanup(func() {
		_ = server.Close() // nothing that it closes can fail
		_ = ours.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serve: %v", err)
		}
		time.Sleep(time.Second) // of the bubble: net/http lingers before it lets go of a connection
	})

	return ours
}

// raw is a signed win as it goes over the wire, with the given framing.
func raw(framing, body string) string {
	stamp := stampOf(time.Now())

	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: trivia\r\n%s: %s\r\n%s: %s\r\n%s: k1\r\n%s\r\n\r\n",
		customerio.PathWin, signature.HeaderTimestamp, stamp,
		signature.HeaderSignature, signature.Sign(keyOf(actionKey), stamp, []byte(goodWin)),
		customerio.HeaderIdempotencyKey, framing) + body
}

func length(n int) string { return fmt.Sprintf("Content-Length: %d", n) }

// write sends text and returns; the server may not read all of it.
func write(conn net.Conn, text string) {
	go func() { _, _ = io.WriteString(conn, text) }()
}

// answer reads one answer.
func answer(t *testing.T, conn net.Conn) (status int, body string) {
	t.Helper()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("read the answer: %v", err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("read the answer: %v", err)
	}

	return response.StatusCode, string(text)
}

func TestTheServerTakesBodiesOfEveryFraming(t *testing.T) {
	t.Parallel()

	chunked := fmt.Sprintf("5\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n", goodWin[:5], len(goodWin)-5, goodWin[5:])
	tests := []struct {
		name   string
		framed func() string
		status int
	}{
		{"announced", func() string { return raw(length(len(goodWin)), goodWin) }, 200},
		{"chunked", func() string { return raw("Transfer-Encoding: chunked", chunked) }, 200},
		{"chunked, badly", func() string { return raw("Transfer-Encoding: chunked", "5\r\nabcdefgh") }, 503},
		{"not at all", func() string { return raw("X-Nothing: true", "") }, 401},
		{"announced beyond the limit", func() string { return raw(length(1<<20+1), goodWin) }, 413},
		{"chunked beyond the limit", func() string {
			return raw("Transfer-Encoding: chunked", fmt.Sprintf("%x\r\n%s", 1<<20+1, strings.Repeat(" ", 1<<20+1)))
		}, 413},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newBubble(t, setup{})
				conn := e.serve(t)
				write(conn, tt.framed())
				if status, body := answer(t, conn); status != tt.status {
					t.Errorf("answer = %d %s, want %d", status, body, tt.status)
				}
			})
		})
	}
}

func TestABodyThatDoesNotComeIsGivenUpInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newBubble(t, setup{})
		conn := e.serve(t)
		start := time.Now()
		write(conn, raw(length(len(goodWin)), goodWin[:20]))

		status, body := answer(t, conn)
		if took := time.Since(start); status != http.StatusServiceUnavailable || took != 4*time.Second {
			t.Errorf("answer = %d %s after %v, want 503 after 4s", status, body, took)
		}
		e.counted(t, `trivia_refused_total{reason="unread_body"} 1`)
	})
}

func TestAConnectionIsKeptForTheNextRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newBubble(t, setup{})
		conn := e.serve(t)
		for range 3 {
			write(conn, raw(length(len(goodWin)), goodWin))
			if status, body := answer(t, conn); status != http.StatusOK {
				t.Fatalf("answer = %d %s", status, body)
			}
			time.Sleep(time.Minute)
		}
		// HEAD of a route that has a body for GET.
		write(conn, "HEAD /healthz HTTP/1.1\r\nHost: trivia\r\n\r\n")
		response, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: http.MethodHead})
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("HEAD /healthz = %d", response.StatusCode)
		}
	})
}

func TestSilentConnectionsAreClosed(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct {
		name, said string
		after      time.Duration
	}{
		{"in the header", "POST " + customerio.PathWin, 2 * time.Second},
		{"after an answer", "GET /healthz HTTP/1.1\r\nHost: trivia\r\n\r\n", receiver.IdleTime},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newBubble(t, setup{})
				conn := e.serve(t)
				start := time.Now()
				write(conn, tt.said)
				if _, err := io.Copy(io.Discard, conn); err != nil {
					t.Errorf("the connection ended with %v", err)
				}
				if took := time.Since(start); took != tt.after {
					t.Errorf("it was closed after %v, want %v", took, tt.after)
				}
				synctest.Wait()
			})
		})
	}
}

func TestTheServerRefusesHeadersWithoutEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newBubble(t, setup{})
		conn := e.serve(t)
		write(conn, raw("X-Long: "+strings.Repeat("x", 64<<10), goodWin))
		if status, body := answer(t, conn); status != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("answer = %d %s, want 431", status, body)
		}
	})
}
