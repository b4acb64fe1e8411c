package pgembed

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
)

// An account is the user that the server runs as: this process's own, unless
// that is root, which Postgres refuses.
type account struct {
	name     string
	uid, gid uint32
	other    bool // not this process's own: change to it
}

// chooseAccount takes the owner of the data if there is any, else `postgres`,
// else `nobody`, when this process is root.
func chooseAccount(data string) (account, error) {
	self := uint32(os.Geteuid()) //nolint:gosec // an id never is negative on unix
	holder, err := ownerOf(data)
	if err != nil {
		return account{}, err
	}

	if self != 0 {
		if holder != nil && *holder != self {
			return account{}, fmt.Errorf("data in %s belongs to %s: start as that user or as root", data, named(*holder).name)
		}
		a := named(self)
		a.gid = uint32(os.Getegid()) //nolint:gosec // an id never is negative on unix

		return a, nil
	}

	if holder != nil {
		if *holder == 0 {
			return account{}, fmt.Errorf("data in %s belongs to root, as whom Postgres refuses to run: chown it to another user", data)
		}
		a := named(*holder)
		a.other = true

		return a, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if found, err := user.Lookup(name); err == nil {
			a, err := fromUser(found)
			a.other = true

			return a, err
		}
	}

	return account{}, errors.New("Postgres refuses to run as root, and there is no user postgres or nobody to run it as") //nolint:staticcheck // a name
}

// ownerOf returns the uid that path belongs to, or nil if there is no path.
func ownerOf(path string) (*uint32, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // no such path, no owner
	}
	if err != nil {
		return nil, blame(err, path, named(uint32(os.Geteuid()))) //nolint:gosec // an id never is negative on unix
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil, fmt.Errorf("learn the owner of %s: not known on this system", path)
	}

	return &stat.Uid, nil
}

// named returns the account of uid, and a made-up one if the system knows none.
func named(uid uint32) account {
	id := strconv.FormatUint(uint64(uid), 10)
	if found, err := user.LookupId(id); err == nil {
		if a, err := fromUser(found); err == nil {
			return a
		}
	}

	return account{name: "uid " + id, uid: uid, gid: uid}
}

func fromUser(u *user.User) (account, error) {
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return account{}, fmt.Errorf("read the id of user %s: %w", u.Username, err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return account{}, fmt.Errorf("read the group of user %s: %w", u.Username, err)
	}

	return account{name: u.Username, uid: uint32(uid), gid: uint32(gid)}, nil
}

// command prepares a Postgres program to run as a, with an environment of its
// own: ours may name another server, other libraries or an unknown locale.
func (a account) command(ctx context.Context, dir, path string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, path, args...) //nolint:gosec // the programs that binaries has found
	cmd.Dir = dir
	cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + dir, "LC_ALL=C", "TZ=UTC"}
	cmd.SysProcAttr = processAttributes()
	if a.other {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid}
	}

	return cmd
}

// finish runs a short command of account.command and returns what it says. The
// kernel would end it with the thread that has started it.
func finish(cmd *exec.Cmd) ([]byte, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	return cmd.CombinedOutput()
}

// canRun reports why a cannot run the server's program from within dir, by
// trying it. Of our own account, what has been made in dir says so already.
func (a account) canRun(ctx context.Context, bin binaries, dir string) error {
	if !a.other {
		return nil
	}

	_, err := finish(a.command(ctx, dir, bin.postgres(), "--version"))
	if err == nil {
		return nil
	}
	if !errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("try %s as user %s: %w", bin.postgres(), a.name, err)
	}
	if blocker(dir, a) == "" {
		dir = bin.postgres()
	}

	return blame(err, dir, a)
}

// blame names the directory on the way to path that keeps a out, if it can be
// told from the outside; err is what happened.
func blame(err error, path string, a account) error {
	if dir := blocker(path, a); errors.Is(err, fs.ErrPermission) && dir != "" {
		return fmt.Errorf("user %s, as whom Postgres runs, may not enter %s, which is on the way to %s: "+
			"choose another TRIVIA_DATA_DIR, or let it in with `chmod o+x %s`: %w", a.name, dir, path, dir, err)
	}

	return err
}

// blocker returns the first directory on the way to path that a may not enter,
// or "" if there is none.
func blocker(path string, a account) string {
	walk := []string{path}
	for dir := filepath.Dir(path); dir != walk[0]; dir = filepath.Dir(dir) {
		walk = append([]string{dir}, walk...)
	}

	for _, dir := range walk {
		info, err := os.Stat(dir)
		if err != nil || !info.IsDir() {
			return ""
		}
		if !a.mayEnter(info) {
			return dir
		}
	}

	return ""
}

func (a account) mayEnter(dir fs.FileInfo) bool {
	stat, ok := dir.Sys().(*syscall.Stat_t)
	switch {
	case !ok || a.uid == 0:
		return true
	case stat.Uid == a.uid:
		return dir.Mode()&0o100 != 0
	case stat.Gid == a.gid:
		return dir.Mode()&0o010 != 0
	default:
		return dir.Mode()&0o001 != 0
	}
}

// makeDir makes dir and its parents. Those that root makes can be entered by
// everybody, since the server is not root; what is private lies deeper.
func (a account) makeDir(dir string) error {
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		return fmt.Errorf("make %s: it exists and is no directory", dir)
	}
	if err == nil {
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return blame(err, dir, a)
	}
	if err := a.makeDir(filepath.Dir(dir)); err != nil {
		return err
	}

	mode := fs.FileMode(0o700)
	if a.other {
		mode = 0o755
	}
	if err := os.Mkdir(dir, mode); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make data directory: %w", err)
	}
	if err := os.Chmod(dir, mode); err != nil { // whatever the umask
		return fmt.Errorf("make data directory: %w", err)
	}

	return nil
}

// makePrivate makes dir for a alone. One that is there already must have been
// made so: in a directory for everybody it may be somebody else's trap.
func (a account) makePrivate(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make private directory: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("look at private directory: %w", err)
	}

	stat, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || !ok || (int(stat.Uid) != os.Geteuid() && stat.Uid != a.uid) {
		return fmt.Errorf("make %s: it exists and does not belong to %s", dir, a.name)
	}
	if err := os.Chmod(dir, 0o700); err != nil { //nolint:gosec // a directory needs its x
		return fmt.Errorf("make private directory: %w", err)
	}
	if a.other {
		if err := os.Lchown(dir, int(a.uid), int(a.gid)); err != nil {
			return fmt.Errorf("give %s to %s: %w", dir, a.name, err)
		}
	}

	return nil
}
