package pgembed_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"trivia/internal/pgembed"
	"trivia/internal/pgtest"
)

func TestDataIsKeptBetweenRuns(t *testing.T) {
	t.Parallel()

	dir := pgtest.Dir(t)
	first := start(t, durable(dir))
	keep(t, first.URL())
	stop(t, first)
	if err := first.Err(); err != nil {
		t.Errorf("Err() after a Stop = %v, want nil", err)
	}
	stop(t, first) // once more is no error

	second := start(t, durable(dir))
	kept(t, second.URL())
	if first.URL() != second.URL() {
		t.Errorf("URL() = %s, before it was %s", second.URL(), first.URL())
	}
	if log := said(t, dir); strings.Contains(log, "not properly shut down") || !strings.Contains(log, "database system is shut down") {
		t.Errorf("the first stop was not clean; log:\n%s", log)
	}
}

func TestNothingIsLeftButTheData(t *testing.T) {
	t.Parallel()

	dir := pgtest.Dir(t)
	stop(t, start(t, durable(dir)))

	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if got, want := strings.Join(names, " "), "postgres postgres.lock postgres.log"; got != want {
		t.Errorf("%s holds %q, want %q", dir, got, want)
	}
}

func TestDurabilityIsWhatWasAskedFor(t *testing.T) {
	t.Parallel()

	for _, want := range []string{"on", "off"} {
		o := durable(pgtest.Dir(t))
		o.Durable = want == "on"
		c := start(t, o)
		for _, name := range []string{"fsync", "full_page_writes", "synchronous_commit"} {
			if got := query(t, c.URL(), "SHOW "+name); got != want {
				t.Errorf("SHOW %s = %q, want %q", name, got, want)
			}
		}
	}
}

func TestTheFirstStartMakesAnEmptyUTF8Database(t *testing.T) {
	t.Parallel()

	c := start(t, pgembed.Options{Dir: pgtest.Dir(t), Durable: true})
	for statement, want := range map[string]string{
		"SELECT current_database()": "trivia",
		"SELECT current_user::text": "postgres",
		"SHOW server_encoding":      "UTF8",
		"SHOW lc_collate":           "C",
		"SHOW timezone":             "UTC",
		"SHOW listen_addresses":     "",
	} {
		if got := query(t, c.URL(), statement); got != want {
			t.Errorf("%s = %q, want %q", statement, got, want)
		}
	}
}

func TestASecondOwnerIsRefused(t *testing.T) {
	t.Parallel()

	dir := pgtest.Dir(t)
	first := start(t, durable(dir))

	_, err := pgembed.Start(t.Context(), durable(dir))
	wants(t, err, pgembed.ErrInUse, dir, strconv.Itoa(os.Getpid()))
	if got := query(t, first.URL(), "SELECT 'well'"); got != "well" {
		t.Errorf("the first owner's server says %q", got)
	}
}

func TestSecondOwnerInAnotherProcessIsNamed(t *testing.T) {
	t.Parallel()

	dir := pgtest.Dir(t)
	owner, _ := startOwner(t, dir)

	_, err := pgembed.Start(t.Context(), durable(dir))
	wants(t, err, pgembed.ErrInUse, dir, strconv.Itoa(owner.Process.Pid))
}

func TestCtrlCDoesNotReachTheServer(t *testing.T) {
	t.Parallel()

	c := start(t, durable(pgtest.Dir(t)))
	group, err := syscall.Getpgid(c.PID())
	if err != nil || group == syscall.Getpgrp() {
		t.Errorf("process group of the server = %d, %v; want another than ours, %d", group, err, syscall.Getpgrp())
	}
}

func TestStopInAHurryLosesNothing(t *testing.T) {
	t.Parallel()

	dir := pgtest.Dir(t)
	c := start(t, durable(dir))
	keep(t, c.URL())

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Stop(ctx); err != nil {
		t.Errorf("Stop(ended context) = %v", err)
	}
	if _, err := pgembed.Find(dir); !errors.Is(err, pgembed.ErrNotRunning) {
		t.Errorf("Find() after it = %v, want %v", err, pgembed.ErrNotRunning)
	}
	kept(t, start(t, durable(dir)).URL())
}

