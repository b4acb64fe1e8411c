package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// build makes both programs, as `make build` does.
func build(t *testing.T) string {
	t.Helper()

	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", dir, "trivia/cmd/...")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, said)
	}

	return dir
}

func TestTheDemoShowsSomeOfEverythingAndLeavesNothing(t *testing.T) {
	bin, tmp := build(t), t.TempDir()
	if err := os.Chmod(filepath.Dir(tmp), 0o711); err != nil { // the private Postgres may be another user's
		t.Fatal(err)
	}
	if err := os.Chmod(tmp, 0o711); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", tmp)

	// What leads elsewhere must not be followed.
	environ := append(os.Environ(), "DATABASE_URL=postgres://nowhere.invalid/production", "TRIVIA_SOURCES=192.0.2.1",
		"CUSTOMERIO_TRACK_URL=http://nowhere.invalid", "CUSTOMERIO_SITE_ID=real", "CUSTOMERIO_TRACK_API_KEY=real", "PGHOST=nowhere.invalid")
	var out, said bytes.Buffer
	err := run(t.Context(), []string{"-bin", bin, "-headless", "500ms", "-history", "1500"}, environ, terminal{nil, &out, &said})
	if err != nil {
		t.Fatalf("demo: %v\n%s%s", err, said.String(), out.String())
	}

	var kinds []string
	for line := range strings.Lines(out.String()) {
		kinds = append(kinds, regexp.MustCompile(` \d+\n$`).ReplaceAllString(line, ""))
	}
	kinds = slices.DeleteFunc(kinds, func(kind string) bool { return strings.HasPrefix(kind, "pushes ") })
	want := []string{
		"already_won done", "awarded done", "came again", "key_conflict parked", "kinds of events", "malformed parked", "minutes",
		"prize_conflict parked", "recorded done", "responses", "trivia_closed parked", "unknown_user pending", "wins",
		"answered 200", "answered 401",
	}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("what came (-want +got):\n%s\nof\n%s", diff, out.String())
	}
	if !strings.Contains(out.String(), "pushes sent") && !strings.Contains(out.String(), "pushes pending") {
		t.Errorf("nobody was told:\n%s", out.String())
	}
	left, err := os.ReadDir(tmp)
	if err != nil || slices.ContainsFunc(left, func(e os.DirEntry) bool { return strings.HasPrefix(e.Name(), "trivia-demo-") }) {
		t.Errorf("the demo has left %v, %v", left, err)
	}
}

func TestTheDemoEndsWhenItIsInterrupted(t *testing.T) {
	t.Parallel()

	bin := build(t)
	ctx, cancel := context.WithCancel(t.Context())
	said := &interrupting{cancel: cancel}
	var out bytes.Buffer
	if err := run(ctx, []string{"-bin", bin, "-headless", "1h"}, os.Environ(), terminal{nil, &out, said}); err != nil && ctx.Err() == nil {
		t.Fatalf("demo: %v", err)
	}
	if ctx.Err() == nil {
		t.Error("it ended before it was interrupted")
	}
}

// interrupting ends the demo as soon as it says that it sends.
type interrupting struct{ cancel func() }

func (i *interrupting) Write(text []byte) (int, error) {
	if bytes.Contains(text, []byte("sending")) {
		i.cancel()
	}

	return len(text), nil
}

func TestTheDemoSaysWhatItWants(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"now"}, `want flags only, got ["now"]`},
		{[]string{"-bin", t.TempDir()}, "build it first: make build"},
	} {
		err := run(t.Context(), tt.args, nil, terminal{nil, &bytes.Buffer{}, &bytes.Buffer{}})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("demo %q = %v, want %q", tt.args, err, tt.want)
		}
	}
}
