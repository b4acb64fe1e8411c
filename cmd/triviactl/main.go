// Triviactl is the command line of those who operate and test trivia-hook.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/term"

	"trivia/internal/ctl"
)

func main() {
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as under nohup
		ends = append(ends, syscall.SIGHUP) // a terminal that is closed leaves no half file either
	}
	ctx, stop := signal.NotifyContext(context.Background(), ends...)
	context.AfterFunc(ctx, stop) // a second signal ends the process as it is

	terminal := func(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
	width, _, _ := term.GetSize(int(os.Stdout.Fd())) // 0 if it is no terminal
	host, _ := os.Hostname()                         // an audit log without it is still one
	os.Exit(ctl.Run(ctx, os.Args[1:], ctl.Env{
		Getenv: os.Getenv,
		Stdin:  os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		StdinTerminal: terminal(os.Stdin), StdoutTerminal: terminal(os.Stdout), StderrTerminal: terminal(os.Stderr),
		Width: width, Host: host, Now: time.Now,
	}))
}
