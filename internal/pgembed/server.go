package pgembed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

const (
	pollEvery  = 5 * time.Millisecond   // while a server starts or stops
	lingerMost = 250 * time.Millisecond // for what a dead server's children still say
	pauseMost  = time.Second            // between two tries to start while another server is just going
)

// A server is one run of the postgres program as our child.
type server struct {
	bin     binaries
	changed os.FileInfo // the program that has taken the place of bin's; nil = none
	cmd     *exec.Cmd
	done    chan struct{} // closed when the process is gone
	end     error         // how it ended; read it after done
}

// run starts a server and returns when it answers, however long that takes: a
// large one may have much to recover. One that finds the data still held by the
// last parts of another one is started again until they are gone. All else that
// ends a server is an error.
func (c *Cluster) run(ctx context.Context, bin binaries) (*server, error) {
	for try := 1; ; try++ {
		if err := c.clearLeftovers(ctx); err != nil {
			return nil, err
		}
		c.cleared = true

		s, err := c.launch(ctx, bin)
		if err != nil {
			return nil, err
		}
		err = c.ready(ctx, s)
		if err == nil {
			c.pid.Store(int64(s.cmd.Process.Pid))
			c.log.InfoContext(ctx, "Postgres is ready", slog.String("dir", c.place.dir), slog.String("version", bin.version), slog.Int("pid", c.PID()))

			return s, nil
		}
		if stop := s.shutDown(c.log, closed()); stop != nil {
			return nil, errors.Join(err, stop)
		}
		if !stillHeld(c.output.last()) {
			return nil, err
		}

		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(min(time.Duration(try*try)*50*time.Millisecond, c.options.pauseMost)):
		}
	}
}

// stillHeld reports whether a server has refused to start because of a killed
// one whose last processes are about to go.
func stillHeld(said string) bool {
	return strings.Contains(said, "pre-existing shared memory block") ||
		(strings.Contains(said, "lock file") && strings.Contains(said, "already exists"))
}

// launch starts a server. The thread that starts it lives as long as the
// server, since the kernel kills the server with it.
func (c *Cluster) launch(ctx context.Context, bin binaries) (*server, error) {
	c.output.forget()
	cmd := c.account.command(context.WithoutCancel(ctx), c.place.dir, bin.postgres(), c.arguments()...)
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = c.output, c.output, lingerMost

	s := &server{bin: bin, cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()

		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		s.end = cmd.Wait()
		close(s.done)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("run %s as user %s: %w", bin.postgres(), c.account.name, err)
	}

	return s, nil
}

// ready waits until s answers and tells others where.
func (c *Cluster) ready(ctx context.Context, s *server) error {
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()

	for {
		select {
		case <-s.done:
			return s.death(c.output)
		case <-ctx.Done():
			return fmt.Errorf("wait until Postgres answers: %w", context.Cause(ctx))
		case <-poll.C:
			file, err := readPidFile(c.place.data())
			if err != nil {
				return err
			}
			if file.pid == s.cmd.Process.Pid && file.status == statusReady && c.socket.ping(ctx) == nil {
				return c.announce(s)
			}
		}
	}
}

func (c *Cluster) announce(s *server) error {
	return state{
		SocketDir: c.socket.dir, Port: c.socket.port, Version: s.bin.version, PID: s.cmd.Process.Pid, Owner: os.Getpid(),
	}.write(c.place)
}

// death says how s, which is gone, has ended by itself.
func (s *server) death(o *output) error {
	how := "exit status 0"
	if s.end != nil {
		how = s.end.Error()
	}

	return fmt.Errorf("postgres ended by itself (%s): %s", how, o.last())
}

// shutDown ends s and returns when it is gone.
func (s *server) shutDown(log *slog.Logger, hurry <-chan struct{}) error {
	return shutDown(log, hurry, s.cmd.Process.Pid,
		func(sig syscall.Signal) error { return s.cmd.Process.Signal(sig) },
		func() bool {
			select {
			case <-s.done:
				return true
			default:
				return false
			}
		})
}

// shutDown asks a server to stop in ever harsher words: disconnect everybody
// and write the data out; leave that to the next start; die. It is through the
// first of them quickly when hurry is closed.
func shutDown(log *slog.Logger, hurry <-chan struct{}, pid int, send func(syscall.Signal) error, gone func() bool) error {
	steps := []struct {
		signal syscall.Signal
		wait   time.Duration
	}{{syscall.SIGINT, 20 * time.Second}, {syscall.SIGQUIT, 5 * time.Second}, {syscall.SIGKILL, 5 * time.Second}}

	for i, step := range steps {
		if gone() {
			return nil
		}
		if i > 0 {
			log.Warn("Postgres does not stop, trying harder", slog.Int("pid", pid), slog.String("signal", step.signal.String()))
			hurry = nil
		}
		if err := send(step.signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("signal process %d: %w", pid, err)
		}
		if within(step.wait, hurry, gone) {
			return nil
		}
	}

	return fmt.Errorf("process %d is still there after %v", pid, syscall.SIGKILL)
}

// within polls gone for a while, or until hurry is closed.
func within(most time.Duration, hurry <-chan struct{}, gone func() bool) bool {
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	end := time.NewTimer(most)
	defer end.Stop()

	for !gone() {
		select {
		case <-poll.C:
		case <-hurry:
			return gone()
		case <-end.C:
			return gone()
		}
	}

	return true
}

// closed returns a channel that nobody waits for.
func closed() <-chan struct{} {
	ch := make(chan struct{})
	close(ch)

	return ch
}
