package ip

import (
	"slices"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/neigh"
	"github.com/onlink-go/onlink/internal/route"
	"github.com/onlink-go/onlink/wire"
)

// Neighbor Unreachability Detection finds out which gateways answer, and next hops are chosen by it (RFC 4861, 7.3; RFC
// 1122, 3.3.1.4: "The IP layer MUST be able to detect the failure of a 'next-hop' gateway that is listed in its route
// cache and to choose an alternate gateway").

// routerProbeInterval is how often an unreachable router is asked again at most.
//
// RFC 4191, 3.5: "these probes MUST be rate-limited to no more than one per minute per router."
const routerProbeInterval = time.Minute

// reachOf returns what a state of the neighbor cache says of a router, and whether it says anything: a router that did not
// answer does not become another one because the cache forgets it, or asks again.
func reachOf(s neigh.State, was route.Reach) (route.Reach, bool) {
	switch s {
	case neigh.None, neigh.Incomplete:
		return route.Unknown, was == route.Reachable
	case neigh.Failed:
		return route.NotReachable, true
	}
	return route.Reachable, true
}

// routerAdded follows the first route through a router. Control locked.
func (l *Layer) routerAdded(r *route.Router) {
	d, err := l.find(r.Out)
	if err != nil || d.cache == nil {
		r.SetReach(route.Reachable) // nothing can be found out of it
		return
	}
	if to, ok := reachOf(d.cache.Watch(r.Addr), route.Unknown); ok {
		r.SetReach(to)
		if to == route.NotReachable {
			l.watchRouters()
		}
	}
}

// routerRemoved follows the end of the last route through a router. Control locked.
func (l *Layer) routerRemoved(r *route.Router) {
	if d, err := l.find(r.Out); err == nil && d.cache != nil && !l.redirects.to(r.Addr, r.Out) {
		d.cache.Unwatch(r.Addr)
	}
}

// neighborChanged follows a change of state of a neighbor of d that is a router, or a host that a redirect leads to.
// Control locked.
func (d *device) neighborChanged(addr wire.Addr, to neigh.State) {
	l := d.l
	if to == neigh.Failed {
		// RFC 4861, 5.2: "traffic through a failed router should be switched to a working router."
		if l.redirects.forget(l, func(r *route.Redirection) bool { return r.To == addr && r.Out == d.index }) {
			l.publishRoutes()
		}
	}
	r := l.routers.Find(addr, d.index)
	if r == nil {
		return
	}
	reach, ok := reachOf(to, r.Reach())
	if !ok {
		return
	}
	if was := r.SetReach(reach); (was == route.NotReachable) == (reach == route.NotReachable) {
		return // who goes by it goes on
	}
	if reach == route.NotReachable {
		r.Asked = l.rt.Now()
		l.watchRouters()
	}
	l.publishRoutes() // senders choose anew
}

// lostRouter follows a neighbor's word that it is a router no more. Routes that are configured stay: whoever configured them
// knows better. Control locked.
//
// RFC 4861, 7.2.5: "In those cases where the IsRouter flag changes from TRUE to FALSE as a result of this update, the node
// MUST remove that router from the Default Router List and update the Destination Cache entries for all destinations using
// that neighbor as a router".
func (d *device) lostRouter(a wire.Addr) {
	if d.host != nil {
		d.host.LostRouter(a)
	}
	d.notRouter(a)
}

// notRouter forgets the redirects to a neighbor that is a router no more.
//
// RFC 4861, 6.3.5: "When removing a router from the Default Router list, the node MUST update the Destination Cache in such
// a way that all entries using the router perform next-hop determination again rather than continue sending traffic to the
// (deleted) router."
func (d *device) notRouter(a wire.Addr) {
	if d.l.redirects.forget(d.l, func(r *route.Redirection) bool { return r.To == a && r.Dst != a && r.Out == d.index }) {
		d.l.publishRoutes()
	}
}

// forgetRouters forgets what was known of the routers on d's link. Control locked.
func (d *device) forgetRouters() {
	for _, r := range d.l.routers.All() {
		if r.Out == d.index && d.cache != nil {
			r.SetReach(route.Unknown)
		}
	}
}

// watchRouters has unreachable routers asked again, if they are missed. Control locked.
func (l *Layer) watchRouters() {
	l.control.Arm(&l.watching, l.rt.Now().Add(routerProbeInterval))
}

// routerTimer is the Layer as owner of the timer of unreachable routers and of redirects.
type routerTimer Layer

// Expire implements shard.Timed.
func (t *routerTimer) Expire(now clock.Instant) clock.Instant {
	l := (*Layer)(t)
	next := l.redirects.expire(l, now)
	unreachable := false
	for _, r := range l.routers.All() {
		if r.Reach() != route.NotReachable {
			continue
		}
		unreachable = true
		d, err := l.find(r.Out)
		if err == nil && d.cache != nil && now >= r.Asked.Add(routerProbeInterval) && r.Missed() {
			r.Asked = now
			d.cache.Probe(now, r.Addr)
			d.poll(now)
		}
	}
	if unreachable {
		next = min(next, now.Add(routerProbeInterval))
		l.generation.Add(1) // so that those who send tell again whom they miss
	}
	return next
}

// Gateways returns the routers that routes lead through, in the order in which they came.
func (l *Layer) Gateways() []*route.Router {
	l.control.Lock()
	defer l.control.Unlock()
	return slices.Clone(l.routers.All())
}
