// Trivia-hook receives Customer.io's webhooks, keeps them durably, and awards
// one prize for each user and trivia.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/term"
)

func main() {
	// Who reads our log may go away; the requests in flight must not go with it.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process as it is
	code := run(ctx, surroundings{
		args: os.Args[1:], getenv: os.Getenv, stdout: os.Stdout, stderr: os.Stderr,
		terminal: term.IsTerminal(int(os.Stderr.Fd())), now: time.Now,
	})
	stop()
	os.Exit(code)
}
