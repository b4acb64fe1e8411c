package receiver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"trivia/internal/diag"
)

const (
	silentTime  = time.Second           // after which a new connection on which nothing came may be closed for another
	lookAgain   = 50 * time.Millisecond // between two looks for one that may be closed
	lingersMost = 256                   // connections that are closed with patience at once
)

// GateOptions are what a [Gate] works with.
type GateOptions struct {
	Most    int         // connections at once; 0 = any number
	TLS     *tls.Config // nil: plain
	Metrics *diag.Metrics
	Log     *slog.Logger
	Now     func() time.Time

	// Turned is told what the server refused by itself, before any handler saw
	// it. Nil: nobody is.
	Turned func(Turned)
}

// A Gate stands between a listener and its server. It bounds how many
// connections there are, notices when none can be accepted, sees what the
// server refuses by itself, and closes connections so that the last answer
// reaches the sender.
type Gate struct {
	GateOptions

	lingers chan struct{} // one token for each connection that lingers
	freed   chan struct{} // a connection has ended
	order   atomic.Int64  // of ends of requests
	leaving atomic.Bool   // the server is being shut down
	failing atomic.Pointer[acceptFault]

	mu    sync.Mutex
	conns map[*conn]struct{}
	full  bool // the limit was reached, and that is said
}

// An acceptFault says why no connection can be accepted, and since when.
type acceptFault struct {
	since time.Time
	err   error
}

// NewGate returns a gate.
func NewGate(opts GateOptions) *Gate {
	return &Gate{
		GateOptions: opts, conns: map[*conn]struct{}{},
		lingers: make(chan struct{}, lingersMost), freed: make(chan struct{}, 1),
	}
}

// Listen returns l behind g. Any number of listeners may share a gate.
func (g *Gate) Listen(l net.Listener) net.Listener {
	return &gated{Listener: l, gate: g, closed: make(chan struct{})}
}

// Attend lets g see what becomes of the connections of s, beside whoever
// attends it already.
func (g *Gate) Attend(s *http.Server) {
	states, contexts := s.ConnState, s.ConnContext
	s.ConnState = func(nc net.Conn, state http.ConnState) {
		if c, ok := nc.(*conn); ok {
			c.enter(state)
		}
		if states != nil {
			states(nc, state)
		}
	}
	s.ConnContext = func(ctx context.Context, nc net.Conn) context.Context {
		if contexts != nil {
			ctx = contexts(ctx, nc)
		}

		return context.WithValue(ctx, connKey{}, nc)
	}
	s.RegisterOnShutdown(func() { g.leaving.Store(true) })
}

// Open returns how many connections there are.
func (g *Gate) Open() int {
	g.mu.Lock()
	defer g.mu.Unlock()

	return len(g.conns)
}

// Accepting returns an error while connections cannot be accepted.
func (g *Gate) Accepting() error {
	fault := g.failing.Load()
	if fault == nil {
		return nil
	}

	return fmt.Errorf("connections cannot be accepted for %v: %w", g.Now().Sub(fault.since).Round(time.Second), fault.err)
}

// A gated listener accepts for a gate.
type gated struct {
	net.Listener

	gate   *Gate
	once   sync.Once
	closed chan struct{}
}

// Accept implements [net.Listener]. While there are too many connections and
// none that may be closed, it keeps the newest one waiting, and those behind it
// in the kernel's queue: requests end within seconds.
func (l *gated) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		if !errors.Is(err, net.ErrClosed) {
			l.gate.failed(err)
		}

		return nil, err
	}
	l.gate.accepted()
	c := l.gate.enter(nc)
	l.gate.makeRoom(c, l.closed)

	return c, nil
}

// Close implements [net.Listener].
func (l *gated) Close() error {
	l.once.Do(func() { close(l.closed) })

	return l.Listener.Close()
}

// failed notes that accept has failed. Net/http tries again by itself.
func (g *Gate) failed(err error) {
	g.Metrics.AcceptFailed()
	if g.failing.CompareAndSwap(nil, &acceptFault{since: g.Now(), err: err}) {
		g.Log.Error("connections cannot be accepted", slog.Any("error", err), slog.Int("open", g.Open()))
	}
}

