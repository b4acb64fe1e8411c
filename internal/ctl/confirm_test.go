package ctl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestWhatConfirms(t *testing.T) {
	t.Parallel()

	const (
		few  = "change 100 things, in staging? [y/N] "
		many = "change 101 things, in staging? Type 101 to go on: "
		no   = "triviactl: nothing was done: not confirmed\n"
	)
	tests := []struct {
		name     string
		yes      bool
		terminal bool
		n        int
		answer   string
		code     int
		said     string
	}{
		{"the flag", true, false, 1000, "", 0, ""},
		{"the flag, at a terminal", true, true, 1000, "", 0, ""},
		{"nobody to ask", false, false, 1, "y\n", 4, no + "triviactl: hint: standard input is no terminal to ask at; --yes confirms\n"},
		{"a letter", false, true, 100, "y\n", 0, few},
		{"a word", false, true, 100, " YES \r\n", 0, few},
		{"another word", false, true, 100, "yep\n", 4, few + no},
		{"nothing", false, true, 100, "\n", 4, few + no},
		{"the end of input", false, true, 100, "", 4, few + "\n" + no},
		{"a last line without an end", false, true, 100, "y", 0, few + "\n"},
		{"the number", false, true, 101, "101\n", 0, many},
		{"another number", false, true, 101, "100\n", 4, many + no},
		{"a letter for many", false, true, 101, "y\n", 4, many + no + "triviactl: hint: so many are confirmed by their number: 101\n"},
		{"the number for few", false, true, 100, "100\n", 4, few + no},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			st := newStage(t)
			st.env["TRIVIA_ENV"] = "staging"
			st.Stdin, st.StdinTerminal = strings.NewReader(tt.answer), tt.terminal
			code := st.report(t.Context(), st.confirm(tt.yes, tt.n, fmt.Sprintf("change %d things?", tt.n)))
			if code != tt.code || st.err.String() != tt.said {
				t.Errorf("confirm = exit %d, said %q, want %d, %q", code, st.err.String(), tt.code, tt.said)
			}
		})
	}
}

func TestAQuestionMayBeInterrupted(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	never, end := io.Pipe()
	t.Cleanup(func() { _ = end.Close() })
	st.Stdin, st.StdinTerminal = never, true
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := st.confirmUntil(ctx, false, 1, "go on"); !errors.Is(err, context.Canceled) {
		t.Errorf("confirmUntil = %v, want that it was cancelled", err)
	}
}
