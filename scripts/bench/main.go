// Bench measures how many wins a second trivia-hook accepts and awards, and how
// many events it records, beside a plain version in the same run: the same
// checks and tables, one transaction for each win and one insert for each event.
// Both work on one Postgres at default durability, started for the purpose, and
// share the machine with the load, as the tables say.
//
//	go run ./scripts/bench [-kinds wins,events] [-conns 1,64,256] [-rounds 3] [-seconds 8]
//
// With -copying the service is measured beside itself instead: without and with
// a warehouse of Parquet files to which it copies all that comes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"trivia/internal/pgembed"
	"trivia/internal/signature"
)

// secret is the signing key of everything here.
const secret = "bench-signing-key"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// Options are what the flags say.
type options struct {
	hook       string
	kinds      []workload
	conns      []int
	rounds     int
	seconds    int
	users      int
	requests   int
	plainConns int
	barest     bool
	copying    bool
	plain      string // serve the plain version there, in a process of its own
	url        string
}

func run(ctx context.Context, args []string) error {
	opts, err := parse(args)
	if err != nil {
		return err
	}
	key, err := signature.NewKey(secret)
	if err != nil {
		return err
	}
	if opts.plain != "" {
		return servePlain(ctx, opts.url, opts.plain, key, opts.plainConns, opts.barest)
	}
	if opts.hook, err = filepath.Abs(opts.hook); err != nil {
		return err
	}
	if _, err := os.Stat(opts.hook); err != nil {
		return fmt.Errorf("%w; build it first: make build", err)
	}

	dir, err := os.MkdirTemp("", "trivia-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	// Postgres drops to another user, who has to get in.
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	cluster, err := pgembed.Start(ctx, pgembed.Options{Dir: dir, Durable: true, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer func() { _ = cluster.Stop(context.WithoutCancel(ctx)) }()

	return measure(ctx, opts, key, cluster)
}

func parse(args []string) (options, error) {
	var (
		opts  options
		conns string
		kinds string
	)
	set := flag.NewFlagSet("bench", flag.ContinueOnError)
	set.StringVar(&opts.hook, "hook", "bin/trivia-hook", "the built service")
	set.StringVar(&kinds, "kinds", "wins,events", "what is sent")
	set.StringVar(&conns, "conns", "1,64,256", "keep-alive connections of each load")
	set.IntVar(&opts.rounds, "rounds", 3, "how often each is measured, in turns")
	set.IntVar(&opts.seconds, "seconds", 8, "how long each is measured, after two seconds of warming up")
	set.IntVar(&opts.users, "users", 100_000, "users in the database")
	set.IntVar(&opts.requests, "requests", 400_000, "requests prepared for a load")
	set.IntVar(&opts.plainConns, "plain-conns", 32, "database connections of the plain version")
	set.BoolVar(&opts.barest, "barest", false, "let the plain version keep one row of an event and nothing else")
	set.BoolVar(&opts.copying, "copying", false, "measure the service without and with copying to files")
	set.StringVar(&opts.plain, "plain", "", "internal: serve the plain version at this address")
	set.StringVar(&opts.url, "url", "", "internal: its database")
	if err := set.Parse(args); err != nil {
		return opts, err
	}
	for word := range strings.SplitSeq(kinds, ",") {
		kind, ok := workloads[word]
		if !ok {
			return opts, fmt.Errorf("-kinds %s: want wins, events", kinds)
		}
		opts.kinds = append(opts.kinds, kind)
	}
	for word := range strings.SplitSeq(conns, ",") {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 {
			return opts, fmt.Errorf("-conns %s: want numbers from 1 on", conns)
		}
		opts.conns = append(opts.conns, n)
	}
	if opts.rounds < 1 || opts.seconds < 1 {
		return opts, errors.New("-rounds and -seconds start at 1")
	}

	return opts, nil
}

// measure runs both versions in turns, so that a machine whose speed drifts
// slows down both, and prints the medians.
func measure(ctx context.Context, opts options, key signature.Key, cluster *pgembed.Cluster) error {
	fmt.Printf("%d rounds of %d s; %d users; each load at each version in turn\n", opts.rounds, opts.seconds, opts.users)
	for _, kind := range opts.kinds {
		for _, conns := range opts.conns {
			runs, versions := map[string][]report{}, versionsOf(opts)
			for round := range opts.rounds {
				for _, version := range versions {
					r, err := version.measure(ctx, opts, key, cluster, kind, conns)
					if err != nil {
						return fmt.Errorf("%s, %s at %d connections: %w", version.name, kind.name, conns, err)
					}
					runs[version.name] = append(runs[version.name], r)
					fmt.Printf("  %s, round %d, %3d connections, %-11s %s\n", kind.name, round+1, conns, version.name, r)
				}
			}
			printMedians(kind, conns, versions, runs)
		}
	}

	return nil
}

// settleDown lets the server finish what the run before has left to do.
const settleDown = 500 * time.Millisecond
