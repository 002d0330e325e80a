package addrsel

import (
	"slices"

	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/wire"
)

// Destination is an address to sort, and what packets to it would leave from.
type Destination struct {
	Addr   wire.Addr
	Source *netif.Address // nil: it cannot be reached, or there is no source
	Rule   Rule           // set by Sort: by which it stands behind the one before it; NoRule: it is the first
	Index  int            // the caller's
}

// Sort puts the destinations in the order they are best tried in, by the rules of RFC 6724, 6.
func Sort(p *Policy, ds []Destination) {
	slices.SortStableFunc(ds, func(a, b Destination) int {
		order, _ := compare(p, &a, &b)
		return order
	})
	for i := range ds {
		ds[i].Rule = NoRule
		if i > 0 {
			_, ds[i].Rule = compare(p, &ds[i-1], &ds[i])
		}
	}
}

// compare applies the rules to DA and DB: it is negative if DA is preferred.
func compare(p *Policy, a, b *Destination) (int, Rule) {
	// Rule 1: "If DB is known to be unreachable or if Source(DB) is undefined, then prefer DA."
	if a.Source == nil || b.Source == nil {
		if a.Source == nil && b.Source == nil {
			return 0, DestOrder
		}
		return first(a.Source != nil), DestUsable
	}
	// Rule 2: "If Scope(DA) = Scope(Source(DA)) and Scope(DB) <> Scope(Source(DB)), then prefer DA."
	sa, sb := ScopeOf(a.Addr), ScopeOf(b.Addr)
	if ma, mb := sa == ScopeOf(a.Source.Addr), sb == ScopeOf(b.Source.Addr); ma != mb {
		return first(ma), DestScope
	}
	// Rule 3: "If Source(DA) is deprecated and Source(DB) is not, then prefer DB."
	if pa, pb := preferred(a.Source), preferred(b.Source); pa != pb {
		return first(pa), DestDeprecated
	}
	pa, la := p.Of(a.Addr)
	pb, lb := p.Of(b.Addr)
	// Rule 5: "If Label(Source(DA)) = Label(DA) and Label(Source(DB)) <> Label(DB), then prefer DA."
	if ma, mb := p.label(a.Source.Addr) == la, p.label(b.Source.Addr) == lb; ma != mb {
		return first(ma), DestLabel
	}
	// Rule 6: "If Precedence(DA) > Precedence(DB), then prefer DA."
	if pa != pb {
		return pb - pa, DestPrecedence
	}
	// Rule 8: "If Scope(DA) < Scope(DB), then prefer DA."
	if sa != sb {
		return int(sa) - int(sb), DestSmaller
	}
	// Rule 9: "When DA and DB belong to the same address family … If CommonPrefixLen(Source(DA), DA) >
	// CommonPrefixLen(Source(DB), DB), then prefer DA."
	if a.Addr.Is4() == b.Addr.Is4() {
		if ca, cb := common(a.Source, a.Addr), common(b.Source, b.Addr); ca != cb {
			return cb - ca, DestLongest
		}
	}
	// Rule 10: "Otherwise, leave the order unchanged."
	return 0, DestOrder
}

func first(a bool) int {
	if a {
		return -1
	}
	return 1
}
