package route

import (
	"net/netip"

	"github.com/onlink-go/onlink/wire"
)

// Explain returns the route that r, an answer for dst, names, and all that r's table has for dst, the longest prefixes first
// and then as they are preferred. A route that does not lead to a router has none in its place in routers.
func (f *FIB) Explain(r *Result, dst wire.Addr) (chosen Route, among []Route, routers []*Router) {
	t := f.table(r.Table)
	if t == nil {
		return chosen, nil, nil
	}
	a := dst.Netip()
	for p, hs := range t.fib.Supernets(netip.PrefixFrom(a, a.BitLen())) {
		for i := range hs.list {
			h := &hs.list[i]
			o := h.route(p, t.id)
			if h == r.Hop {
				chosen = o
			}
			among, routers = append(among, o), append(routers, h.router)
		}
	}
	return chosen, among, routers
}
