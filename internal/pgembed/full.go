package pgembed

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
)

// fullWords are those in which Postgres and initdb say that a disk is full: the
// system's own, and those of a write that the disk has taken a part of.
var fullWords = []string{"No space left on device", "Disk quota exceeded", "Check free disk space"}

// spaceless marks err as an [ErrDiskFull] if it is one, ours or one that a
// Postgres has told of.
func spaceless(err error) error {
	full := errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
	for _, words := range fullWords {
		full = full || strings.Contains(err.Error(), words)
	}
	if !full {
		return err
	}

	return fmt.Errorf("%w: %w", ErrDiskFull, err)
}
