// Reliability does to trivia-hook what happens to it in the field, one row after
// the other, while Customer.io's two delivery machines are played against it,
// and asks the database afterwards: was anything lost that had been
// acknowledged, was anything awarded twice, how many hours was the sender held up.
//
//	make reliability
//	bin/reliability [-bin DIR] [-rows REGEXP] [-list] [-out FILE]
//
// It needs Postgres, PgBouncer, nginx and HAProxy from the system's packages,
// and root for the row whose disk is full. All that it starts listens on
// loopback, works in a temporary directory, and is gone when it ends. Exit code
// 1 if a row shows a loss, a double or an hour.
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
	"regexp"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	failed, err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "reliability:", err)
	}
	if err != nil || failed > 0 {
		os.Exit(1)
	}
}

// Options are what the flags say.
type options struct {
	bin   string
	rows  *regexp.Regexp
	list  bool
	out   string
	brief bool // a few seconds for each row, a few times what is done often: to see that the harness works
	keep  bool
}

func parse(args []string) (opts options, err error) {
	set := flag.NewFlagSet("reliability", flag.ContinueOnError)
	set.StringVar(&opts.bin, "bin", "bin", "where trivia-hook and triviactl are")
	set.Func("rows", "run only rows whose name matches this expression", func(text string) (err error) {
		opts.rows, err = regexp.Compile(text)

		return err
	})
	set.BoolVar(&opts.list, "list", false, "name the rows, and do nothing")
	set.StringVar(&opts.out, "out", "", "write the page of all rows into this file")
	set.BoolVar(&opts.brief, "brief", false, "do things once or twice that are otherwise done often")
	set.BoolVar(&opts.keep, "keep", false, "keep the directory of each row, with its logs")
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
		if _, err := os.Stat(filepath.Join(opts.bin, program)); err != nil && !opts.list {
			return opts, fmt.Errorf("%w; build it first: make build", err)
		}
	}

	return opts, nil
}

// rowTime is how long one row may take. What is not through by then is
// undelivered, and the row has failed.
const rowTime = 3 * time.Minute

// run returns how many rows have failed.
func run(ctx context.Context, args []string, out io.Writer) (failed int, err error) {
	opts, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}

	p := page{begun: time.Now()}
	for _, r := range rows() {
		if opts.rows != nil && !opts.rows.MatchString(r.name) {
			continue
		}
		if opts.list {
			_, _ = fmt.Fprintf(out, "%-22s %s\n", r.name, r.what)

			continue
		}
		if ctx.Err() != nil {
			return failed, ctx.Err()
		}
		got := r.run(ctx, opts)
		_, _ = fmt.Fprintln(out, got.line())
		if p.results = append(p.results, got); !got.well() {
			failed++
		}
	}
	p.took = time.Since(p.begun)
	if opts.list || len(p.results) == 0 {
		return failed, nil
	}
	_, _ = fmt.Fprintf(out, "%d rows, %d failed, in %s\n", len(p.results), failed, p.took.Round(time.Second))
	if opts.out != "" {
		return failed, p.write(opts.out)
	}

	return failed, nil
}

// A row is one thing that is done to a hook.
type row struct {
	name, what string
	limit      int64 // of the hook's memory, in MiB; 0: usualLimit
	do         func(ctx context.Context, s *stage) error
}

// usualLimit is what a hook may need at most, in MiB.
const usualLimit = 250

// run plays a row on a stage of its own. Whatever goes wrong, also here, is
// part of the result.
func (r row) run(ctx context.Context, opts options) (got result) {
	ctx, cancel := context.WithTimeout(ctx, rowTime)
	defer cancel()
	begun := time.Now()
	s, err := newStage(ctx, opts)
	if err != nil {
		return result{row: r, err: err}
	}
	err = r.do(ctx, s)
	if err == nil && s.report == nil {
		err = errors.New("nothing was sent")
	}
	s.mu.Lock() // memory is still measured
	got = s.result
	s.mu.Unlock()
	got.row, got.err = r, err
	if !opts.keep {
		s.tidy()
	} else {
		s.end()
		fmt.Fprintf(os.Stderr, "%s: logs are in %s\n", r.name, s.dir)
	}
	got.took = time.Since(begun)

	return got
}
