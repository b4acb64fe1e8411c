package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"trivia/internal/customerio"
	"trivia/internal/pgtest"
	"trivia/internal/signature"
)

// A stop must not cost a sender its connection: Customer.io holds back all
// that follows for an hour then. Each caller keeps its connection and sends one
// request after the other, until an answer says that it was the last.
func TestAStopCutsNobodyOff(t *testing.T) {
	t.Parallel()

	db := newPostgres(t)
	p := start(t, on(db.url))
	load := startLoad(t, p.public)
	load.await(t, "wins are awarded", sent.taken)

	callers := make([]*caller, 64)
	ends := make(chan error, len(callers))
	for i := range callers {
		callers[i] = newCaller(t, p.public, nthWin(users*users+i))
		go func() { ends <- callers[i].callUntilToldToStop() }()
	}
	wait(t, "everybody has called", func() bool {
		for _, c := range callers {
			if c.answered.Load() == 0 {
				return false
			}
		}

		return true
	})
	p.signal(t, syscall.SIGTERM)

	for range callers {
		if err := <-ends; err != nil {
			t.Errorf("a caller was cut off: %v", err)
		}
	}
	if code := p.exit(t); code != exitDone {
		t.Errorf("exit code = %d, want %d\n%s", code, exitDone, p.stderr.end())
	}
	all := load.end()
	checkAnswered(t, all)
	start(t, on(db.url)) // settles what is left
	db.checkPrizes(t, all)
}

func TestWhatIsUnderWayAtAStopIsAnswered(t *testing.T) {
	t.Parallel()

	db := newPostgres(t)
	db.exec(t, `
		CREATE OR REPLACE FUNCTION grant_prize(user_id text, item text, trivia_id text) RETURNS void
		LANGUAGE sql AS 'SELECT pg_advisory_xact_lock(hashtext($1))'`)
	held := db.connect(t)
	if _, err := held.Exec(t.Context(), `SELECT pg_advisory_lock(hashtext('user-1'))`); err != nil {
		t.Fatal(err)
	}
	p := start(t, on(db.url))

	half := newCaller(t, p.public, nthWin(2))
	rest := half.begin(t)
	awarding := make(chan answer, 1)
	s := newSender(t, 1)
	go func() { awarding <- s.win(p.public, nthWin(1)) }()
	wait(t, "an award is under way", func() bool {
		return len(db.column(t, `SELECT mode FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`)) > 0
	})

	p.signal(t, syscall.SIGTERM)
	p.waitStopping(t)
	if err := held.Close(t.Context()); err != nil { // and let go
		t.Fatal(err)
	}
	if _, err := half.conn.Write(rest); err != nil {
		t.Fatal(err)
	}

	if a := <-awarding; a.err != nil || a.status != http.StatusOK {
		t.Errorf("the win that was being awarded: answer %d, %v; want 200", a.status, a.err)
	}
	if last, err := half.hear(); err != nil || !last {
		t.Errorf("the win whose body was half sent: last = %t, %v; want an answer, and that it is the last", last, err)
	}
	if code := p.exit(t); code != exitDone {
		t.Errorf("exit code = %d, want %d\n%s", code, exitDone, p.stderr.end())
	}
}

func TestAStopDoesNotWaitForADatabaseThatHangs(t *testing.T) {
	t.Parallel()

	c := pgtest.Durable(t)
	db := prepare(t, c.URL())
	p := start(t, on(db.url))
	load := startLoad(t, p.public)
	load.await(t, "wins are awarded", sent.taken)
	freeze(t, c)
	load.await(t, "wins are refused", sent.refused)

	p.signal(t, syscall.SIGTERM) // and the database stays as it is
	if code := p.exit(t); code != exitDone {
		t.Errorf("exit code = %d, want %d\n%s", code, exitDone, p.stderr.end())
	}
	checkAnswered(t, load.end())
}

func TestASecondSignalEndsTheServiceAsItIs(t *testing.T) {
	t.Parallel()

	p := start(t, on(newPostgres(t).url))
	newCaller(t, p.public, nthWin(1)).begin(t) // is waited for
	p.signal(t, syscall.SIGTERM)
	p.waitStopping(t)
	wait(t, "the service is gone", func() bool {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		return p.gone()
	})
	if code := p.exit(t); code != -1 {
		t.Errorf("exit code = %d, want that the signal has ended it", code)
	}
}

// checkAnswered fails if a request that reached the service got no answer.
func checkAnswered(t *testing.T, all []sent) {
	t.Helper()

	for _, s := range all {
		if s.err != nil && !errors.Is(s.err, syscall.ECONNREFUSED) {
			t.Errorf("win %s was sent and not answered: %v", s.key, s.err)
		}
	}
}

// A caller is a sender with one connection, who trusts the service to say when
// that ends. What is lost on it is not sent again.
type caller struct {
	conn     net.Conn
	reader   *bufio.Reader
	request  []byte
	answered atomic.Int64
}

func newCaller(t *testing.T, base string, w win) *caller {
	t.Helper()

	var dialer net.Dialer
	host := strings.TrimPrefix(base, "http://")
	conn, err := dialer.DialContext(t.Context(), "tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })

	c := callerOn(conn)
	c.request = rawWin(t, host, w)

	return c
}

func callerOn(conn net.Conn) *caller { return &caller{conn: conn, reader: bufio.NewReader(conn)} }

// rawWin is a signed request as it goes over the wire. The body comes last.
func rawWin(t *testing.T, host string, w win) []byte {
	t.Helper()

	stamp, body := strconv.FormatInt(time.Now().Unix(), 10), w.body()

	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\n%s: %s\r\n%s: %s\r\nContent-Length: %d\r\n\r\n%s",
		customerio.PathWin, host, signature.HeaderTimestamp, stamp,
		signature.HeaderSignature, signature.Sign(keyOf(t, actionKey), stamp, body), len(body), body)
}

// hear reads one answer, which must be 200, and returns whether it is the last
// on this connection.
func (c *caller) hear() (last bool, err error) {
	status, last, err := c.hearAny()
	if err == nil && status != http.StatusOK {
		return false, fmt.Errorf("answer %d: status %d", c.answered.Load(), status)
	}

	return last, err
}

// hearAny reads one answer.
func (c *caller) hearAny() (status int, last bool, err error) {
	resp, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return 0, false, fmt.Errorf("answer %d: %w", c.answered.Load()+1, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return 0, false, fmt.Errorf("answer %d: %w", c.answered.Load()+1, err)
	}
	c.answered.Add(1)

	return resp.StatusCode, resp.Close, nil
}

// exchange sends the request and reads its answer, whatever that is.
func (c *caller) exchange() (status int, last bool, err error) {
	if _, err := c.conn.Write(c.request); err != nil {
		return 0, false, err
	}

	return c.hearAny()
}

// call sends the request and hears the answer.
func (c *caller) call() (last bool, err error) {
	if _, err := c.conn.Write(c.request); err != nil {
		return false, err
	}

	return c.hear()
}

func (c *caller) callUntilToldToStop() error {
	pace := time.NewTicker(interval)
	defer pace.Stop()

	for {
		<-pace.C
		if last, err := c.call(); last || err != nil {
			return err
		}
	}
}

// begin sends a request but for its end, which it returns. One whole request
// before it shows that the service has taken the connection.
func (c *caller) begin(t *testing.T) (rest []byte) {
	t.Helper()

	const most = 10
	if _, err := c.call(); err != nil {
		t.Fatal(err)
	}
	cut := len(c.request) - most
	if _, err := c.conn.Write(c.request[:cut]); err != nil {
		t.Fatal(err)
	}

	return c.request[cut:]
}
