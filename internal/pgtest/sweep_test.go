package pgtest

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func TestOnlyOldDirectoriesOfOursAreSwept(t *testing.T) {
	t.Parallel()

	temp := t.TempDir()
	older := func(name string, age time.Duration) string {
		t.Helper()
		path := filepath.Join(temp, name)
		if err := os.MkdirAll(filepath.Join(path, "postgres"), 0o700); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(-age)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}

		return path
	}
	killed := older(prefix+"1", 2*staleAfter)
	running := older(prefix+"2", staleAfter/2)
	soaking := older(prefix+"4", 2*staleAfter)
	lock, err := os.Create(filepath.Join(soaking, "postgres.lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Close() }()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(-2 * staleAfter)
	if err := os.Chtimes(soaking, at, at); err != nil {
		t.Fatal(err)
	}
	foreign := older("thesis", 2*staleAfter)
	now := older(prefix+"3", 0)

	if err := sweep(now); err != nil {
		t.Fatalf("sweep() = %v", err)
	}
	if _, err := os.Stat(killed); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is still there", killed)
	}
	for _, dir := range []string{running, soaking, foreign, now} {
		if _, err := os.Stat(dir); err != nil {
			t.Errorf("%s is gone: %v", dir, err)
		}
	}
}
