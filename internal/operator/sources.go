package operator

import (
	"context"
	"errors"
	"time"

	"trivia/internal/customerio"
	"trivia/internal/source"
	"trivia/internal/store"
)

// BuiltInSources is the list of a region before Customer.io was ever asked.
// Its times are zero.
func BuiltInSources(region string) store.SourceList {
	return store.SourceList{Region: region, Addresses: source.BuiltIn(region)}
}

// Sources returns the addresses that webhooks of a region come from: what
// Customer.io last said, or else the built-in list.
func (o *Operator) Sources(ctx context.Context, region string) (store.SourceList, error) {
	list, err := o.store.Sources(ctx, region)
	if errors.Is(err, store.ErrNotFound) {
		return BuiltInSources(region), nil
	}

	return list, err
}

// A Refresh says how a list of addresses is refreshed.
type Refresh struct {
	Region string    // us or eu
	URL    string    // of that region's App API
	At     time.Time // when this is
	Reason string    // for the audit log
	DryRun bool      // ask and compare, and keep nothing
}

// Refreshed says what a refresh came to.
type Refreshed struct {
	List       store.SourceList // as it is now, or would be
	Came, Gone []string         // what is in it that was not, and the other way round
}

// RefreshSources asks Customer.io which addresses a region's webhooks come
// from, and keeps what it says. After an error the list is as it was.
func (o *Operator) RefreshSources(ctx context.Context, r Refresh) (Refreshed, error) {
	addresses, err := customerio.Addresses(ctx, r.URL)
	if err != nil {
		return Refreshed{}, err
	}
	if r.DryRun {
		before, err := o.Sources(ctx, r.Region)
		if err != nil {
			return Refreshed{}, err
		}

		return r.refreshed(before, addresses), nil
	}

	var now Refreshed
	err = o.store.Act(ctx, func(act *store.Act) (store.Deed, error) {
		before, err := act.KeepSources(ctx, r.Region, addresses, r.At)
		if err != nil {
			return store.Deed{}, err
		}
		if before.Region == "" {
			before = BuiltInSources(r.Region)
		}

		now = r.refreshed(before, addresses)
		if len(now.Came)+len(now.Gone) == 0 {
			return store.Deed{}, nil
		}
		deed := o.deed("sources refresh", r.Region, r.Reason)
		deed.Detail = map[string]any{"came": orNone(now.Came), "gone": orNone(now.Gone)}

		return deed, nil
	})
	if err != nil {
		return Refreshed{}, err
	}

	return now, nil
}

func (r Refresh) refreshed(before store.SourceList, addresses []string) Refreshed {
	now := Refreshed{List: store.SourceList{
		Region: r.Region, Addresses: addresses, CheckedAt: r.At, ChangedAt: before.ChangedAt,
	}}
	now.Came, now.Gone = source.Difference(before.Addresses, addresses)
	if len(now.Came)+len(now.Gone) > 0 || before.ChangedAt.IsZero() {
		now.List.ChangedAt = r.At
	}

	return now
}

// orNone makes nothing an empty list, as JSON shows it.
func orNone(words []string) []string {
	if words == nil {
		return []string{}
	}

	return words
}
