package ctl

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// partEnd ends the name of a file that is not finished.
const partEnd = ".part"

// A partFile is written beside the file that it is to become, so that whoever
// finds that one finds all of it.
type partFile struct {
	*os.File
	final string
}

// createPart begins a file that is to be called name. What is called so stays
// as it is until [partFile.commit].
func createPart(name string) (*partFile, error) {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real // the file is replaced, and not the link to it
	}
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return nil, usagef("- writes to standard output", "%s is no regular file", name)
	}

	// Others have no business with what users won.
	f, err := os.OpenFile(name+partEnd, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the operator names the file
	if errors.Is(err, fs.ErrExist) {
		return nil, hinted{
			fmt.Errorf("%s is there already", name+partEnd),
			"another export writes it, or was killed and has left it: in that case, remove it",
		}
	}
	if err != nil {
		return nil, err
	}

	return &partFile{f, name}, nil
}

// commit makes the file what it is to become, also on the disk.
func (p *partFile) commit() error {
	if err := errors.Join(p.Sync(), p.Close()); err != nil {
		return errors.Join(err, os.Remove(p.Name()))
	}
	if err := os.Rename(p.Name(), p.final); err != nil {
		return errors.Join(err, os.Remove(p.Name()))
	}

	// The name, too, has to outlive a crash.
	dir, err := os.Open(filepath.Dir(p.final))
	if err != nil {
		return err
	}

	return errors.Join(dir.Sync(), dir.Close())
}

// abort leaves nothing behind.
func (p *partFile) abort() error { return errors.Join(p.Close(), os.Remove(p.Name())) }
