package onlink

import (
	"github.com/onlink-go/onlink/internal/addrsel"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
)

// chooseDestination puts several destinations in order, and goes on with the first (RFC 6724, 6).
func (x *explainer) chooseDestination() {
	if len(x.all) < 2 {
		return
	}
	qs := make([]ip.Query, len(x.all))
	for i, d := range x.all {
		qs[i] = ip.Query{Src: x.from.Addr, Dst: d.Addr, Scope: d.Scope, Out: x.out, SourcePrefs: x.opt.Source.preferences(), Flow: ip.Flow{Mark: x.opt.Mark}}
	}
	p := x.s.ip.Policy()
	sorted := x.s.ip.SortedDestinations(x.s.rt.Now(), qs)
	for i := range sorted {
		x.Destinations = append(x.Destinations, x.destination(p, sorted, i, x.all[sorted[i].Index]))
	}
	x.to = x.all[sorted[0].Index]
}

// destination describes the i-th of destinations, which is e.
func (x *explainer) destination(p *addrsel.Policy, sorted []addrsel.Destination, i int, e flow.Endpoint) ExplainedCandidate {
	d := &sorted[i]
	c := ExplainedCandidate{Name: x.s.netipAddr(e.Addr, e.Scope).String(), Chosen: i == 0, Address: x.anyAddress(d.Addr)}
	if d.Source != nil {
		c.Address.Source = d.Source.Addr.Netip()
	}
	if i > 0 {
		c.Rule, c.RFC = d.Rule.String(), "RFC 6724, 6"
		c.Has, c.Won = addrsel.Compared(p, d.Rule, d), addrsel.Compared(p, d.Rule, &sorted[i-1])
	}
	return c
}
