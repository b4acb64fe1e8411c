package pgembed_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"trivia/internal/pgembed"
	"trivia/internal/pgtest"
)

func TestAKilledServerIsNoticedAndStartsAgain(t *testing.T) {
	t.Parallel()

	dir := pgtest.Dir(t)
	c := start(t, durable(dir))
	keep(t, c.URL())
	kill(t, c.PID())

	<-c.Done()
	if err := c.Err(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("Err() = %v, want that it was killed", err)
	}
	if _, err := pgembed.Find(dir); !errors.Is(err, pgembed.ErrNotRunning) {
		t.Errorf("Find() = %v, want %v", err, pgembed.ErrNotRunning)
	}

	again := start(t, durable(dir))
	kept(t, again.URL())
	if again.URL() != c.URL() {
		t.Errorf("URL() = %s, before it was %s", again.URL(), c.URL())
	}
}

func TestAServerKilledWithBusySessionsStartsAgain(t *testing.T) {
	t.Parallel()

	dir := pgtest.Dir(t)
	c := start(t, durable(dir))
	keep(t, c.URL())
	for range 4 {
		busy(t, c.URL())
	}
	kill(t, c.PID())
	<-c.Done()

	kept(t, start(t, durable(dir)).URL())
}

func TestTheServerOfAKilledOwnerIsTakenOver(t *testing.T) {
	t.Parallel()

	dir := pgtest.Dir(t)
	owner, _ := startOwner(t, dir)
	url, err := pgembed.Find(dir)
	if err != nil {
		t.Fatalf("Find() = %v", err)
	}
	keep(t, url)
	busy(t, url)
	kill(t, owner.Process.Pid)

	c := start(t, durable(dir))
	kept(t, c.URL())
}

func TestOwnerAndServerKilledTogetherStartAgain(t *testing.T) {
	t.Parallel()

	dir := pgtest.Dir(t)
	owner, pid := startOwner(t, dir)
	url, err := pgembed.Find(dir)
	if err != nil {
		t.Fatalf("Find() = %v", err)
	}
	keep(t, url)
	kill(t, owner.Process.Pid)
	kill(t, pid)

	c := start(t, durable(dir))
	kept(t, c.URL())
}

func TestAServerWithoutAnOwnerIsStopped(t *testing.T) {
	t.Parallel()

	dir := pgtest.Dir(t)
	c := start(t, durable(dir))
	keep(t, c.URL())
	stop(t, c)
	orphan := startOrphan(t, dir)

	kept(t, start(t, durable(dir)).URL())
	if err := orphan.Wait(); err != nil {
		t.Errorf("the server without an owner ended with %v, want a clean stop", err)
	}
}

func TestAStaleLockFileIsSeenThrough(t *testing.T) {
	t.Parallel()

	zombie := exec.CommandContext(t.Context(), "true")
	if err := zombie.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = zombie.Wait() })

	tests := []struct {
		name  string
		first string // line of the file
	}{
		{"its process id belongs to another program by now", strconv.Itoa(os.Getpid())},
		{"its process id belongs to a daemon of root", "1"},
		{"its process is a zombie", strconv.Itoa(zombie.Process.Pid)},
		{"its process is gone", "4194304"},
		{"it was written by a server of one session", strconv.Itoa(-os.Getpid())},
		{"it was emptied by a crash of the machine", ""},
		{"it holds nonsense", "nonsense"},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			dir := pgtest.Dir(t)
			c := start(t, durable(dir))
			keep(t, c.URL())
			stop(t, c)

			data := filepath.Join(dir, "postgres")
			text := ""
			if tt.first != "" {
				text = fmt.Sprintf("%s\n%s\n1700000000\n5432\n%s\n\n  5432001    131072\nready   \n", tt.first, data, dir)
			}
			leave(t, filepath.Join(data, "postmaster.pid"), text)

			kept(t, start(t, durable(dir)).URL())
		})
	}
}

func TestAStaleSocketIsReplaced(t *testing.T) {
	t.Parallel()

	dir := pgtest.Dir(t)
	stop(t, start(t, durable(dir)))
	sockets := filepath.Join(dir, "socket")
	if err := os.Mkdir(sockets, 0o700); err != nil {
		t.Fatal(err)
	}
	leave(t, filepath.Join(sockets, ".s.PGSQL.5432"), "")
	leave(t, filepath.Join(sockets, ".s.PGSQL.5432.lock"), fmt.Sprintf("%d\n%s\n", os.Getpid(), dir))

	start(t, durable(dir))
}

func TestAnInterruptedFirstStartIsBegunAnew(t *testing.T) {
	t.Parallel()

	dir := pgtest.Dir(t)
	half := filepath.Join(dir, "postgres.new")
	if err := os.Mkdir(half, 0o700); err != nil {
		t.Fatal(err)
	}
	leave(t, filepath.Join(half, "PG_VERSION"), "15\n")

	start(t, durable(dir))
	if _, err := os.Stat(half); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the half-made directory is still there: %v", err)
	}
}

