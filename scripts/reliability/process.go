package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A process is a program that was started, and that ends when this one does.
type process struct {
	cmd  *exec.Cmd
	log  string
	done chan struct{} // closed when it has ended
	err  error         // how; to be read then
}

// launch starts a program that writes into log. Where the system ties it to who
// started it, that is a thread: so it is one of its own.
func launch(cmd *exec.Cmd, log string) (*process, error) {
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	cmd.Stdout, cmd.Stderr = file, file
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	tie(cmd.SysProcAttr)

	p := &process{cmd: cmd, log: log, done: make(chan struct{})}
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

func (p *process) signal(sig os.Signal) { _ = p.cmd.Process.Signal(sig) }

func (p *process) gone() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// end asks the program to end by a signal, and kills it if it takes too long.
func (p *process) end(sig os.Signal) error {
	p.signal(sig)
	late := time.NewTimer(endTime)
	defer late.Stop()
	select {
	case <-p.done:
		return nil
	case <-late.C:
	}
	p.signal(syscall.SIGKILL)
	<-p.done

	return errors.New(filepath.Base(p.cmd.Path) + " did not end by itself, and was killed")
}

const (
	endTime   = 20 * time.Second
	startTime = time.Minute
	lookAgain = 20 * time.Millisecond
)

// says reports whether the log has a line with these words.
func (p *process) says(words string) bool {
	text, _ := os.ReadFile(p.log)

	return bytes.Contains(text, []byte(words))
}

// last returns the last lines of the log.
func (p *process) last() string {
	file, err := os.Open(p.log)
	if err != nil {
		return ""
	}
	defer func() { _ = file.Close() }()
	var lines []string
	for scan := bufio.NewScanner(file); scan.Scan(); {
		if lines = append(lines, scan.Text()); len(lines) > 3 {
			lines = lines[1:]
		}
	}

	return strings.Join(lines, "\n")
}

// until looks again and again whether something holds.
func until(ctx context.Context, what string, holds func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for !holds() {
		if !pause(ctx, lookAgain) {
			return fmt.Errorf("waited for %s in vain", what)
		}
	}

	return nil
}

// pause lets time pass. It reports whether ctx let it.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// peak returns the most memory that a process has had, in bytes.
func (p *process) peak() int64 {
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid), "status"))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)

			return kib << 10
		}
	}

	return 0
}

// port returns one that is free now.
func port(ctx context.Context) (int, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = listener.Close() }()
	tcp, _ := listener.Addr().(*net.TCPAddr)

	return tcp.Port, nil
}

// unprivileged returns as whom to run what refuses to be root; nil: as oneself.
func unprivileged() *syscall.Credential {
	if os.Geteuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		who, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, _ := strconv.ParseUint(who.Uid, 10, 32)
		gid, _ := strconv.ParseUint(who.Gid, 10, 32)

		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}

	return nil
}

// own gives a directory to whom unprivileged names.
func own(dir string) error {
	who := unprivileged()
	if who == nil {
		return nil
	}

	return os.Chown(dir, int(who.Uid), int(who.Gid))
}
