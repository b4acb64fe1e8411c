package ctl

import (
	"context"
	"iter"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// trialVerbs are what a load and a scenario do with a database.
type trialVerbs interface {
	AddTrialUsers(ctx context.Context, t operator.Trial, reason string) error
	ProveTrial(ctx context.Context, t operator.Trial, acknowledged iter.Seq[string], progress func(done int)) (operator.TrialProof, error)
	PendingTrial(context.Context, operator.Trial) (int, error)
	RemoveTrial(ctx context.Context, t operator.Trial, keys iter.Seq[string], reason string) (rows int, err error)
	CountKept(ctx context.Context, keys []string) (int, error)
	CountWins(ctx context.Context, user trivia.UserID, id trivia.ID) (store.Awarded, error)
}
