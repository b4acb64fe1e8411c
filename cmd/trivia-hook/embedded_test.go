package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"trivia/internal/config"
	"trivia/internal/pgembed"
	"trivia/internal/pgtest"
)

// find returns the private Postgres of a service.
func find(t *testing.T, dir string) postgres {
	t.Helper()

	url, err := pgembed.Find(dir)
	if err != nil {
		t.Fatal(err)
	}

	return postgres{url}
}

func TestAPrivatePostgresThatIsKilledComesBack(t *testing.T) {
	t.Parallel()

	dir := pgtest.Dir(t)
	p := start(t, embeddedIn(dir), "--embedded")
	db := find(t, dir)
	db.furnish(t)
	load := startLoad(t, p.public)

	for range 2 {
		load.await(t, "wins are awarded", awarded)
		mark := len(load.since(0))
		killServer(t, serverOf(t, dir))
		wait(t, "wins are refused", func() bool { return count(load.since(mark), sent.refused) > 0 })
		load.await(t, "wins are awarded again", awarded)
		checkRefusals(t, load.since(mark))
	}

	all := load.end()
	db.endLeases(t)
	db.checkPrizes(t, all)
	db.checkKeptOnce(t, all)
}

// serverOf returns the process id of the private Postgres in dir.
func serverOf(t *testing.T, dir string) int {
	t.Helper()

	text, err := os.ReadFile(filepath.Join(dir, "postgres", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}

	return pid
}

func TestAnEmbeddedServiceMayBeKilledAndStartedAgain(t *testing.T) {
	t.Parallel()

	dir := pgtest.Dir(t)
	p := start(t, embeddedIn(dir), "--embedded")
	db := find(t, dir)
	db.furnish(t)
	load := startLoad(t, p.public)
	load.await(t, "wins are awarded", awarded)
	p.kill(t)

	// At once: its Postgres is still there, or just going.
	p = start(t, embeddedIn(dir), "--embedded")
	load.aim(p.public)
	load.await(t, "wins are awarded again", awarded)
	all := load.end()
	db.endLeases(t)
	db.checkPrizes(t, all)
	db.checkKeptOnce(t, all)

	// A stop in good order takes the Postgres with it and keeps the data.
	p.signal(t, syscall.SIGTERM)
	if code := p.exit(t); code != exitDone {
		t.Errorf("exit code = %d, want %d\n%s", code, exitDone, p.stderr.end())
	}
	if url, err := pgembed.Find(dir); err == nil {
		t.Errorf("after the end a Postgres still runs at %s", url)
	}
	start(t, embeddedIn(dir), "--embedded")
	db.checkPrizes(t, all)
}

func TestADirectoryHasOneEmbeddedServiceAndTriviactlFindsIt(t *testing.T) {
	t.Parallel()

	dir := pgtest.Dir(t)
	triviactl := filepath.Join(build(t), "bin", "triviactl")
	list := func() (string, error) {
		cmd := exec.CommandContext(t.Context(), triviactl, "wins", "list", "--output", "csv")
		cmd.Env = []string{config.DataDir + "=" + dir}
		text, err := cmd.CombinedOutput()

		return string(text), err
	}
	if text, err := list(); err == nil || !strings.Contains(text, "trivia-hook --embedded") {
		t.Errorf("triviactl wins list, with nothing to find = %v, want what to start:\n%s", err, text)
	}

	p := start(t, embeddedIn(dir), "--embedded")
	find(t, dir).furnish(t)
	if a := newSender(t, 1).win(p.public, nthWin(5)); !awarded(sent{answer: a}) {
		t.Fatalf("a win was answered %+v, want it awarded", a)
	}
	if text, err := list(); err != nil || !strings.Contains(text, "user-5,") {
		t.Errorf("triviactl wins list = %v, want the win of user-5:\n%s", err, text)
	}

	second := launch(t, embeddedIn(dir), "--embedded")
	if code := second.exit(t); code != exitFailed {
		t.Errorf("exit code of a second one = %d, want %d", code, exitFailed)
	}
	want := "data directory is in use: " + dir + " belongs to process " + strconv.Itoa(p.cmd.Process.Pid)
	if said := second.stderr.String(); !strings.Contains(said, want) {
		t.Errorf("a second one has said %s\nwant %q", said, want)
	}
	if a := newSender(t, 1).win(p.public, nthWin(6)); !awarded(sent{answer: a}) {
		t.Errorf("the first one has answered %+v after that, want awarded", a)
	}
}
