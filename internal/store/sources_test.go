package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"trivia/internal/store"
)

// keep keeps a list, and says so in the audit log if it is another one.
func (s shelf) keep(ctx context.Context, region string, addresses []string, at time.Time) (before store.SourceList, err error) {
	err = s.Act(ctx, func(a *store.Act) (store.Deed, error) {
		var err error
		if before, err = a.KeepSources(ctx, region, addresses, at); err != nil || cmp.Equal(before.Addresses, addresses) {
			return store.Deed{}, err
		}

		return store.Deed{Verb: "sources refresh", Target: region}, nil
	})

	return before, err
}

func TestAListOfSourcesRemembersWhenItChanged(t *testing.T) {
	t.Parallel()

	s := newShelf(t)
	if l, err := s.Sources(t.Context(), "us"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Sources = %+v, %v, want that there are none", l, err)
	}

	one, two := []string{"34.1.2.3"}, []string{"34.1.2.3", "34.1.2.4"}
	first := store.SourceList{Region: "us", Addresses: one, CheckedAt: noon, ChangedAt: noon}
	later := store.SourceList{Region: "us", Addresses: one, CheckedAt: noon.Add(time.Hour), ChangedAt: noon}
	last := store.SourceList{Region: "us", Addresses: two, CheckedAt: noon.Add(2 * time.Hour), ChangedAt: noon.Add(2 * time.Hour)}

	tests := []struct {
		name      string
		addresses []string
		at        time.Time
		before    store.SourceList
		after     store.SourceList
		deeds     int
	}{
		{"the first", one, noon, store.SourceList{}, first, 1},
		{"the same again", one, noon.Add(time.Hour), first, later, 1},
		{"by a clock that is behind", one, noon, later, later, 1},
		{"another", two, noon.Add(2 * time.Hour), later, last, 2},
	}
	for _, tt := range tests {
		before, err := s.keep(t.Context(), "us", tt.addresses, tt.at)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		after, err := s.Sources(t.Context(), "us")
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if diff := cmp.Diff([]store.SourceList{tt.before, tt.after}, []store.SourceList{before, after}); diff != "" {
			t.Errorf("%s: before and after (-want +got):\n%s", tt.name, diff)
		}
		if n := s.count(t, `SELECT count(*) FROM audit_log`); n != tt.deeds {
			t.Errorf("%s: %d lines in the audit log, want %d", tt.name, n, tt.deeds)
		}
	}
	if _, err := s.Sources(t.Context(), "eu"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Sources of the other region = %v, want that there are none", err)
	}
}

func TestOneOfManyRefreshesIsTheFirst(t *testing.T) {
	t.Parallel()

	s := newShelf(t)
	var group errgroup.Group
	for n := range 8 {
		group.Go(func() error {
			_, err := s.keep(t.Context(), "us", []string{"34.1.2.3"}, noon.Add(time.Duration(n)*time.Second))

			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	if n := s.count(t, `SELECT count(*) FROM audit_log`); n != 1 {
		t.Errorf("%d lines in the audit log, want one", n)
	}
	if l, err := s.Sources(t.Context(), "us"); err != nil || !l.CheckedAt.Equal(noon.Add(7*time.Second)) {
		t.Errorf("Sources = %+v, %v, want the latest check", l, err)
	}
}

func TestAListOfSourcesIsKeptWithItsLineOrNotAtAll(t *testing.T) {
	t.Parallel()

	s := newShelf(t)
	s.exec(t, `ALTER TABLE audit_log ADD CHECK (target <> 'us')`)
	if _, err := s.keep(t.Context(), "us", []string{"34.1.2.3"}, noon); err == nil {
		t.Error("the list was kept without its line")
	}
	if n := s.count(t, `SELECT count(*) FROM source_lists`); n != 0 {
		t.Errorf("%d lists were kept, want none", n)
	}
}
