package main

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"trivia/internal/diag"
	"trivia/internal/drain"
	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

const (
	auditLook   = time.Minute     // how soon it is noticed that an audit is due
	auditFirst  = 3 * time.Minute // after the start, and up to as much again
	auditWindow = 25 * time.Hour  // it looks back as far: a day, and what a night's outage delays
	auditTime   = 2 * time.Minute // that one check may take
	auditRows   = 1               // of each breach that is logged
)

// An auditor checks from time to time that what belongs together is there.
type auditor struct {
	op      *operator.Operator
	every   time.Duration
	pushes  bool // each win is to be pushed
	metrics *diag.Metrics
	log     *slog.Logger
	now     func() time.Time

	due time.Time
}

// newAuditor returns nil if nothing is to be checked.
func newAuditor(set settings, db *store.Store, metrics *diag.Metrics, log *slog.Logger, now func() time.Time) *auditor {
	if set.AuditEvery == 0 {
		return nil
	}

	// Services that are started together do not audit together.
	first := auditFirst + time.Duration(rand.Float64()*float64(auditFirst)) //nolint:gosec // it spreads load, and hides nothing

	return &auditor{
		op: operator.New(db, "trivia-hook@"+set.host), every: set.AuditEvery, pushes: operator.PolicyOf(set.Pushes).Win != trivia.Nothing,
		metrics: metrics, log: log, now: now, due: now().Add(min(first, set.AuditEvery)),
	}
}

// run steps until ctx ends.
func (a *auditor) run(ctx context.Context) {
	if a != nil {
		drain.Loop(ctx, a.log, auditLook, nil, a.Step)
	}
}

// Step audits when it is time. It is a [drain.Step]; what fails is logged here,
// since the next time is soon enough.
func (a *auditor) Step(ctx context.Context) (int, error) {
	begin := a.now()
	if begin.Before(a.due) {
		return 0, nil
	}
	a.due = begin.Add(a.every)

	found, err := a.op.Audit(ctx, operator.Audit{
		Since: begin.Add(-auditWindow), NoPushes: !a.pushes, Rows: auditRows, Statement: auditTime, Alone: true,
	})
	switch {
	case errors.Is(err, operator.ErrChecking), ctx.Err() != nil:
		return 0, nil //nolint:nilerr // another process does it, or we are being stopped
	case err != nil:
		a.metrics.AuditFailed()
		a.log.WarnContext(ctx, "the audit could not be made", slog.Any("error", err))

		return 0, nil
	}

	end := a.now()
	breaches := make(map[string]int, len(found.Checks))
	for _, c := range found.Checks {
		if c.Skipped != "" {
			continue
		}
		breaches[c.Name] = c.Broken
		a.tell(ctx, c)
	}
	a.metrics.Audited(breaches, end.Sub(begin), end)

	return 0, nil
}

// tell logs a check that found something.
func (a *auditor) tell(ctx context.Context, c store.Checked) {
	if c.Broken == 0 {
		return
	}

	attrs := []slog.Attr{slog.String("check", c.Name), slog.String("claim", c.Claim), slog.Int("breaches", c.Broken)}
	for _, b := range c.Rows {
		attrs = append(attrs, slog.Group("newest", slog.String("user_id", string(b.User)), slog.String("trivia_id", string(b.Trivia)),
			slog.String("key", b.Key), slog.Time("at", b.At), slog.String("detail", b.Detail)))
	}
	a.log.LogAttrs(ctx, slog.LevelError, "the audit found a breach; triviactl audit tells more", attrs...)
}
