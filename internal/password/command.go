// Package password runs the command that prints the database's password, for
// passwords that do not last: the tokens of a cloud's identity service, or
// those of a secret store.
package password

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	runTime  = 10 * time.Second // for the command to answer
	lastTime = time.Second      // for its pipes to close once it was ended
	lifeTime = time.Minute      // of an answer: tokens last for a quarter of an hour or longer

	mostAnswered = 64 << 10
	mostQuoted   = 200 // bytes of what it says on standard error
)

// A Command prints a password on the first line of its output. It is safe for
// concurrent use.
type Command struct {
	shell string
	now   func() time.Time

	stale atomic.Bool
	turn  chan struct{} // held by whoever may run it, and so may touch the rest
	value string
	until time.Time
}

// New returns a command that sh runs, as if it were typed there. Now is the
// clock.
func New(shell string, now func() time.Time) *Command {
	return &Command{shell: shell, now: now, turn: make(chan struct{}, 1)}
}

// Forget makes the next call run the command, since the server did not take
// what it printed.
func (c *Command) Forget() { c.stale.Store(true) }

// Password returns what the command printed, at most a minute ago. No error
// holds any of it.
func (c *Command) Password(ctx context.Context) (string, error) {
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return "", fmt.Errorf("wait for the password command: %w", ctx.Err())
	}
	defer func() { <-c.turn }()

	if !c.stale.Swap(false) && c.value != "" && c.now().Before(c.until) {
		return c.value, nil
	}
	value, err := run(ctx, c.shell)
	if err != nil {
		c.value = ""

		return "", fmt.Errorf("run the password command: %w", err)
	}
	c.value, c.until = value, c.now().Add(lifeTime)

	return value, nil
}

func run(ctx context.Context, shell string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, runTime)
	defer cancel()

	var answer, complaint bounded
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", shell) //nolint:gosec // who starts the program says what it runs
	cmd.Stdout, cmd.Stderr = &answer, &complaint
	cmd.WaitDelay = lastTime
	// What it starts ends with it, and a terminal's Ctrl-C is for us alone.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }

	err := cmd.Run()
	value, _, _ := strings.Cut(answer.String(), "\n")
	value = strings.TrimSuffix(value, "\r")
	switch {
	case ctx.Err() != nil:
		return "", fmt.Errorf("no answer within %s: %w", runTime, ctx.Err())
	case err != nil:
		return "", fmt.Errorf("%w%s", err, quoted(complaint.String(), value))
	case value == "":
		return "", errors.New("its output begins with an empty line, expected the password" + quoted(complaint.String(), value))
	}

	return value, nil
}

// quoted returns the last line of what a command complains about, unless the
// password is in it.
func quoted(complaint, value string) string {
	lines := strings.Split(strings.TrimSpace(complaint), "\n")
	line := strings.TrimSpace(lines[len(lines)-1])
	if line == "" || value != "" && strings.Contains(line, value) {
		return ""
	}

	return ": it says " + strconv.QuoteToASCII(line[:min(len(line), mostQuoted)])
}

// A bounded buffer takes everything and keeps the first part.
type bounded struct{ bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	if room := mostAnswered - b.Len(); room > 0 {
		_, _ = b.Buffer.Write(p[:min(room, len(p))])
	}

	return len(p), nil
}
