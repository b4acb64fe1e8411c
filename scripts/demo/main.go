// Demo shows triviactl tui at work: it starts trivia-hook with a private
// Postgres in a temporary directory, sends it a lively signed stream through
// HTTP, with some of everything that can go wrong, and opens the screens on it.
// Customer.io is played by a listener of its own: nothing leaves the machine,
// whatever credentials the environment has. When the screens are left, all of
// it is gone.
//
//	make demo
//	bin/demo [-bin DIR] [-headless DURATION]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := run(ctx, os.Args[1:], os.Environ(), terminal{os.Stdin, os.Stdout, os.Stderr})
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// A terminal is where the screens are shown.
type terminal struct {
	in       io.Reader
	out, err io.Writer
}

// Options are what the flags say.
type options struct {
	bin      string
	headless time.Duration // 0: show the screens
	history  int
}

func parse(args []string) (opts options, err error) {
	set := flag.NewFlagSet("demo", flag.ContinueOnError)
	set.StringVar(&opts.bin, "bin", "bin", "where trivia-hook and triviactl are")
	set.DurationVar(&opts.headless, "headless", 0, "show no screens, end after this time, and say what came")
	set.IntVar(&opts.history, "history", 4000, "how many deliveries came in the hour before, as it seems")
	if err := set.Parse(args); err != nil {
		return opts, err
	}
	if set.NArg() > 0 {
		return opts, fmt.Errorf("want flags only, got %q", set.Args())
	}
	if opts.bin, err = filepath.Abs(opts.bin); err != nil {
		return opts, err
	}
	for _, program := range []string{"trivia-hook", "triviactl"} {
		if _, err := os.Stat(filepath.Join(opts.bin, program)); err != nil {
			return opts, fmt.Errorf("%w; build it first: make build", err)
		}
	}

	return opts, nil
}

func run(ctx context.Context, args, environ []string, term terminal) (err error) {
	opts, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	dir, err := newDir()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, removeDir(dir)) }()

	vendor, err := startVendor()
	if err != nil {
		return err
	}
	defer vendor.stop()

	_, _ = fmt.Fprintln(term.err, "starting trivia-hook with a private Postgres …")
	h, err := startHook(ctx, opts, dir, vendor.url, environ)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.stop()) }()

	_, _ = fmt.Fprintf(term.err, "sending what seems to have come in the last hour to http://%s …\n", h.public)

	return play(ctx, opts, h, term)
}

// play prepares the stage, and lets the stream flow for as long as it is looked at.
func play(ctx context.Context, opts options, h *hook, term terminal) error {
	st := newStream(h)
	if err := prepare(ctx, h, st, opts.history); err != nil {
		return h.explain(err)
	}

	looking, leave := context.WithCancel(ctx)
	defer leave()
	group, flowing := errgroup.WithContext(looking)
	group.Go(func() error { return st.flow(flowing) })
	group.Go(func() error {
		defer leave()
		if opts.headless > 0 {
			return watch(flowing, opts.headless)
		}

		return h.screens(flowing, term)
	})
	err := group.Wait()
	if errors.Is(err, context.Canceled) && looking.Err() != nil {
		err = nil
	}
	if err != nil {
		return h.explain(err)
	}
	if opts.headless > 0 {
		return summary(context.WithoutCancel(ctx), h, st, term.out)
	}

	return nil
}

// watch waits for a while.
func watch(ctx context.Context, d time.Duration) error {
	end := time.NewTimer(d)
	defer end.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-end.C:
		return nil
	}
}

// newDir makes a directory that the private Postgres can use, also where it is
// another user's, since this one is root.
func newDir() (string, error) {
	dir, err := os.MkdirTemp("", "trivia-demo-")
	if err != nil {
		return "", err
	}

	return dir, os.Chmod(dir, 0o711)
}

// removeDir removes what the demo has left. A server that was killed may write a
// little longer.
func removeDir(dir string) error {
	var err error
	for range 100 {
		if err = os.RemoveAll(dir); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}

	return err
}

// ownEnvironment is environ without what would lead to another database, or to
// the real Customer.io.
func ownEnvironment(environ []string) (kept []string) {
	for _, line := range environ {
		name, _, _ := strings.Cut(line, "=")
		if name == "DATABASE_URL" || strings.HasPrefix(name, "TRIVIA_") || strings.HasPrefix(name, "CUSTOMERIO_") || strings.HasPrefix(name, "PG") {
			continue
		}
		kept = append(kept, line)
	}

	return kept
}
