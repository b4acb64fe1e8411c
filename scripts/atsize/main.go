// Atsize measures what triviactl does with a database of size: it fills one
// with a million wins and five million deliveries, runs each verb that shows a
// page of rows, and prints how long the whole program took and how Postgres
// went about it.
//
//	make build
//	go run ./scripts/atsize -dir DIR [-deliveries 5000000] [-rounds 3] [-only WORDS]
//	go run ./scripts/atsize -keys URL [-load 2000]
//
// DIR keeps the database, 7 GB of it, so that it is filled only once.
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
	"time"

	"trivia/internal/pgembed"
	"trivia/internal/store"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "atsize:", err)
		os.Exit(1)
	}
}

// Options are what the flags say.
type options struct {
	dir        string
	ctl        string
	deliveries int
	rounds     int
	only       string
	load       int
	stay       bool
	lists      bool
	keys       string
}

func parse(args []string) (options, error) {
	var opts options
	set := flag.NewFlagSet("atsize", flag.ContinueOnError)
	set.StringVar(&opts.dir, "dir", "", "where the database is, or will be")
	set.StringVar(&opts.ctl, "ctl", "bin/triviactl", "the built program")
	set.IntVar(&opts.deliveries, "deliveries", 5_000_000, "how many there shall be; one in five is a win")
	set.IntVar(&opts.rounds, "rounds", 3, "how often each verb is run; the median counts")
	set.StringVar(&opts.only, "only", "", "only verbs that begin with these words")
	set.IntVar(&opts.load, "load", 0, "wins per second that a hook takes meanwhile")
	set.BoolVar(&opts.stay, "stay", false, "measure nothing, print the database's URL, and keep it running")
	set.BoolVar(&opts.lists, "lists", false, "measure what the lists of triviactl tui ask, instead of verbs")
	set.StringVar(&opts.keys, "keys", "", "type into triviactl tui on the database at this URL, as -stay prints it, instead")
	if err := set.Parse(args); err != nil {
		return opts, err
	}
	switch {
	case opts.dir == "" && opts.keys == "":
		return opts, errors.New("-dir is missing: it says where to keep the database")
	case opts.rounds < 1 || opts.deliveries < 1000:
		return opts, errors.New("-rounds starts at 1, -deliveries at 1000")
	}

	return opts, nil
}

func run(ctx context.Context, args []string) (err error) {
	opts, err := parse(args)
	if err != nil {
		return err
	}
	if opts.ctl, err = filepath.Abs(opts.ctl); err != nil {
		return err
	}
	if _, err := os.Stat(opts.ctl); err != nil {
		return fmt.Errorf("%w; build it first: make build", err)
	}

	if opts.keys != "" {
		return measureKeys(ctx, opts, opts.keys)
	}

	cluster, err := pgembed.Start(ctx, pgembed.Options{Dir: opts.dir, Durable: true, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cluster.Stop(context.WithoutCancel(ctx))) }()

	if _, err := store.Migrate(ctx, cluster.URL()); err != nil {
		return err
	}
	begin := time.Now()
	filled, err := fill(ctx, cluster.URL(), opts.deliveries)
	if err != nil {
		return err
	}
	if filled {
		fmt.Printf("filled in %v\n", time.Since(begin).Round(time.Second))
	}
	if opts.stay {
		fmt.Println(cluster.URL())
		<-ctx.Done()

		return nil
	}

	if opts.lists {
		return measureLists(ctx, opts, cluster.URL())
	}

	return measure(ctx, opts, cluster)
}
