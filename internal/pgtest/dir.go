package pgtest

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"
)

// How long a server whose owner was killed may go on writing into what is being
// removed, and how often that is tried.
const (
	writesOn    = 5 * time.Minute
	removeAgain = 20 * time.Millisecond
)

// Dir returns a directory that a private Postgres can use as its data
// directory, and removes it after the test. [testing.T.TempDir] will not do for root:
// the server's user cannot enter it.
func Dir(tb testing.TB) string {
	tb.Helper()

	dir, err := newDir()
	if err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	tb.Cleanup(func() {
		if err := removeDir(dir); err != nil {
			tb.Errorf("pgtest: %v", err)
		}
	})

	return dir
}

func newDir() (string, error) {
	dir, err := os.MkdirTemp("", prefix)
	if err != nil {
		return "", fmt.Errorf("make temporary directory: %w", err)
	}
	if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // for the server's user; its data is 0700 itself
		return "", fmt.Errorf("open temporary directory: %w", err)
	}

	return dir, nil
}

// removeDir removes dir with all in it. A server whose owner was killed ends by
// itself, and may make a file in a directory that was just emptied.
func removeDir(dir string) error {
	if dir == "" {
		return nil
	}

	again := time.NewTicker(removeAgain)
	defer again.Stop()
	late := time.NewTimer(writesOn)
	defer late.Stop()

	for {
		err := os.RemoveAll(dir)
		if err == nil {
			return nil
		}
		if !errors.Is(err, syscall.ENOTEMPTY) {
			return fmt.Errorf("remove temporary directory: %w", err)
		}

		select {
		case <-again.C:
		case <-late.C:
			return fmt.Errorf("remove temporary directory, which something still writes to: %w", err)
		}
	}
}
