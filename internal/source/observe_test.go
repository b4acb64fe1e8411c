package source_test

import (
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/source"
)

func TestObservingLetsInWhoWouldBeRefused(t *testing.T) {
	t.Parallel()

	guard := source.NewGuard(parse(t, "198.51.100.7"), parse(t, "10.0.0.0/8"), true)
	proxy := []netip.Addr{netip.MustParseAddr("10.0.0.1")}

	tests := []struct {
		name, peer string
		headers    []string
		want       source.Caller
	}{
		{
			"who is listed", "198.51.100.7:1", nil,
			source.Caller{Addr: netip.MustParseAddr("198.51.100.7"), Rule: "198.51.100.7"},
		},
		{
			"a stranger", "203.0.113.1:1",
			[]string{"198.51.100.7"},
			source.Caller{Addr: netip.MustParseAddr("203.0.113.1"), Observed: true, Reason: source.ReasonNotListed},
		},
		{
			"a stranger behind a proxy", "10.0.0.1:1",
			[]string{"203.0.113.1"},
			source.Caller{Addr: netip.MustParseAddr("203.0.113.1"), Via: proxy, Observed: true, Reason: source.ReasonNotListed},
		},
		{
			"an unreadable hop: the proxy is all we know", "10.0.0.1:1",
			[]string{"unknown"},
			source.Caller{Addr: proxy[0], Observed: true, Reason: source.ReasonUnreadableHop},
		},
		{"no peer", "", nil, source.Caller{Observed: true, Reason: source.ReasonUnreadablePeer}},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			got, err := guard.Check(tt.peer, tt.headers)
			if diff := cmp.Diff(tt.want, got, cmp.Comparer(sameAddr)); diff != "" || err != nil {
				t.Errorf("Check(%q, %q): %v (-want +got):\n%s", tt.peer, tt.headers, err, diff)
			}
		})
	}
}

func TestARefusalIsOneShortLine(t *testing.T) {
	t.Parallel()

	guard := source.NewGuard(source.List{}, parse(t, "10.0.0.1"), false)
	_, err := guard.Check("10.0.0.1:1", []string{"\x1b[31m\n" + strings.Repeat("x", 10_000)})

	want := `request comes from a foreign address: unreadable_hop "\x1b[31m\n` + strings.Repeat("x", 58) + `"`
	if err == nil || err.Error() != want {
		t.Errorf("Check: %v\nwant   %s", err, want)
	}
}

func TestCheckLeavesTheHeadersAlone(t *testing.T) {
	t.Parallel()

	guard := source.NewGuard(parse(t, "any"), parse(t, "any"), false)
	headers := []string{"198.51.100.7, 10.0.0.3", "10.0.0.2, 10.0.0.1"}
	if _, err := guard.Check("10.0.0.1:1", headers); err != nil {
		t.Fatalf("Check: %v", err)
	}
	if diff := cmp.Diff([]string{"198.51.100.7, 10.0.0.3", "10.0.0.2, 10.0.0.1"}, headers); diff != "" {
		t.Errorf("headers after Check (-want +got):\n%s", diff)
	}
}

func TestTheListCanBeSwappedWhileItIsUsed(t *testing.T) {
	t.Parallel()

	var (
		first, second = parse(t, "198.51.100.7"), parse(t, "198.51.100.8")
		guard         = source.NewGuard(first, source.List{}, false)
		all           sync.WaitGroup
	)

	for range 4 {
		all.Go(func() {
			for range 1000 {
				if _, err := guard.Check("203.0.113.1:1", nil); !errors.Is(err, source.ErrForeign) {
					t.Errorf("Check of a stranger: %v, want ErrForeign", err)
				}
			}
		})
	}
	for range 100 {
		guard.Swap(first)
		guard.Swap(second)
	}
	all.Wait()

	if _, err := guard.Check("198.51.100.7:1", nil); err == nil {
		t.Error("who was on the first list only is still let in")
	}
	if _, err := guard.Check("198.51.100.8:1", nil); err != nil {
		t.Errorf("who is on the second list: %v", err)
	}
}
