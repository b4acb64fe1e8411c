package main

import "syscall"

// tie lets a program end when this one is killed.
func tie(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }
