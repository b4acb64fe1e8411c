package pgembed_test

import (
	"errors"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"trivia/internal/pgembed"
	"trivia/internal/pgtest"
)

func TestTheServerIsNeverRoot(t *testing.T) {
	t.Parallel()

	dir := pgtest.Dir(t)
	c := start(t, durable(dir))

	for _, path := range []string{filepath.Join(dir, "postgres"), filepath.Join(dir, "socket")} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if uid, _ := owner(t, path); uid == 0 || info.Mode().Perm() != 0o700 {
			t.Errorf("%s belongs to uid %d with mode %v, want another than root and 0700", path, uid, info.Mode().Perm())
		}
	}
	if got := query(t, c.URL(), "SELECT pg_stat_file('postmaster.pid')::text"); got == "" {
		t.Error("the server cannot read its own directory")
	}
}

func TestTheDirectoryThatBlocksTheWayIsNamed(t *testing.T) {
	t.Parallel()

	blocked := filepath.Join(pgtest.Dir(t), "blocked")
	dir := filepath.Join(blocked, "deep", "data")
	mode := os.FileMode(0o000)
	if os.Geteuid() == 0 {
		mode = 0o700 // root passes, and the server's user does not
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(blocked, mode); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(blocked, 0o700) })

	_, err := pgembed.Start(t.Context(), durable(dir))
	wants(t, err, nil, "may not enter "+blocked+",", dir, "chmod o+x "+blocked)
}

func TestDataOfAnotherUserIsRefused(t *testing.T) {
	t.Parallel()

	dir := pgtest.Dir(t)
	data := filepath.Join(dir, "postgres")
	if os.Geteuid() != 0 {
		t.Skip("only root can make data of another user")
	}
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}

	_, err := pgembed.Start(t.Context(), durable(dir))
	wants(t, err, nil, data, "belongs to root")
}

func TestRootKeepsTheOwnerOfTheData(t *testing.T) {
	t.Parallel()

	if os.Geteuid() != 0 {
		t.Skip("only root can become another user")
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.Atoi(nobody.Uid)
	if err != nil {
		t.Fatal(err)
	}
	dir := pgtest.Dir(t)
	data := filepath.Join(dir, "postgres")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(data, uid, -1); err != nil {
		t.Fatal(err)
	}

	c := start(t, pgembed.Options{Dir: dir})
	if got, _ := owner(t, filepath.Join(data, "PG_VERSION")); int(got) != uid {
		t.Errorf("the data belongs to uid %d, want %d", got, uid)
	}
	keep(t, c.URL())
}

func TestASocketDirectoryOfAnotherUserIsRefused(t *testing.T) {
	t.Parallel()

	dir := pgtest.Dir(t)
	if err := os.Symlink(t.TempDir(), filepath.Join(dir, "socket")); err != nil {
		t.Fatal(err)
	}

	_, err := pgembed.Start(t.Context(), durable(dir))
	wants(t, err, nil, filepath.Join(dir, "socket"), "does not belong")
}

func TestAFileInPlaceOfTheDirectoryIsRefused(t *testing.T) {
	t.Parallel()

	path := filepath.Join(pgtest.Dir(t), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}

	for _, dir := range []string{path, filepath.Join(path, "below")} {
		_, err := pgembed.Start(t.Context(), durable(dir))
		if err == nil || (!strings.Contains(err.Error(), "no directory") && !errors.Is(err, syscall.ENOTDIR)) {
			t.Errorf("Start(%s) = %v, want that it is no directory", dir, err)
		}
	}
}
