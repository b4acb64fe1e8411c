package ctl

import (
	"context"
	"iter"
	"slices"
	"sync"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// A trialFake is the part of a [fake] that is about loads and scenarios.
type trialFake struct {
	proof    operator.TrialProof
	trialErr error
	pending  int
	kept     func(keys []string) int
	won      func(user trivia.UserID, id trivia.ID) store.Awarded

	mu           sync.Mutex
	trialUsers   operator.Trial
	acknowledged []string
	removed      []string
	removedTrial operator.Trial
}

func (f *trialFake) AddTrialUsers(_ context.Context, t operator.Trial, _ string) error {
	f.trialUsers = t

	return f.trialErr
}

func (f *trialFake) ProveTrial(
	_ context.Context, _ operator.Trial, acknowledged iter.Seq[string], progress func(int),
) (operator.TrialProof, error) {
	f.acknowledged = slices.AppendSeq(f.acknowledged, acknowledged)
	progress(len(f.acknowledged))

	return f.proof, f.trialErr
}

// PendingTrial has one less each time.
func (f *trialFake) PendingTrial(context.Context, operator.Trial) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pending = max(0, f.pending-1)

	return f.pending, f.trialErr
}

func (f *trialFake) RemoveTrial(_ context.Context, t operator.Trial, keys iter.Seq[string], _ string) (int, error) {
	f.removed, f.removedTrial = slices.AppendSeq(f.removed, keys), t

	return len(f.removed), f.trialErr
}

func (f *trialFake) CountKept(_ context.Context, keys []string) (int, error) {
	return f.kept(keys), f.trialErr
}

func (f *trialFake) CountWins(_ context.Context, user trivia.UserID, id trivia.ID) (store.Awarded, error) {
	return f.won(user, id), f.trialErr
}
