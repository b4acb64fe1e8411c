package pgembed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// dataMajor returns the major version that made p's data, 0 if there is none.
// Anything else that is in its place is left alone.
func dataMajor(p place) (int, error) {
	text, err := os.ReadFile(filepath.Join(p.data(), "PG_VERSION"))
	if err == nil {
		major, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil {
			return 0, fmt.Errorf("read the version of the data in %s: %w", p.data(), err)
		}

		return major, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("read the version of the data: %w", err)
	}

	entries, err := os.ReadDir(p.data())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("look for data: %w", err)
	}
	if len(entries) > 0 {
		return 0, fmt.Errorf("%s holds files, but no Postgres data: it was left as it is; choose another TRIVIA_DATA_DIR", p.data())
	}

	return 0, nil
}

// initialise makes the data directory and the database if there are none. They
// get their name in one step at the end, so that a crash leaves none or both.
func (c *Cluster) initialise(ctx context.Context, bin binaries) error {
	major, err := dataMajor(c.place)
	if err != nil || major != 0 {
		return err
	}

	fresh, level := c.place.fresh(), slog.LevelInfo
	if _, err := os.Lstat(fresh); err == nil {
		level = slog.LevelDebug // a first start has said it, and was interrupted or found no room
	}
	if err := os.RemoveAll(fresh); err != nil {
		return fmt.Errorf("remove a half-made data directory: %w", err)
	}
	if err := c.account.makePrivate(fresh); err != nil {
		return err
	}
	c.log.LogAttrs(ctx, level, "making a new Postgres cluster", slog.String("dir", c.place.data()), slog.String("version", bin.version))

	if c.options.Template == "" {
		err = c.makeData(ctx, bin)
	} else {
		err = c.copyData(ctx, bin)
	}
	if err != nil {
		return fmt.Errorf("make data directory %s: %w", c.place.data(), err)
	}
	_ = os.Remove(c.place.data()) // somebody's empty one; dataMajor has seen that no other is there
	if err := os.Rename(fresh, c.place.data()); err != nil {
		return fmt.Errorf("name the new data directory: %w", err)
	}
	if !c.options.Durable || c.options.Template != "" {
		return nil
	}

	return syncDir(c.place.dir)
}

// initdbArguments are all but the directory and whether to wait for the disk.
func initdbArguments() []string {
	return []string{"-U", Role, "-A", "trust", "-E", "UTF8", "--locale=C"}
}

func (c *Cluster) makeData(ctx context.Context, bin binaries) error {
	args := append(initdbArguments(), "-D", c.place.fresh())
	if !c.options.Durable {
		args = append(args, "--no-sync")
	}
	if said, err := finish(c.account.command(ctx, c.place.dir, bin.initdb(), args...)); err != nil {
		return fmt.Errorf("%w: %s", err, bytes.TrimSpace(said))
	}

	return c.createDatabase(ctx, bin)
}

// createDatabase needs no client: a server of one session reads the statement.
func (c *Cluster) createDatabase(ctx context.Context, bin binaries) error {
	args := []string{"--single", "-D", c.place.fresh()}
	if !c.options.Durable {
		args = append(args, "-F")
	}
	cmd := c.account.command(ctx, c.place.dir, bin.postgres(), append(args, "postgres")...)
	cmd.Stdin = strings.NewReader("CREATE DATABASE " + Database + "\n")

	said, err := finish(cmd)
	if err == nil && bytes.Contains(said, []byte("ERROR:")) {
		err = errors.New("refused")
	}
	if err != nil {
		return fmt.Errorf("create database %s: %w: %s", Database, err, bytes.TrimSpace(said))
	}

	return nil
}

// syncDir makes a new name in dir survive a crash of the machine.
func syncDir(dir string) error {
	file, err := os.Open(dir) //nolint:gosec // the data directory
	if err != nil {
		return fmt.Errorf("write out %s: %w", dir, err)
	}
	defer func() { _ = file.Close() }()

	if err := file.Sync(); err != nil {
		return fmt.Errorf("write out %s: %w", dir, err)
	}

	return nil
}
