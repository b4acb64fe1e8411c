package main

import (
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// A freezer stands before a database. When it is frozen nothing comes through,
// and nobody is told, as when a network is lost.
type freezer struct {
	url string

	mu     sync.Mutex // held while it is frozen
	frozen bool
}

// newFreezer begins before the database at base, thawed.
func newFreezer(t *testing.T, base string) *freezer {
	t.Helper()

	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "frozen") //nolint:usetesting // a socket's path has to be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	const socket = ".s.PGSQL.5432"
	query := u.Query()
	behind := filepath.Join(query.Get("host"), ".s.PGSQL."+port(query))
	query.Set("host", dir)
	query.Set("port", "5432")
	u.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20")

	f := &freezer{url: u.String()}
	var (
		config net.ListenConfig
		dialer net.Dialer
	)
	l, err := config.Listen(t.Context(), "unix", filepath.Join(dir, socket))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.thaw(); _ = l.Close() })
	go func() {
		for {
			front, err := l.Accept()
			if err != nil {
				return
			}
			back, err := dialer.DialContext(t.Context(), "unix", behind)
			if err != nil {
				_ = front.Close()

				continue
			}
			go f.pass(front, back)
			go f.pass(back, front)
		}
	}()

	return f
}

func port(query url.Values) string {
	if p := query.Get("port"); p != "" {
		return p
	}

	return "5432"
}

// pass hands on what one side says until either is gone.
func (f *freezer) pass(from, to net.Conn) {
	defer func() { _, _ = from.Close(), to.Close() }()

	for buf := make([]byte, 1<<15); ; {
		n, err := from.Read(buf)
		f.mu.Lock()
		f.mu.Unlock() //nolint:staticcheck // it has only to wait
		if _, failed := to.Write(buf[:n]); failed != nil || err != nil {
			return
		}
	}
}

func (f *freezer) freeze() {
	f.mu.Lock()
	f.frozen = true
}

func (f *freezer) thaw() {
	if f.frozen {
		f.frozen = false
		f.mu.Unlock()
	}
}
