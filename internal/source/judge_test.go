package source_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/source"
)

func TestJudgeTakesPublicAddresses(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name    string
		entries string
		want    string
	}{
		{"one address", "34.1.2.3", "34.1.2.3"},
		{"sorted by number", "104.1.1.1 34.1.2.3 34.1.2.20 34.1.2.4", "34.1.2.3 34.1.2.4 34.1.2.20 104.1.1.1"},
		{"both families", "2600:1900::1 34.1.2.3", "34.1.2.3 2600:1900::1"},
		{"a small network", "34.1.2.0/24 34.9.0.0/30", "34.1.2.0/24 34.9.0.0/30"},
		{"a small IPv6 network", "2600:1900:4000::/48", "2600:1900:4000::/48"},
		{"the same one twice", "34.1.2.3 34.1.2.4 34.1.2.3", "34.1.2.3 34.1.2.4"},
		{"the same one in other words", "34.1.2.3/32 ::ffff:34.1.2.3 34.1.2.3", "34.1.2.3"},
		{"IPv6 at length", "2600:1900:0000:0:0:0:0:00Ab", "2600:1900::ab"},
		{
			"beside what is reserved", "9.255.255.255 11.0.0.0 100.63.255.255 172.32.0.0 192.0.3.0 223.255.255.255 2001:200::",
			"9.255.255.255 11.0.0.0 100.63.255.255 172.32.0.0 192.0.3.0 223.255.255.255 2001:200::",
		},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			got, err := source.Judge(strings.Fields(tt.entries))
			if err != nil || strings.Join(got, " ") != tt.want {
				t.Errorf("Judge(%q) = %q, %v, want %q", tt.entries, got, err, tt.want)
			}
		})
	}
}

func TestJudgeRefusesTheWholeListForOneBadEntry(t *testing.T) {
	t.Parallel()

	const absurd = "entry 2 of the list, %q, cannot be where Customer.io calls from: %s"

	tests := []struct{ entry, why string }{
		{"0.0.0.0", "it is in 0.0.0.0/8, which means no address"},
		{"10.1.2.3", "it is in 10.0.0.0/8, which is private"},
		{"10.1.2.0/24", "it is in 10.0.0.0/8, which is private"},
		{"100.64.0.1", "it is in 100.64.0.0/10, which providers use inside"},
		{"127.0.0.1", "it is in 127.0.0.0/8, which is loopback"},
		{"169.254.169.254", "it is in 169.254.0.0/16, which is link-local"},
		{"172.31.255.255", "it is in 172.16.0.0/12, which is private"},
		{"192.168.1.1", "it is in 192.168.0.0/16, which is private"},
		{"192.0.2.1", "it is in 192.0.2.0/24, which is for documentation"},
		{"198.18.0.1", "it is in 198.18.0.0/15, which is for benchmarks"},
		{"203.0.113.9", "it is in 203.0.113.0/24, which is for documentation"},
		{"224.0.0.1", "it is in 224.0.0.0/4, which is multicast"},
		{"255.255.255.255", "it is in 240.0.0.0/4, which is reserved"},
		{"::ffff:10.0.0.1", "it is in 10.0.0.0/8, which is private"},
		{"::", "it is in ::/128, which means no address"},
		{"::1", "it is in ::1/128, which is loopback"},
		{"64:ff9b::a00:1", "it is in 64:ff9b::/96, which wraps IPv4"},
		{"2001:db8::1", "it is in 2001:db8::/32, which is for documentation"},
		{"2002:a00:1::", "it is in 2002::/16, which wraps IPv4"},
		{"fd00::1", "it is in fc00::/7, which is private"},
		{"fe80::1", "it is in fe80::/10, which is link-local"},
		{"ff02::1", "it is in ff00::/8, which is multicast"},
		{"4000::1", "it is outside of 2000::/3, the public part of IPv6"},
		{"::7f00:1", "it is outside of 2000::/3, the public part of IPv6"},
		{"0.0.0.0/0", "it is wider than a /24"},
		{"34.1.2.0/23", "it is wider than a /24"},
		{"::ffff:34.0.0.0/104", "it is wider than a /24"},
		{"::/0", "it is wider than a /48"},
		{"2600:1900::/47", "it is wider than a /48"},
	}
	for _, tt := range tests {
		t.Run(tt.entry, func(t *testing.T) {
			t.Parallel()

			got, err := source.Judge([]string{"34.1.2.3", tt.entry, "34.1.2.4"})
			if want := fmt.Sprintf(absurd, tt.entry, tt.why); err == nil || err.Error() != want || got != nil {
				t.Errorf("Judge(%q) = %q, %v\nwant %s", tt.entry, got, err, want)
			}
		})
	}
}

