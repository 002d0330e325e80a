package ip

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/addrsel"
	"github.com/onlink-go/onlink/internal/netif"
)

// Policy returns the policy table that addresses are chosen by (RFC 6724, 2.1).
func (l *Layer) Policy() *addrsel.Policy { return l.policy.Load() }

// SetPolicy makes p that table. What was decided before is decided anew.
func (l *Layer) SetPolicy(p *addrsel.Policy) {
	l.control.Lock()
	defer l.control.Unlock()
	l.policy.Store(p)
	l.generation.Add(1)
	l.tellChanges()
}

// SortDestinations puts destinations in the order they are best tried in (RFC 6724, 6): it asks, for each query, which source
// packets would leave from now. The result holds indices into qs.
func (l *Layer) SortDestinations(now clock.Instant, qs []Query) []int {
	order := make([]int, 0, len(qs))
	for _, d := range l.SortedDestinations(now, qs) {
		order = append(order, d.Index)
	}
	return order
}

// SortedDestinations is SortDestinations with the sources and the rules that decided.
func (l *Layer) SortedDestinations(now clock.Instant, qs []Query) []addrsel.Destination {
	ds := make([]addrsel.Destination, len(qs))
	for i, q := range qs {
		ds[i] = addrsel.Destination{Addr: q.Dst, Index: i}
		var p Path
		q.Dry = true
		if l.RouteInto(now, &q, &p) != nil {
			continue // rule 1: avoid unusable destinations
		}
		// The source may be on another interface than packets leave by.
		if ds[i].Source = p.If.Address(p.Src); ds[i].Source != nil {
			continue
		}
		if on := l.Snapshot().Lookup(p.Src, p.If.Index); on.Kind == netif.Unicast {
			ds[i].Source = on.If.Address(p.Src)
		}
	}
	addrsel.Sort(l.policy.Load(), ds)
	return ds
}
