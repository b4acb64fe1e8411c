package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"trivia/internal/config"
	"trivia/internal/signature"
	"trivia/internal/source"
	"trivia/internal/store"
)

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitConfig = 78 // wrong flags or settings: EX_CONFIG of sysexits.h. Go's runtime ends with 2 by itself
)

// Surroundings are all that main reads of its process, so that tests can
// stand in for it.
type surroundings struct {
	args     []string
	getenv   func(string) string
	stdout   io.Writer
	stderr   io.Writer
	terminal bool // stderr is one
	now      func() time.Time
	host     string // for the audit log

	hangups      <-chan os.Signal // SIGHUP, which asks to reload; nil: nobody asks
	terminalGone func() bool      // or says that the terminal was closed; nil: there is none
}

type flags struct {
	embedded, demo, takeover, version bool
}

const usage = `Usage: trivia-hook [--embedded] [--demo] [--takeover]

Receives Customer.io's webhooks, awards one prize for each user and trivia, and
tells Customer.io what came of it.

Unless TRIVIA_ON_BOUNCE and TRIVIA_ON_SPAM say otherwise, a person whose email
bounced or who reported one as spam is suppressed in Customer.io: that deletes
the profile for good.

  --embedded  run a private Postgres in TRIVIA_DATA_DIR instead of DATABASE_URL
  --demo      put users demo-1 … demo-100 into a database that has none, and
              print what to try next
  --takeover  replace the trivia-hook that runs at the same address, without
              refusing anybody a connection: it stops when this one is ready
  --version   print the version

Settings come from the environment. SIGHUP reads those again that are in
TRIVIA_ENV_FILE, and takes signing keys, sources and proxies into use.

`

// run is main with its surroundings as parameters.
func run(ctx context.Context, sur surroundings) int {
	opts, err := parse(sur.args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		printUsage(sur.stdout)
		return exitDone
	case err != nil:
		_, _ = fmt.Fprintf(sur.stderr, "trivia-hook: %v\ntrivia-hook: hint: trivia-hook --help lists the flags\n", err)
		return exitConfig
	case opts.version:
		_, _ = fmt.Fprintln(sur.stdout, "trivia-hook", version())
		return exitDone
	}

	set, err := readSettings(sur.getenv, opts.embedded)
	if err != nil {
		for line := range strings.Lines(err.Error()) {
			_, _ = fmt.Fprintf(sur.stderr, "trivia-hook: %s\n", strings.TrimSuffix(line, "\n"))
		}

		return exitConfig
	}

	set.host = sur.host
	log := newLog(sur)
	if err := serve(ctx, sur, log, set, opts); err != nil {
		log.ErrorContext(ctx, "stopped", slog.Any("error", err))
		return exitFailed
	}
	log.InfoContext(ctx, "stopped")

	return exitDone
}

func parse(args []string) (flags, error) {
	var f flags
	set := flag.NewFlagSet("trivia-hook", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.BoolVar(&f.embedded, "embedded", false, "")
	set.BoolVar(&f.demo, "demo", false, "")
	set.BoolVar(&f.takeover, "takeover", false, "")
	set.BoolVar(&f.version, "version", false, "")
	if err := set.Parse(args); err != nil {
		return f, err
	}
	if set.NArg() > 0 {
		return f, fmt.Errorf("usage: want flags only, got %q", set.Args())
	}

	return f, nil
}

func printUsage(w io.Writer) {
	_, _ = io.WriteString(w, usage)
	for _, s := range config.Table() {
		_, _ = fmt.Fprintf(w, "  %s (default: %s)\n        %s\n", s.Name, s.Default, s.Meaning)
	}
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(unknown version)"
	}

	return info.Main.Version
}

// Settings are the checked environment, with the parts that only their own
// packages can judge.
type settings struct {
	config.Hook

	action, event    signature.Verifier
	allowed, trusted source.List
	dsn              *store.DSN       // nil if Embedded
	pair             *tls.Certificate // nil: plain HTTP
	host             string
	said             config.Snapshot // what all of it was read from
}

// readSettings complains about everything at once.
func readSettings(getenv func(string) string, embedded bool) (settings, error) {
	hook, complaints := config.HookFrom(getenv, embedded)
	set := settings{Hook: hook, said: config.SnapshotOf(getenv)}

	var err error
	if set.allowed, err = source.Parse(hook.Sources); err != nil {
		complaints.Add(config.Sources, err.Error())
	}
	if set.trusted, err = source.ParseProxies(hook.TrustedProxies); err != nil {
		complaints.Add(config.TrustedProxies, err.Error())
	}
	if set.event.Keys, err = keysOf(hook.EventKeys); err != nil {
		complaints.Add(config.WebhookSecret, err.Error())
	}
	if set.action.Keys, err = keysOf(hook.ActionKeys); err != nil {
		complaints.Add(config.ActionSecret, err.Error())
	}
	if !hook.Embedded && !hook.DatabaseURL.IsZero() && !complaints.About(config.DatabaseURL) {
		set.dsn, err = store.ParseDSN(hook.DatabaseURL.Reveal(), store.DSNOptions{PasswordCommand: hook.PasswordCommand.Reveal()})
		if err != nil {
			complaints.Add(config.DatabaseURL, "found a value (not shown) that cannot be used: "+err.Error())
		}
	}
	if hook.TLSCert != "" && hook.TLSKey != "" {
		if pair, err := tls.LoadX509KeyPair(hook.TLSCert, hook.TLSKey); err == nil {
			set.pair = &pair
		} else {
			complaints.Add(config.TLSCert, "found files that cannot be used ("+err.Error()+"), expected a certificate and, in "+config.TLSKey+", its key, both in PEM")
		}
	}
	set.event.Tolerance, set.action.Tolerance = hook.Tolerance, hook.Tolerance

	return set, complaints.Err()
}

func keysOf(secrets []config.Secret) ([]signature.Key, error) {
	keys := make([]signature.Key, len(secrets))
	for i, s := range secrets {
		var err error
		if keys[i], err = signature.NewKey(s.Reveal()); err != nil {
			return nil, fmt.Errorf("key %d: %w", i+1, err)
		}
	}

	return keys, nil
}

// newLog logs text for people and JSON for machines.
func newLog(sur surroundings) *slog.Logger {
	if sur.terminal {
		return slog.New(slog.NewTextHandler(sur.stderr, nil))
	}

	return slog.New(slog.NewJSONHandler(sur.stderr, nil))
}