func TestJudgeRefusesWhatIsNoAddress(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct{ entry, want string }{
		{"", `entry 2 of the list, "", is no address and no network`},
		{"any", `entry 2 of the list, "any", is no address and no network`},
		{"customerio", `entry 2 of the list, "customerio", is no address and no network`},
		{"34.1.2.3:443", `entry 2 of the list, "34.1.2.3:443", is no address and no network`},
		{" 34.1.2.3", `entry 2 of the list, " 34.1.2.3", is no address and no network`},
		{"34.01.2.3", `entry 2 of the list, "34.01.2.3", is no address and no network`},
		{"2600:1900::1%eth0", `entry 2 of the list, "2600:1900::1%eth0", is no address and no network`},
		{"34.1.2.3/24", `entry 2 of the list, "34.1.2.3/24", is no address and no network (that network is 34.1.2.0/24)`},
		{"\x1b[31m" + strings.Repeat("x", 99), `entry 2 of the list, "\x1b[31m` + strings.Repeat("x", 59) + `"…, is no address and no network`},
	} {
		if got, err := source.Judge([]string{"34.1.2.3", tt.entry}); err == nil || err.Error() != tt.want || got != nil {
			t.Errorf("Judge(%q) = %q, %v\nwant %s", tt.entry, got, err, tt.want)
		}
	}
}

func TestJudgeRefusesTooFewAndTooMany(t *testing.T) {
	t.Parallel()

	for _, none := range [][]string{nil, {}} {
		if _, err := source.Judge(none); err == nil || err.Error() != "the list is empty" {
			t.Errorf("Judge(%#v) = %v, want that it is empty", none, err)
		}
	}

	many := make([]string, 1001)
	for i := range many {
		many[i] = fmt.Sprintf("34.1.%d.%d", i/256, i%256)
	}
	if got, err := source.Judge(many[:1000]); err != nil || len(got) != 1000 {
		t.Errorf("Judge of 1000 = %d entries, %v, want all", len(got), err)
	}
	if _, err := source.Judge(many); err == nil || err.Error() != "the list has 1001 entries, at most 1000 can be meant" {
		t.Errorf("Judge of 1001 = %v, want that these are too many", err)
	}
}

func TestWhatIsBuiltInPassesItsOwnJudge(t *testing.T) {
	t.Parallel()

	for region, n := range map[string]int{"us": 14, "eu": 10} {
		got, err := source.Judge(source.BuiltIn(region))
		if err != nil || len(got) != n || !slices.Equal(got, source.BuiltIn(region)) {
			t.Errorf("Judge(BuiltIn(%s)) = %q, %v; want it as it is, %d addresses", region, got, err, n)
		}
	}
	if got := source.BuiltIn("moon"); got != nil {
		t.Errorf("BuiltIn(moon) = %q, want nothing", got)
	}
}

func TestAPublishedListTakesThePlaceOfItsRegion(t *testing.T) {
	t.Parallel()

	const us, eu = "35.188.196.183", "34.76.143.229"
	l, err := source.ParseWith([]string{"10.0.0.0/8", "customerio", "35.9.9.9"}, source.Published{
		Region: "us", Addresses: []string{"35.9.9.9", "35.8.8.0/24"},
	})
	if err != nil {
		t.Fatal(err)
	}

	for address, want := range map[string]string{
		"35.9.9.9": "customerio 35.9.9.9", "35.8.8.77": "customerio 35.8.8.0/24", eu: "customerio " + eu,
		"10.1.1.1": "10.0.0.0/8", us: "", "nonsense": "", "[35.9.9.9]": "", "35.9.9.9:443": "customerio 35.9.9.9",
	} {
		if rule, ok := l.Find(address); rule != want || ok != (want != "") {
			t.Errorf("Find(%s) = %q, %t; want %q", address, rule, ok, want)
		}
	}

	rules := l.Rules()
	want := []source.Rule{
		{Word: "10.0.0.0/8", Network: "10.0.0.0/8"},
		{Word: "customerio", Network: "35.8.8.0/24", Region: "us"},
		{Word: "customerio", Network: "35.9.9.9", Region: "us"},
		{Word: "customerio", Network: "34.76.143.229", Region: "eu"},
	}
	if diff := cmp.Diff(want, rules[:4]); diff != "" || len(rules) != 3+10 {
		t.Errorf("%d rules, of which the first (-want +got):\n%s", len(rules), diff)
	}
}

