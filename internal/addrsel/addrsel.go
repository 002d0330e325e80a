// Package addrsel chooses source addresses (RFC 6724, 5), for both families by the same rules: an IPv4 address
// is one of ::ffff:0:0/96, as the RFC has it.
//
// Of the rules, 1 (same address), 2 (appropriate scope), 3 (avoid deprecated), 5 (outgoing interface, by the
// candidate set) and 8 (longest matching prefix) are here. Those about home addresses, labels, temporary
// addresses and announced prefixes, and the choice among destinations, are left out.
package addrsel

import (
	"math/bits"

	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/wire"
)

// Scope is how far an address reaches, in the order of RFC 6724, 3.1.
type Scope uint8

// The scopes, with the values of the multicast scope field (RFC 4291, 2.7).
const (
	InterfaceLocal Scope = 1
	LinkLocal      Scope = 2
	AdminLocal     Scope = 4
	SiteLocal      Scope = 5
	Organization   Scope = 8
	Global         Scope = 14
)

// ScopeOf returns the scope of a.
//
// RFC 6724, 3.2: "IPv4 auto-configuration addresses [RFC3927], which have the prefix 169.254/16, are assigned
// link-local scope. IPv4 loopback addresses …, which have the prefix 127/8, are assigned link-local scope …
// Other IPv4 addresses (including IPv4 private addresses …) are assigned global scope." 3.4: "The loopback
// address MUST be treated as having link-local scope".
func ScopeOf(a wire.Addr) Scope {
	switch {
	case a.IsMulticast() && !a.Is4():
		return Scope(a.Hi >> 48 & 0xf)
	case a.IsLinkLocalMulticast(), a.IsLinkLocal(), a.IsLoopback(), a == wire.Broadcast4:
		return LinkLocal
	case !a.Is4() && a.Hi>>54 == 0xfec0>>6: // RFC 6724, 3.1: the deprecated site-local unicast prefix
		return SiteLocal
	}
	return Global
}

// Result is what Source found.
type Result struct {
	Addr wire.Addr // the zero Addr: none
	// Tentative says that an address of sufficient scope is being verified, and Addr is none or of a smaller
	// scope than dst: waiting would give a better answer.
	Tentative bool
}

// Source chooses the address that packets to dst leave from.
//
// RFC 6724, 4: "it is RECOMMENDED that the candidate source addresses be the set of unicast addresses assigned
// to the interface that will be used to send to the destination (the 'outgoing' interface)." Only where out has
// none of the family, those of greater than link-local scope on other interfaces are candidates; on routers that
// is allowed, and hosts with an unnumbered interface have no other choice.
func Source(s *netif.Snapshot, dst wire.Addr, out *netif.Interface) Result {
	c := choice{dst: dst, scope: ScopeOf(dst)}
	for k := range out.Addrs {
		c.consider(&out.Addrs[k])
	}
	if c.best == nil && !c.tentative {
		for _, i := range s.Interfaces {
			for k := range i.Addrs {
				if i != out && ScopeOf(i.Addrs[k].Addr) > LinkLocal {
					c.consider(&i.Addrs[k])
				}
			}
		}
	}
	if c.best == nil {
		return Result{Tentative: c.tentative}
	}
	return Result{c.best.Addr, c.tentative && ScopeOf(c.best.Addr) < c.scope}
}

type choice struct {
	dst       wire.Addr
	scope     Scope // of dst
	best      *netif.Address
	tentative bool // an address that would do better than a too small one is tentative
}

func (c *choice) consider(a *netif.Address) {
	if a.Addr.Is4() != c.dst.Is4() {
		return
	}
	if !a.Assigned() { // RFC 6724, 4: a tentative address is not assigned (RFC 4862, 2), so not a candidate
		if a.State == netif.Tentative && (ScopeOf(a.Addr) >= c.scope || c.best == nil) {
			c.tentative = true
		}
		return
	}
	if c.best == nil || c.better(a, c.best) {
		c.best = a
	}
}

// better applies the rules of RFC 6724, 5 to SA = a and SB = b.
func (c *choice) better(a, b *netif.Address) bool {
	// Rule 1: Prefer same address.
	if a.Addr == c.dst || b.Addr == c.dst {
		return a.Addr == c.dst
	}
	// Rule 2: Prefer appropriate scope. "If Scope(SA) < Scope(SB): If Scope(SA) < Scope(D), then prefer SB and
	// otherwise prefer SA."
	if sa, sb := ScopeOf(a.Addr), ScopeOf(b.Addr); sa < sb {
		return sa >= c.scope
	} else if sb < sa {
		return sb < c.scope
	}
	// Rule 3: Avoid deprecated addresses.
	if a.State != b.State {
		return a.State == netif.Preferred
	}
	// Rule 8: Use longest matching prefix. Among equals the one added first stays.
	return common(a, c.dst) > common(b, c.dst)
}

// common returns CommonPrefixLen(S, D): "the length of the longest prefix (looking at the most significant, or
// leftmost, bits) that the two addresses have in common, up to the length of S's prefix" (RFC 6724, 2.2).
func common(s *netif.Address, d wire.Addr) int {
	n := bits.LeadingZeros64(s.Addr.Hi ^ d.Hi)
	if n == 64 {
		n += bits.LeadingZeros64(s.Addr.Lo ^ d.Lo)
	}
	limit := s.Bits
	if s.Addr.Is4() {
		limit += 96
	}
	return min(n, limit)
}
