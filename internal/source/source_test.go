package source_test

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/source"
)

func parse(tb testing.TB, words ...string) source.List {
	tb.Helper()

	l, err := source.Parse(words)
	if err != nil {
		tb.Fatalf("Parse(%q): %v", words, err)
	}

	return l
}

func TestCheckFindsTheCaller(t *testing.T) {
	t.Parallel()

	// The caller is 198.51.100.7 or 2001:db8:1::7; our proxies are in 10.0.0.0/8,
	// 2001:db8:2::/48, and on this machine.
	guard := source.NewGuard(
		parse(t, "198.51.100.7", "2001:db8:1::/48", "10.9.9.9"),
		parse(t, "10.0.0.0/8", "2001:db8:2::/48", "loopback"),
		false)

	tests := []struct {
		name    string
		peer    string
		headers []string
		caller  string // empty if refused
		rule    string
		via     []string
		reason  string // why it is refused
		addr    string // what the refusal shows
	}{
		{name: "directly", peer: "198.51.100.7:4711", caller: "198.51.100.7", rule: "198.51.100.7"},
		{name: "directly, IPv6", peer: "[2001:db8:1::7]:4711", caller: "2001:db8:1::7", rule: "2001:db8:1::/48"},
		{name: "directly, IPv4-mapped", peer: "[::ffff:198.51.100.7]:4711", caller: "198.51.100.7", rule: "198.51.100.7"},
		{name: "directly, with a zone", peer: "[2001:db8:1::7%eth0]:4711", caller: "2001:db8:1::7", rule: "2001:db8:1::/48"},
		{name: "without a port", peer: "198.51.100.7", caller: "198.51.100.7", rule: "198.51.100.7"},
		{name: "a stranger", peer: "198.51.100.8:4711", reason: source.ReasonNotListed, addr: "198.51.100.8"},
		{name: "a stranger, IPv6", peer: "[2001:db8:3::7]:4711", reason: source.ReasonNotListed, addr: "2001:db8:3::7"},
		{name: "a unix socket", peer: "@", reason: source.ReasonUnreadablePeer, addr: "@"},
		{name: "no peer", peer: "", reason: source.ReasonUnreadablePeer},
		{name: "a name for a peer", peer: "localhost:80", reason: source.ReasonUnreadablePeer, addr: "localhost:80"},

		{
			name: "a stranger who claims to be the caller", peer: "198.51.100.8:1", headers: []string{"198.51.100.7"},
			reason: source.ReasonNotListed, addr: "198.51.100.8",
		},
		{
			name: "the caller, whose claims are not read", peer: "198.51.100.7:1", headers: []string{"what is this"},
			caller: "198.51.100.7", rule: "198.51.100.7",
		},
		{
			name: "through a proxy", peer: "10.0.0.1:1", headers: []string{"198.51.100.7"},
			caller: "198.51.100.7", rule: "198.51.100.7", via: []string{"10.0.0.1"},
		},
		{
			name: "through an IPv4-mapped proxy", peer: "[::ffff:10.0.0.1]:1", headers: []string{"::ffff:198.51.100.7"},
			caller: "198.51.100.7", rule: "198.51.100.7", via: []string{"10.0.0.1"},
		},
		{
			name: "through two proxies", peer: "127.0.0.1:1", headers: []string{"198.51.100.7, 10.0.0.1"},
			caller: "198.51.100.7", rule: "198.51.100.7", via: []string{"127.0.0.1", "10.0.0.1"},
		},
		{
			name: "through proxies of both kinds", peer: "[::1]:1", headers: []string{"2001:db8:1::7,10.0.0.1,2001:db8:2::1"},
			caller: "2001:db8:1::7", rule: "2001:db8:1::/48", via: []string{"::1", "2001:db8:2::1", "10.0.0.1"},
		},
		{
			name: "several headers are one list", peer: "10.0.0.1:1", headers: []string{"203.0.113.1, 198.51.100.7", "10.0.0.3", "10.0.0.2"},
			caller: "198.51.100.7", rule: "198.51.100.7", via: []string{"10.0.0.1", "10.0.0.2", "10.0.0.3"},
		},
		{
			name: "ports, brackets, spaces", peer: "10.0.0.1:1",
			headers: []string{" [2001:db8:1::7]:99 ,\t[2001:db8:2::1] , 10.0.0.2:80 "},
			caller:  "2001:db8:1::7", rule: "2001:db8:1::/48", via: []string{"10.0.0.1", "10.0.0.2", "2001:db8:2::1"},
		},
		{
			name: "what stands left of the caller is not believed", peer: "10.0.0.1:1", headers: []string{"198.51.100.7, 203.0.113.1"},
			reason: source.ReasonNotListed, addr: "203.0.113.1",
		},
		{
			name: "what stands left of the caller is not read", peer: "10.0.0.1:1", headers: []string{"<script>,,198.51.100.7"},
			caller: "198.51.100.7", rule: "198.51.100.7", via: []string{"10.0.0.1"},
		},
		{
			name: "a proxy's address, claimed by a stranger", peer: "10.0.0.1:1", headers: []string{"198.51.100.7, 10.0.0.2, 203.0.113.1"},
			reason: source.ReasonNotListed, addr: "203.0.113.1",
		},
		{
			name: "nothing but proxies: the leftmost calls", peer: "10.0.0.1:1", headers: []string{"10.9.9.9, 10.0.0.2"},
			caller: "10.9.9.9", rule: "10.9.9.9", via: []string{"10.0.0.1", "10.0.0.2"},
		},
		{name: "a proxy of its own accord", peer: "10.9.9.9:1", caller: "10.9.9.9", rule: "10.9.9.9"},
		{name: "a proxy that is not listed", peer: "10.0.0.1:1", reason: source.ReasonNotListed, addr: "10.0.0.1"},

		{name: "an unknown hop", peer: "10.0.0.1:1", headers: []string{"198.51.100.7, unknown"}, reason: source.ReasonUnreadableHop, addr: "unknown"},
		{name: "an unknown hop behind a proxy", peer: "10.0.0.1:1", headers: []string{"unknown, 10.0.0.2"}, reason: source.ReasonUnreadableHop, addr: "unknown"},
		{name: "an empty hop", peer: "10.0.0.1:1", headers: []string{"198.51.100.7,"}, reason: source.ReasonUnreadableHop},
		{name: "an empty hop in between", peer: "10.0.0.1:1", headers: []string{"198.51.100.7, ,10.0.0.2"}, reason: source.ReasonUnreadableHop},
		{name: "an empty header", peer: "10.0.0.1:1", headers: []string{"198.51.100.7", ""}, reason: source.ReasonUnreadableHop},
		{name: "an open bracket", peer: "10.0.0.1:1", headers: []string{"[2001:db8:1::7"}, reason: source.ReasonUnreadableHop, addr: "[2001:db8:1::7"},
		{name: "a closed bracket", peer: "10.0.0.1:1", headers: []string{"2001:db8:1::7]"}, reason: source.ReasonUnreadableHop, addr: "2001:db8:1::7]"},
		{name: "IPv4 in brackets", peer: "10.0.0.1:1", headers: []string{"[198.51.100.7]"}, reason: source.ReasonUnreadableHop, addr: "[198.51.100.7]"},
		{name: "a leading zero", peer: "10.0.0.1:1", headers: []string{"198.51.100.07"}, reason: source.ReasonUnreadableHop, addr: "198.51.100.07"},
		{name: "a port too high", peer: "10.0.0.1:1", headers: []string{"198.51.100.7:70000"}, reason: source.ReasonUnreadableHop, addr: "198.51.100.7:70000"},
		{name: "a port too few", peer: "10.0.0.1:1", headers: []string{"198.51.100.7:"}, reason: source.ReasonUnreadableHop, addr: "198.51.100.7:"},
		{name: "two addresses with a space", peer: "10.0.0.1:1", headers: []string{"198.51.100.7 10.0.0.2"}, reason: source.ReasonUnreadableHop, addr: "198.51.100.7 10.0.0.2"},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			got, err := guard.Check(tt.peer, tt.headers)
			if tt.reason != "" {
				refusal, ok := errors.AsType[*source.Refusal](err)
				if !ok || *refusal != (source.Refusal{Reason: tt.reason, Addr: tt.addr}) {
					t.Fatalf("Check(%q, %q) = %v, %#v; want a refusal %s of %q", tt.peer, tt.headers, got, err, tt.reason, tt.addr)
				}
				if !errors.Is(err, source.ErrForeign) {
					t.Errorf("Check(%q, %q): %v is not ErrForeign", tt.peer, tt.headers, err)
				}

				return
			}

			if err != nil {
				t.Fatalf("Check(%q, %q): %v", tt.peer, tt.headers, err)
			}
			want := source.Caller{Addr: netip.MustParseAddr(tt.caller), Rule: tt.rule}
			for _, hop := range tt.via {
				want.Via = append(want.Via, netip.MustParseAddr(hop))
			}
			if diff := cmp.Diff(want, got, cmp.Comparer(sameAddr)); diff != "" {
				t.Errorf("Check(%q, %q) (-want +got):\n%s", tt.peer, tt.headers, diff)
			}
		})
	}
}

func sameAddr(a, b netip.Addr) bool { return a == b }
