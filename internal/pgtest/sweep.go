package pgtest

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// prefix begins the name of every directory of ours.
const prefix = "trivia-pgtest-"

// staleAfter is longer than a test binary needs to start a cluster in the
// directory that it has made.
const staleAfter = time.Hour

// sweep removes the directories that killed test binaries of this user have
// left: the kernel has stopped their servers, and nobody their data. It tells
// the time by now, a directory that was made this moment.
func sweep(now string) error {
	fresh, err := os.Stat(now)
	if err != nil {
		return fmt.Errorf("look at %s: %w", now, err)
	}
	dirs, err := filepath.Glob(filepath.Join(filepath.Dir(now), prefix+"*"))
	if err != nil {
		return fmt.Errorf("list old directories: %w", err)
	}

	for _, dir := range dirs {
		info, err := os.Lstat(dir)
		if err != nil || !stale(info, fresh) || inUse(dir) {
			continue // or another one is sweeping
		}
		if err := removeDir(dir); err != nil {
			return err
		}
	}

	return nil
}

func stale(info, fresh fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)

	return ok && info.IsDir() && int(stat.Uid) == os.Geteuid() && fresh.ModTime().Sub(info.ModTime()) > staleAfter
}

// inUse reports whether a process owns the cluster of dir.
func inUse(dir string) bool {
	file, err := os.Open(filepath.Join(dir, "postgres.lock")) //nolint:gosec // a directory of ours
	if err != nil {
		return false
	}
	defer func() { _ = file.Close() }()

	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil
}
