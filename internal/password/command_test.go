package password

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// A clock that a test sets.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

// counting returns a command that prints p1 the first time, then p2, and so on.
func counting(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "runs")

	return "echo x >> '" + file + "'; echo p$(wc -l < '" + file + "' | tr -d ' ')"
}

func TestAPasswordIsAskedForAgainAfterAMinuteOrWhenItIsRefused(t *testing.T) {
	t.Parallel()

	at := &clock{time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)}
	c := New(counting(t), at.now)
	for i, step := range []struct {
		before func()
		want   string
	}{
		{func() {}, "p1"},
		{func() { at.at = at.at.Add(59 * time.Second) }, "p1"},
		{func() { at.at = at.at.Add(time.Second) }, "p2"},
		{c.Forget, "p3"},
		{func() {}, "p3"},
	} {
		step.before()
		if got, err := c.Password(t.Context()); err != nil || got != step.want {
			t.Errorf("step %d: Password() = %q, %v; want %q", i, got, err, step.want)
		}
	}
}

func TestThePasswordIsTheFirstLine(t *testing.T) {
	t.Parallel()

	tests := []struct{ shell, want string }{
		{"echo 'a b'; echo second", "a b"},
		{`printf 'no newline '`, "no newline "},
		{`printf 'windows\r\n'`, "windows"},
		{`echo noise >&2; echo "$0" | tr -d '\n' | wc -c | tr -d ' '`, "7"}, // it is a shell that runs it
	}
	for _, tt := range tests {
		if got, err := New(tt.shell, time.Now).Password(t.Context()); err != nil || got != tt.want {
			t.Errorf("%s: Password() = %q, %v; want %q", tt.shell, got, err, tt.want)
		}
	}
}

func TestACommandThatFailsTellsWhyButNoPassword(t *testing.T) {
	t.Parallel()

	const secret = "hunter2hunter2"
	tests := []struct{ name, shell, want string }{
		{"with its last words", "echo one >&2; echo 'no credentials' >&2; exit 3", `exit status 3: it says "no credentials"`},
		{"it repeats the password", "echo " + secret + "; echo token " + secret + " >&2; exit 1", "exit status 1"},
		{"nothing", "true", "expected the password"},
		{"an empty line", "echo; echo " + secret, "expected the password"},
		{"not found", "/nowhere/at/all", "exit status 127"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			got, err := New(tt.shell, time.Now).Password(t.Context())
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), secret) {
				t.Errorf("Password() = %q, %v; want an error with %q and no password", got, err, tt.want)
			}
		})
	}
}

func TestACommandThatHangsIsEndedWithAllThatItStarted(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	c := New("touch '"+dir+"/begun'; sleep 1000 & wait", time.Now)
	failed := make(chan error, 1)
	go func() { _, err := c.Password(ctx); failed <- err }()
	for begun := false; !begun; runtime.Gosched() {
		_, err := os.Stat(filepath.Join(dir, "begun"))
		begun = err == nil
	}
	cancel()
	if err := <-failed; err == nil || !strings.Contains(err.Error(), "no answer") {
		t.Errorf("Password() = %v, want that it did not answer", err)
	}
}
