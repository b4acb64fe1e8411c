package pgtest

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A Pooler is a PgBouncer of the test's own.
type Pooler struct {
	URL string // of the database behind it

	config, log string
	text        string // of the configuration
	cmd         *exec.Cmd
}

// PoolerOptions say how a [Pooler] works.
type PoolerOptions struct {
	Mode        string // session or transaction
	MaxPrepared int    // max_prepared_statements; -1 leaves the setting out, for versions that do not know it
	Size        int    // connections to the server; 0 means 4
}

// PoolerVersion returns the version of PgBouncer as a number, 1018 for 1.18. That it
// is not installed fails the test.
func PoolerVersion(tb testing.TB) int {
	tb.Helper()

	said, err := exec.CommandContext(tb.Context(), poolerPath(tb), "--version").Output() //nolint:gosec // a program of this machine
	if err != nil {
		tb.Fatalf("pgtest: ask pgbouncer for its version: %v", err)
	}
	var major, minor int
	if _, err := fmt.Sscanf(string(said), "PgBouncer %d.%d", &major, &minor); err != nil {
		tb.Fatalf("pgtest: read the version of pgbouncer: %v", err)
	}

	return major*1000 + minor
}

// poolerPath finds PgBouncer also where only root looks.
func poolerPath(tb testing.TB) string {
	tb.Helper()

	if path, err := exec.LookPath("pgbouncer"); err == nil {
		return path
	}
	const sbin = "/usr/sbin/pgbouncer"
	if _, err := os.Stat(sbin); err != nil {
		tb.Fatal("pgtest: PgBouncer is not installed: install the package pgbouncer and try again")
	}

	return sbin
}

// StartPooler puts a PgBouncer in front of the database at base, whose
// parameters are not handed on: a pooler refuses most. It ends with the test.
func StartPooler(tb testing.TB, base string, opts PoolerOptions) *Pooler {
	tb.Helper()

	at, err := url.Parse(base)
	if err != nil {
		tb.Fatalf("pgtest: parse %s: %v", base, err)
	}
	query, name := at.Query(), strings.TrimPrefix(at.Path, "/")
	host, port := at.Hostname(), at.Port()
	if host == "" {
		host, port = query.Get("host"), query.Get("port")
	}
	if port == "" {
		port = "5432"
	}
	size := opts.Size
	if size == 0 {
		size = 4
	}

	dir := poolerDir(tb)
	p := &Pooler{
		URL:    "postgres:///" + name + "?host=" + url.QueryEscape(dir) + "&port=6432&user=" + at.User.Username(),
		config: filepath.Join(dir, "pgbouncer.ini"), log: filepath.Join(dir, "pgbouncer.log"),
	}
	p.text = fmt.Sprintf(`[databases]
* = host=%s port=%s user=%s

[pgbouncer]
listen_port = 6432
unix_socket_dir = %s
unix_socket_mode = 0777
logfile = %s
auth_type = any
pool_mode = %s
default_pool_size = %d
max_client_conn = 200
`, host, port, at.User.Username(), dir, p.log, opts.Mode, size)
	if opts.MaxPrepared >= 0 {
		p.text += "max_prepared_statements = " + strconv.Itoa(opts.MaxPrepared) + "\n"
	}
	p.start(tb)

	return p
}

// Allow makes the pooler accept, and drop, start-up parameters of these names,
// separated by commas. It takes effect with the next connection.
func (p *Pooler) Allow(tb testing.TB, names string) {
	tb.Helper()

	p.write(tb, p.text+"ignore_startup_parameters = "+names+"\n")
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		tb.Fatalf("pgtest: reload pgbouncer: %v", err)
	}
}

func (p *Pooler) write(tb testing.TB, text string) {
	tb.Helper()

	if err := os.WriteFile(p.config, []byte(text), 0o644); err != nil { //nolint:gosec // its user reads it, and there is no secret in it
		tb.Fatalf("pgtest: configure pgbouncer: %v", err)
	}
}

func (p *Pooler) start(tb testing.TB) {
	tb.Helper()

	p.write(tb, p.text)
	args := []string{"-q", p.config}
	if os.Geteuid() == 0 { // it refuses to run as root
		args = append([]string{"-u", poolerUser(tb).Username}, args...)
	}
	p.cmd = exec.Command(poolerPath(tb), args...) //nolint:gosec,noctx // PgBouncer itself; it ends below
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		tb.Fatalf("pgtest: start pgbouncer: %v", err)
	}
	ended := make(chan struct{})
	go func() {
		_ = p.cmd.Wait() // it is told to end
		close(ended)
	}()
	tb.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it has nothing to keep
		<-ended
		if said, err := os.ReadFile(p.log); tb.Failed() && err == nil {
			tb.Logf("pgbouncer (%v) has said:\n%s", p.cmd.ProcessState, said)
		}
	})

	socket := filepath.Join(filepath.Dir(p.config), ".s.PGSQL.6432")
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	late := time.NewTimer(most)
	defer late.Stop()
	for {
		if conn, err := new(net.Dialer).DialContext(tb.Context(), "unix", socket); err == nil {
			_ = conn.Close()
			return
		}
		select {
		case <-again.C:
		case <-ended:
			said, _ := os.ReadFile(p.log) // or there is nothing to tell
			tb.Fatalf("pgtest: pgbouncer has ended: %s", said)
		case <-late.C:
			tb.Fatal("pgtest: pgbouncer does not listen")
		}
	}
}

// poolerDir returns a directory that PgBouncer's user can write to.
func poolerDir(tb testing.TB) string {
	tb.Helper()

	dir := filepath.Join(Dir(tb), "pooler")
	if err := os.Mkdir(dir, 0o755); err != nil { //nolint:gosec // tests of any user connect
		tb.Fatalf("pgtest: %v", err)
	}
	if os.Geteuid() == 0 {
		u := poolerUser(tb)
		uid, err := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		if err := errors.Join(err, err2, os.Chown(dir, uid, gid)); err != nil {
			tb.Fatalf("pgtest: give %s to %s: %v", dir, u.Username, err)
		}
	}

	return dir
}

func poolerUser(tb testing.TB) *user.User {
	tb.Helper()

	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			return u
		}
	}
	tb.Fatal("pgtest: pgbouncer refuses to run as root, and there is no user postgres or nobody to run it as")

	return nil
}
