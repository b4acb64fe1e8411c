package source

import (
	"net/netip"
	"strings"
)

// A chain reads the elements of several list headers from the right, and no
// further than it is asked to.
type chain struct {
	headers []string // not begun yet
	rest    string   // what is left of the one begun
	begun   bool
}

// next takes the rightmost element off the chain. A header without text holds
// one element, an empty one.
func (c *chain) next() (element string, ok bool) {
	if !c.begun {
		if len(c.headers) == 0 {
			return "", false
		}
		last := len(c.headers) - 1
		c.headers, c.rest = c.headers[:last], c.headers[last]
	}

	at := strings.LastIndexByte(c.rest, ',')
	element = strings.Trim(c.rest[at+1:], " \t")
	c.begun = at >= 0
	if c.begun {
		c.rest = c.rest[:at]
	}

	return element, true
}

// parseHop reads the forms in which addresses are written: 1.2.3.4,
// 1.2.3.4:567, 2001:db8::1, [2001:db8::1] and [2001:db8::1]:567.
func parseHop(text string) (netip.Addr, bool) {
	inner, opened := strings.CutPrefix(text, "[")
	inner, closed := strings.CutSuffix(inner, "]")

	if opened && closed {
		addr, err := netip.ParseAddr(inner)

		return plain(addr), err == nil && addr.Is6()
	}
	if opened || strings.Count(text, ":") == 1 {
		addr, err := netip.ParseAddrPort(text)

		return plain(addr.Addr()), err == nil
	}

	addr, err := netip.ParseAddr(text)

	return plain(addr), err == nil
}
