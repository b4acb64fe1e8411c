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
	told  []Rule                  // the same for people, as they came
}

// A Rule is one address or network of a [List], and why it is there.
type Rule struct {
	Word    string // of the setting
	Network string // an address or a CIDR
	Region  string // us or eu, if Word stands for Customer.io's lists
}

// A kind is what has to be known about a prefix to cut it out of an address.
type kind struct {
	is4  bool
	bits int
}

// Parse reads addresses, CIDRs, and the words customerio, loopback and any.
// Its error names every word that is none of these, and what was expected.
func Parse(words []string) (List, error) {
	return parse(words, Published{}, wordCustomerIO, wordLoopback, wordAny)
}

// ParseWith is [Parse], where customerio stands for what is published in place
// of that region's built-in list. What is published is judged once more.
func ParseWith(words []string, published Published) (List, error) {
	addresses, err := Judge(published.Addresses)
	if err != nil {
		return List{}, err
	}
	published.Addresses = addresses

	return parse(words, published, wordCustomerIO, wordLoopback, wordAny)
}

// ParseProxies is [Parse] without the words customerio and any: in a list of
// proxies they would let strangers say who they are.
func ParseProxies(words []string) (List, error) {
	return parse(words, Published{}, wordLoopback)
}

func parse(words []string, published Published, known ...string) (List, error) {
	l := List{rules: make(map[netip.Prefix]string, len(words))}

	var bad []string
	for _, word := range words {
		if slices.Contains(known, word) {
			l.addWord(word, published)

			continue
		}

		p, hint := parsePrefix(word)
		if !p.IsValid() {
			bad = append(bad, show(word)+hint)

			continue
		}
		l.add(p, word, Rule{Word: word})
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
func (l *List) addWord(word string, published Published) {
	switch word {
	case wordCustomerIO:
		for _, region := range []string{regionUS, regionEU} {
			for _, address := range published.of(region) {
				p, _ := parsePrefix(address) // built in, or judged
				l.add(p, word+" "+address, Rule{Word: word, Region: region})
			}
		}
	case wordLoopback:
		l.add(netip.MustParsePrefix("127.0.0.0/8"), word, Rule{Word: word})
		l.add(netip.MustParsePrefix("::1/128"), word, Rule{Word: word})
	case wordAny:
		l.add(netip.MustParsePrefix("0.0.0.0/0"), word, Rule{Word: word})
		l.add(netip.MustParsePrefix("::/0"), word, Rule{Word: word})
	}
}

// add adds p. The first word that brings it in is the one that is shown.
func (l *List) add(p netip.Prefix, shown string, rule Rule) {
	if _, ok := l.rules[p]; ok {
		return
	}
	l.rules[p] = shown
	rule.Network = text(p)
	l.told = append(l.told, rule)

	k := kind{is4: p.Addr().Is4(), bits: p.Bits()}
	longestFirst := func(a, b kind) int { return b.bits - a.bits }
	if at, _ := slices.BinarySearchFunc(l.kinds, k, longestFirst); !slices.Contains(l.kinds, k) {
		l.kinds = slices.Insert(l.kinds, at, k)
	}
}

// Rules returns what is in the list, as the words brought it in. What two words
// bring in is there once.
func (l List) Rules() []Rule { return slices.Clone(l.told) }

// Canonical reads an address as people paste it, also with a port, and returns
// its usual form, without a zone.
func Canonical(address string) (string, error) {
	addr, ok := parseHop(address)
	if !ok {
		return "", fmt.Errorf("%s is no IP address", show(address))
	}

	return addr.String(), nil
}

// Find is [List.Match] for an address as text. What is no address is not found.
func (l List) Find(address string) (rule string, ok bool) {
	addr, ok := parseHop(address)
	if !ok {
		return "", false
	}

	return l.Match(addr)
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
