// Package source decides who may call, by address, and finds out whose address
// that is when proxies of our own stand in between.
package source

import (
	"errors"
	"net/netip"
	"sync/atomic"
)

// ErrForeign is what every error of [Guard.Check] is.
var ErrForeign = errors.New("request comes from a foreign address")

// The reasons of a [Refusal].
const (
	ReasonNotListed      = "not_listed"      // the caller is known, and not on the list
	ReasonUnreadablePeer = "unreadable_peer" // the connection has no IP address
	ReasonUnreadableHop  = "unreadable_hop"  // a trusted proxy names something that is no address
)

// A Refusal says why a caller was not let in. Its text is for our own eyes.
type Refusal struct { //nolint:errname // it is named after what it is for us: a refused request, with a reason
	Reason string
	Addr   string // the caller, or the text that could not be read; cut off if long
}

// Error returns one line with the reason and the address.
func (r *Refusal) Error() string { return ErrForeign.Error() + ": " + r.Reason + " " + show(r.Addr) }

// Is reports whether target is [ErrForeign].
func (*Refusal) Is(target error) bool { return target == ErrForeign }

// A Caller is who a request comes from.
type Caller struct {
	Addr     netip.Addr   // without a zone; IPv4 if it is IPv4-mapped
	Via      []netip.Addr // trusted proxies in between, the nearest to us first
	Rule     string       // what lets the caller in, as [List.Match] says
	Observed bool         // let in only because the guard observes
	Reason   string       // why it would have been refused, if Observed
}

// A Guard lets in who is on its list. It may be used from anywhere at once.
type Guard struct {
	lists   atomic.Pointer[lists]
	observe bool
}

// Lists are what a guard goes by. They change together: a proxy that is no
// longer trusted must not be let in for a moment as if it were a caller.
type lists struct{ allowed, trusted List }

// NewGuard returns a guard that lets in who is in allowed, seen through the
// proxies in trusted. One that observes lets in everyone, and says who would
// have been refused.
func NewGuard(allowed, trusted List, observe bool) *Guard {
	g := &Guard{observe: observe}
	g.SwapBoth(allowed, trusted)

	return g
}

// Swap replaces the list of who is let in.
func (g *Guard) Swap(allowed List) {
	for {
		before := g.lists.Load()
		if g.lists.CompareAndSwap(before, &lists{allowed, before.trusted}) {
			return
		}
	}
}

// SwapBoth replaces the list of who is let in, and that of the proxies who are
// seen through. A request is judged by both lists from before, or by both new
// ones.
func (g *Guard) SwapBoth(allowed, trusted List) { g.lists.Store(&lists{allowed, trusted}) }

// Check says who calls, given the address of the connection and every
// X-Forwarded-For header in the order in which they came. What the headers say
// is believed only as far as a trusted proxy says it: they are read from the
// right, until an address is none of ours. If all are, the last one read is
// the caller.
//
// Every error is a [*Refusal], and is [ErrForeign].
func (g *Guard) Check(remoteAddr string, forwardedFor []string) (Caller, error) {
	addr, ok := parseHop(remoteAddr)
	if !ok {
		return g.refuse(Caller{}, ReasonUnreadablePeer, remoteAddr)
	}
	caller := Caller{Addr: addr}
	by := g.lists.Load()

	hops := chain{headers: forwardedFor}
	for {
		if _, trusted := by.trusted.Match(caller.Addr); !trusted {
			break
		}
		text, more := hops.next()
		if !more {
			break
		}
		addr, ok := parseHop(text)
		if !ok {
			return g.refuse(caller, ReasonUnreadableHop, text)
		}
		caller.Via = append(caller.Via, caller.Addr)
		caller.Addr = addr
	}

	if caller.Rule, ok = by.allowed.Match(caller.Addr); !ok {
		return g.refuse(caller, ReasonNotListed, caller.Addr.String())
	}

	return caller, nil
}

// Trusts reports whether the other end of a connection is a proxy that is seen
// through.
func (g *Guard) Trusts(remoteAddr string) bool {
	addr, ok := parseHop(remoteAddr)
	if !ok {
		return false
	}
	_, trusted := g.lists.Load().trusted.Match(addr)

	return trusted
}

// refuse turns caller away, or lets it in with a remark.
func (g *Guard) refuse(caller Caller, reason, text string) (Caller, error) {
	if g.observe {
		caller.Observed, caller.Reason = true, reason

		return caller, nil
	}

	const most = 64
	if len(text) > most {
		text = text[:most]
	}

	return Caller{}, &Refusal{Reason: reason, Addr: text}
}