func TestAnUpgradedServerIsRestarted(t *testing.T) {
	t.Parallel()

	dir, bin := pgtest.Dir(t), pgtest.Dir(t)
	real, err := pgembed.Binaries(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := start(t, durable(dir))
	keep(t, c.URL())
	major, _, _ := strings.Cut(query(t, c.URL(), "SHOW server_version"), ".")
	stop(t, c)

	// A package whose program says which version it is, and is the real one else.
	install := func(minor string) {
		t.Helper()
		half := filepath.Join(bin, "half")
		pgembed.WriteProgram(t, half, "#!/bin/sh\n"+
			"[ \"$1\" = --version ] && exec echo 'postgres (PostgreSQL) "+major+"."+minor+"'\n"+
			"exec "+real+"/postgres \"$@\"\n")
		if err := os.Rename(half, filepath.Join(bin, "postgres")); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(real, "initdb"), filepath.Join(bin, "initdb")); err != nil {
		t.Fatal(err)
	}
	install("1001")

	o := durable(dir)
	o.BinDir = bin
	c = start(t, pgembed.WithRenewEvery(o, 10*time.Millisecond))
	before := c.PID()
	install("1002")

	for c.PID() == before {
		select {
		case <-c.Done():
			t.Fatalf("the server ended: %v", c.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
	kept(t, c.URL())
	if got, err := pgembed.Find(dir); err != nil || got != c.URL() {
		t.Errorf("Find() = %q, %v; want %q", got, err, c.URL())
	}
	if strings.Contains(said(t, dir), "not properly shut down") {
		t.Errorf("the restart was not clean; log:\n%s", said(t, dir))
	}
}

func TestOfManyOwnersAtOnceOneSucceeds(t *testing.T) {
	t.Parallel()

	dir := pgtest.Dir(t)
	const owners = 5
	clusters, errs := make(chan *pgembed.Cluster, owners), make(chan error, owners)
	for range owners {
		go func() {
			c, err := pgembed.Start(t.Context(), durable(dir))
			clusters <- c
			errs <- err
		}()
	}

	started := 0
	for range owners {
		if c := <-clusters; c != nil {
			started++
			t.Cleanup(func() { stop(t, c) })
		}
		if err := <-errs; err != nil && !errors.Is(err, pgembed.ErrInUse) {
			t.Errorf("Start() = %v, want %v", err, pgembed.ErrInUse)
		}
	}
	if started != 1 {
		t.Errorf("%d of %d owners got the cluster, want 1", started, owners)
	}
}

// Whenever its owner is killed, the first start included, the next one finds
// its way.
func TestAnOwnerMayBeKilledAtAnyMoment(t *testing.T) {
	t.Parallel()

	dir := pgtest.Dir(t)
	for delay := time.Duration(0); delay < 600*time.Millisecond; delay += 75 * time.Millisecond {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), ownDir+"="+dir)
		if err := cmd.Start(); err != nil {
			t.Fatalf("start an owner: %v", err)
		}
		time.Sleep(delay)
		kill(t, cmd.Process.Pid)
		_ = cmd.Wait()
	}

	start(t, durable(dir))
}

// startOrphan starts a server on dir's data as if its owner had gone.
func startOrphan(t *testing.T, dir string) *exec.Cmd {
	t.Helper()

	bin, err := pgembed.Binaries(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "postgres")
	cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "postgres"), "-D", data, "-k", data, "-h", "")
	cmd.Dir, cmd.SysProcAttr = "/", as(t, data)
	if err := cmd.Start(); err != nil {
		t.Fatalf("start a server: %v", err)
	}

	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		text, _ := os.ReadFile(filepath.Join(data, "postmaster.pid"))
		if strings.HasSuffix(strings.TrimSpace(string(text)), "ready") {
			return cmd
		}
		<-again.C
	}
}

// as returns what runs a command as the owner of path.
func as(t *testing.T, path string) *syscall.SysProcAttr {
	t.Helper()

	if os.Geteuid() != 0 {
		return nil
	}
	uid, gid := owner(t, path)

	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: gid}}
}

func owner(t *testing.T, path string) (uid, gid uint32) {
	t.Helper()

	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		t.Fatalf("the owner of %s is not known", path)
	}

	return stat.Uid, stat.Gid
}

// leave writes a file as the owner of its directory would have left it.
func leave(t *testing.T, path, text string) {
	t.Helper()

	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() != 0 {
		return
	}
	uid, gid := owner(t, filepath.Dir(path))
	if err := os.Chown(path, int(uid), int(gid)); err != nil {
		t.Fatal(err)
	}
}
