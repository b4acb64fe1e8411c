// Package ctl is triviactl: its words, its output, its exit codes and its
// voice. What it does is in the packages below.
package ctl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"trivia/internal/operator"
	"trivia/internal/store"
)

// An Env is what triviactl finds around itself.
type Env struct {
	Getenv         func(string) string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	StdinTerminal  bool
	StdoutTerminal bool
	StderrTerminal bool
	Width          int    // of the terminal, in cells; 0 if nobody knows
	Host           string // for the audit log
	Now            func() time.Time
}

// The exit codes.
const (
	exitDone     = 0
	exitFailed   = 1
	exitUsage    = 2
	exitNotFound = 3
	exitUnasked  = 4 // not confirmed
)

// Errors that mean an exit code of their own.
var (
	errUsage = errors.New("usage")
	errQuiet = errors.New("failed") // what there is to say has been said
)

// A hinted error comes with a next step.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

// usagef returns a complaint about words, with the next step.
func usagef(hint, format string, args ...any) error {
	return hinted{fmt.Errorf("%w: %w", errUsage, fmt.Errorf(format, args...)), hint}
}

// A session is one call of triviactl. Its functions are replaced in tests.
type session struct {
	Env

	open    func(ctx context.Context) (verbs, func(), error)
	find    func(dataDir string) (string, error) // of a running embedded Postgres
	examine func(context.Context, operator.Checkup) []operator.Finding

	watch     func(line string) // is told how far a command has come; nil: a bar is drawn
	previewed int               // how many things the last dry run was about, if any would change
}

// Run does what args, the words behind the program's name, say, and returns
// the exit code.
func Run(ctx context.Context, args []string, env Env) int {
	return newSession(env).run(ctx, args)
}

func (s *session) run(ctx context.Context, args []string) int {
	app := s.app()
	if n := len(args); n > 0 && args[n-1] == completionFlag {
		s.complete(app, args[:n-1])

		return exitDone
	}

	words, err := arrange(app, args)
	if err == nil {
		err = app.RunContext(ctx, words)
	}

	return s.report(ctx, err)
}

// report says what went wrong, and returns the exit code for it.
func (s *session) report(ctx context.Context, err error) int {
	if err == nil {
		return exitDone
	}
	switch {
	case ctx.Err() != nil && !errors.Is(err, errUsage):
		s.say("interrupted")
	case !errors.Is(err, errQuiet):
		s.say("%v", err)
	}
	if hint := hintOf(err); hint != "" {
		s.say("hint: %s", hint)
	}

	switch {
	case errors.Is(err, errUsage), errors.Is(err, store.ErrCursor):
		return exitUsage
	case errors.Is(err, operator.ErrNotFound):
		return exitNotFound
	case errors.Is(err, errNotConfirmed):
		return exitUnasked
	default:
		return exitFailed
	}
}

func hintOf(err error) string {
	if h, ok := errors.AsType[hinted](err); ok {
		return h.hint
	}
	if errors.Is(err, store.ErrCursor) {
		return "--after takes what an earlier call of the same listing has printed"
	}
	if store.Denied(err) {
		return "this role has not the right to do that: sql/roles.sql gives each role what it needs"
	}

	return ""
}

// say writes to standard error, every line in the program's own name.
func (s *session) say(format string, args ...any) {
	for line := range strings.Lines(fmt.Sprintf(format, args...)) {
		s.note(strings.TrimSuffix(line, "\n"))
	}
}

func (s *session) note(line string) {
	_, _ = fmt.Fprintf(s.Stderr, "%s: %s\n", name, line)
}

// print writes to standard output. A reader that has gone away wants no more,
// and is told so by the system.
func (s *session) print(format string, args ...any) {
	_, _ = fmt.Fprintf(s.Stdout, format, args...)
}

// colorful reports whether what goes to a terminal may be coloured.
func (s *session) colorful(terminal bool) bool {
	return terminal && s.Getenv("NO_COLOR") == "" && s.Getenv("TERM") != "dumb"
}

// actor names who is at work, for the audit log.
func (s *session) actor() string {
	names := []string{s.Getenv("SUDO_USER"), s.Getenv("USER"), s.Getenv("LOGNAME"), "unknown"}
	who := names[slices.IndexFunc(names, func(name string) bool { return name != "" })]
	if s.Host == "" {
		return who
	}

	return who + "@" + s.Host
}
