//go:build !linux

package pgembed

import (
	"context"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// processAttributes keeps a terminal's Ctrl-C away from the server, which we
// stop ourselves when we are ready.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

// serves reports whether pid is a living server of the data directory. Its
// command line names the directory; any other process is none of ours.
func serves(pid int, data string) bool {
	text, err := exec.CommandContext(context.Background(), "ps", "-ww", "-o", "stat=,command=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return false
	}
	status, command, _ := strings.Cut(strings.TrimSpace(string(text)), " ")

	return !strings.HasPrefix(status, "Z") && strings.Contains(command, "postgres") && strings.Contains(command, data)
}
