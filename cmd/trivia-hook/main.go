// Trivia-hook receives Customer.io's webhooks, keeps them durably, and awards
// one prize for each user and trivia.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"golang.org/x/term"
)

func main() {
	// Who reads our log may go away; the requests in flight must not go with it.
	signal.Ignore(syscall.SIGPIPE)
	tune()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process as it is
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	host, _ := os.Hostname() // an audit log without it is still one
	isTerminal := func() bool { return term.IsTerminal(int(os.Stderr.Fd())) }
	terminal := isTerminal()
	code := run(ctx, surroundings{
		args: os.Args[1:], getenv: os.Getenv, stdout: os.Stdout, stderr: os.Stderr,
		terminal: terminal, now: time.Now, host: host,
		hangups: hangups, terminalGone: func() bool { return terminal && !isTerminal() },
	})
	stop()
	os.Exit(code)
}

// tune fits the runtime to what this program does, unless the environment says
// otherwise. Its memory is all short-lived, a few MiB at a time, and would be
// collected many times a second. And whoever waits for Postgres should not have
// to queue behind all the requests that wait to be read: with threads to spare,
// the kernel wakes one for the answer at once.
func tune() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 2)
	}
}
