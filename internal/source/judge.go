package source

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
)

// What Customer.io may publish at most. It is a few dozen addresses.
const (
	mostPublished = 1000
	widest4       = 24 // the shortest prefix of an IPv4 network
	widest6       = 48 // and of an IPv6 network
)

// Judge says whether entries can be the addresses that Customer.io calls from:
// public addresses, or small networks of them. It returns them sorted, in their
// usual form, each once. One bad entry spoils them all, and the error names it:
// who publishes one is mistaken about the others, too.
func Judge(entries []string) ([]string, error) {
	switch {
	case len(entries) == 0:
		return nil, errors.New("the list is empty")
	case len(entries) > mostPublished:
		return nil, fmt.Errorf("the list has %d entries, at most %d can be meant", len(entries), mostPublished)
	}

	all := make([]netip.Prefix, len(entries))
	for i, entry := range entries {
		p, hint := parsePrefix(entry)
		if !p.IsValid() {
			return nil, fmt.Errorf("entry %d of the list, %s, is no address and no network%s", i+1, show(entry), hint)
		}
		if why := absurd(p); why != "" {
			return nil, fmt.Errorf("entry %d of the list, %s, cannot be where Customer.io calls from: %s", i+1, show(entry), why)
		}
		all[i] = p
	}
	slices.SortFunc(all, netip.Prefix.Compare)

	judged := make([]string, 0, len(all))
	for _, p := range slices.Compact(all) {
		judged = append(judged, text(p))
	}

	return judged, nil
}

// text writes a network of one address as that address.
func text(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}

	return p.String()
}

// absurd says why nobody on the internet can call from p, or why p is more
// than anybody would list; or nothing.
func absurd(p netip.Prefix) string {
	is4 := p.Addr().Is4()
	if is4 && p.Bits() < widest4 || !is4 && p.Bits() < widest6 {
		return fmt.Sprintf("it is wider than a /%d", map[bool]int{true: widest4, false: widest6}[is4])
	}
	for _, r := range reserved() {
		if network := netip.MustParsePrefix(r.network); p.Overlaps(network) {
			return "it is in " + r.network + ", " + r.use
		}
	}
	if !is4 && !netip.MustParsePrefix("2000::/3").Overlaps(p) {
		return "it is outside of 2000::/3, the public part of IPv6"
	}

	return ""
}

type reservation struct{ network, use string }

// reserved returns the networks that no public address is in, by the IANA's
// registries of special-purpose addresses. Those whose addresses only wrap
// others are among them.
func reserved() []reservation {
	return []reservation{
		{"0.0.0.0/8", "which means no address"},
		{"10.0.0.0/8", "which is private"},
		{"100.64.0.0/10", "which providers use inside"},
		{"127.0.0.0/8", "which is loopback"},
		{"169.254.0.0/16", "which is link-local"},
		{"172.16.0.0/12", "which is private"},
		{"192.0.0.0/24", "which is reserved"},
		{"192.0.2.0/24", "which is for documentation"},
		{"192.88.99.0/24", "which is reserved"},
		{"192.168.0.0/16", "which is private"},
		{"198.18.0.0/15", "which is for benchmarks"},
		{"198.51.100.0/24", "which is for documentation"},
		{"203.0.113.0/24", "which is for documentation"},
		{"224.0.0.0/4", "which is multicast"},
		{"240.0.0.0/4", "which is reserved"},

		{"::/128", "which means no address"},
		{"::1/128", "which is loopback"},
		{"64:ff9b::/96", "which wraps IPv4"},
		{"64:ff9b:1::/48", "which is private"},
		{"100::/64", "which discards"},
		{"2001::/23", "which is reserved"},
		{"2001:db8::/32", "which is for documentation"},
		{"2002::/16", "which wraps IPv4"},
		{"3fff::/20", "which is for documentation"},
		{"fc00::/7", "which is private"},
		{"fe80::/10", "which is link-local"},
		{"ff00::/8", "which is multicast"},
	}
}
