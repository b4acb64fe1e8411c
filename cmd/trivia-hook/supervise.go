package main

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"trivia/internal/diag"
	"trivia/internal/drain"
)

// How long a stage rests after a fault of its own.
const (
	faultRest     = 100 * time.Millisecond
	faultRestMost = 30 * time.Second
	faultForgiven = 10 * time.Minute // without another one
)

// A supervisor keeps the stages of the service apart: a fault in one of them is
// counted, logged, and costs nobody but that stage a moment. Above all it never
// takes the listener down: the sender would hold everything back for an hour.
type supervisor struct {
	metrics *diag.Metrics
	log     *slog.Logger
	now     func() time.Time
}

// keep runs a stage until it returns, and again after a fault. It returns what
// the stage does, or nil when ctx ends during a rest.
func (s supervisor) keep(ctx context.Context, stage string, run func(context.Context) error) error {
	faults := 0
	for {
		begun := s.now()
		fault, err := s.once(ctx, stage, run)
		if fault == nil {
			return err
		}
		if s.now().Sub(begun) > faultForgiven {
			faults = 0
		}
		faults++
		rest := drain.Backoff(faults, faultRest, faultRestMost, 0)
		s.log.ErrorContext(ctx, "a stage was interrupted by a fault of ours; it is started again",
			slog.String("stage", stage), slog.Any("fault", fault.value), slog.String("stack", fault.stack), slog.Duration("after", rest))
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(rest):
		}
	}
}

// A fault is what interrupted a stage, and where.
type fault struct {
	value string
	stack string
}

func (s supervisor) once(ctx context.Context, stage string, run func(context.Context) error) (found *fault, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.metrics.StagePanicked(stage)
			found = &fault{fmt.Sprint(p), string(debug.Stack())}
		}
	}()

	return nil, run(ctx)
}
