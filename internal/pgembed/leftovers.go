package pgembed

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"syscall"
	"time"
)

const settleMost = time.Second

// clearLeftovers deals with what a killed owner or a killed server has left. A
// server that still runs on our data is stopped: nobody watches it, and it may
// be of an older minor version than the binaries are by now.
func (c *Cluster) clearLeftovers(ctx context.Context) error {
	file, err := c.settledPidFile(ctx)
	if err != nil {
		return err
	}

	if file.pid != 0 && serves(file.pid, c.place.data()) {
		if file.single {
			return fmt.Errorf("%w: process %d is a single-user Postgres on %s", ErrInUse, file.pid, c.place.data())
		}
		c.log.WarnContext(ctx, "stopping a Postgres that has lost its owner", slog.Int("pid", file.pid))
		if err := c.stopOrphan(ctx, file.pid); err != nil {
			return fmt.Errorf("stop the Postgres that was left running in %s: %w", c.place.data(), err)
		}
	}

	// The process is gone, or a zombie, or another program that has got its id
	// since, or a crash of the machine has emptied the file. Postgres would take
	// all but the first for a living server.
	now, err := readPidFile(c.place.data())
	if err != nil {
		return err
	}
	if now.exists && now == file {
		if err := os.Remove(pidPath(c.place.data())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove a stale lock file: %w", err)
		}
	}

	return c.socket.clear()
}

// settledPidFile gives a server that is just writing its file the time to do so.
func (c *Cluster) settledPidFile(ctx context.Context) (pidFile, error) {
	var file pidFile
	var err error
	within(settleMost, ctx.Done(), func() bool {
		file, err = readPidFile(c.place.data())

		return err != nil || !file.exists || file.pid != 0
	})

	return file, err
}

func (c *Cluster) stopOrphan(ctx context.Context, pid int) error {
	process, err := os.FindProcess(pid)
	if err != nil {
		return fmt.Errorf("find process %d: %w", pid, err)
	}
	defer func() { _ = process.Release() }()

	return shutDown(c.log, ctx.Done(), pid,
		func(sig syscall.Signal) error { return process.Signal(sig) },
		func() bool { return !serves(pid, c.place.data()) })
}

// renew restarts s if its binaries have been upgraded under it, and returns the
// server that runs then.
func (c *Cluster) renew(ctx context.Context, s *server) (*server, error) {
	info, err := os.Stat(s.bin.postgres())
	if err == nil && same(info, s.bin.seen) {
		return s, nil
	}
	if err == nil && (s.changed == nil || !same(info, s.changed)) {
		s.changed = info // the rest of the package may not be there yet: at the next look it will

		return s, nil
	}

	bin, err := c.binariesOf(ctx, s.bin.major)
	if err != nil { // in the middle of an upgrade: look again later
		c.log.WarnContext(ctx, "the binaries of the running Postgres are gone", slog.Any("error", err))

		return s, nil
	}
	if bin.version == s.bin.version {
		s.bin = bin

		return s, nil
	}

	c.log.InfoContext(ctx, "Postgres was upgraded: restarting it", slog.String("from", s.bin.version), slog.String("to", bin.version))
	defer c.sayProgress(ctx)()
	if err := s.shutDown(c.log, c.hurry); err != nil {
		return nil, err
	}
	next, err := c.run(ctx, bin)
	if err != nil {
		return nil, fmt.Errorf("restart after an upgrade: %w", err)
	}

	return next, nil
}

func same(a, b os.FileInfo) bool {
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime())
}
