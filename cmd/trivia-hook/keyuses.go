package main

import (
	"context"
	"log/slog"
	"time"

	"trivia/internal/drain"
	"trivia/internal/store"
)

// keyUsesEvery is how often the uses of signing keys are written down.
const keyUsesEvery = 10 * time.Second

// addTime is for writing them down.
const addTime = 2 * time.Second

// A keyLog writes down how often each signing key has matched. It is no part of
// keeping deliveries: when the database is away, what was counted waits.
type keyLog struct {
	collect func() []store.KeyUse
	store   *store.Store
	log     *slog.Logger

	left []store.KeyUse // collected, and not written yet
}

// run writes from time to time until ctx ends, and once more then.
func (k *keyLog) run(ctx context.Context) {
	drain.Loop(ctx, k.log, keyUsesEvery, nil, k.Step)

	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastTime)
	defer cancel()
	if _, err := k.Step(last); err != nil {
		k.log.WarnContext(ctx, "the last uses of signing keys are not counted", slog.Any("error", err))
	}
}

// Step writes what was counted since the last one. It is a [drain.Step].
func (k *keyLog) Step(ctx context.Context) (int, error) {
	k.left = addedUp(k.left, k.collect())
	if len(k.left) == 0 {
		return 0, nil
	}

	limited, cancel := context.WithTimeout(ctx, addTime)
	defer cancel()
	if err := k.store.AddKeyUses(limited, k.left); err != nil {
		return 0, err
	}
	k.left = nil

	return 0, nil
}

// addedUp joins two counts, so that no key is there twice.
func addedUp(all, more []store.KeyUse) []store.KeyUse {
	for _, m := range more {
		known := false
		for i := range all {
			a := &all[i]
			if known = a.Kind == m.Kind && a.Fingerprint == m.Fingerprint; known {
				a.Uses, a.Last = a.Uses+m.Uses, m.Last
				break
			}
		}
		if !known {
			all = append(all, m)
		}
	}

	return all
}
