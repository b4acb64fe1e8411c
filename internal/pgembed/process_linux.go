package pgembed

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
)

// processAttributes keeps a terminal's Ctrl-C away from the server, which we
// stop ourselves when we are ready, and ends it cleanly when we are killed.
// The kernel means our thread, not our process, when it says parent.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGINT}
}

// serves reports whether pid is a living server of the data directory. A
// server works from within it; any other process there is none of ours.
func serves(pid int, data string) bool {
	proc := "/proc/" + strconv.Itoa(pid)
	status, err := os.ReadFile(proc + "/stat") //nolint:gosec // a process id
	if err != nil {
		return false
	}
	// The state follows the name, which is in parentheses and may hold any.
	name, after := status, []byte(nil)
	if i := bytes.LastIndexByte(status, ')'); i >= 0 {
		name, after = status[:i], bytes.TrimSpace(status[i+1:])
	}
	if !bytes.Contains(name, []byte("(postgres")) || bytes.HasPrefix(after, []byte("Z")) || bytes.HasPrefix(after, []byte("X")) {
		return false
	}

	// A process that is just going has no directory any more.
	here, err := os.Stat(proc + "/cwd")
	if err != nil {
		return false
	}
	there, err := os.Stat(data)

	return err == nil && os.SameFile(here, there)
}
