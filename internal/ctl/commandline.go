package ctl

import (
	"bytes"
	"context"
	"strings"
)

// A commandLine runs commands for the screens, on the database that they have
// open.
type commandLine struct {
	s  *session
	do verbs
}

// Run is part of [tui.CommandLine].
func (cl commandLine) Run(ctx context.Context, width int, words []string, progress func(string)) (string, int) {
	said, _, code := cl.run(ctx, width, words, progress)

	return said, code
}

// Preview is part of [tui.CommandLine].
func (cl commandLine) Preview(ctx context.Context, width int, words []string, progress func(string)) (string, int, int) {
	return cl.run(ctx, width, words, progress)
}

// run runs a command as if a terminal of that width showed what it writes,
// and nobody could be asked.
func (cl commandLine) run(ctx context.Context, width int, words []string, progress func(string)) (said string, n, code int) {
	var out bytes.Buffer
	env := cl.s.Env
	env.Stdin, env.StdinTerminal = strings.NewReader(""), false
	env.Stdout, env.Stderr, env.Width = &out, &out, width
	env.StdoutTerminal, env.StderrTerminal = true, false

	inner := newSession(env)
	inner.open = func(context.Context) (verbs, func(), error) { return cl.do, func() {}, nil }
	inner.find, inner.watch = cl.s.find, progress
	code = inner.run(ctx, words)

	return out.String(), inner.previewed, code
}

// Line is part of [tui.CommandLine].
func (commandLine) Line(words ...string) string {
	line := []string{name}
	for _, word := range words {
		flag, value, ok := strings.Cut(word, "=")
		if ok && strings.HasPrefix(flag, "--") && shellWord(flag) == flag {
			line = append(line, flag+"="+shellWord(value))
			continue
		}
		line = append(line, shellWord(word))
	}

	return strings.Join(line, " ")
}
