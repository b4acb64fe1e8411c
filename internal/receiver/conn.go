package receiver

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

const (
	headerMost  = 20 << 10               // bytes of a request's header that are remembered, at most
	headerKept  = 4 << 10                // the largest memory for them that an idle connection keeps
	lingerTime  = 2 * time.Second        // for a sender to finish after our last answer
	lingerGap   = 500 * time.Millisecond // of it, without a byte
	lingerLeave = 100 * time.Millisecond // instead, while the server is being shut down
	lingerBytes = 128 << 20
)

// A connKey is what a request's context knows its connection by.
type connKey struct{}

// connOf returns the connection of a request; nil if no gate is before it.
func connOf(ctx context.Context) *conn {
	c, _ := ctx.Value(connKey{}).(*conn)

	return c
}

// A conn is a connection behind a gate. What is not atomic belongs to the
// goroutine that serves it, and header to who reads: net/http may read in the
// background, for the end of the connection, while a handler answers.
type conn struct {
	net.Conn // what net/http reads and writes

	raw    net.Conn // below TLS
	gate   *Gate
	closed atomic.Bool
	linger atomic.Bool

	came  atomic.Int64 // Unix nanoseconds
	quiet atomic.Int64 // when the last request ended, in the order of the gate; 0 while one is under way
	used  atomic.Bool  // something has come
	open  atomic.Bool  // a request has begun, and nothing was answered

	fresh  bool   // nothing was answered yet
	begins bool   // what comes next begins a request, or goes on with its header
	ended  bool   // within a header
	header []byte // what came first of the request, unless the one before it brought it along
}

// enter follows the states of a connection.
func (c *conn) enter(state http.ConnState) {
	switch state {
	case http.StateNew:
	case http.StateActive:
		c.begins = false // the header has been read
	case http.StateIdle:
		c.fresh, c.begins = false, true
		c.open.Store(false)
		if cap(c.header) > headerKept {
			c.header = nil
		}
		c.header = c.header[:0]
		c.quiet.Store(c.gate.order.Add(1))
	case http.StateClosed, http.StateHijacked:
		if c.open.Load() {
			c.turned(Turned{Reason: turnedUnfinished, Begin: c.begin()})
		}
	}
}

// Read implements [net.Conn].
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 && c.begins {
		c.open.Store(true)
		c.used.Store(true)
		c.quiet.Store(0)
		c.header = append(c.header, p[:min(n, headerMost-len(c.header))]...)
	}
	if c.begins && errors.Is(err, io.EOF) {
		c.ended = true
	}
	if err != nil && c.gate.TLS != nil && c.noTLS(err) {
		err = io.EOF // or net/http would answer by TLS
	}

	return n, err
}

var endOfHeader = []byte("\r\n\r\n")

// noTLS reports whether there is no TLS because of the other end. To a sender
// who speaks HTTP it says that this port speaks TLS, as net/http does.
func (c *conn) noTLS(err error) bool {
	over, ok := c.Conn.(*tls.Conn)
	if !ok || over.ConnectionState().HandshakeComplete || errors.Is(err, io.EOF) {
		return false
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return false
	}

	odd, ok := errors.AsType[tls.RecordHeaderError](err)
	if !ok || odd.Conn == nil {
		c.turned(Turned{Reason: turnedHandshake, Begin: err.Error()})
		return true
	}
	c.linger.Store(true)
	_, _ = io.WriteString(odd.Conn, "HTTP/1.0 400 Bad Request\r\nConnection: close\r\n\r\nThis port speaks HTTPS.\n")
	c.turned(Turned{Status: http.StatusBadRequest, Reason: turnedPlainOnTLS, Begin: string(odd.RecordHeader[:])})

	return true
}

// Write implements [net.Conn].
func (c *conn) Write(p []byte) (int, error) {
	if c.open.Load() {
		c.open.Store(false)
	}
	if len(p) > len("HTTP/1.1 400") && p[9] >= '4' && p[9] <= '5' {
		c.look(p)
	}

	return c.Conn.Write(p)
}

// look finds out whether an answer is one that net/http gives by itself: those
// have no date. A handler's answer of 417 there is none.
func (c *conn) look(p []byte) {
	if !bytes.HasPrefix(p, []byte("HTTP/1.")) {
		return
	}
	status, err := strconv.Atoi(string(p[9:12]))
	head, _, _ := bytes.Cut(p, endOfHeader)
	if err != nil || status != http.StatusExpectationFailed && bytes.Contains(head, []byte("\r\nDate: ")) {
		return
	}

	c.linger.Store(true)
	reason := turnedFor(status, c.header, c.fresh)
	if reason == turnedBadRequest && c.ended {
		reason = turnedUnfinished // nobody is there any more
	}
	c.turned(Turned{Status: status, Reason: reason, Begin: c.begin()})
}

// begin returns the first bytes of the request.
func (c *conn) begin() string { return string(c.header[:min(len(c.header), turnedMost)]) }

func (c *conn) turned(t Turned) {
	c.open.Store(false)
	if c.gate.Turned == nil {
		return
	}
	t.Time, t.Peer = c.gate.Now(), c.RemoteAddr().String()
	c.gate.Turned(t)
}

// CloseWrite says that nothing more will be said.
func (c *conn) CloseWrite() error {
	if c.raw != c.Conn {
		if over, ok := c.Conn.(*tls.Conn); ok {
			_ = over.CloseWrite() // without a handshake there is nothing to say
		}
	}
	if half, ok := c.raw.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}

	return nil
}

// Close implements [net.Conn]. Where more of a request may come, it closes our
// half first and takes what comes for a while: else the kernel answers with a
// reset, which takes the answer away from a sender who has not read it yet.
func (c *conn) Close() error {
	if c.closed.Swap(true) {
		return c.Conn.Close()
	}
	if c.linger.Load() {
		select {
		case c.gate.lingers <- struct{}{}:
			c.lingerOn()
			<-c.gate.lingers
		default: // too many do already
		}
	}
	err := c.Conn.Close()
	c.gate.left(c)

	return err
}

func (c *conn) lingerOn() {
	if c.CloseWrite() != nil {
		return // it is closed already
	}

	b := bounds{bytes: lingerBytes, time: lingerTime, gap: lingerGap}
	if c.gate.leaving.Load() {
		b.gap = lingerLeave
	}
	_ = b.discard(c.raw, c.raw.SetReadDeadline)
}
