//go:build faults

package faultpoint

import (
	"os"
	"sync/atomic"
	"syscall"
)

// planned is what the environment asks for. Wrong words end the program before
// it begins: a test that waits for its fault would wait for ever.
var planned = func() Fault {
	text := os.Getenv(Setting)
	if text == "" {
		return Fault{}
	}
	f, err := Parse(text)
	if err != nil {
		panic(err)
	}

	return f
}()

var passes atomic.Int64

// At stops the program here, if it is this pass of this place that the
// environment names.
func At(place Name) {
	f := planned
	if f.At != place || passes.Add(1) != int64(f.Pass) {
		return
	}
	switch f.Do {
	case Kill:
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // until it is gone
	case Panic:
		panic("fault point " + f.String())
	case Hang:
		select {}
	}
}
