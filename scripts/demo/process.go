package main

import (
	"errors"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// A process is a program that was started, and that ends when the demo does,
// however that ends.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error         // how; to be read then
}

// launch starts a program. Where the system can tie it to who started it, that
// is a thread: so it is one of its own.
func launch(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, done: make(chan struct{})}
	tie(cmd)
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
		}
		close(p.done)
	}()

	return p, <-started
}

// end lets the program end, and kills it if it takes too long.
func (p *process) end(patience time.Duration) error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-p.done:
		return nil
	case <-late.C:
	}
	_ = p.cmd.Process.Kill()
	<-p.done

	return errors.New(p.cmd.Args[0] + " did not end by itself, and was killed")
}
