package main

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"trivia/internal/diag"
	"trivia/internal/drain"
	"trivia/internal/operator"
	"trivia/internal/source"
	"trivia/internal/store"
)

const (
	lookEvery     = time.Minute      // how soon a list that another process stored is in use
	refreshEvery  = 24 * time.Hour   // how often Customer.io is asked, and a little less
	refreshSpread = 2 * time.Hour    // of that, so that many services do not ask at once
	refreshAgain  = time.Minute      // after a failure at first
	refreshMost   = time.Hour        // and at most
	loadTime      = 2 * time.Second  // for the stored list; without it the one in use serves
	refreshTime   = 20 * time.Second // for the answer and for keeping it
)

// Addresses keep a guard's list in step with what Customer.io says it calls
// from. Whatever fails, the list in use stays.
type addresses struct {
	region, url string
	op          atomic.Pointer[operator.Operator] // nil until there is a database
	guard       *source.Guard
	metrics     *diag.Metrics
	log         *slog.Logger
	now         func() time.Time
	jitter      func() float64

	mu    sync.Mutex // held while the guard's lists are replaced, or words changed
	words []string   // of TRIVIA_SOURCES

	inUse    atomic.Pointer[store.SourceList] // also read at a scrape
	due      time.Time                        // when Customer.io is asked next
	failures int                              // in a row
}

// newAddresses returns what keeps guard in step, if the settings ask for
// Customer.io's list; a reload may make them do so later.
func newAddresses(set settings, guard *source.Guard, metrics *diag.Metrics,
	log *slog.Logger, now func() time.Time,
) *addresses {
	a := &addresses{
		words: set.Sources, region: set.Region, url: set.AppURL,
		guard: guard, metrics: metrics,
		log: log, now: now, jitter: rand.Float64,
	}
	builtIn := operator.BuiltInSources(set.Region)
	a.inUse.Store(&builtIn)
	if a.asked() {
		metrics.SourceAge(a.age)
	}

	return a
}

// asked reports whether the settings ask for Customer.io's list.
func (a *addresses) asked() bool {
	a.mu.Lock()
	defer a.mu.Unlock()

	return source.NamesCustomerIO(a.words)
}

// reword lets in who other settings name. After an error all is as it was.
func (a *addresses) reword(ctx context.Context, set settings) error {
	asked := a.asked()
	if err := a.replace(set); err != nil {
		return err
	}
	switch now := a.asked(); {
	case now && !asked:
		a.metrics.SourceAge(a.age)
		a.load(ctx)
	case asked && !now:
		a.metrics.SourceAge(nil)
	}

	return nil
}

func (a *addresses) replace(set settings) error {
	a.mu.Lock()
	defer a.mu.Unlock()

	list := a.inUse.Load()
	allowed, err := source.ParseWith(set.Sources, source.Published{Region: list.Region, Addresses: list.Addresses})
	if err != nil {
		return err
	}
	a.guard.SwapBoth(allowed, set.trusted)
	a.words = set.Sources

	return nil
}

// age returns how long ago Customer.io last said what is in use.
func (a *addresses) age() (age time.Duration, known bool) {
	checked := a.inUse.Load().CheckedAt

	return a.now().Sub(checked), !checked.IsZero()
}

// attach lets a work on a database: what it stores is in use from now on.
func (a *addresses) attach(ctx context.Context, op *operator.Operator) {
	a.op.Store(op)
	a.load(ctx)
}

// load takes the list that was stored last into use. Without a database there
// is nothing to load yet.
func (a *addresses) load(ctx context.Context) {
	op := a.op.Load()
	if !a.asked() || op == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, loadTime)
	defer cancel()

	list, err := op.Sources(ctx, a.region)
	if err == nil {
		err = a.swap(list)
	}
	if err != nil {
		a.log.LogAttrs(ctx, slog.LevelWarn, unusable, a.standing(slog.Any("error", err))...)
	}
	a.log.LogAttrs(ctx, slog.LevelInfo, "callers are let in by Customer.io's addresses", a.standing()...)
}

