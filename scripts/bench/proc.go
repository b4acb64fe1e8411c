package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of /proc's times: USER_HZ, which is 100 on every Linux
// that Go runs on.
const tick = 10 * time.Millisecond

// cpuOf returns the processor time of a process and its living and ended
// children; 0 where there is no /proc.
func cpuOf(pid int) time.Duration {
	own, ended, _ := times(pid)
	total := own + ended
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, stat := range stats {
		child, err := strconv.Atoi(strings.Split(stat, "/")[2])
		if err != nil {
			continue
		}
		if own, ended, parent := times(child); parent == pid {
			total += own + ended
		}
	}

	return total
}

// ownCPU returns the processor time of this process alone.
func ownCPU() time.Duration {
	own, _, _ := times(os.Getpid())
	return own
}

func times(pid int) (own, ended time.Duration, parent int) {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, 0, 0
	}
	// The name stands in parentheses and may contain anything.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	number := func(i int) time.Duration {
		n, _ := strconv.ParseInt(fields[i], 10, 64)
		return time.Duration(n) * tick
	}
	parent, _ = strconv.Atoi(fields[1])

	return number(11) + number(12), number(13) + number(14), parent
}

// peakMemory returns the most memory that a process has had, in bytes; 0 where
// there is no /proc.
func peakMemory(pid int) int64 {
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kib << 10
		}
	}

	return 0
}