func TestAPublishedListIsJudgedAgain(t *testing.T) {
	t.Parallel()

	for _, addresses := range [][]string{nil, {"0.0.0.0/0"}, {"35.9.9.9", "10.0.0.1"}} {
		l, err := source.ParseWith([]string{"customerio"}, source.Published{Region: "us", Addresses: addresses})
		if err == nil || len(l.Rules()) != 0 {
			t.Errorf("ParseWith(%q) = %d rules, %v; want none", addresses, len(l.Rules()), err)
		}
	}
	if _, err := source.ParseWith([]string{"elsewhere"}, source.Published{Region: "eu", Addresses: []string{"35.9.9.9"}}); err == nil {
		t.Error("ParseWith takes any word")
	}
}

func TestDifferenceNamesWhatCameAndWent(t *testing.T) {
	t.Parallel()

	came, gone := source.Difference([]string{"a", "b", "c"}, []string{"c", "d", "a"})
	if !slices.Equal(came, []string{"d"}) || !slices.Equal(gone, []string{"b"}) {
		t.Errorf("Difference = %q, %q; want d, b", came, gone)
	}
	if came, gone := source.Difference([]string{"a"}, []string{"a"}); came != nil || gone != nil {
		t.Errorf("Difference = %q, %q; want none", came, gone)
	}
}

func TestCanonicalReadsWhatPeoplePaste(t *testing.T) {
	t.Parallel()

	for pasted, want := range map[string]string{
		"35.9.9.9": "35.9.9.9", "35.9.9.9:443": "35.9.9.9", "::ffff:35.9.9.9": "35.9.9.9", "[2600:1900:0::1]:80": "2600:1900::1",
		"fe80::1%eth0": "fe80::1", "": "", "35.9.9.0/24": "", "example.com": "", "35.9.9": "", "[35.9.9.9]": "",
	} {
		got, err := source.Canonical(pasted)
		if (err == nil) != (want != "") || err == nil && got != want {
			t.Errorf("Canonical(%q) = %q, %v; want %q", pasted, got, err, want)
		}
	}
}

// FuzzJudge holds that what is taken lets in public addresses only, and is
// taken again as it is.
func FuzzJudge(f *testing.F) {
	f.Add("34.1.2.3 34.1.2.0/24 2600:1900::1 ::ffff:34.1.2.3")
	f.Add("10.0.0.1 0.0.0.0/0 ::/0")
	f.Add("::ffff:0.0.0.0/96 2001:db8::/48 64:ff9b::a00:1")

	f.Fuzz(func(t *testing.T, entries string) {
		got, err := source.Judge(strings.Fields(entries))
		if err != nil {
			return
		}

		again, err := source.Judge(got)
		if err != nil || !slices.Equal(got, again) || len(got) == 0 {
			t.Fatalf("Judge(%q) = %q, and of that %q, %v", entries, got, again, err)
		}
		l, err := source.ParseWith([]string{"customerio"}, source.Published{Region: "us", Addresses: got})
		if err != nil {
			t.Fatalf("ParseWith(%q): %v", got, err)
		}
		for _, r := range l.Rules() {
			p, err := netip.ParsePrefix(r.Network)
			if err != nil {
				p = netip.PrefixFrom(netip.MustParseAddr(r.Network), netip.MustParseAddr(r.Network).BitLen())
			}
			if a := p.Addr(); !a.IsGlobalUnicast() || a.IsPrivate() || a.Is4In6() || p.Bits() < 24 || a.Is6() && p.Bits() < 48 {
				t.Fatalf("Judge(%q) lets in %s", entries, p)
			}
		}
		for _, addr := range []string{"0.0.0.0", "10.0.0.1", "127.0.0.1", "::1", "192.168.0.1", "169.254.169.254", "fd00::1"} {
			if rule, ok := l.Find(addr); ok {
				t.Fatalf("Judge(%q) lets in %s by %s", entries, addr, rule)
			}
		}
	})
}