// Step looks for a list that another process has stored, and asks Customer.io
// when it is time. It is a [drain.Step]; what fails is logged here, since the
// next look is soon enough.
func (a *addresses) Step(ctx context.Context) (int, error) {
	if !a.asked() {
		return 0, nil
	}
	a.look(ctx)
	if !a.now().Before(a.due) {
		a.refresh(ctx)
	}

	return 0, nil
}

// look takes what is stored into use.
func (a *addresses) look(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, loadTime)
	defer cancel()

	list, err := a.op.Load().Sources(limited, a.region)
	if err == nil {
		err = a.use(ctx, list)
	}
	if err != nil && ctx.Err() == nil {
		a.log.LogAttrs(ctx, slog.LevelWarn, unusable, a.standing(slog.Any("error", err))...)
	}
}

// use lets in who is on list from now on, and says what that changes.
func (a *addresses) use(ctx context.Context, list store.SourceList) error {
	before := a.inUse.Load()
	if err := a.swap(list); err != nil {
		return err
	}
	if came, gone := source.Difference(before.Addresses, list.Addresses); len(came)+len(gone) > 0 {
		a.log.LogAttrs(ctx, slog.LevelInfo, "Customer.io's addresses changed",
			a.standing(slog.Any("came", came), slog.Any("gone", gone))...)
	}

	return nil
}

// swap lets in who is on list. One that cannot be true changes nothing.
func (a *addresses) swap(list store.SourceList) error {
	a.mu.Lock()
	defer a.mu.Unlock()

	// What is in use may only have been checked again.
	if !slices.Equal(a.inUse.Load().Addresses, list.Addresses) {
		allowed, err := source.ParseWith(a.words, source.Published{Region: list.Region, Addresses: list.Addresses})
		if err != nil {
			return err
		}
		a.guard.Swap(allowed)
	}
	a.inUse.Store(&list)

	return nil
}

// refresh asks Customer.io, and says when it is asked again.
func (a *addresses) refresh(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, refreshTime)
	defer cancel()

	at := a.now()
	done, err := a.op.Load().RefreshSources(limited, operator.Refresh{Region: a.region, URL: a.url, At: at})
	if err == nil {
		err = a.use(ctx, done.List)
	}
	if ctx.Err() != nil {
		return // being stopped is no failure
	}
	if err != nil {
		a.failures++
		wait := drain.Backoff(a.failures, refreshAgain, refreshMost, a.jitter())
		a.due = at.Add(wait)
		a.metrics.SourceRefresh("failed")
		a.log.LogAttrs(ctx, slog.LevelWarn, unrefreshed,
			a.standing(slog.Any("error", err), slog.Duration("again_after", wait))...)

		return
	}

	a.failures = 0
	a.due = at.Add(refreshEvery - time.Duration(a.jitter()*float64(refreshSpread)))
	result := "unchanged"
	if len(done.Came)+len(done.Gone) > 0 {
		result = "changed"
	}
	a.metrics.SourceRefresh(result)
}

// What goes wrong with a list, in words of the log.
const (
	unusable    = "the stored list of Customer.io's addresses cannot be used: the list in use stays"
	unrefreshed = "Customer.io's addresses could not be refreshed: the list in use stays"
)

// standing says which list is in use, and how old it is, before what else
// there is to say.
func (a *addresses) standing(more ...slog.Attr) []slog.Attr {
	list := a.inUse.Load()
	attrs := []slog.Attr{slog.String("region", list.Region), slog.Int("addresses", len(list.Addresses))}
	if age, known := a.age(); known {
		attrs = append(attrs, slog.String("from", "Customer.io"), slog.Time("checked_at", list.CheckedAt),
			slog.String("age", age.Round(time.Second).String()))
	} else {
		attrs = append(attrs, slog.String("from", "the built-in list"))
	}

	return append(attrs, more...)
}
