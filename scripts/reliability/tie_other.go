//go:build !linux

package main

import "syscall"

// tie does nothing where the system cannot.
func tie(*syscall.SysProcAttr) {}