func TestStartGivesUpWithItsContext(t *testing.T) {
	t.Parallel()

	dir := pgtest.Dir(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := pgembed.Start(ctx, durable(dir))
	wants(t, err, context.Canceled)

	start(t, durable(dir))
}

func TestTCPOnlyWhenAskedFor(t *testing.T) {
	t.Parallel()

	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // only to learn a free port
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()

	dir := pgtest.Dir(t)
	o := durable(dir)
	o.TCP = address
	c := start(t, o)
	if got := query(t, c.URL(), "SELECT 'socket'"); got != "socket" {
		t.Errorf("the socket says %q", got)
	}
	if got := query(t, "postgres://postgres@"+address+"/trivia", "SELECT 'tcp'"); got != "tcp" {
		t.Errorf("%s says %q", address, got)
	}
	if got, err := pgembed.Find(dir); err != nil || got != c.URL() {
		t.Errorf("Find(%s) = %q, %v; want %q", dir, got, err, c.URL())
	}
}

func TestTCPIsLoopbackOnly(t *testing.T) {
	t.Parallel()

	for _, address := range []string{"0.0.0.0:5433", "192.0.2.1:5433", ":5433", "db.example:5433", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:x"} {
		_, err := pgembed.Start(t.Context(), pgembed.Options{Dir: pgtest.Dir(t), TCP: address})
		wants(t, err, nil, strconv.Quote(address))
	}
}

func TestALongPathGetsAShortSocket(t *testing.T) {
	t.Parallel()

	dir := filepath.Join(pgtest.Dir(t), strings.Repeat("long/", 30))
	c := start(t, durable(dir))
	keep(t, c.URL())
	if strings.Contains(c.URL(), "long") {
		t.Errorf("URL() = %s, want a socket elsewhere", c.URL())
	}
	if got, err := pgembed.Find(dir); err != nil || got != c.URL() {
		t.Errorf("Find() = %q, %v; want %q", got, err, c.URL())
	}

	stop(t, c)
	again := start(t, durable(dir))
	kept(t, again.URL())
	if again.URL() != c.URL() {
		t.Errorf("URL() = %s, before it was %s", again.URL(), c.URL())
	}
}

func TestAFailingStartSaysWhatTheServerSaid(t *testing.T) {
	t.Parallel()

	dir := pgtest.Dir(t)
	stop(t, start(t, durable(dir)))
	config := filepath.Join(dir, "postgres", "postgresql.auto.conf")
	if err := os.WriteFile(config, []byte("no_such_setting = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}

	_, err := pgembed.Start(t.Context(), durable(dir))
	wants(t, err, nil, "no_such_setting")
}

func TestDataOfAnotherMajorVersionIsLeftAlone(t *testing.T) {
	t.Parallel()

	dir := pgtest.Dir(t)
	data := filepath.Join(dir, "postgres")
	stop(t, start(t, durable(dir)))
	if err := os.WriteFile(filepath.Join(data, "PG_VERSION"), []byte("9\n"), 0o600); err != nil {
		t.Fatal(err)
	}

	_, err := pgembed.Start(t.Context(), durable(dir))
	wants(t, err, pgembed.ErrOtherMajor, data, "Postgres 9", "left as it is", "pg_dumpall")
	if _, err := os.Stat(filepath.Join(data, "base")); err != nil {
		t.Errorf("the data is gone: %v", err)
	}
}

func TestForeignFilesAreLeftAlone(t *testing.T) {
	t.Parallel()

	dir := pgtest.Dir(t)
	path := filepath.Join(dir, "postgres", "thesis.txt")
	if err := os.Mkdir(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(filepath.Dir(path), 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}

	_, err := pgembed.Start(t.Context(), durable(dir))
	wants(t, err, nil, filepath.Dir(path), "left as it is")
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the file is gone: %v", err)
	}
}

func TestNoBinariesIsOneSentence(t *testing.T) {
	t.Parallel()

	_, err := pgembed.Start(t.Context(), pgembed.Options{Dir: pgtest.Dir(t), BinDir: t.TempDir()})
	wants(t, err, pgembed.ErrNoBinaries, "install")
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("Start() = %q, want one line", err)
	}
}
