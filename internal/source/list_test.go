package source_test

import (
	"net/netip"
	"strings"
	"testing"

	"trivia/internal/source"
)

func TestMatchNamesTheRule(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name  string
		words string
		addr  string
		rule  string // empty if there is no match
	}{
		{"an address", "198.51.100.7", "198.51.100.7", "198.51.100.7"},
		{"the address beside it", "198.51.100.7", "198.51.100.8", ""},
		{"an IPv6 address", "2001:db8::7", "2001:db8::7", "2001:db8::7"},
		{"an IPv6 address, written at length", "2001:0DB8:0:0:0:0:0:7", "2001:db8::7", "2001:0DB8:0:0:0:0:0:7"},
		{"the first of a network", "10.0.0.0/8", "10.0.0.0", "10.0.0.0/8"},
		{"the last of a network", "10.0.0.0/8", "10.255.255.255", "10.0.0.0/8"},
		{"before a network", "10.0.0.0/8", "9.255.255.255", ""},
		{"behind a network", "10.0.0.0/8", "11.0.0.0", ""},
		{"a network of one", "10.1.2.3/32", "10.1.2.3", "10.1.2.3/32"},
		{"an odd length", "192.0.2.128/25", "192.0.2.127", ""},
		{"an IPv6 network", "2001:db8::/32", "2001:db8:ffff::1", "2001:db8::/32"},
		{"beside an IPv6 network", "2001:db8::/32", "2001:db9::", ""},
		{"IPv6 bits that equal an IPv4 network", "10.0.0.0/8", "a00::1", ""},

		{"an IPv4-mapped address", "10.0.0.0/8", "::ffff:10.1.2.3", "10.0.0.0/8"},
		{"an IPv4-mapped word", "::ffff:10.1.2.3", "10.1.2.3", "::ffff:10.1.2.3"},
		{"an IPv4-mapped network", "::ffff:10.0.0.0/104", "10.1.2.3", "::ffff:10.0.0.0/104"},
		{"all of IPv6 is not IPv4", "::/0", "10.1.2.3", ""},
		{"all of IPv6 is not IPv4-mapped", "::/0", "::ffff:10.1.2.3", ""},
		{"all of IPv4 is not IPv6", "0.0.0.0/0", "2001:db8::7", ""},
		{"a zone is ignored", "fe80::/10", "fe80::1%eth0", "fe80::/10"},

		{"Customer.io in the US", "customerio", "35.188.196.183", "customerio 35.188.196.183"},
		{"the last one in the US", "customerio", "34.10.127.179", "customerio 34.10.127.179"},
		{"Customer.io in the EU", "customerio", "34.76.143.229", "customerio 34.76.143.229"},
		{"the last one in the EU", "customerio", "35.205.31.154", "customerio 35.205.31.154"},
		{"beside Customer.io", "customerio", "35.188.196.184", ""},
		{"loopback", "loopback", "127.0.0.1", "loopback"},
		{"all of loopback", "loopback", "127.255.0.9", "loopback"},
		{"IPv6 loopback", "loopback", "::1", "loopback"},
		{"no loopback", "loopback", "::2", ""},
		{"anyone", "any", "203.0.113.1", "any"},
		{"anyone, IPv6", "any", "2001:db8::1", "any"},

		{"the longest network wins", "any 10.0.0.0/8 10.1.0.0/16", "10.1.2.3", "10.1.0.0/16"},
		{"an address wins over its network", "10.0.0.0/8 10.1.2.3", "10.1.2.3", "10.1.2.3"},
		{"of two equals the first wins", "35.188.196.183 customerio", "35.188.196.183", "35.188.196.183"},
		{"the same word twice", "loopback loopback", "127.0.0.1", "loopback"},
		{"both families in one list", "2001:db8::/32 10.0.0.0/8", "10.1.2.3", "10.0.0.0/8"},
		{"an empty list", "", "127.0.0.1", ""},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			rule, ok := parse(t, strings.Fields(tt.words)...).Match(netip.MustParseAddr(tt.addr))
			if rule != tt.rule || ok != (tt.rule != "") {
				t.Errorf("Match(%s) = %q, %t; want %q", tt.addr, rule, ok, tt.rule)
			}
		})
	}
}

func TestNoAddressMatchesNothing(t *testing.T) {
	t.Parallel()

	for _, l := range []source.List{{}, parse(t, "any")} {
		if rule, ok := l.Match(netip.Addr{}); ok {
			t.Errorf("Match of the zero address = %q, true; want false", rule)
		}
	}
}

