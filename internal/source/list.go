package source

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// The words that stand for several addresses.
const (
	wordCustomerIO = "customerio" // both regions' published addresses
	wordLoopback   = "loopback"
	wordAny        = "any"
)

// A List is a set of addresses. The zero value is empty. A List never changes,
// so it may be used from anywhere at once.
type List struct {
	rules map[netip.Prefix]string // the word that brought each prefix in
	kinds []kind                  // which lengths occur, longest first
}

// A kind is what has to be known about a prefix to cut it out of an address.
type kind struct {
	is4  bool
	bits int
}

// Parse reads addresses, CIDRs, and the words customerio, loopback and any.
// Its error names every word that is none of these, and what was expected.
func Parse(words []string) (List, error) {
	return parse(words, wordCustomerIO, wordLoopback, wordAny)
}

// ParseProxies is [Parse] without the words customerio and any: in a list of
// proxies they would let strangers say who they are.
func ParseProxies(words []string) (List, error) {
	return parse(words, wordLoopback)
}

func parse(words []string, known ...string) (List, error) {
	l := List{rules: make(map[netip.Prefix]string, len(words))}

	var bad []string
	for _, word := range words {
		if slices.Contains(known, word) {
			l.addWord(word)

			continue
		}

		p, hint := parsePrefix(word)
		if !p.IsValid() {
			bad = append(bad, show(word)+hint)

			continue
		}
		l.add(p, word)
	}
	if bad != nil {
		return List{}, fmt.Errorf("found %s, expected addresses, CIDRs, or: %s",
			strings.Join(bad, ", "), strings.Join(known, ", "))
	}

	return l, nil
}

// parsePrefix reads an address or a CIDR, or returns the zero prefix and a
// hint. An IPv4-mapped one counts as IPv4, as in [List.Match].
func parsePrefix(word string) (p netip.Prefix, hint string) {
	if addr, err := netip.ParseAddr(word); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()

		return netip.PrefixFrom(addr, addr.BitLen()), ""
	}

	p, err := netip.ParsePrefix(word)
	if err != nil {
		return netip.Prefix{}, ""
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	if whole := p.Masked(); whole != p {
		return netip.Prefix{}, fmt.Sprintf(" (that network is %s)", whole)
	}

	return p, ""
}

// addWord adds what word stands for.
func (l *List) addWord(word string) {
	switch word {
	case wordCustomerIO:
		for _, text := range customerIO() {
			l.add(netip.PrefixFrom(netip.MustParseAddr(text), 32), word+" "+text)
		}
	case wordLoopback:
		l.add(netip.MustParsePrefix("127.0.0.0/8"), word)
		l.add(netip.MustParsePrefix("::1/128"), word)
	case wordAny:
		l.add(netip.MustParsePrefix("0.0.0.0/0"), word)
		l.add(netip.MustParsePrefix("::/0"), word)
	}
}

// add adds p. The first word that brings it in is the one that is shown.
func (l *List) add(p netip.Prefix, rule string) {
	if _, ok := l.rules[p]; ok {
		return
	}
	l.rules[p] = rule

	k := kind{is4: p.Addr().Is4(), bits: p.Bits()}
	longestFirst := func(a, b kind) int { return b.bits - a.bits }
	if at, _ := slices.BinarySearchFunc(l.kinds, k, longestFirst); !slices.Contains(l.kinds, k) {
		l.kinds = slices.Insert(l.kinds, at, k)
	}
}

// Match returns the word of the list that lets addr in, the most specific one
// if there are several: "customerio 35.188.196.183", "10.0.0.0/8", "loopback",
// "any". A zone is ignored, and an IPv4-mapped address counts as IPv4.
func (l List) Match(addr netip.Addr) (rule string, ok bool) {
	addr = plain(addr)

	for _, k := range l.kinds {
		if k.is4 != addr.Is4() {
			continue
		}
		// One look-up for each length that occurs, however long the list is. An
		// address that is not valid has no prefix, and the zero prefix is in no list.
		p, _ := addr.Prefix(k.bits)
		if rule, ok := l.rules[p]; ok {
			return rule, true
		}
	}

	return "", false
}

// plain returns addr without a zone, and as IPv4 if it is that.
func plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

// show quotes text that came from outside, and cuts it off where it would fill
// a screen.
func show(text string) string {
	const most = 64
	if len(text) > most {
		return strconv.Quote(text[:most]) + "…"
	}

	return strconv.Quote(text)
}
