package neigh

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// ARP takes a received ARP packet. ours says whether an IPv4 address is one of the interface's. If answer, reply is
// to be sent to reply.TargetMAC.
//
// It is the algorithm of RFC 826, "Packet Reception", but for this: a reply creates no entry, since it answers what
// made one. Only a reply sent to us confirms reachability; a request arrived, which says nothing of what we send.
func (c *Cache) ARP(now clock.Instant, m *wire.ARP, ours func(wire.Addr) bool) (reply wire.ARP, answer bool) {
	target := ours(m.TargetIP)
	// RFC 5227, 2.4: a sender with an address of ours is a conflict, and no neighbor. RFC 5227, 1.1: the sender of
	// an ARP Probe is all zeroes "to avoid polluting ARP caches in other hosts".
	if unicast4(m.SenderIP) && !ours(m.SenderIP) {
		switch {
		case m.Op == wire.ARPReply && target && m.TargetMAC == c.cfg.Address:
			// RFC 826: "if an entry already exists for the <protocol type, sender protocol address> pair, then the
			// new hardware address supersedes the old one": Override. ARP says nothing of routers.
			c.Advertised(now, m.SenderIP, m.SenderMAC, true, c.isRouter(m.SenderIP), true, true)
		case m.Op == wire.ARPRequest && target:
			// "Am I the target protocol address? Yes: If Merge_flag is false, add the triplet".
			c.Solicited(now, m.SenderIP, m.SenderMAC)
		default:
			c.Heard(now, m.SenderIP, m.SenderMAC)
		}
	}
	// "Is the opcode ares_op$REQUEST? Yes: Swap hardware and protocol fields, putting the local hardware and
	// protocol addresses in the sender fields. Set the ar$op field to ares_op$REPLY."
	asker := m.SenderIP == wire.Unspecified4 || unicast4(m.SenderIP) && !ours(m.SenderIP)
	if m.Op != wire.ARPRequest || !target || !asker || !c.credible(m.SenderMAC) {
		return wire.ARP{}, false
	}
	return wire.ARP{Op: wire.ARPReply, SenderMAC: c.cfg.Address, SenderIP: m.TargetIP,
		TargetMAC: m.SenderMAC, TargetIP: m.SenderIP}, true
}

// ARP returns the ARP request that a, a Solicit for an IPv4 neighbor, asks for, and the Ethernet destination. mac
// and src are the interface's own addresses.
func (a *Action) ARP(mac wire.MAC, src wire.Addr) (m wire.ARP, dst wire.MAC) {
	m = wire.ARP{Op: wire.ARPRequest, SenderMAC: mac, SenderIP: src, TargetIP: a.Target}
	if a.Unicast {
		m.TargetMAC = a.MAC
		return m, a.MAC
	}
	return m, wire.BroadcastMAC
}

func (c *Cache) isRouter(addr wire.Addr) bool {
	e := c.entries[addr]
	return e != nil && e.IsRouter()
}

// unicast4 reports whether a can be the address of one IPv4 host on a link.
func unicast4(a wire.Addr) bool {
	return a.Is4() && !a.IsUnspecified() && !a.IsMulticast() && !a.IsLoopback() && a != wire.Broadcast4
}
