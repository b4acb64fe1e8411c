package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"trivia/internal/config"
	"trivia/internal/customerio"
)

// Senders write all of a body before they read anything. What is answered
// before the body was read must reach them all the same: a reset instead of it
// holds back all that follows for an hour.
func TestAnEarlyAnswerIsSeenAndIsNoReset(t *testing.T) {
	t.Parallel()

	db := newPostgres(t)
	listed := start(t, on(db.url))
	foreign := start(t, on(db.url).with(env{config.Sources: "192.0.2.1"}))

	answers := []struct {
		name, base, method, path string
		status                   int
	}{
		{"a foreign caller", foreign.public, "POST", customerio.PathEvent, http.StatusForbidden},
		{"no route", listed.public, "POST", "/nowhere", http.StatusNotFound},
		{"no POST", listed.public, "PUT", customerio.PathEvent, http.StatusMethodNotAllowed},
	}
	sizes := []struct{ bytes, tries int }{{1 << 10, 100}, {1 << 20, 100}, {5 << 20, 30}, {70 << 20, 3}}
	framings := []struct{ name, header, format string }{
		{"kept", "Content-Length: %d\r\n", "%s"},
		{"closed", "Connection: close\r\nContent-Length: %d\r\n", "%s"},
	}

	for _, a := range answers {
		for _, size := range sizes {
			for _, f := range framings {
				t.Run(fmt.Sprintf("%s, %d KiB, %s", a.name, size.bytes>>10, f.name), func(t *testing.T) {
					t.Parallel()

					head := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: trivia\r\n"+f.header+"\r\n", a.method, a.path, size.bytes)
					w := &writer{host: strings.TrimPrefix(a.base, "http://"), head: head, body: make([]byte, size.bytes)}
					for i := range size.tries {
						if status, err := w.try(t); err != nil || status != a.status && status != http.StatusRequestEntityTooLarge {
							t.Fatalf("try %d was answered %d, %v; want %d", i+1, status, err, a.status)
						}
					}
					if dials := w.dials; f.name == "kept" && size.bytes <= 5<<20 && dials > size.tries/2 {
						t.Errorf("%d of %d tries needed a connection of their own, want it to be kept", dials, size.tries)
					}
				})
			}
		}
	}
}

// A writer sends whole requests before it reads, on one connection as long as
// that is kept.
type writer struct {
	host, head string
	body       []byte

	conn  net.Conn
	input *bufio.Reader
	dials int
}

func (w *writer) try(t *testing.T) (status int, err error) {
	t.Helper()

	if w.conn == nil {
		var dialer net.Dialer
		if w.conn, err = dialer.DialContext(t.Context(), "tcp", w.host); err != nil {
			return 0, fmt.Errorf("connect: %w", err)
		}
		conn := w.conn
		t.Cleanup(func() { _ = conn.Close() })
		w.input = bufio.NewReader(w.conn)
		w.dials++
	}
	if _, err := io.WriteString(w.conn, w.head); err != nil {
		return 0, fmt.Errorf("write the header: %w", err)
	}
	if _, err := w.conn.Write(w.body); err != nil {
		return 0, fmt.Errorf("write the body: %w", err)
	}

	resp, err := http.ReadResponse(w.input, nil)
	if err != nil {
		return 0, fmt.Errorf("read the answer: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return resp.StatusCode, fmt.Errorf("read the answer: %w", err)
	}
	if resp.Close {
		if _, err := w.input.ReadByte(); err != io.EOF {
			return resp.StatusCode, fmt.Errorf("after the last answer: %w, want the end", err)
		}
		_ = w.conn.Close()
		w.conn = nil
	}

	return resp.StatusCode, nil
}
