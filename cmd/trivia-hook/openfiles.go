package main

import (
	"math"
	"syscall"
)

// openFiles returns how many files this process may have open at once. Go has
// raised the limit as far as it may.
func openFiles() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return usualConns
	}

	return int(min(uint64(limit.Cur), math.MaxInt32)) //nolint:unconvert // it fits; its type differs between systems
}
