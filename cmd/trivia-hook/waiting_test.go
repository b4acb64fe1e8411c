package main

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"trivia/internal/config"
	"trivia/internal/diag"
	"trivia/internal/pgembed"
	"trivia/internal/pgtest"
)

// waitListening waits until the listeners answer, database or not.
func (p *program) waitListening(t *testing.T) {
	t.Helper()

	wait(t, "the service listens", func() bool { return len(p.logged(t, "listening")) > 0 || p.gone() })
	lines := p.logged(t, "listening")
	if len(lines) == 0 {
		t.Fatalf("trivia-hook does not listen, but has ended: %v\n%s", p.err, p.stderr.end())
	}
	p.public, p.private = "http://"+lines[0].text("public"), "http://"+lines[0].text("private")
}

// Whatever keeps the database away, callers are answered 503 and told to come
// again, nobody is refused a connection, and the log says it once. When it is
// mended, the service goes on by itself.
func TestADatabaseThatIsNotThereIsWaitedFor(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name  string
		spoil func(t *testing.T) (url string, mend func())
		said  string
	}{
		{"it does not run", serverThatComesLate, "connection refused"},
		{"it does not exist yet", databaseThatComesLate, "does not exist"},
		{"the role may not log in yet", roleThatComesLate, "not permitted to log in"},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			url, mend := tt.spoil(t)
			p := launch(t, on(url))
			p.waitListening(t)
			wait(t, "the service waits", func() bool { return len(p.logged(t, waitingForDatabase)) > 0 || p.gone() })

			s := newSender(t, 1)
			a := s.win(p.public, nthWin(1))
			if a.status != http.StatusServiceUnavailable || a.retryAfter == "" {
				t.Errorf("without a database a win is answered %+v, want 503 and when to come again", a)
			}
			if status, _ := get(t, p.public+"/healthz"); status != http.StatusOK {
				t.Errorf("/healthz = %d, want 200: the process is up", status)
			}
			if status, text := get(t, p.private+"/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(text, tt.said) {
				t.Errorf("/readyz on the private listener = %d %q, want 503 and %q", status, text, tt.said)
			}
			if status, text := get(t, p.public+"/readyz"); status != http.StatusServiceUnavailable || strings.Contains(text, tt.said) {
				t.Errorf("/readyz = %d %q, want 503, and no reasons for strangers", status, text)
			}

			mend()
			p.waitReady(t)
			if a := s.win(p.public, nthWin(1)); a.status != http.StatusOK {
				t.Errorf("when it is there, the win is answered %+v, want 200", a)
			}
			if lines := p.logged(t, waitingForDatabase); len(lines) != 1 {
				t.Errorf("%d lines about one cause, want 1: %v", len(lines), lines)
			}
		})
	}
}

func TestWhoWaitsForADatabaseCanBeStopped(t *testing.T) {
	t.Parallel()

	p := launch(t, on("postgres://trivia@/trivia?host="+t.TempDir()).with(env{config.StopDelay: "10m"}))
	p.waitListening(t)
	wait(t, "the service waits", func() bool { return len(p.logged(t, waitingForDatabase)) > 0 || p.gone() })
	p.signal(t, syscall.SIGTERM)
	if code := p.exit(t); code != exitDone {
		t.Errorf("exit code = %d, want %d: a stop that is asked for is no failure\n%s", code, exitDone, p.stderr.end())
	}
	if lines := p.logged(t, "no longer ready; serving on before stopping"); len(lines) > 0 {
		t.Error("the stop was put off, and nobody had been told that the service is ready")
	}
}

// While a stop is put off, whoever asks is sent elsewhere, and who comes all
// the same is served.
func TestAStopIsPutOffForThoseWhoHaveNotNoticed(t *testing.T) {
	t.Parallel()

	p := start(t, on(newPostgres(t).url).with(env{config.StopDelay: "1s"}))
	p.signal(t, syscall.SIGTERM)
	wait(t, "the stop has begun", func() bool { return len(p.logged(t, "no longer ready; serving on before stopping")) > 0 })

	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(p.public, "http://"))
	if err != nil {
		t.Fatalf("while the stop is put off: %v", err)
	}
	c := callerOn(conn)
	c.request = rawWin(t, conn.RemoteAddr().String(), nthWin(1))
	if _, err := c.call(); err != nil {
		t.Errorf("while the stop is put off: %v", err)
	}
	if code := p.exit(t); code != exitDone {
		t.Errorf("exit code = %d, want %d\n%s", code, exitDone, p.stderr.end())
	}
}

