package pgembed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A lock makes this process the one owner of a place. The kernel gives it back
// when the process ends, however that happens.
type lock struct{ file *os.File }

// releaseMost is what a process that was just killed may take to be gone.
const releaseMost = time.Second

// acquire takes the lock of p, and is an [ErrInUse] if another process has it.
func acquire(ctx context.Context, p place) (*lock, error) {
	// Whoever may read the directory may read who owns it.
	file, err := os.OpenFile(p.lock(), os.O_RDWR|os.O_CREATE, 0o644) //nolint:gosec // holds a process id and nothing else
	if err != nil {
		return nil, fmt.Errorf("open lock file: %w", err)
	}

	within(releaseMost, ctx.Done(), func() bool {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)

		return !errors.Is(err, syscall.EWOULDBLOCK)
	})
	if errors.Is(err, syscall.EWOULDBLOCK) {
		defer func() { _ = file.Close() }()

		return nil, fmt.Errorf("%w: %s belongs to process %s", ErrInUse, p.dir, owner(file))
	}
	if err != nil {
		_ = file.Close()

		return nil, fmt.Errorf("lock %s: %w", p.lock(), err)
	}

	// The id is for the other process's message; without it the lock still holds.
	_ = file.Truncate(0)
	_, _ = file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)

	return &lock{file}, nil
}

// owner reads who has locked file. The owner may be about to write it.
func owner(file *os.File) string {
	text := make([]byte, 32)
	n, _ := file.ReadAt(text, 0)
	if id := strings.TrimSpace(string(text[:n])); id != "" {
		return id
	}

	return "(just starting)"
}

func (l *lock) release() {
	_ = l.file.Truncate(0)
	_ = l.file.Close()
}
