package pgtest

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"trivia/internal/pgembed"
)

// A Standby is a server that follows a primary until it is promoted.
type Standby struct {
	URL string // of itself alone

	dir, host, port string
}

// Name is what the standby calls itself to its primary.
const Name = "follower"

// StartStandby copies the cluster of primary, and follows it. It ends with the
// test.
func StartStandby(tb testing.TB, primary *pgembed.Cluster) *Standby {
	tb.Helper()

	bin, err := pgembed.Binaries(tb.Context())
	if err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	at, err := url.Parse(primary.URL())
	if err != nil {
		tb.Fatalf("pgtest: parse %s: %v", primary.URL(), err)
	}
	query := at.Query()
	host, port, user := query.Get("host"), query.Get("port"), query.Get("user")
	if user == "" {
		user = at.User.Username()
	}
	if port == "" {
		port = "5432"
	}
	owner := ownerOf(tb, primary)

	dir := Dir(tb)
	if err := os.Chown(dir, int(owner.Uid), int(owner.Gid)); err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	s := &Standby{dir: filepath.Join(dir, "data"), host: dir, port: "5433"}
	copying := exec.CommandContext(tb.Context(), filepath.Join(bin, "pg_basebackup"), //nolint:gosec // found by pgembed
		"-D", s.dir, "-R", "-X", "stream", "--no-sync", "-c", "fast",
		"-d", fmt.Sprintf("host=%s port=%s user=%s application_name=%s", host, port, user, Name))
	copying.SysProcAttr = &syscall.SysProcAttr{Credential: owner}
	copying.Dir, copying.Env = dir, []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "HOME=" + dir}
	if said, err := copying.CombinedOutput(); err != nil {
		tb.Fatalf("pgtest: copy the primary: %v\n%s", err, said)
	}

	var said bytes.Buffer
	server := exec.Command(filepath.Join(bin, "postgres"), "-D", s.dir, //nolint:gosec,noctx // found by pgembed; it ends below
		"-c", "listen_addresses=", "-c", "port="+s.port, "-c", "unix_socket_directories="+s.host,
		"-c", "max_connections=200", "-c", "hot_standby=on", "-c", "logging_collector=off")
	server.SysProcAttr = &syscall.SysProcAttr{Credential: owner, Setpgid: true}
	server.Dir, server.Env = dir, copying.Env
	server.Stdout, server.Stderr = &said, &said
	if err := server.Start(); err != nil {
		tb.Fatalf("pgtest: start the standby: %v", err)
	}
	tb.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGQUIT) // nobody needs its data
		_ = server.Wait()
		if tb.Failed() {
			tb.Logf("the standby has said:\n%s", said.String())
		}
	})

	at.RawQuery = strings.ReplaceAll(url.Values{"host": {s.host}, "port": {s.port}, "user": {user}}.Encode(), "+", "%20")
	at.User, at.Host = nil, ""
	s.URL = at.String()
	s.wait(tb, "SELECT pg_is_in_recovery()")

	return s
}

// Both returns a URL of the primary and the standby, of whichever takes writes.
func (s *Standby) Both(tb testing.TB, primary *pgembed.Cluster) string {
	tb.Helper()

	return with(tb, s.URL, func(u *url.URL) {
		first, err := url.Parse(primary.URL())
		if err != nil {
			tb.Fatalf("pgtest: parse %s: %v", primary.URL(), err)
		}
		port := first.Query().Get("port")
		if port == "" {
			port = "5432"
		}
		query := u.Query()
		query.Set("host", first.Query().Get("host")+","+s.host)
		query.Set("port", port+","+s.port)
		query.Set("target_session_attrs", "read-write")
		query.Set("connect_timeout", "2")
		u.RawQuery = query.Encode()
	})
}

// Promote makes the standby a primary, and returns when it takes writes.
func (s *Standby) Promote(tb testing.TB) {
	tb.Helper()

	execute(tb, s.URL, "SELECT pg_promote(false)")
	s.wait(tb, "SELECT NOT pg_is_in_recovery()")
}

// wait returns when the standby answers sql with true.
func (s *Standby) wait(tb testing.TB, sql string) {
	tb.Helper()

	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		is, err := ask(ctx, s.URL, sql)
		if is {
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			tb.Fatalf("pgtest: the standby does not get there (%s): %v", sql, err)
		}
	}
}

func ask(ctx context.Context, at, sql string) (is bool, err error) {
	conn, err := pgx.Connect(ctx, at)
	if err != nil {
		return false, err
	}
	defer func() { _ = conn.Close(ctx) }()

	err = conn.QueryRow(ctx, sql).Scan(&is)

	return is, err
}

// ownerOf returns as whom the server of c runs.
func ownerOf(tb testing.TB, c *pgembed.Cluster) *syscall.Credential {
	tb.Helper()

	info, err := os.Stat(fmt.Sprintf("/proc/%d", c.PID()))
	if err != nil {
		tb.Fatalf("pgtest: look as whom the server runs: %v", err)
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		tb.Fatal("pgtest: look as whom the server runs: not known on this system")
	}

	return &syscall.Credential{Uid: stat.Uid, Gid: stat.Gid}
}
