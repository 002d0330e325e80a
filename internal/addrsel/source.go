package addrsel

import (
	"math/bits"

	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/wire"
)

// Query asks for the source of packets.
type Query struct {
	Dst     wire.Addr
	NextHop wire.Addr        // the neighbor they go to first: the zero Addr if not known
	Out     *netif.Interface // that they leave by
	Policy  *Policy
	Prefer  Preferences
}

// Preferences are what a socket wants of its source addresses (RFC 5014, 3).
type Preferences uint8

// The preferences. None leaves it to the interface: temporary addresses are preferred, unless it prefers public ones.
const (
	PreferTemporary Preferences = 1 << iota // IPV6_PREFER_SRC_TMP
	PreferPublic                            // IPV6_PREFER_SRC_PUBLIC
)

// Result is what Source found.
type Result struct {
	Addr wire.Addr // the zero Addr: none
	Rule Rule      // by which it is better than the closest contender
	// Tentative says that an address of sufficient scope is being verified, and Addr is none or of a smaller
	// scope than dst: waiting would give a better answer.
	Tentative bool
}

// Source chooses the address that packets leave from.
//
// RFC 6724, 4: "it is RECOMMENDED that the candidate source addresses be the set of unicast addresses assigned
// to the interface that will be used to send to the destination (the 'outgoing' interface)." Only where it
// has none of the family, or none of sufficient scope for a unicast destination, those of greater than link-local scope on other
// interfaces of its VRF are candidates; on routers that is allowed, and hosts with an unnumbered interface have no other choice.
//
// RFC 7084, 4.2, WAA-9: "When originating packets from an interface, it will use a source address from another one of its
// interfaces if the outgoing interface does not have an address of suitable scope."
func Source(s *netif.Snapshot, q *Query) Result {
	c := choice{Query: q, scope: ScopeOf(q.Dst), label: q.Policy.label(q.Dst)}
	for k := range q.Out.Addrs {
		c.consider(q.Out, &q.Out.Addrs[k])
	}
	if !c.tentative && (c.best == nil || ScopeOf(c.best.Addr) < c.scope && !q.Dst.IsMulticast()) {
		for _, i := range s.Interfaces {
			for k := range i.Addrs {
				if i != q.Out && i.VRF == q.Out.VRF && ScopeOf(i.Addrs[k].Addr) > LinkLocal {
					c.consider(i, &i.Addrs[k])
				}
			}
		}
	}
	if c.best == nil {
		return Result{Tentative: c.tentative}
	}
	return Result{c.best.Addr, c.rule, c.tentative && ScopeOf(c.best.Addr) < c.scope}
}

type choice struct {
	*Query
	scope     Scope // of Dst
	label     int   // of Dst
	best      *netif.Address
	on        *netif.Interface // that has best
	rule      Rule
	tentative bool // an address that would do better than a too small one is tentative
}

// candidate reports whether a is in the set to choose from.
//
// RFC 6724, 4: "In any case, multicast addresses and the unspecified address MUST NOT be included in a candidate set"; RFC
// 4291, 2.6, keeps anycast addresses out.
func (c *choice) candidate(a *netif.Address) bool {
	return a.Addr.Is4() == c.Dst.Is4() && a.Assigned() && !a.Anycast
}

func (c *choice) consider(i *netif.Interface, a *netif.Address) {
	if !c.candidate(a) {
		// A tentative address is not assigned (RFC 4862, 2), so not a candidate.
		if a.Addr.Is4() == c.Dst.Is4() && a.State == netif.Tentative && (ScopeOf(a.Addr) >= c.scope || c.best == nil) {
			c.tentative = true
		}
		return
	}
	if c.best == nil {
		c.best, c.on = a, i
		return
	}
	// The rules are an order, so the closest contender is who lost by the last of them.
	better, rule := c.better(i, a)
	if better {
		c.best, c.on, c.rule = a, i, rule
	} else {
		c.rule = max(c.rule, rule)
	}
}

// better applies the rules of RFC 6724, 5, to SA = a on the interface i, and SB = c.best, which was considered before.
func (c *choice) better(i *netif.Interface, a *netif.Address) (bool, Rule) {
	b := c.best
	// Rule 1: "If SA = D, then prefer SA."
	if a.Addr == c.Dst || b.Addr == c.Dst {
		return a.Addr == c.Dst, SameAddress
	}
	// Rule 2: "If Scope(SA) < Scope(SB): If Scope(SA) < Scope(D), then prefer SB and otherwise prefer SA."
	if sa, sb := ScopeOf(a.Addr), ScopeOf(b.Addr); sa < sb {
		return sa >= c.scope, AppropriateScope
	} else if sb < sa {
		return sb < c.scope, AppropriateScope
	}
	// Rule 3: "If one of the two source addresses is 'preferred' and one of them is 'deprecated' (in the RFC 4862 sense), then
	// prefer the one that is 'preferred'." RFC 4429, 3.1, has optimistic addresses treated like deprecated ones.
	if pa, pb := preferred(a), preferred(b); pa != pb {
		return pa, AvoidDeprecated
	}
	// Rule 5: "If SA is assigned to the interface that will be used to send to D and SB is assigned to a different
	// interface, then prefer SA."
	if (i == c.Out) != (c.on == c.Out) {
		return i == c.Out, OutgoingIf
	}
	// Rule 5.5: "If SA or SA's prefix is assigned by the selected next-hop that will be used to send to D and SB or SB's
	// prefix is assigned by a different next-hop, then prefer SA."
	if na, nb := c.ofNextHop(i, a), c.ofNextHop(c.on, b); na != nb {
		return na, NextHopPrefix
	}
	// Rule 6: "If Label(SA) = Label(D) and Label(SB) <> Label(D), then prefer SA."
	if la, lb := c.Policy.label(a.Addr) == c.label, c.Policy.label(b.Addr) == c.label; la != lb {
		return la, MatchingLabel
	}
	// Rule 7: "If SA is a temporary address and SB is a public address, then prefer SA." The other way round where that
	// is asked for.
	if a.Temporary != b.Temporary {
		return a.Temporary != c.public(), TemporaryAddress
	}
	// Rule 8: "If CommonPrefixLen(SA, D) > CommonPrefixLen(SB, D), then prefer SA."
	if ca, cb := common(a, c.Dst), common(b, c.Dst); ca != cb {
		return ca > cb, LongestPrefix
	}
	return false, FirstSource
}

func preferred(a *netif.Address) bool { return a.State == netif.Preferred && !a.Optimistic }

// public reports whether public addresses are preferred to temporary ones.
func (c *choice) public() bool {
	switch c.Prefer {
	case PreferPublic:
		return true
	case PreferTemporary:
		return false
	}
	return c.Out.PreferPublic
}

// ofNextHop reports whether the next hop has advertised a prefix that a is in. IPv4 routers advertise none; one that is in
// the subnet of an address is taken to have assigned it, as Linux does.
func (c *choice) ofNextHop(i *netif.Interface, a *netif.Address) bool {
	if c.NextHop == (wire.Addr{}) || c.NextHop == c.Dst {
		return false
	}
	if a.Addr.Is4() {
		return a.Prefix().Contains(c.NextHop.Netip())
	}
	for k := range i.Advertised {
		if p := &i.Advertised[k]; p.Router == c.NextHop && p.Prefix.Contains(a.Addr.Netip()) {
			return true
		}
	}
	return false
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
