package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
)

// A readiness says whether deliveries can be kept. Its zero value is of no use.
type readiness struct {
	stopping atomic.Bool
	waiting  atomic.Pointer[error]                       // why there is no database yet; nil: there is one
	database atomic.Pointer[func(context.Context) error] // asks the one that there is
}

var (
	errStopping = errors.New("the service is stopping")
	errNoneYet  = errors.New("nothing is known of it yet")
)

func newReadiness() *readiness {
	r := &readiness{}
	r.wait(errNoneYet)

	return r
}

// wait says that there is no database yet, and why.
func (r *readiness) wait(cause error) { r.waiting.Store(&cause) }

// begin says that there is a database, which ask asks.
func (r *readiness) begin(ask func(context.Context) error) {
	r.database.Store(&ask)
	r.waiting.Store(nil)
}

// stop says that nothing will be kept soon, for good.
func (r *readiness) stop() { r.stopping.Store(true) }

// check returns nil if deliveries can be kept, and else why not.
func (r *readiness) check(ctx context.Context) error {
	if r.stopping.Load() {
		return errStopping
	}
	if cause := r.waiting.Load(); cause != nil {
		return fmt.Errorf("waiting for the database: %w", *cause)
	}

	return (*r.database.Load())(ctx)
}
