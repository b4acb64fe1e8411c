//go:build !linux

package main

import (
	"context"
	"errors"
	"net"
)

// A predecessor is the process that had the listeners. There is none where
// sockets cannot be handed over.
type predecessor struct {
	pid             int
	public, private net.Listener
	conn            net.Conn
	gone            chan struct{}
}

func findPredecessor(context.Context, string) (*predecessor, error) {
	return nil, errors.ErrUnsupported
}

func (p *predecessor) taken() {}

func (d *doors) offer(ctx context.Context, _ context.CancelCauseFunc) { <-ctx.Done() }
