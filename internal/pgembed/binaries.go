package pgembed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// oldestMajor is the oldest version of Postgres that a new cluster is made with.
const oldestMajor = 14

// binaries are one installation of the server's programs.
type binaries struct {
	dir     string
	version string // as the server says it: 15.18
	major   int
	seen    os.FileInfo // of the server's program, to see a later upgrade
}

func (b binaries) postgres() string { return filepath.Join(b.dir, "postgres") }
func (b binaries) initdb() string   { return filepath.Join(b.dir, "initdb") }

// Binaries returns the directory of the Postgres server that a new cluster
// would be made with. It is an [ErrNoBinaries] if there is none.
func Binaries(ctx context.Context) (string, error) {
	found, err := choose(installed(ctx, thisMachine()), 0)

	return found.dir, err
}

// A machine is where programs are looked for.
type machine struct {
	lookPath func(name string) (string, error)
	globs    []string // directories, by pattern
}

func thisMachine() machine {
	return machine{exec.LookPath, []string{
		"/usr/lib/postgresql/*/bin",
		"/usr/pgsql-*/bin",
		"/opt/homebrew/opt/postgresql*/bin",
		"/usr/local/opt/postgresql*/bin",
		"/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
		"/Applications/Postgres.app/Contents/Versions/*/bin",
	}}
}

// installed returns every installation on m: those that the PATH knows first,
// then the others, newest first.
func installed(ctx context.Context, m machine) []binaries {
	var dirs []string
	if path, err := m.lookPath("postgres"); err == nil {
		dirs = append(dirs, filepath.Dir(real(path)))
	}
	if path, err := m.lookPath("pg_config"); err == nil {
		if text, err := exec.CommandContext(ctx, path, "--bindir").Output(); err == nil { //nolint:gosec // from the PATH
			dirs = append(dirs, strings.TrimSpace(string(text)))
		}
	}
	known := len(dirs)
	for _, glob := range m.globs {
		found, _ := filepath.Glob(glob) // it fails on a bad pattern only
		dirs = append(dirs, found...)
	}

	first := inspect(ctx, dirs[:known])
	rest := inspect(ctx, slices.DeleteFunc(dirs[known:], func(dir string) bool {
		return slices.ContainsFunc(first, func(b binaries) bool { return b.dir == real(dir) })
	}))
	slices.SortStableFunc(rest, func(a, b binaries) int { return b.major - a.major })

	return append(first, rest...)
}

// real follows symbolic links: initdb looks for its files beside itself.
func real(path string) string {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		return target
	}

	return path
}

var versionPattern = regexp.MustCompile(`\(PostgreSQL\) ((\d+)[^\s]*)`)

// inspect leaves out what holds no server that runs.
func inspect(ctx context.Context, dirs []string) []binaries {
	var all []binaries
	for _, dir := range dirs {
		b := binaries{dir: real(dir)}
		if slices.ContainsFunc(all, func(other binaries) bool { return other.dir == b.dir }) {
			continue
		}
		info, err := os.Stat(b.postgres())
		if err != nil {
			continue
		}
		if _, err := os.Stat(b.initdb()); err != nil {
			continue
		}
		text, err := exec.CommandContext(ctx, b.postgres(), "--version").Output() //nolint:gosec // from the places where it is installed
		if err != nil {
			continue
		}
		match := versionPattern.FindSubmatch(text)
		if match == nil {
			continue
		}
		b.version, b.seen = string(match[1]), info
		b.major, _ = strconv.Atoi(string(match[2])) // the pattern allows digits only
		all = append(all, b)
	}

	return all
}

// choose returns the first of all whose major version is major, or any that is
// not too old if major is 0.
func choose(all []binaries, major int) (binaries, error) {
	for _, b := range all {
		if b.major == major || (major == 0 && b.major >= oldestMajor) {
			return b, nil
		}
	}
	if len(all) == 0 || major == 0 {
		return binaries{}, fmt.Errorf("%w: %s", ErrNoBinaries, advice(major))
	}

	var have []string
	for _, b := range all {
		have = append(have, b.version+" in "+b.dir)
	}

	return binaries{}, fmt.Errorf("only %s found", strings.Join(have, ", "))
}

// binaries returns the server to run: the one that made the data, if there is
// data.
func (c *Cluster) binaries(ctx context.Context) (binaries, error) {
	major, err := dataMajor(c.place)
	if err != nil {
		return binaries{}, err
	}

	return c.binariesOf(ctx, major)
}

func (c *Cluster) binariesOf(ctx context.Context, major int) (binaries, error) {
	all := inspect(ctx, []string{c.options.BinDir})
	if c.options.BinDir == "" {
		all = installed(ctx, thisMachine())
	}
	if ctx.Err() != nil { // none of them could be asked
		return binaries{}, fmt.Errorf("look for Postgres: %w", context.Cause(ctx))
	}

	found, err := choose(all, major)
	if err != nil && !errors.Is(err, ErrNoBinaries) {
		err = fmt.Errorf("%w: %s was made by Postgres %d, and %w; it was left as it is: %s; or to move the data, "+
			"run pg_dumpall with Postgres %d, start with another TRIVIA_DATA_DIR, and load the dump there with psql",
			ErrOtherMajor, c.place.data(), major, err, advice(major), major)
	}

	return found, err
}
