package ctl

import (
	"errors"

	"github.com/urfave/cli/v2"
)

// errNotConfirmed is what every error is that says that a person did not want
// what was asked.
var errNotConfirmed = errors.New("nothing was done: not confirmed")

func yesFlag() cli.Flag {
	return &cli.BoolFlag{Name: "yes", Usage: "do not ask; for scripts"}
}
