package main

import (
	"os/exec"
	"syscall"
)

// tie lets a program end when the demo is killed.
func tie(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} }