func (g *Gate) accepted() {
	if fault := g.failing.Load(); fault != nil && g.failing.CompareAndSwap(fault, nil) {
		g.Log.Info("connections can be accepted again",
			slog.String("after", g.Now().Sub(fault.since).Round(time.Millisecond).String()))
	}
}

// enter counts a connection in.
func (g *Gate) enter(nc net.Conn) *conn {
	c := &conn{Conn: nc, raw: nc, gate: g, fresh: true, begins: true}
	if g.TLS != nil {
		c.Conn = tls.Server(nc, g.TLS)
	}
	c.came.Store(g.Now().UnixNano())
	c.quiet.Store(1)

	g.mu.Lock()
	defer g.mu.Unlock()
	g.conns[c] = struct{}{}

	return c
}

// left counts a connection out.
func (g *Gate) left(c *conn) {
	g.mu.Lock()
	defer g.mu.Unlock()

	delete(g.conns, c)
	select {
	case g.freed <- struct{}{}:
	default:
	}
}

// longAgo is a deadline that has passed, by whatever clock.
var longAgo = time.Unix(1, 0)

// Hurry is for a server that is being shut down: it closes the connections on
// which nothing has come since the last answer, or ever, and lets those wait no
// longer whose request is not whole. Who has sent a body only in part is answered
// so; whose request is whole is not disturbed.
func (g *Gate) Hurry() {
	g.leaving.Store(true)
	g.mu.Lock()
	all := make([]*conn, 0, len(g.conns))
	for c := range g.conns {
		all = append(all, c)
	}
	g.mu.Unlock()

	for _, c := range all {
		if c.quiet.Load() != 0 && !pending(c.raw) {
			_ = c.Close()
			continue
		}
		_ = c.raw.SetReadDeadline(longAgo)
	}
}

// makeRoom returns when there are no more connections than may be, newest
// included, or when the listener is closed: who was accepted is answered then.
func (g *Gate) makeRoom(newest *conn, closed <-chan struct{}) {
	if g.Most == 0 || !g.crowded() {
		return
	}

	look := time.NewTicker(lookAgain)
	defer look.Stop()
	for g.crowded() {
		if c := g.spare(newest); c != nil {
			g.Metrics.ConnectionShed()
			_ = c.Close()
			continue
		}
		select {
		case <-g.freed:
		case <-look.C:
		case <-closed:
			return
		}
	}
	newest.came.Store(g.Now().UnixNano()) // its second begins now
}

// crowded reports whether there are too many connections, and says so when
// that begins and ends.
func (g *Gate) crowded() bool {
	g.mu.Lock()
	defer g.mu.Unlock()

	n := len(g.conns)
	switch {
	case n > g.Most && !g.full:
		g.full = true
		g.Log.Warn("there are as many connections as may be: idle ones are closed for new ones", slog.Int("most", g.Most))
	case g.full && n < g.Most-g.Most/10:
		g.full = false
	}

	return n > g.Most
}

// spare returns the connection that is missed least: the one on which nobody
// has ever said a word for the longest time, else the one that has been idle
// for the longest. It returns nil if all are in use.
func (g *Gate) spare(newest *conn) *conn {
	g.mu.Lock()
	defer g.mu.Unlock()

	var found *conn
	var since int64
	silent := false
	limit := g.Now().Add(-silentTime).UnixNano()
	for c := range g.conns {
		at, used := c.quiet.Load(), c.used.Load()
		busy := at == 0
		if !used {
			at = c.came.Load()
		}
		switch {
		case c == newest, busy, !used && at > limit, silent && used:
			continue
		case found == nil, !used && !silent, at < since:
			if !pending(c.raw) {
				found, since, silent = c, at, !used
			}
		}
	}
	if found != nil {
		delete(g.conns, found) // its Close counts it out once more, which changes nothing
	}

	return found
}