// Strangers who say nothing, or begin and do not go on, hold up no stop. The
// program itself gives up on its drain after ten seconds, so that it is asked
// what it has said of that.
func TestStrangersHoldUpNoStop(t *testing.T) {
	t.Parallel()

	p := start(t, on(newPostgres(t).url))
	for _, begin := range []string{
		"", "POST /webhooks", "POST /bet_service/cio/trivia_win HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n{\"user",
	} {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(p.public, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		if _, err := conn.Write([]byte(begin)); err != nil {
			t.Fatal(err)
		}
	}
	p.signal(t, syscall.SIGTERM)
	if code := p.exit(t); code != exitDone {
		t.Errorf("exit code = %d, want %d: who did not finish is not waited for\n%s", code, exitDone, p.stderr.end())
	}
}

func TestAFaultInAStageInterruptsOnlyThatStage(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		metrics := diag.New()
		s := supervisor{metrics: metrics, log: slog.New(slog.DiscardHandler), now: time.Now}
		var runs atomic.Int64
		begun := time.Now()
		wrong := errors.New("wrong")
		err := s.keep(t.Context(), "settle", func(context.Context) error {
			if runs.Add(1) <= 3 {
				panic("a fault")
			}

			return wrong
		})
		if !errors.Is(err, wrong) || runs.Load() != 4 {
			t.Errorf("keep = %v after %d runs, want what the fourth returned", err, runs.Load())
		}
		if rested := time.Since(begun); rested < 300*time.Millisecond { // by the bubble's clock
			t.Errorf("the stage rested %v after three faults, want ever longer", rested)
		}

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.keep(ctx, "settle", func(context.Context) error { panic("again") }); err != nil {
			t.Errorf("keep = %v when it is stopped during a rest, want nil", err)
		}
	})
}

// A connection that the kernel has let in is served, also if nobody has
// accepted it when the stop begins.
func TestADoorIsNotClosedBeforeTheQueueIsEmpty(t *testing.T) {
	t.Parallel()

	l, err := listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := newDoor(l, false)
	const waiting = 20
	for range waiting {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
	}

	accepted := make(chan int)
	go func() {
		n := 0
		for {
			conn, err := d.Accept()
			if err != nil {
				break
			}
			_ = conn.Close()
			n++
		}
		accepted <- n
	}()
	d.empty()
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if n := <-accepted; n != waiting {
		t.Errorf("%d of %d who waited were let in", n, waiting)
	}
}

// aimed returns base after change.
func aimed(t *testing.T, base string, change func(*url.URL)) string {
	t.Helper()

	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	change(u)

	return u.String()
}

// serverThatComesLate returns a database at a port on which nobody listens
// before it is mended.
func serverThatComesLate(t *testing.T) (base string, mend func()) {
	t.Helper()

	db, addr := newPostgres(t), freeAddr(t)
	socket := ""
	base = aimed(t, db.url, func(u *url.URL) {
		query := u.Query()
		socket = filepath.Join(query.Get("host"), ".s.PGSQL."+cmp.Or(query.Get("port"), "5432"))
		query.Del("host")
		query.Del("port")
		query.Set("sslmode", "disable")
		u.Host, u.RawQuery = addr, strings.ReplaceAll(query.Encode(), "+", "%20")
	})

	return base, func() {
		l, err := listen(t.Context(), addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		go forward(l, socket)
	}
}

// forward lets whoever calls l talk to the unix socket at path.
func forward(l net.Listener, path string) {
	for {
		here, err := l.Accept()
		if err != nil {
			return
		}
		there, err := net.Dial("unix", path) //nolint:noctx // it ends with its connections
		if err != nil {
			_ = here.Close()
			continue
		}
		go func() { _, _ = io.Copy(there, here); _ = there.Close() }()
		go func() { _, _ = io.Copy(here, there); _ = here.Close() }()
	}
}

// databaseThatComesLate returns one that has another name before it is mended.
func databaseThatComesLate(t *testing.T) (base string, mend func()) {
	t.Helper()

	early := pgtest.Database(t)
	db := prepare(t, early)
	name, late := "", ""
	base = aimed(t, db.url, func(u *url.URL) {
		name = strings.TrimPrefix(u.Path, "/")
		late = "late_" + name[:min(len(name), 40)] // Postgres cuts longer names
		u.Path = "/" + late
	})

	return base, func() {
		other := postgres{aimed(t, db.url, func(u *url.URL) { u.Path = "/" + pgembed.Database })}
		other.exec(t, `ALTER DATABASE "`+name+`" RENAME TO "`+late+`"`)
	}
}

// roleThatComesLate returns a database with a role that may not log in before
// it is mended.
func roleThatComesLate(t *testing.T) (base string, mend func()) {
	t.Helper()

	db := newPostgres(t)
	const role = "comes_late"
	db.exec(t, `CREATE ROLE `+role+` SUPERUSER NOLOGIN`)

	return aimed(t, db.url, func(u *url.URL) { u.User = url.User(role) }),
		func() { db.exec(t, `ALTER ROLE `+role+` LOGIN`) }
}
