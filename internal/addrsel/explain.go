package addrsel

import (
	"fmt"

	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/wire"
)

// Candidate is an address that Source weighed, or could not, and why it was not chosen.
type Candidate struct {
	If   *netif.Interface
	Addr *netif.Address
	Rule Rule // by which the chosen one is preferred; NoRule: this is the chosen one, or it is Barred

	// Has is what this address has of what Rule compares, Chosen what the chosen one has: "deprecated" and "preferred".
	Has, Chosen string
	Barred      string // why it was no candidate at all; empty: it was one
}

// Candidates returns the addresses that Source chose among, in their order, each with the rule by which the chosen one is
// better, and among them those of the family on q.Out that are not in the candidate set, with the reason. It
// allocates: it is for those who want to know why.
func Candidates(s *netif.Snapshot, q *Query) []Candidate {
	chosen := Source(s, q).Addr
	c := choice{Query: q, scope: ScopeOf(q.Dst), label: q.Policy.label(q.Dst)}
	ifs := s.Interfaces
	if chosen == (wire.Addr{}) || q.Out.Address(chosen) != nil {
		ifs = []*netif.Interface{q.Out}
	}
	var all []Candidate
	for _, i := range ifs {
		for k := range i.Addrs {
			a := &i.Addrs[k]
			if a.Addr.Is4() != q.Dst.Is4() || i != q.Out && (i.VRF != q.Out.VRF || ScopeOf(a.Addr) <= LinkLocal || !c.candidate(a)) {
				continue
			}
			if a.Addr == chosen {
				c.best, c.on = a, i
			}
			all = append(all, Candidate{If: i, Addr: a, Barred: barred(a)})
		}
	}
	for k := range all {
		o := &all[k]
		if o.Barred == "" && c.best != nil && o.Addr != c.best {
			_, o.Rule = c.better(o.If, o.Addr)
			o.Has, o.Chosen = c.value(o.Rule, o.If, o.Addr), c.value(o.Rule, c.on, c.best)
		}
	}
	return all
}

// barred says why an address of the right family is not in the candidate set; empty: it is.
func barred(a *netif.Address) string {
	switch {
	case a.State == netif.Tentative:
		return "tentative: whether somebody else has it is being found out (RFC 4862, 5.4)"
	case a.State == netif.Duplicate:
		return "a duplicate: somebody else has it (RFC 4862, 5.4.5)"
	case a.Anycast:
		return "an anycast address: others have it too (RFC 4291, 2.6)"
	}
	return ""
}

// value says what an address has of what the rule compares.
func (c *choice) value(r Rule, i *netif.Interface, a *netif.Address) string {
	yes := func(on bool, is, isNot string) string {
		if on {
			return is
		}
		return isNot
	}
	switch r {
	case SameAddress:
		return yes(a.Addr == c.Dst, "it is the destination", "it is not the destination")
	case AppropriateScope:
		return ScopeOf(a.Addr).String()
	case AvoidDeprecated:
		return yes(a.Optimistic, "optimistic", a.State.String())
	case OutgoingIf:
		return "on " + i.Name
	case NextHopPrefix:
		return yes(c.ofNextHop(i, a), "in a prefix of the next hop's", "in no prefix of the next hop's")
	case MatchingLabel:
		return fmt.Sprintf("label %d", c.Policy.label(a.Addr))
	case TemporaryAddress:
		return yes(a.Temporary, "temporary", "public")
	case LongestPrefix:
		return bitsInCommon(common(a, c.Dst), a.Addr.Is4())
	case FirstSource:
		return yes(a == c.best, "first", "later")
	}
	return ""
}

// bitsInCommon writes CommonPrefixLen for people.
func bitsInCommon(n int, four bool) string {
	if four {
		n -= 96
	}
	if n == 1 {
		return "1 bit in common"
	}
	return fmt.Sprintf("%d bits in common", n)
}

// Compared says what two destinations, one of which stands behind the other by the rule, have of what it compares.
func Compared(p *Policy, r Rule, d *Destination) string {
	precedence, label := p.Of(d.Addr)
	switch r {
	case DestUsable:
		if d.Source == nil {
			return "cannot be sent to"
		}
		return "can be sent to"
	case DestScope:
		return fmt.Sprintf("%v, its source %v", ScopeOf(d.Addr), ScopeOf(d.Source.Addr))
	case DestDeprecated:
		if d.Source.Optimistic {
			return "its source is optimistic"
		}
		return "its source is " + d.Source.State.String()
	case DestLabel:
		return fmt.Sprintf("label %d, its source %d", label, p.label(d.Source.Addr))
	case DestPrecedence:
		return fmt.Sprintf("precedence %d", precedence)
	case DestSmaller:
		return ScopeOf(d.Addr).String()
	case DestLongest:
		return bitsInCommon(common(d.Source, d.Addr), d.Addr.Is4()) + " with its source"
	}
	return ""
}
