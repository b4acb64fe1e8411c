package warehouse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// A shelf is where files are put. Names have slashes, and no dots that lead
// elsewhere.
type shelf interface {
	// begin begins a file, which nobody sees before it is kept.
	begin(ctx context.Context, name string) (page, error)
	// list returns the names that begin so, in order.
	list(ctx context.Context, prefix string) ([]string, error)
	// open returns a file and how long it is.
	open(ctx context.Context, name string) (book, int64, error)
	// read returns all of a small file.
	read(ctx context.Context, name string) ([]byte, error)
	// remove removes a file; that it is gone already is no error.
	remove(ctx context.Context, name string) error
}

// A page is a file that is being written.
type page interface {
	io.Writer

	finish() error                  // all is written, and on disk
	keep(ctx context.Context) error // put it in its place, for good, over what may be there
	drop()                          // give it up, unless it is kept
}

// A book is a file that is being read.
type book interface {
	io.Reader
	io.ReaderAt
	io.Closer
}

// A directory is a shelf on a disk.
type directory struct{ path string }

func (d directory) at(name string) string { return filepath.Join(d.path, filepath.FromSlash(name)) }

// oldDraft is when a draft that nobody has written to belongs to nobody.
const oldDraft = 2 * time.Hour

func (d directory) begin(_ context.Context, name string) (page, error) {
	drafts := d.at(unfinished)
	if err := os.MkdirAll(drafts, 0o750); err != nil {
		return nil, fmt.Errorf("make %s: %w; may this user write there?", drafts, plain(err))
	}
	d.sweep(drafts)
	file, err := os.CreateTemp(drafts, "*.draft")
	if err != nil {
		return nil, fmt.Errorf("begin %s in %s: %w; may this user write there?", name, drafts, plain(err))
	}
	_ = file.Chmod(0o640) // who is in the group may read, as with what other programs write

	return &draft{File: file, dir: d, name: name}, nil
}

// sweep removes drafts that a crash left.
func (d directory) sweep(drafts string) {
	entries, _ := os.ReadDir(drafts)
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".draft") {
			continue
		}
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > oldDraft {
			_ = os.Remove(filepath.Join(drafts, e.Name()))
		}
	}
}

// A draft is a page on a disk.
type draft struct {
	*os.File

	dir  directory
	name string
	kept bool
}

func (p *draft) finish() error {
	if err := p.Sync(); err != nil {
		return plain(err)
	}

	return plain(p.Close())
}

func (p *draft) keep(context.Context) error {
	to := p.dir.at(p.name)
	folder := filepath.Dir(to)
	if err := p.dir.makeFolder(folder); err != nil {
		return fmt.Errorf("make %s: %w", folder, plain(err))
	}
	if err := os.Rename(p.Name(), to); err != nil {
		return fmt.Errorf("put %s in its place: %w", to, plain(err))
	}
	p.kept = true
	if err := syncFolder(folder); err != nil {
		return fmt.Errorf("put %s in its place: %w", to, plain(err))
	}

	return nil
}

func (p *draft) drop() {
	if p.kept {
		return
	}
	_ = p.Close()
	_ = os.Remove(p.Name())
	p.kept = true
}

// makeFolder makes a folder with its parents, so that they last.
func (d directory) makeFolder(folder string) error {
	err := os.Mkdir(folder, 0o750)
	switch {
	case err == nil:
		return syncFolder(filepath.Dir(folder))
	case errors.Is(err, fs.ErrExist):
		return nil
	case !errors.Is(err, fs.ErrNotExist) || folder == filepath.Dir(folder):
		return err
	}
	if err := d.makeFolder(filepath.Dir(folder)); err != nil {
		return err
	}

	return d.makeFolder(folder)
}

// syncFolder makes what a folder names last. Some file systems cannot, and need
// not.
func syncFolder(folder string) error {
	f, err := os.Open(folder) //nolint:gosec // the settings name it
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if err := f.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}

	return nil
}

func (d directory) list(_ context.Context, prefix string) ([]string, error) {
	var names []string
	top := d.at(prefix[:strings.LastIndexByte(prefix, '/')+1])
	err := filepath.WalkDir(top, func(at string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		name, err := filepath.Rel(d.path, at)
		if err != nil {
			return err
		}
		if name = filepath.ToSlash(name); !e.IsDir() && strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}

		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look into %s: %w", top, plain(err))
	}
	slices.Sort(names)

	return names, nil
}

func (d directory) open(_ context.Context, name string) (book, int64, error) {
	file, err := os.Open(d.at(name))
	if err != nil {
		return nil, 0, fmt.Errorf("open %s: %w", d.at(name), plain(err))
	}
	info, err := file.Stat()
	if err != nil {
		_ = file.Close()
		return nil, 0, fmt.Errorf("open %s: %w", d.at(name), plain(err))
	}

	return file, info.Size(), nil
}

func (d directory) read(_ context.Context, name string) ([]byte, error) {
	text, err := os.ReadFile(d.at(name))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", d.at(name), plain(err))
	}

	return text, nil
}

func (d directory) remove(_ context.Context, name string) error {
	if err := os.Remove(d.at(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove %s: %w", d.at(name), plain(err))
	}

	return nil
}

// plain is an error of a file without its path, which is said already.
func plain(err error) error {
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		return failed.Err
	}
	if failed, ok := errors.AsType[*os.LinkError](err); ok {
		return failed.Err
	}

	return err
}
