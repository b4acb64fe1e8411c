package receiver

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"
)

const (
	// ProbeEvery is how often [Intake.Probe] is to be called.
	ProbeEvery = 500 * time.Millisecond

	probeTime  = time.Second     // bounds one question to the database
	probeAgain = 2 * time.Second // after which what was kept last says no more
)

// errNotAsked is why an intake is not ready at first.
var errNotAsked = errors.New("the database was not asked yet whether deliveries can be kept")

// A readiness is what an intake knows of whether deliveries can be kept. The
// zero value knows nothing.
type readiness struct {
	known   atomic.Pointer[error] // nil: nothing
	kept    atomic.Int64          // when deliveries were kept last, in nanoseconds
	suspect atomic.Bool           // some could not be kept since
}

// Ready returns nil if deliveries can be kept, and else why not. It asks nobody:
// it knows from the deliveries that came, and from [Intake.Probe].
func (in *Intake) Ready(context.Context) error {
	known := in.readiness.known.Load()
	if known == nil {
		return errNotAsked
	}

	return *known
}

// Probe asks the database whether deliveries can be kept, unless those that
// came lately have answered that. It is a step for a loop, and never fails.
func (in *Intake) Probe(ctx context.Context) (int, error) {
	r := &in.readiness
	thorough := in.Ready(ctx) != nil || r.suspect.Load()
	if !thorough && in.now().Sub(time.Unix(0, r.kept.Load())) < probeAgain {
		return 0, nil
	}

	r.suspect.Store(false)
	asked, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	err := in.inbox.Probe(asked, thorough)
	if ctx.Err() != nil {
		return 0, nil // we stop, and that is all
	}
	if err == nil {
		r.kept.Store(in.now().UnixNano())
	}
	in.learn(ctx, err)

	return 0, nil
}

// learn takes note of whether deliveries can be kept, and tells of a change.
func (in *Intake) learn(ctx context.Context, err error) {
	before := in.Ready(ctx)
	in.readiness.known.Store(&err)
	switch {
	case err == nil && before != nil && !errors.Is(before, errNotAsked):
		in.log.InfoContext(ctx, "deliveries can be kept again")
	case err != nil && (before == nil || errors.Is(before, errNotAsked)):
		in.log.ErrorContext(ctx, "deliveries cannot be kept; readiness says so until they can", slog.Any("error", err))
	}
}

// wasKept takes note that deliveries were kept.
func (in *Intake) wasKept() {
	r := &in.readiness
	r.kept.Store(in.now().UnixNano())
	r.suspect.Store(false)
	if known := r.known.Load(); known == nil || *known != nil {
		in.learn(context.Background(), nil)
	}
}

// wasNotKept takes note that deliveries were not: the next probe is a thorough
// one, and comes at once.
func (in *Intake) wasNotKept() { in.readiness.suspect.Store(true) }
