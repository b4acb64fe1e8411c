package pgembed

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// copyData takes the data from the template of this server and this user, and
// makes it and the template if there is none. A template is one file: whoever
// tidies the directory takes all of it or nothing.
func (c *Cluster) copyData(ctx context.Context, bin binaries) error {
	recipe := strings.Join(append(initdbArguments(), Database, bin.dir, bin.version), "\n")
	sum := sha256.Sum256([]byte(recipe))
	path := filepath.Join(c.options.Template, "trivia-template-"+strconv.Itoa(os.Geteuid())+"-"+hex.EncodeToString(sum[:6])+".tar")

	err := c.unpack(path)
	if err == nil {
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("copy template %s: %w", path, err)
	}

	if err := c.makeData(ctx, bin); err != nil {
		return err
	}
	if err := pack(c.place.fresh(), path); err != nil { // the next start is slow again, no more
		c.log.WarnContext(ctx, "the template was not kept", slog.Any("error", err))
	}

	return nil
}

// pack writes the files below dir into the file called path, in one step.
func pack(dir, path string) error {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".")
	if err != nil {
		return fmt.Errorf("make template: %w", err)
	}
	defer func() {
		_ = file.Close()
		_ = os.Remove(file.Name()) // it has another name by then if all went well
	}()

	archive := tar.NewWriter(file)
	if err := archive.AddFS(os.DirFS(dir)); err != nil {
		return fmt.Errorf("fill template: %w", err)
	}
	if err := archive.Close(); err != nil {
		return fmt.Errorf("fill template: %w", err)
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return fmt.Errorf("name template: %w", err)
	}

	return nil
}

// unpack puts what pack has written into the fresh data directory. It trusts no
// file but this user's own: others may write into the directory for temporary
// files.
func (c *Cluster) unpack(path string) error {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW, 0) //nolint:gosec // looked at below
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("look at it: %w", err)
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.Mode().IsRegular() || int(stat.Uid) != os.Geteuid() || info.Mode().Perm()&0o077 != 0 {
		return errors.New("it is not this user's own file: remove it")
	}

	archive := tar.NewReader(file)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read: %w", err)
		}
		if err := c.unpackOne(header, archive); err != nil {
			return fmt.Errorf("unpack %s: %w", header.Name, err)
		}
	}
}

func (c *Cluster) unpackOne(header *tar.Header, from io.Reader) error {
	path := filepath.Join(c.place.fresh(), filepath.Clean("/"+header.Name))
	if header.Typeflag == tar.TypeDir {
		if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	} else if err := writeFile(path, from); err != nil {
		return err
	}

	if !c.account.other {
		return nil
	}

	return os.Lchown(path, int(c.account.uid), int(c.account.gid))
}

func writeFile(path string, from io.Reader) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // below the fresh data directory
	if err != nil {
		return err
	}
	_, err = io.Copy(file, from)

	return errors.Join(err, file.Close())
}
