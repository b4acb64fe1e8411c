package pgembed_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"trivia/internal/pgembed"
	"trivia/internal/pgtest"
)

func TestARunningClusterIsFound(t *testing.T) {
	t.Parallel()

	c := start(t, durable(pgtest.Dir(t)))

	got, err := pgembed.Find(c.Dir())
	if err != nil || got != c.URL() {
		t.Errorf("Find(%s) = %q, %v; want %q", c.Dir(), got, err, c.URL())
	}
}

func TestWhatDoesNotRunIsNotFound(t *testing.T) {
	t.Parallel()

	stopped := pgtest.Dir(t)
	stop(t, start(t, durable(stopped)))

	killed := pgtest.Dir(t)
	owner, pid := startOwner(t, killed)
	kill(t, pid)
	kill(t, owner.Process.Pid)
	_ = owner.Wait()

	rebooted := pgtest.Dir(t)
	state := `{"socket_dir":"/nowhere/at/all","port":"5432","version":"15.1","pid":1,"owner":1}`
	if err := os.WriteFile(filepath.Join(rebooted, "postgres.json"), []byte(state), 0o600); err != nil {
		t.Fatal(err)
	}

	for name, dir := range map[string]string{
		"never started":  pgtest.Dir(t),
		"no directory":   "/nowhere/at/all",
		"stopped":        stopped,
		"both killed":    killed,
		"from last boot": rebooted,
	} {
		_, err := pgembed.Find(dir)
		if !errors.Is(err, pgembed.ErrNotRunning) {
			t.Errorf("Find(%s) = %v, want %v", name, err, pgembed.ErrNotRunning)
		}
	}
}

func TestAnotherUserLearnsWhoMayConnect(t *testing.T) {
	t.Parallel()

	if os.Geteuid() != 0 {
		t.Skip("only root can become another user")
	}
	c := start(t, durable(pgtest.Dir(t)))

	// Another user may not enter the directory that go test builds in.
	dir := pgtest.Dir(t)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	self, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "finder")
	if err := os.WriteFile(program, self, 0o755); err != nil {
		t.Fatal(err)
	}

	cmd := exec.CommandContext(t.Context(), program)
	cmd.Env = []string{findDir + "=" + c.Dir()}
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 54321, Gid: 54321}}
	got, err := cmd.Output()
	if want := "or root, may connect"; err != nil || !strings.Contains(string(got), want) {
		t.Errorf("Find() of another user = %s, %v; want that it says %q", got, err, want)
	}
}

func TestFindSaysWhatToStart(t *testing.T) {
	t.Parallel()

	dir := pgtest.Dir(t)
	_, err := pgembed.Find(dir)
	want := "no embedded Postgres is running in " + dir + ": start it with `trivia-hook --embedded` and the same TRIVIA_DATA_DIR"
	if err == nil || err.Error() != want {
		t.Errorf("Find() = %q, want %q", err, want)
	}
}
