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

// removeBuilt is for the end of the test binary.
func removeBuilt() { _ = os.RemoveAll(built.dir) }
