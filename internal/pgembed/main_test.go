package pgembed_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"trivia/internal/pgembed"
	"trivia/internal/pgtest"
)

// Variables that make the test binary do something else than to run tests.
const (
	ownDir  = "PGEMBED_TEST_OWN_DIR"  // own the cluster of this directory
	findDir = "PGEMBED_TEST_FIND_DIR" // say what Find says of this directory
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(ownDir); dir != "" {
		own(dir)
	}
	if dir := os.Getenv(findDir); dir != "" {
		fmt.Println(pgembed.Find(dir))
		os.Exit(0)
	}
	pgtest.Main(m)
}

// own says where its cluster is and waits to be killed.
func own(dir string) {
	c, err := pgembed.Start(context.Background(), durable(dir))
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	fmt.Println("pid:", c.PID())
	<-c.Done()
	os.Exit(1)
}

// startOwner starts a process that owns the cluster of dir, and returns the
// process and the id of its server.
func startOwner(t *testing.T, dir string) (*exec.Cmd, int) {
	t.Helper()

	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), ownDir+"="+dir)
	said, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start an owner: %v", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})

	var pid int
	if _, err := fmt.Fscanf(said, "pid: %d\n", &pid); err != nil {
		t.Fatalf("the owner did not start its cluster: %v", err)
	}

	return cmd, pid
}

// start starts a durable cluster in dir, and stops it after the test.
func start(t *testing.T, o pgembed.Options) *pgembed.Cluster {
	t.Helper()

	c, err := pgembed.Start(t.Context(), o)
	if err != nil {
		t.Fatalf("Start(%+v) = %v", o, err)
	}
	t.Cleanup(func() { stop(t, c) })

	return c
}

// durable is what the service asks for, but that the data is copied if it was
// ever made here before.
func durable(dir string) pgembed.Options {
	return pgembed.Options{Dir: dir, Durable: true, Template: os.TempDir()}
}

func stop(t *testing.T, c *pgembed.Cluster) {
	t.Helper()

	if err := c.Stop(context.Background()); err != nil {
		t.Errorf("Stop() = %v", err)
	}
}

// query runs one statement that returns one value, as text.
func query(t *testing.T, url, statement string) string {
	t.Helper()

	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatalf("connect to %s: %v", url, err)
	}
	defer func() { _ = conn.Close(context.Background()) }()

	var value string
	if err := conn.QueryRow(t.Context(), statement).Scan(&value); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}

	return value
}

// keep commits a row that kept finds again.
func keep(t *testing.T, url string) {
	t.Helper()

	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatalf("connect to %s: %v", url, err)
	}
	defer func() { _ = conn.Close(context.Background()) }()

	if _, err := conn.Exec(t.Context(), "CREATE TABLE kept AS SELECT 'one' AS row"); err != nil {
		t.Fatalf("keep a row: %v", err)
	}
}

func kept(t *testing.T, url string) {
	t.Helper()

	if got := query(t, url, "SELECT row FROM kept"); got != "one" {
		t.Errorf("the row kept = %q, want %q", got, "one")
	}
}

// said returns the log of the server of dir.
func said(t *testing.T, dir string) string {
	t.Helper()

	text, err := os.ReadFile(dir + "/postgres.log")
	if err != nil {
		t.Fatalf("read the log: %v", err)
	}

	return string(text)
}

// wants fails unless err is an is and says all the words.
func wants(t *testing.T, err, is error, words ...string) {
	t.Helper()

	if err == nil {
		t.Fatal("Start() = nil, want an error")
	}
	if is != nil && !errors.Is(err, is) {
		t.Errorf("Start() = %v, want %v", err, is)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("Start() = %q, which does not say %q", err, word)
		}
	}
}

func kill(t *testing.T, pid int) {
	t.Helper()

	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatalf("kill %d: %v", pid, err)
	}
}

// busy opens a session that computes until its server is gone.
func busy(t *testing.T, url string) {
	t.Helper()

	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatalf("connect to %s: %v", url, err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = conn.Exec(context.Background(), "SELECT count(*) FROM generate_series(1, 5000000)")
	}()
	t.Cleanup(func() {
		<-ended
		_ = conn.Close(context.Background())
	})
}
