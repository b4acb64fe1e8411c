package tui

import (
	"errors"
	"os"
)

// errTerminalGone says that nobody can leave the screens any more: where the
// terminal was closed, its last words are no keys, and no signal need have come.
var errTerminalGone = errors.New("the terminal is gone")

// A keyboard is the file that keys come from. It tells when nothing can.
type keyboard struct {
	*os.File

	gone func()
}

// Read is part of [io.Reader].
func (k keyboard) Read(keys []byte) (n int, err error) {
	if n, err = k.File.Read(keys); err != nil {
		k.gone()
	}

	return n, err
}
