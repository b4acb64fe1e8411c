package warehouse

import (
	"context"
	"errors"
	"sync"
)

// ErrCrashed is what everything is after a crash.
var ErrCrashed = errors.New("crashed")

// Mend is mend, for a sink to which a payload is text, or for any other.
func Mend(events []Event, text bool) {
	f := &Files{format: formatNDJSON}
	if text {
		f.format = formatParquet
	}
	mend(events, f)
}

// A Crash lets a shelf work for so many operations, and nothing happen from then
// on, as if the process were gone.
type Crash struct {
	mu   sync.Mutex
	left int
	done int
}

// CrashAfter makes a sink of files crash after n operations.
func CrashAfter(sink Sink, n int) *Crash {
	c := &Crash{left: n}
	f := sink.(*Files)
	f.shelf = crashing{f.shelf, c}

	return c
}

// Crashed reports whether it has, and Done how many operations there were.
func (c *Crash) Crashed() bool { return c.left == 0 }

// Done returns how many operations there were.
func (c *Crash) Done() int { return c.done }

func (c *Crash) step() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left == 0 {
		return ErrCrashed
	}
	c.left--
	c.done++

	return nil
}

type crashing struct {
	shelf

	crash *Crash
}

func (c crashing) begin(ctx context.Context, name string) (page, error) {
	if err := c.crash.step(); err != nil {
		return nil, err
	}
	p, err := c.shelf.begin(ctx, name)

	return crashingPage{p, c.crash}, err
}

func (c crashing) list(ctx context.Context, prefix string) ([]string, error) {
	if err := c.crash.step(); err != nil {
		return nil, err
	}

	return c.shelf.list(ctx, prefix)
}

func (c crashing) remove(ctx context.Context, name string) error {
	if err := c.crash.step(); err != nil {
		return err
	}

	return c.shelf.remove(ctx, name)
}

type crashingPage struct {
	page

	crash *Crash
}

func (p crashingPage) finish() error {
	if err := p.crash.step(); err != nil {
		return err
	}

	return p.page.finish()
}

func (p crashingPage) keep(ctx context.Context) error {
	if err := p.crash.step(); err != nil {
		return err
	}

	return p.page.keep(ctx)
}

func (p crashingPage) drop() {
	if !p.crash.Crashed() {
		p.page.drop()
	}
}
