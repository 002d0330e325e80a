package neigh

import (
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// Router tells that the neighbor addr is a router: a Router Advertisement came from it, with its link-layer address
// unless mac is zero.
//
// RFC 4861, 6.3.4: "If the advertisement contains a Source Link-Layer Address option, the link-layer address SHOULD be
// recorded in the Neighbor Cache entry for the router (creating an entry if necessary) and the IsRouter flag in the
// Neighbor Cache entry MUST be set to TRUE. If no Source Link-Layer Address is included, but a corresponding Neighbor
// Cache entry exists, its IsRouter flag MUST be set to TRUE. … If a Neighbor Cache entry is created for the router, its
// reachability state MUST be set to STALE … If a cache entry already exists and is updated with a different link-layer
// address, the reachability state MUST also be set to STALE."
func (c *Cache) Router(now clock.Instant, addr wire.Addr, mac wire.MAC) {
	c.Solicited(now, addr, mac) // of a zero mac it makes nothing
	if e := c.entries[addr]; e != nil {
		c.setRouter(now, e, true)
	}
}

// Known reports whether the link-layer address of addr is known.
func (c *Cache) Known(addr wire.Addr) bool {
	e := c.entries[addr]
	return e != nil && e.State().known()
}

// LinkAddress returns the link-layer address of addr, zero if it is not known.
func (c *Cache) LinkAddress(addr wire.Addr) wire.MAC {
	if e := c.entries[addr]; e != nil && e.State().known() {
		return e.mac()
	}
	return wire.MAC{}
}

// SetTimes sets BaseReachableTime and RetransTimer, those of which are not zero. RFC 4861, 6.3.4: "If the new value
// differs from the previous value, the host SHOULD re-compute a new random ReachableTime value."
func (c *Cache) SetTimes(baseReachable, retrans time.Duration) {
	if baseReachable > 0 && baseReachable != c.cfg.BaseReachableTime {
		c.cfg.BaseReachableTime = baseReachable
		c.redraw = never
	}
	if retrans > 0 {
		c.cfg.RetransTimer = retrans
	}
}