func TestCustomerIOIsTwentyFourAddresses(t *testing.T) {
	t.Parallel()

	published := strings.Fields(`
		35.188.196.183 104.198.177.219 104.154.232.87 130.211.229.195 104.198.221.24 104.197.27.15 35.194.9.154
		104.154.144.51 104.197.210.12 35.225.6.73 35.192.215.166 34.170.204.100 136.111.237.157 34.10.127.179
		34.76.143.229 34.78.91.47 34.77.94.252 35.187.188.242 34.78.122.90 35.195.137.235 130.211.108.156
		104.199.50.18 34.78.44.80 35.205.31.154`)
	if len(published) != 24 {
		t.Fatalf("%d addresses in this test, want 24", len(published))
	}

	l := parse(t, "customerio")
	for _, addr := range published {
		if _, ok := l.Match(netip.MustParseAddr(addr)); !ok {
			t.Errorf("customerio does not hold %s", addr)
		}
	}
}

func TestParseNamesEveryBadWord(t *testing.T) {
	t.Parallel()

	const (
		callers = ", expected addresses, CIDRs, or: customerio, loopback, any"
		proxies = ", expected addresses, CIDRs, or: loopback"
	)

	tests := []struct {
		name  string
		parse func([]string) (source.List, error)
		words []string
		want  string
	}{
		{"a name", source.Parse, []string{"localhost"}, `found "localhost"` + callers},
		{"a word in capitals", source.Parse, []string{"ANY"}, `found "ANY"` + callers},
		{"nothing", source.Parse, []string{""}, `found ""` + callers},
		{"space around", source.Parse, []string{" 10.0.0.1"}, `found " 10.0.0.1"` + callers},
		{"a port", source.Parse, []string{"10.0.0.1:80"}, `found "10.0.0.1:80"` + callers},
		{"a zone", source.Parse, []string{"fe80::1%eth0"}, `found "fe80::1%eth0"` + callers},
		{"a zone in a network", source.Parse, []string{"fe80::%eth0/10"}, `found "fe80::%eth0/10"` + callers},
		{"a length too long", source.Parse, []string{"10.0.0.0/33"}, `found "10.0.0.0/33"` + callers},
		{"a length below zero", source.Parse, []string{"10.0.0.0/-1"}, `found "10.0.0.0/-1"` + callers},
		{"a mask", source.Parse, []string{"10.0.0.0/255.0.0.0"}, `found "10.0.0.0/255.0.0.0"` + callers},
		{"a range", source.Parse, []string{"10.0.0.1-10.0.0.9"}, `found "10.0.0.1-10.0.0.9"` + callers},
		{"an address inside its network", source.Parse, []string{"10.1.2.3/8"}, `found "10.1.2.3/8" (that network is 10.0.0.0/8)` + callers},
		{"a mapped one", source.Parse, []string{"::ffff:10.1.2.3/104"}, `found "::ffff:10.1.2.3/104" (that network is 10.0.0.0/8)` + callers},
		{"several", source.Parse, []string{"a", "any", "b", "10.0.0.0/8", "c"}, `found "a", "b", "c"` + callers},
		{"a long one", source.Parse, []string{strings.Repeat("x", 99)}, `found "` + strings.Repeat("x", 64) + `"…` + callers},
		{"anyone as a proxy", source.ParseProxies, []string{"any", "10.0.0.0/8"}, `found "any"` + proxies},
		{"Customer.io as a proxy", source.ParseProxies, []string{"customerio"}, `found "customerio"` + proxies},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			l, err := tt.parse(tt.words)
			if err == nil || err.Error() != tt.want {
				t.Errorf("parse %q: %v\nwant %s", tt.words, err, tt.want)
			}
			if _, ok := l.Match(netip.MustParseAddr("10.0.0.1")); ok {
				t.Errorf("parse %q: the list lets someone in all the same", tt.words)
			}
		})
	}
}

func TestProxiesMayBeNearby(t *testing.T) {
	t.Parallel()

	l, err := source.ParseProxies([]string{"loopback", "10.0.0.0/8", "2001:db8::1"})
	if err != nil {
		t.Fatalf("ParseProxies: %v", err)
	}
	for _, addr := range []string{"127.0.0.1", "::1", "10.9.9.9", "2001:db8::1"} {
		if _, ok := l.Match(netip.MustParseAddr(addr)); !ok {
			t.Errorf("%s is not trusted", addr)
		}
	}
}
