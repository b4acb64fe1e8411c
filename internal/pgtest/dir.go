package pgtest

import (
	"fmt"
	"os"
	"testing"
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

func removeDir(dir string) error {
	if dir == "" {
		return nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove temporary directory: %w", err)
	}

	return nil
}
