package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"trivia/internal/pgembed"
	"trivia/internal/pgtest"
)

// Actors are a directory of programs that stand in for those of Postgres: they
// do what a test says, and then become the real ones.
type actors struct{ dir string }

// newActors makes a postgres that does what script says before it serves. The
// file NAME in the script's own directory is $here/NAME.
func newActors(t *testing.T, script string) actors {
	t.Helper()

	real, err := pgembed.Binaries(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a := actors{pgtest.Dir(t)}
	if err := os.Chmod(a.dir, 0o777); err != nil { // the server is another user, and leaves files here
		t.Fatal(err)
	}
	text := fmt.Sprintf("#!/bin/sh\nhere=%s\n[ \"$1\" = -D ] && {\n%s\n}\nexec %s/postgres \"$@\"\n", a.dir, script, real)
	syscall.ForkLock.RLock() // a fork would hold the program open for writing, and nobody could run it
	err = os.WriteFile(filepath.Join(a.dir, "postgres"), []byte(text), 0o755)
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(real, "initdb"), filepath.Join(a.dir, "initdb")); err != nil {
		t.Fatal(err)
	}

	return a
}

// embeddedIn are the settings of a service with a private Postgres in dir that
// is one of a's.
func (a actors) embeddedIn(dir string) env {
	return embeddedIn(dir).with(env{"PATH": a.dir + ":" + os.Getenv("PATH")})
}

// tell makes the file called name, for which a script waits.
func (a actors) tell(t *testing.T, name string) {
	t.Helper()

	if err := os.WriteFile(filepath.Join(a.dir, name), nil, 0o644); err != nil {
		t.Fatal(err)
	}
}

// tries returns how many files the script has left whose name begins with try.
func (a actors) tries(t *testing.T) int {
	t.Helper()

	found, err := filepath.Glob(filepath.Join(a.dir, "try*"))
	if err != nil {
		t.Fatal(err)
	}

	return len(found)
}

// mended fails unless p, which waits, answers 503 and when to come again, and
// 200 after mend.
func mended(t *testing.T, p *program, mend func()) {
	t.Helper()

	s := newSender(t, 1)
	if a := s.win(p.public, nthWin(1)); a.status != http.StatusServiceUnavailable || a.retryAfter == "" {
		t.Errorf("before its Postgres is there, a win is answered %+v, want 503 and when to come again", a)
	}
	if status, _ := get(t, p.public+"/healthz"); status != http.StatusOK {
		t.Errorf("/healthz = %d, want 200: the process is up", status)
	}
	wait(t, "/readyz says 503", func() bool {
		status, _ := get(t, p.public+"/readyz")
		return status == http.StatusServiceUnavailable
	})

	mend()
	if a := s.win(p.public, nthWin(1)); a.status != http.StatusOK {
		t.Errorf("when it is there, the win is answered %+v, want 200", a)
	}
}

func TestAPrivatePostgresThatRecoversIsWaitedFor(t *testing.T) {
	t.Parallel()

	dir := pgtest.Dir(t)
	a := newActors(t, "mktemp $here/tryXXXXXX\nwhile ! [ -e $here/recovered ]; do sleep 0.01; done")
	p := launch(t, a.embeddedIn(dir), "--embedded")
	p.waitListening(t)
	wait(t, "the server recovers", func() bool { return a.tries(t) > 0 || p.gone() })

	mended(t, p, func() {
		a.tell(t, "recovered")
		p.waitReady(t)
		find(t, dir).furnish(t)
	})
	if n := a.tries(t); n != 1 {
		t.Errorf("the server was started %d times, want once", n)
	}
}

const needsRoom = "[ -e $here/room ] || { mktemp $here/tryXXXXXX\n" +
	"echo 'FATAL:  could not write lock file \"postmaster.pid\": No space left on device' >&2; exit 1; }"

// A disk without room for a start is waited for as one that fills up later is.
func TestAFullDiskAtStartIsWaitedFor(t *testing.T) {
	t.Parallel()

	dir := pgtest.Dir(t)
	a := newActors(t, needsRoom)
	p := launch(t, a.embeddedIn(dir), "--embedded")
	p.waitListening(t)
	wait(t, "the server was started some times", func() bool { return a.tries(t) > 2 || p.gone() })

	mended(t, p, func() {
		a.tell(t, "room")
		p.waitReady(t)
		find(t, dir).furnish(t)
	})
	lines := p.logged(t, waitingForDatabase)
	if len(lines) != 1 || !strings.Contains(lines[0].text("error"), "the disk is full") {
		t.Errorf("log = %v, want one line about the disk", lines)
	}
}

// Nor is more than one line said of a disk that fills up later, however often
// the server is started.
func TestAServerThatDiesOnAFullDiskComesBack(t *testing.T) {
	t.Parallel()

	dir := pgtest.Dir(t)
	a := newActors(t, needsRoom)
	a.tell(t, "room")
	p := launch(t, a.embeddedIn(dir), "--embedded")
	p.waitReady(t)
	if err := os.Remove(filepath.Join(a.dir, "room")); err != nil {
		t.Fatal(err)
	}
	killServer(t, serverOf(t, dir))
	wait(t, "the server was started some times", func() bool { return a.tries(t) > 2 || p.gone() })

	mended(t, p, func() {
		a.tell(t, "room")
		wait(t, "the server runs again", func() bool { return len(p.logged(t, "the private Postgres runs again")) > 0 || p.gone() })
		find(t, dir).furnish(t)
	})
	lines := p.logged(t, doesNotStart)
	if len(lines) != 1 || !strings.Contains(lines[0].text("error"), "the disk is full") {
		t.Errorf("log = %v, want one line about the disk", lines)
	}
}

func TestAPrivatePostgresThatEndsIsAnError(t *testing.T) {
	t.Parallel()

	const words = "could not locate a valid checkpoint record"
	a := newActors(t, "echo 'PANIC:  "+words+"' >&2; exit 1")
	failsWith(t, a.embeddedIn(pgtest.Dir(t)), words, "--embedded")
}
