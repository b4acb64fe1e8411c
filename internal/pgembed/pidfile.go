package pgembed

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A pidFile is what a server writes into postmaster.pid of its data directory.
type pidFile struct {
	exists bool
	pid    int    // 0 = not to be understood: the server writes it in several steps
	single bool   // a server of one session, without a postmaster
	status string // the last line: starting, ready, standby, stopping; "" while it is being written
}

const statusReady = "ready"

func pidPath(data string) string { return filepath.Join(data, "postmaster.pid") }

// readPidFile returns the zero value when there is no such file.
func readPidFile(data string) (pidFile, error) {
	text, err := os.ReadFile(pidPath(data))
	if errors.Is(err, fs.ErrNotExist) {
		return pidFile{}, nil
	}
	if err != nil {
		return pidFile{}, fmt.Errorf("read the server's lock file: %w", err)
	}

	lines := strings.Split(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(lines[0]))
	if err != nil {
		return pidFile{exists: true}, nil //nolint:nilerr // the pid 0 says it
	}

	const statusLine = 7 // the eighth, LOCK_FILE_LINE_PM_STATUS in Postgres's source
	file := pidFile{exists: true, pid: max(pid, -pid), single: pid < 0}
	if len(lines) > statusLine {
		file.status = strings.TrimSpace(lines[statusLine])
	}

	return file, nil
}
