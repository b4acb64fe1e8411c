package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// built are both programs, as people run them.
var built struct {
	once sync.Once
	dir  string // with bin/ in it
	err  error
}

// build returns a directory with bin/trivia-hook and bin/triviactl in it, for
// the tests that also need the other program. It is made once.
func build(t *testing.T) string {
	t.Helper()

	built.once.Do(func() {
		built.dir, built.err = os.MkdirTemp("", "trivia-hook-test-") //nolint:usetesting // it outlives the test that asks first
		if built.err != nil {
			return
		}
		bin := filepath.Join(built.dir, "bin") + string(filepath.Separator)
		said, err := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", bin, "trivia/cmd/...").CombinedOutput()
		if err != nil {
			built.err = fmt.Errorf("go build: %w\n%s", err, said)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}

	return built.dir
}

// buildFaulty returns trivia-hook as it stops where [faultpoint.Setting] says.
func buildFaulty(t *testing.T) string {
	t.Helper()

	faulty.once.Do(func() {
		faulty.path = filepath.Join(build(t), "faulty", "trivia-hook")
		said, err := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-tags", "faults", "-o", faulty.path, "trivia/cmd/trivia-hook").CombinedOutput()
		if err != nil {
			faulty.err = fmt.Errorf("go build -tags faults: %w\n%s", err, said)
		}
	})
	if faulty.err != nil {
		t.Fatal(faulty.err)
	}

	return faulty.path
}

var faulty struct {
	once sync.Once
	path string
	err  error
}

// removeBuilt is for the end of the test binary.
func removeBuilt() { _ = os.RemoveAll(built.dir) }
