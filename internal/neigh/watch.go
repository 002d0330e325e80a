package neigh

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// Watch has every change of the state of addr told by an Action of kind Changed, until Unwatch. It returns the present
// state: by it routers are chosen (RFC 4861, 6.3.6).
func (c *Cache) Watch(addr wire.Addr) State {
	if c.watched == nil {
		c.watched = make(map[wire.Addr]struct{})
	}
	c.watched[addr] = struct{}{}
	if e := c.entries[addr]; e != nil {
		return e.State()
	}
	return None
}

// Unwatch ends Watch.
func (c *Cache) Unwatch(addr wire.Addr) { delete(c.watched, addr) }

// changed tells of a change of the state of addr, if somebody wants to know.
func (c *Cache) changed(addr wire.Addr, to State) {
	if len(c.watched) == 0 {
		return
	}
	if _, ok := c.watched[addr]; ok {
		c.actions.push(Action{Kind: Changed, Target: addr, State: to})
	}
}

// Probe asks addr once whether it is there, unless that is known or being found out. An answer makes it REACHABLE; if there
// is none, it is FAILED as before.
//
// RFC 4191, 3.5: "the host SHOULD probe each such router X's reachability by sending a single Neighbor Solicitation to
// that router's address."
func (c *Cache) Probe(now clock.Instant, addr wire.Addr) {
	e := c.Lookup(now, addr)
	if s := c.settle(now, e); s != None && s != Failed {
		return
	}
	c.set(now, e, Incomplete, e.mac())
	e.source, e.solicits = wire.Addr{}, c.cfg.MaxMulticastSolicit-1
	c.solicit(now, e)
}

// SetRouter notes that addr is a router. RFC 4861, 8.3: it "MUST set IsRouter to TRUE for the target".
func (c *Cache) SetRouter(now clock.Instant, addr wire.Addr) {
	if e := c.entries[addr]; e != nil {
		c.setRouter(now, e, true)
	}
}

// NotRouter notes that addr is no router, and reports whether it was one. RFC 4861, 6.2.6: if an entry for the sender of a
// Router Solicitation "exists (or is created) the entry's IsRouter flag MUST be set to FALSE."
func (c *Cache) NotRouter(addr wire.Addr) (was bool) {
	e := c.entries[addr]
	return e != nil && e.setRouter(false)
}
