package neigh

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// NeighborSolicitation takes a valid Neighbor Solicitation from src to dst for m.Target, which is an address of the
// interface and not tentative. router says whether we forward, and the target is unicast. It returns the answer and
// where to send it: that is either a neighbor, to which it goes like any packet, or the all-nodes group.
func (c *Cache) NeighborSolicitation(now clock.Instant, src, dst wire.Addr, m *wire.NeighborSolicitation, router bool) (reply wire.NeighborAdvertisement, to wire.Addr) {
	// RFC 4861, 7.2.3: "If the Source Address is the unspecified address, the node MUST NOT create or update the
	// Neighbor Cache entry." 7.2: messages "without a link-layer address option included … MUST NOT create or update
	// neighbor cache entries".
	if !src.IsUnspecified() && m.SourceLink != (wire.MAC{}) {
		c.Solicited(now, src, m.SourceLink)
	}
	// 7.2.4: "If the solicitation's IP Destination Address is a multicast address, the Target Link-Layer option MUST be
	// included in the advertisement." "If the solicitation's IP Destination Address is not a multicast address, the Target
	// Link-Layer Address option MAY be omitted; the neighboring node's cached value must already be current in order for the
	// solicitation to have been received." "If … the Target Link-Layer Address option is not included, the Override flag
	// SHOULD be set to zero. Otherwise, the Override flag SHOULD be set to one."
	reply = wire.NeighborAdvertisement{Router: router, Solicited: true, Target: m.Target}
	if dst.IsMulticast() {
		reply.Override, reply.TargetLink = true, c.cfg.Address
	}
	// "If the source of the solicitation is the unspecified address, the node MUST set the Solicited flag to zero
	// and multicast the advertisement to the all-nodes address."
	if src.IsUnspecified() {
		reply.Solicited = false
		return reply, wire.AllNodes6
	}
	return reply, src
}

// NeighborAdvertisement takes a valid Neighbor Advertisement for an address that is not ours. It reports whether
// the neighbor was a router and is one no more.
func (c *Cache) NeighborAdvertisement(now clock.Instant, m *wire.NeighborAdvertisement) (lostRouter bool) {
	return c.Advertised(now, m.Target, m.TargetLink, m.TargetLink != (wire.MAC{}), m.Router, m.Solicited, m.Override)
}

// NeighborAdvertised is what a router does first with a valid Neighbor Advertisement: it remembers whom it did not know. It
// reports whether that is all, and NeighborAdvertisement has nothing to do.
//
// RFC 9131, 6.1.1: "Routers SHOULD create a new entry for the target address with the link-layer address set to the Target
// Link-Layer Address Option (if supplied). The entry's reachability state MUST be set to STALE. If the received Neighbor
// Advertisement does not contain the Target Link-Layer Address Option, the advertisement SHOULD be silently discarded."
func (c *Cache) NeighborAdvertised(now clock.Instant, m *wire.NeighborAdvertisement) (unknown bool) {
	if e := c.entries[m.Target]; e != nil && e.State() != None {
		return false
	}
	c.Solicited(now, m.Target, m.TargetLink) // of a zero address it makes nothing
	return true
}

// NeighborSolicitation returns the message that a, a Solicit for an IPv6 neighbor, asks for, its IP destination and
// the Ethernet destination. mac is the interface's own address.
//
// RFC 4861, 7.2.2: "If the solicitation is being sent to a solicited-node multicast address, the sender MUST include
// its link-layer address (if it has one) as a Source Link-Layer Address option. Otherwise, the sender SHOULD".
func (a *Action) NeighborSolicitation(mac wire.MAC) (m wire.NeighborSolicitation, dst wire.Addr, linkDst wire.MAC) {
	m = wire.NeighborSolicitation{Target: a.Target, SourceLink: mac}
	if a.Unicast {
		return m, a.Target, a.MAC
	}
	dst = a.Target.SolicitedNode()
	return m, dst, dst.MulticastMAC()
}
