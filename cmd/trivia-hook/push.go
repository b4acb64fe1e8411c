package main

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"golang.org/x/time/rate"

	"trivia/internal/customerio"
	"trivia/internal/diag"
	"trivia/internal/drain"
	"trivia/internal/operator"
	"trivia/internal/pushback"
	"trivia/internal/store"
)

func owingOf(set settings) store.Owing {
	return store.Owing{Policy: operator.PolicyOf(set.Pushes), Held: set.SiteID == ""}
}

// sayPolicy is the first that the service says: what it does to people.
func sayPolicy(ctx context.Context, log *slog.Logger, set settings) {
	log = log.With(slog.String("on_bounce", set.Pushes.OnBounce), slog.String("on_spam", set.Pushes.OnSpam),
		slog.String("on_unsubscribe", set.Pushes.OnUnsubscribe))
	if operator.PolicyOf(set.Pushes).Suppresses() {
		log.WarnContext(ctx, "suppress deletes a person's profile from Customer.io for good")
	} else {
		log.InfoContext(ctx, "nobody's profile is deleted from Customer.io")
	}
}

// newPushback returns the stage that tells Customer.io, or nil without
// credentials.
func newPushback(set settings, db *database, metrics *diag.Metrics, log *slog.Logger, now func() time.Time) *pushback.Stage {
	metrics.PushBacklog(db.PushBacklog)
	if set.SiteID == "" {
		log.Warn("there are no credentials for Customer.io: pushes are held until there are")

		return nil
	}

	perSecond := set.Pushes.Rate
	return pushback.New(pushback.Options{
		Store: db.Store,
		Client: customerio.NewClient(customerio.ClientOptions{
			URL: set.TrackURL, SiteID: set.SiteID, APIKey: set.TrackAPIKey, Now: now,
		}),
		// A burst makes up for a moment in which nothing was sent, and no more.
		Rate:    rate.NewLimiter(rate.Limit(perSecond), max(1, perSecond/20)),
		Metrics: metrics, Log: log, Now: now, Jitter: rand.Float64,
	})
}

// push runs the stage until ctx ends, and a moment longer for calls under way.
func (b *back) push(ctx context.Context) {
	if b.pushback == nil {
		return
	}
	drain.Loop(ctx, b.log, sweepEvery, b.pushback.Wake(), b.pushback.Step)
	if err := b.pushback.Wait(); err != nil {
		b.log.WarnContext(ctx, "pushes are sent again by who runs next", slog.Any("error", err))
	}
}
