package main

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	queueGap  = 20 * time.Millisecond // without anybody: the kernel's queue is empty then
	queueTime = time.Second           // for that, at most: a busy sender never leaves it empty
)

// A door is a listener that can be closed without shutting anybody out who the
// kernel has let in already: a connection that is in the kernel's queue when a
// listener is closed is reset, and Customer.io would wait for an hour.
type door struct {
	net.Listener

	shared     bool          // another process holds the same socket, or will: who waits there is served by that
	handedOver chan struct{} // closed when that is so
	handOnce   sync.Once
	hold       chan struct{} // nobody is let in before it is closed; nil: everybody is
	holdOnce   sync.Once
	emptying   atomic.Bool
	emptied    chan struct{} // closed when Accept has found nobody
}

func newDoor(l net.Listener, shared bool) *door {
	return &door{Listener: l, shared: shared, handedOver: make(chan struct{}), emptied: make(chan struct{})}
}

// deadliner is a listener whose Accept can be ended.
type deadliner interface{ SetDeadline(time.Time) error }

// Accept implements [net.Listener].
func (d *door) Accept() (net.Conn, error) {
	if d.hold != nil {
		<-d.hold
	}
	for {
		if d.emptying.Load() {
			d.allow(queueGap)
		}
		c, err := d.Listener.Accept()
		if err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
			return c, err
		}
		if d.emptying.Load() {
			select {
			case <-d.emptied:
				return nil, net.ErrClosed
			default:
				close(d.emptied)
			}

			return nil, net.ErrClosed
		}
	}
}

func (d *door) allow(gap time.Duration) {
	if l, ok := d.Listener.(deadliner); ok {
		_ = l.SetDeadline(time.Now().Add(gap)) //nolint:forbidigo // the kernel's clock, not ours to choose
	}
}

// empty lets in everybody who waits in the kernel's queue, and returns when
// nobody does.
func (d *door) empty() {
	if d.shared {
		return
	}
	d.emptying.Store(true)
	d.allow(queueGap) // for the Accept that waits now
	select {
	case <-d.emptied:
	case <-time.After(queueTime):
	}
}

// holdUp leaves whoever comes to the process that has the socket, too, until
// [door.letIn]. It is for a door that nobody accepts from yet.
func (d *door) holdUp() { d.hold = make(chan struct{}) }

// letIn ends that.
func (d *door) letIn() {
	if d.hold != nil {
		d.holdOnce.Do(func() { close(d.hold) })
	}
}

// Close implements [net.Listener].
func (d *door) Close() error {
	err := d.Listener.Close()
	d.letIn() // and find it closed

	return err
}

// handOver says that another process serves whoever comes from now on.
func (d *door) handOver() {
	d.handOnce.Do(func() {
		d.shared = true
		close(d.handedOver)
	})
}

// listen opens a listener of our own.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	return lc.Listen(ctx, "tcp", addr)
}
