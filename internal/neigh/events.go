package neigh

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// Solicited tells that the neighbor addr asked for us and gave its link-layer address: a Neighbor Solicitation with
// a source and the Source Link-Layer Address option, an ARP request. A Router Solicitation, a Router Advertisement
// and a Redirect with a link-layer address say the same.
//
// RFC 4861, 7.2.3: "If an entry does not already exist, the node SHOULD create a new one and set its reachability
// state to STALE … If an entry already exists, and the cached link-layer address differs from the one in the
// received Source Link-Layer option, the cached address should be replaced by the received address, and the entry's
// reachability state MUST be set to STALE."
func (c *Cache) Solicited(now clock.Instant, addr wire.Addr, mac wire.MAC) {
	if !c.credible(mac) {
		return
	}
	c.learn(now, c.Lookup(now, addr), mac)
}

// Heard tells that the neighbor addr, which wants nothing of us, has the link-layer address mac. It changes what is
// cached and creates nothing.
//
// RFC 826: "If the pair <protocol type, sender protocol address> is already in my translation table, update the
// sender hardware address field of the entry with the new information in the packet."
func (c *Cache) Heard(now clock.Instant, addr wire.Addr, mac wire.MAC) {
	e := c.entries[addr]
	if e == nil || !c.credible(mac) {
		return
	}
	if s := e.State(); s == Incomplete || s.known() {
		c.learn(now, e, mac)
	}
}

// learn takes mac, which came in something that does not confirm reachability, for e's link-layer address.
func (c *Cache) learn(now clock.Instant, e *Entry, mac wire.MAC) {
	s := c.settle(now, e)
	if s == Permanent || s.known() && mac == e.mac() {
		return
	}
	c.becomeStale(now, e, mac)
}

// Advertised tells that the neighbor addr advertised itself: a Neighbor Advertisement with its three flags, and its
// link-layer address if hasMAC; an ARP reply. It reports whether the neighbor was a router and says it is one no
// more.
//
// RFC 4861, 7.2.5: "In those cases where the IsRouter flag changes from TRUE to FALSE as a result of this update,
// the node MUST remove that router from the Default Router List and update the Destination Cache entries for all
// destinations using that neighbor as a router".
func (c *Cache) Advertised(now clock.Instant, addr wire.Addr, mac wire.MAC, hasMAC, router, solicited, override bool) (lostRouter bool) {
	e := c.entries[addr]
	if e == nil || hasMAC && !c.credible(mac) {
		return false
	}
	switch s := c.settle(now, e); s {
	case None, Failed:
		// RFC 4861, 7.2.5: "If no entry exists, the advertisement SHOULD be silently discarded."
		return false

	case Permanent:
		return false

	case Incomplete:
		lostRouter = c.setRouter(now, e, router)
		// Appendix C: "INCOMPLETE; NA, Solicited=any, Override=any, No Link-layer address; Update content of
		// IsRouter flag; unchanged".
		if !hasMAC {
			return lostRouter
		}
		// 7.2.5: "If the advertisement's Solicited flag is set, the state of the entry is set to REACHABLE;
		// otherwise, it is set to STALE." And "the Override flag is ignored if the entry is in the INCOMPLETE
		// state."
		if solicited {
			c.becomeReachable(now, e, mac)
		} else {
			c.becomeStale(now, e, mac)
		}
		return lostRouter

	default:
		old := e.mac()
		differs := hasMAC && mac != old
		// 7.2.5, I: "If the Override flag is clear and the supplied link-layer address differs from that in the
		// cache, then one of two actions takes place: a. If the state of the entry is REACHABLE, set it to STALE,
		// but do not update the entry in any other way. b. Otherwise, the received advertisement should be
		// ignored and MUST NOT update the cache."
		if !override && differs {
			if s == Reachable {
				c.becomeStale(now, e, old)
			}
			return false
		}
		// II: "The link-layer address in the Target Link-Layer Address option MUST be inserted in the cache (if
		// one is supplied and differs from the already recorded address)."
		if !differs {
			mac = old
		}
		// "The IsRouter flag in the cache entry MUST be set based on the Router flag in the received
		// advertisement."
		lostRouter = c.setRouter(now, e, router)
		// "If the Solicited flag is set, the state of the entry MUST be set to REACHABLE. If the Solicited flag
		// is zero and the link-layer address was updated with a different address, the state MUST be set to
		// STALE. Otherwise, the entry's state remains unchanged."
		switch {
		case solicited:
			c.becomeReachable(now, e, mac)
		case differs:
			c.becomeStale(now, e, mac)
		}
		return lostRouter
	}
}

// becomeReachable records a confirmation that came from the neighbor itself.
func (c *Cache) becomeReachable(now clock.Instant, e *Entry, mac wire.MAC) {
	e.confirmed.Store(int64(now))
	c.set(now, e, Reachable, mac)
	c.arm(e, now.Add(c.reachableTime(now)))
	c.release(e, mac)
}

// becomeStale makes e STALE with the link-layer address mac, and lets it age from now on.
func (c *Cache) becomeStale(now clock.Instant, e *Entry, mac wire.MAC) {
	c.set(now, e, Stale, mac)
	c.arm(e, now.Add(c.cfg.StaleLifetime))
	c.release(e, mac)
}

// settle applies what upper layers have confirmed since the cache last looked at e, and returns its state.
//
// RFC 4861, 7.3.3: "When a reachability confirmation is received (either through upper-layer advice or a solicited
// Neighbor Advertisement), an entry's state changes to REACHABLE. The one exception is that upper-layer advice has
// no effect on entries in the INCOMPLETE state".
func (c *Cache) settle(now clock.Instant, e *Entry) State {
	s := e.State()
	if s == Stale || s == Delay || s == Probe {
		if until := c.reachableUntil(now, e); now < until {
			c.set(now, e, Reachable, e.mac())
			c.arm(e, until)
			return Reachable
		}
	}
	return s
}

// reachableUntil returns the end of the last confirmation's effect.
func (c *Cache) reachableUntil(now clock.Instant, e *Entry) clock.Instant {
	return clock.Instant(e.confirmed.Load()).Add(c.reachableTime(now))
}

// credible reports whether mac can be a neighbor's link-layer address.
//
// RFC 1812, 3.3.2: "A router MUST not believe any ARP reply that claims that the Link Layer address of another host
// or router is a broadcast or multicast address." Nor can it be ours, or none.
func (c *Cache) credible(mac wire.MAC) bool {
	return !mac.IsMulticast() && mac != (wire.MAC{}) && mac != c.cfg.Address
}
