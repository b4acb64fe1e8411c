package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"trivia/internal/config"
)

// restarts are as many as tell a restart that cuts somebody off now and then
// from one that never does; the reliability run does twenty.
const restarts = 6

// A restart must cost no sender a connection: Customer.io waits for an hour
// after one that is refused or reset. New and kept connections, 200 requests a
// second in all.
func TestARestartRefusesNobody(t *testing.T) {
	t.Parallel()

	t.Run("by a successor on the same port", func(t *testing.T) {
		t.Parallel()

		db := newPostgres(t)
		e := on(db.url).with(env{config.Listen: freeAddr(t)})
		p := start(t, e)
		callers := startCallers(t, p.public)
		for range restarts {
			next := start(t, e, "--takeover")
			if code := p.exit(t); code != exitDone {
				t.Errorf("exit code of the one that was replaced = %d, want %d\n%s", code, exitDone, p.stderr.end())
			}
			callers.awaitMore(t)
			p = next
		}
		callers.end(t, db)
	})

	t.Run("by systemd, which holds the socket", func(t *testing.T) {
		t.Parallel()

		db := newPostgres(t)
		socket := listenAsSystemd(t)
		e := on(db.url)
		p := startActivated(t, e, socket)
		callers := startCallers(t, "http://"+socket.addr)
		for range restarts {
			p.signal(t, syscall.SIGTERM)
			if code := p.exit(t); code != exitDone {
				t.Errorf("exit code = %d, want %d\n%s", code, exitDone, p.stderr.end())
			}
			p = startActivated(t, e, socket)
			callers.awaitMore(t)
		}
		callers.end(t, db)
	})
}

// A successor that is never ready changes nothing: the one that has the
// listeners keeps them.
func TestASuccessorThatIsNotReadyReplacesNobody(t *testing.T) {
	t.Parallel()

	e := on(newPostgres(t).url).with(env{config.Listen: freeAddr(t)})
	p := start(t, e)
	successor := launch(t, e.with(env{config.DatabaseURL: "postgres://trivia@/trivia?host=" + t.TempDir()}), "--takeover")
	wait(t, "the successor waits for its database", func() bool {
		return len(successor.logged(t, waitingForDatabase)) > 0 || successor.gone()
	})
	if a := newSender(t, 1).win(p.public, nthWin(1)); a.status != http.StatusOK {
		t.Errorf("while a successor is not ready, a win is answered %+v, want 200", a)
	}
	successor.signal(t, syscall.SIGTERM)
	if code := successor.exit(t); code != exitDone {
		t.Errorf("exit code of the successor = %d, want %d", code, exitDone)
	}
	if a := newSender(t, 1).win(p.public, nthWin(2)); a.status != http.StatusOK {
		t.Errorf("when it has gone, a win is answered %+v, want 200", a)
	}
}

// Without anybody to replace, --takeover is an ordinary start.
func TestATakeoverOfNobodyIsAStart(t *testing.T) {
	t.Parallel()

	p := start(t, on(newPostgres(t).url).with(env{config.Listen: freeAddr(t)}), "--takeover")
	if a := newSender(t, 1).win(p.public, nthWin(1)); a.status != http.StatusOK {
		t.Errorf("a win is answered %+v, want 200", a)
	}
}

// freeAddr returns an address that nobody listens on.
func freeAddr(t *testing.T) string {
	t.Helper()

	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()

	return l.Addr().String()
}

// A systemdSocket is what trivia-hook.socket describes.
type systemdSocket struct {
	addr string
	file *os.File
}

func listenAsSystemd(t *testing.T) systemdSocket {
	t.Helper()

	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	file, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = l.Close(), file.Close() })

	return systemdSocket{l.Addr().String(), file}
}

// startActivated starts a service as systemd does: LISTEN_PID is the process's
// own, which only a shell that becomes it can know.
func startActivated(t *testing.T, e env, socket systemdSocket) *program {
	t.Helper()

	p := launchWith(t, "/bin/sh", "", e.with(env{asProgram: "yes"}), []*os.File{socket.file},
		"-c", `LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=public exec "$0"`, os.Args[0])
	p.waitReady(t)

	return p
}

// Callers call all the time, some of them over one connection after the other,
// some over connections that they keep until they are told that it was the last
// answer there. None of them tries anything again.
type callers struct {
	stop   chan struct{}
	ended  sync.WaitGroup
	faults chan error

	mu   sync.Mutex
	sent []string // the keys of what was answered 200
}

const (
	callersEach  = 2                     // of each way
	callerPace   = 20 * time.Millisecond // of one: four make 200 a second
	awaitAnswers = 100
)

func startCallers(t *testing.T, base string) *callers {
	t.Helper()

	cs := &callers{stop: make(chan struct{}), faults: make(chan error, 1<<16)}
	for i := range callersEach {
		cs.ended.Go(func() { cs.call(t, base, 2*i, false) })
		cs.ended.Go(func() { cs.call(t, base, 2*i+1, true) })
	}

	return cs
}

// call is one caller.
func (cs *callers) call(t *testing.T, base string, number int, keeps bool) {
	t.Helper()

	pace := time.NewTicker(callerPace)
	defer pace.Stop()
	var c *caller
	host := strings.TrimPrefix(base, "http://")
	for n := 0; ; n++ {
		select {
		case <-cs.stop:
			return
		case <-pace.C:
		}
		w := nthWin(n*2*callersEach + number)
		if c == nil {
			var dialer net.Dialer
			conn, err := dialer.DialContext(t.Context(), "tcp", host)
			if err != nil {
				cs.faults <- fmt.Errorf("connect: %w", err)
				continue
			}
			c = callerOn(conn)
		}
		c.request = rawWin(t, host, w)
		status, last, err := c.exchange()
		switch {
		case err != nil:
			cs.faults <- err
		case status == http.StatusOK:
			cs.mu.Lock()
			cs.sent = append(cs.sent, w.user+" "+w.trivia)
			cs.mu.Unlock()
		case status != http.StatusServiceUnavailable:
			cs.faults <- fmt.Errorf("answered %d", status)
		}
		if last || err != nil || !keeps {
			_ = c.conn.Close()
			c = nil
		}
	}
}

// awaitMore waits until so many more have been answered.
func (cs *callers) awaitMore(t *testing.T) {
	t.Helper()

	from := cs.answered()
	wait(t, "more callers are answered", func() bool { return cs.answered() >= from+awaitAnswers })
}

func (cs *callers) answered() int {
	cs.mu.Lock()
	defer cs.mu.Unlock()

	return len(cs.sent)
}

// end fails if anybody was refused, reset, or not answered, or if a win that
// was acknowledged is not there.
func (cs *callers) end(t *testing.T, db postgres) {
	t.Helper()

	close(cs.stop)
	cs.ended.Wait()
	close(cs.faults)
	for err := range cs.faults {
		t.Errorf("a caller was cut off: %v", err)
	}
	db.waitSettled(t)
	db.want(t, `SELECT count(*)::text FROM trivia_wins`, strconv.Itoa(len(cs.sent)))
}
