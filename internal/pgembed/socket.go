package pgembed

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	socketPort = "5432"          // names the socket's file; nothing listens on it unless TCP is asked for
	socketMost = 103             // bytes of a socket's path that every system takes: 104 on macOS, 108 on Linux, with the NUL
	pingMost   = 2 * time.Second // for a server that is up; it answers in microseconds
)

// A socket is where a cluster listens.
type socket struct {
	dir  string
	host string // for TCP; "" = none
	port string
}

// newSocket chooses and makes the directory of p's socket: beside the data, or
// a short one with p's hash in its name where that path is too long.
func newSocket(p place, a account, tcp string) (socket, error) {
	s := socket{dir: filepath.Join(p.dir, "socket"), port: socketPort}
	if tcp != "" {
		var err error
		if s.host, s.port, err = splitLoopback(tcp); err != nil {
			return socket{}, err
		}
	}

	if len(s.path()) > socketMost {
		sum := sha256.Sum256([]byte(p.dir))
		s.dir = filepath.Join(shortDir(a), "trivia-"+strconv.Itoa(int(a.uid))+"-"+hex.EncodeToString(sum[:6]))
	}
	if err := a.makePrivate(s.dir); err != nil {
		return socket{}, err
	}

	return s, nil
}

// shortDir is for sockets that do not fit elsewhere.
func shortDir(a account) string {
	if a.other {
		return "/run" // only root makes anything there
	}
	if dir := os.TempDir(); len(dir) < socketMost/2 {
		return dir
	}

	return "/tmp"
}

// splitLoopback refuses all that is not loopback: whoever reaches the port is
// the database's superuser.
func splitLoopback(tcp string) (host, port string, err error) {
	host, port, err = net.SplitHostPort(tcp)
	if err != nil {
		return "", "", fmt.Errorf("listen on TCP %q: %w", tcp, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", "", fmt.Errorf("listen on TCP %q: only loopback is allowed, since the server trusts whoever reaches it", tcp)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", "", fmt.Errorf("listen on TCP %q: want a port from 1 to 65535", tcp)
	}

	return host, port, nil
}

func (s socket) path() string { return filepath.Join(s.dir, ".s.PGSQL."+s.port) }

// url names everything that the environment of a client could set otherwise.
func (s socket) url() string {
	query := url.Values{"host": {s.dir}, "port": {s.port}, "sslmode": {"disable"}}
	spaces := strings.ReplaceAll(query.Encode(), "+", "%20") // clients of Postgres take a plus sign for one
	u := url.URL{Scheme: "postgres", User: url.User(Role), Path: "/" + Database, RawQuery: spaces}

	return u.String()
}

// clear removes what a server that was killed has left. Nobody else listens in
// this directory.
func (s socket) clear() error {
	old, _ := filepath.Glob(filepath.Join(s.dir, ".s.PGSQL.*")) // it fails on a bad pattern only
	for _, path := range old {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove an old socket: %w", err)
		}
	}

	return nil
}

// ping asks the server behind the socket whether it would speak TLS: the
// shortest question that Postgres answers before it knows who asks.
func (s socket) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pingMost)
	defer cancel()

	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", s.path())
	if err != nil {
		return fmt.Errorf("reach Postgres: %w", err)
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()

	answer := make([]byte, 1)
	if _, err := conn.Write([]byte{0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f}); err != nil { // SSLRequest
		return fmt.Errorf("ask Postgres: %w", err)
	}
	if _, err := conn.Read(answer); err != nil {
		return fmt.Errorf("hear from Postgres: %w", err)
	}
	if answer[0] != 'N' && answer[0] != 'S' {
		return fmt.Errorf("hear from Postgres: unexpected %q", answer)
	}

	return nil
}
