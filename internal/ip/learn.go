package ip

import (
	"net/netip"
	"slices"

	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/route"
	"github.com/onlink-go/onlink/wire"
)

// deviceRoutes are the routes that follow from what a device is and hears. Control locked.
type deviceRoutes struct {
	learned []route.Route // of routers on the link; learn sets them
	derived []route.Route // what of all this is in the FIB
}

// learn makes rs all the routes that the routers on the link of the interface with the given index have told of: default
// routers (prefix ::/0 with a gateway), on-link prefixes (without one) and route information (RFC 4191, 2.3). Their Out
// and Origin are set here. What was learned before and is not in rs is gone. Control locked.
//
// RFC 4191, 3.3: "When a type C host processes a Router Advertisement and updates its conceptual Routing Table, it MUST
// invalidate or remove Destination Cache Entries and redo next-hop determination for destinations affected": a new
// snapshot does that.
func (l *Layer) learn(index int32, rs []route.Route) {
	d, err := l.find(index)
	if err != nil {
		return // it was removed, and its routes with it
	}
	learned := make([]route.Route, 0, len(rs))
	for _, r := range rs {
		r.Out, r.Origin, r.Table = index, route.RouterAdvertisement, d.cfg.VRF
		if r, err := r.Check(); err == nil {
			learned = append(learned, r)
		}
	}
	same := slices.EqualFunc(learned, d.learned, func(a, b route.Route) bool { return timeless(a) == timeless(b) })
	d.learned = learned
	if !same {
		l.rebuild()
	}
}

// timeless returns r without its end: routes in the FIB have none, since whoever teaches them takes them back.
func timeless(r route.Route) route.Route {
	r.Expires = 0
	return r
}

// derive returns the routes that follow from d's addresses and what it learned, each once. Control locked.
func (d *device) derive() (rs []route.Route) {
	if !d.up {
		return nil
	}
	add := func(r route.Route) {
		if r, err := r.Check(); err == nil && !slices.ContainsFunc(rs, func(o route.Route) bool { return o == r }) {
			rs = append(rs, r)
		}
	}
	for i := range d.addrs {
		if a := &d.addrs[i]; a.State != netif.Duplicate && !a.NoPrefixRoute {
			add(route.Route{Prefix: a.Prefix().Masked(), Out: d.index, Origin: route.Connected, Table: d.cfg.VRF})
		}
	}
	for _, r := range d.learned {
		add(timeless(r))
	}
	return rs
}

// syncRoutes brings the FIB in line with interfaces, addresses and what was learned: it changes what changed. Control
// locked.
func (l *Layer) syncRoutes() {
	down := make([]bool, l.nextIndex)
	for _, d := range l.devices {
		down[d.index] = !d.up
		rs := d.derive()
		for _, r := range d.derived {
			if !slices.Contains(rs, r) {
				l.fib, _, _ = l.fib.Without(r.Table, r.Prefix, func(o route.Route) bool { return o == r })
			}
		}
		for _, r := range rs {
			if !slices.Contains(d.derived, r) {
				// One that is configured stays as it is.
				l.fib, _ = l.fib.With(r)
			}
		}
		d.derived = rs
	}
	l.fib = l.fib.WithDown(down)
}

// Routes returns the routes in use now, those of addresses and of routers included, by table, prefix and preference.
func (l *Layer) Routes() []route.Route {
	l.control.Lock()
	defer l.control.Unlock()
	rs := l.fib.Routes(false)
	for i := range rs {
		r := &rs[i]
		if r.Origin != route.RouterAdvertisement {
			continue
		}
		if d, err := l.find(r.Out); err == nil {
			for _, o := range d.learned {
				if timeless(o) == *r {
					r.Expires = o.Expires
				}
			}
		}
	}
	return rs
}

// onLink returns the length of the longest of the prefixes on d's link that a is in, in bits; -1 if there is none.
// Control locked.
func (d *device) onLink(a netip.Addr) (bits int) {
	bits = -1
	if w := wire.AddrFrom(a); w.NeedsScope() && d.known != nil {
		bits = 10 // fe80::/10
	}
	for i := range d.addrs {
		if p := d.addrs[i].Prefix(); p.Contains(a) && !d.addrs[i].NoPrefixRoute {
			bits = max(bits, p.Bits())
		}
	}
	for i := range d.learned {
		if r := &d.learned[i]; !r.Gateway.IsValid() && r.Prefix.Contains(a) {
			bits = max(bits, r.Prefix.Bits())
		}
	}
	return bits
}
