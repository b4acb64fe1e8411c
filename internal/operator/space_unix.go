//go:build linux || darwin || freebsd

package operator

import (
	"fmt"
	"syscall"
)

// space returns how many bytes of the disk below dir are free for us, and how
// many there are.
func space(dir string) (free, all uint64, err error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, 0, fmt.Errorf("look at the disk of %s: %w", dir, err)
	}
	block := uint64(st.Bsize) //nolint:gosec // its type is another on each system, and it is above 0

	return uint64(st.Bavail) * block, uint64(st.Blocks) * block, nil //nolint:unconvert // the types of both are others elsewhere
}
