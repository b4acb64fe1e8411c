package source_test

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"trivia/internal/source"
)

// contains is what a list should do, written as plainly as can be.
func contains(prefixes []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// FuzzGuardCheck holds that nobody is let in who is not on the list, whatever
// the headers say.
func FuzzGuardCheck(f *testing.F) {
	f.Add("198.51.100.7:4711", "", "", "")
	f.Add("203.0.113.1:4711", "198.51.100.7", "", "")
	f.Add("10.0.0.1:4711", "198.51.100.7, 10.0.0.2", "[2001:db8:2::1]:80", "198.51.100.7")
	f.Add("[::ffff:10.0.0.1]:1", "[2001:db8:1::7]:99 ,\t10.0.0.2:80 ", "10.0.0.3", "unknown,,")
	f.Add("[2001:db8:2::9%eth0]:1", "::ffff:198.51.100.7", ",", "10.0.0.1")

	var (
		allowed = []netip.Prefix{netip.MustParsePrefix("198.51.100.7/32"), netip.MustParsePrefix("2001:db8:1::/48")}
		trusted = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:2::/48")}

		callers   = parse(f, "198.51.100.7", "2001:db8:1::/48")
		proxies   = parse(f, "10.0.0.0/8", "2001:db8:2::/48")
		enforcing = source.NewGuard(callers, proxies, false)
		observing = source.NewGuard(callers, proxies, true)
	)

	f.Fuzz(func(t *testing.T, peer, left, right, spoofed string) {
		headers := []string{left, right}
		got, err := enforcing.Check(peer, headers)

		seen, observeErr := observing.Check(peer, headers)
		if observeErr != nil || seen.Observed != (err != nil) {
			t.Fatalf("Check(%q, %q) = %v; observing, it is %+v, %v", peer, headers, err, seen, observeErr)
		}

		// Headers are one list.
		joined, joinedErr := enforcing.Check(peer, []string{left + "," + right})
		if (err == nil) != (joinedErr == nil) || joined.Addr != got.Addr || !slices.Equal(joined.Via, got.Via) {
			t.Fatalf("Check(%q, %q) = %+v, %v; in one header, %+v, %v", peer, headers, got, err, joined, joinedErr)
		}

		if len(seen.Via) == 0 && !contains(trusted, seen.Addr) {
			if alone, _ := observing.Check(peer, nil); alone.Addr != seen.Addr || alone.Reason != seen.Reason {
				t.Fatalf("Check(%q, …) = %+v with %q, and %+v without", peer, seen, headers, alone)
			}
		}
		for _, hop := range seen.Via {
			if !contains(trusted, hop) {
				t.Fatalf("Check(%q, %q) saw through %s, which is no proxy of ours", peer, headers, hop)
			}
		}

		if err != nil {
			refusal, ok := errors.AsType[*source.Refusal](err)
			if !ok || !errors.Is(err, source.ErrForeign) || len(refusal.Addr) > 64 || refusal.Reason != seen.Reason {
				t.Fatalf("Check(%q, %q): %#v is no proper refusal", peer, headers, err)
			}

			return
		}

		if !contains(allowed, got.Addr) || got.Rule == "" {
			t.Fatalf("Check(%q, %q) lets in %+v, who is not on the list", peer, headers, got)
		}
		// A caller that is no proxy cannot be changed by what it claims itself.
		claimed, err := enforcing.Check(peer, []string{spoofed, left, right})
		if err != nil || claimed.Addr != got.Addr || !slices.Equal(claimed.Via, got.Via) {
			t.Fatalf("Check(%q, %q) = %+v, and %+v, %v with %q before it", peer, headers, got, claimed, err, spoofed)
		}
	})
}

// FuzzParse holds that a list matches what its prefixes contain, and nothing
// else.
func FuzzParse(f *testing.F) {
	f.Add("10.0.0.0/8 2001:db8::/32 192.0.2.1", "10.1.2.3")
	f.Add("::ffff:10.0.0.0/104", "::ffff:10.1.2.3")
	f.Add("::/0 0.0.0.0/0", "fe80::1%eth0")
	f.Add("::/1", "1.2.3.4")

	f.Fuzz(func(t *testing.T, words, text string) {
		l, err := source.Parse(strings.Fields(words))
		if err != nil {
			return
		}
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return
		}
		addr = addr.WithZone("").Unmap()

		want := false
		for word := range strings.FieldsSeq(words) {
			switch word {
			case "any", "loopback", "customerio":
				t.Skip()
			}
			if single, err := netip.ParseAddr(word); err == nil {
				want = want || single.Unmap() == addr

				continue
			}
			p := netip.MustParsePrefix(word)
			if p.Addr().Is4In6() && p.Bits() >= 96 {
				p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
			}
			want = want || p.Contains(addr)
		}

		rule, ok := l.Match(addr)
		if ok != want || ok && !slices.Contains(strings.Fields(words), rule) {
			t.Fatalf("Match(%s) in %q = %q, %t; want %t", addr, words, rule, ok, want)
		}
	})
}
