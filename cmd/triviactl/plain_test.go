package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// await waits until a process ends, and returns its state.
func await(t *testing.T, wait func() error, state func() *os.ProcessState) *os.ProcessState {
	t.Helper()

	done := make(chan struct{})
	go func() {
		_ = wait() // tests look at the state
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal("triviactl goes on")
	}

	return state()
}

func TestThePlainModeWritesLinesUntilCtrlC(t *testing.T) {
	t.Parallel()

	p := newParked(t, 4) // eight deliveries
	p.lines(t, `UPDATE deliveries SET last_seen_at = received_at RETURNING key`)
	cmd := triviactl(t, p.url, "tui", "--plain")
	cmd.Env = append(cmd.Env, "TRIVIA_ENV=production")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	next := func() string {
		t.Helper()
		if !lines.Scan() {
			t.Fatalf("it has ended: %v", lines.Err())
		}
		if strings.ContainsFunc(lines.Text(), func(r rune) bool { return r < ' ' }) {
			t.Errorf("escape codes: %q", lines.Text())
		}

		return lines.Text()
	}

	if got := next(); !strings.HasSuffix(got, " deliveries of this machine/trivia, PRODUCTION") {
		t.Errorf("it begins with %q", got)
	}
	for i := range 8 {
		want := fmt.Sprintf("win of t1 by user-%d, ", i%4+1)
		if got := next(); !strings.Contains(got, want) || !strings.Contains(got, "PARKED as unknown_user (no such user); key key-") {
			t.Errorf("line %d is %q, want %q", i, got, want)
		}
	}
	if got := next(); !strings.Contains(got, "UNREACHABLE: nothing has come for ") {
		t.Errorf("of the stream it says %q", got)
	}
	p.lines(t, `INSERT INTO deliveries (key, kind, body, body_sha256, state, outcome, received_at, last_seen_at, settled_at)
		VALUES ('an-event', 'event', '{}', sha256('{}'), 'done', 'recorded', now(), now(), now()) RETURNING key`)
	if got := next(); !strings.HasSuffix(got, " event: recorded; key an-event") {
		t.Errorf("what arrives is %q", got)
	}

	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
		t.Logf("and then %q", lines.Text())
	}
	if state := await(t, cmd.Wait, func() *os.ProcessState { return cmd.ProcessState }); state.ExitCode() != 0 {
		t.Errorf("it ends with %v", state)
	}
}

func TestThePlainModeEndsWhenNobodyReads(t *testing.T) {
	t.Parallel()

	p := newParked(t, 4)
	cmd := triviactl(t, p.url, "tui", "--plain")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if lines := bufio.NewScanner(out); !lines.Scan() {
		t.Fatal("it writes nothing")
	}
	_ = out.Close()
	for i := range 3 {
		p.lines(t, fmt.Sprintf(`INSERT INTO deliveries (key, kind, body, body_sha256, state, outcome, received_at, last_seen_at, settled_at)
			VALUES ('event-%d', 'event', '{}', sha256('{}'), 'done', 'recorded', now(), now(), now()) RETURNING key`, i))
	}
	state := await(t, cmd.Wait, func() *os.ProcessState { return cmd.ProcessState })
	if status, ok := state.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGPIPE && state.ExitCode() != 1 {
		t.Errorf("it ends with %v", state)
	}
}
