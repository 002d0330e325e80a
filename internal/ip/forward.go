package ip

import (
	"github.com/onlink-go/onlink/hook"
	"github.com/onlink-go/onlink/internal/offload"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// forward sends a packet, at its header, on by d: no lock, and the same for both families.
func (q *queue) forward(p *packet.Buffer, d *decision) {
	four := p.Dst.Is4()
	reasons := &ipCounters[family(p.Dst)]
	switch {
	case p.Flags&packet.LinkMulticast != 0:
		// RFC 1812, 5.3.4: "A router MUST NOT forward any packet that the router received as a Link Layer
		// broadcast", nor as a multicast, unless it is IP multicast.
		q.drop(p, reasons.frameNotUnicast)
		return
	case p.HopLimit <= 1:
		q.reject(p, hopLimitExceeded(four), reasons.exceeded)
		return
	}
	if d.redirect {
		q.redirect(p, d)
	}
	// Of a super-packet it is the segments that have to fit: their sender must learn of the path's MTU as others do.
	if p.Len() > d.hop.mtu && (!four || p.Flags&packet.DontFragment != 0) && offload.SegmentLen(p, 0) > d.hop.mtu {
		q.reject(p, tooBig(four, d.hop.mtu), reasons.tooBig)
		return
	}
	b := p.Bytes()
	if four {
		// RFC 1812, 5.3.1: "When a router forwards a packet, it MUST reduce the TTL by at least one."
		wire.IPv4(b).DecrementTTL()
	} else {
		// RFC 8200, 3: the Hop Limit is "decremented by 1 by each node that forwards the packet".
		wire.IPv6(b).SetHopLimit(p.HopLimit - 1)
	}
	p.HopLimit--
	p.Out, p.NextHop, p.PathMTU = d.hop.out, d.hop.nextHop, uint16(min(d.hop.mtu, maxPathMTU))
	if p.Trace != 0 {
		q.l.narrator.toldForward(q, p)
	}
	if q.hooks != nil && !q.passAtHeader(hook.Forward, p) {
		return
	}
	d.hop.resolve(q.s, d.hop.out, d.hop.nextHop, p)
	q.n[family(p.Dst)].forwarded++
	q.out.Push(p)
}

func hopLimitExceeded(four bool) complaint {
	if four {
		// RFC 792: "If the gateway processing a datagram finds the time to live field is zero it must discard the
		// datagram. The gateway may also notify the source host via the time exceeded message."
		return complaint{wire.ICMPv4TimeExceeded, wire.ICMPv4TTLExceeded, 0}
	}
	// RFC 4443, 3.3: "If a router receives a packet with a Hop Limit of zero, or if a router decrements a packet's
	// Hop Limit to zero, it MUST discard the packet and originate an ICMPv6 Time Exceeded message with Code 0".
	return complaint{wire.ICMPv6TimeExceeded, wire.ICMPv6HopLimitExceeded, 0}
}

func tooBig(four bool, mtu int) complaint {
	if four {
		// RFC 1191, 4: "the router MUST include the MTU of that next-hop network in the low-order 16 bits of the ICMP
		// header field that is labelled 'unused'".
		return complaint{wire.ICMPv4DestUnreachable, wire.ICMPv4FragmentationNeeded, uint32(min(mtu, maxPathMTU))}
	}
	// RFC 4443, 3.2: "A Packet Too Big MUST be sent by a router in response to a packet that it cannot forward
	// because the packet is larger than the MTU of the outgoing link."
	return complaint{wire.ICMPv6PacketTooBig, 0, uint32(mtu)}
}

// unreachableHop returns the complaint about a packet whose next hop did not answer.
func unreachableHop(four bool) (complaint, mib.Reason) {
	if four {
		// RFC 1812, 5.2.7.1: "If a packet is to be forwarded to a host on a network that is directly connected … and
		// the router has ascertained that there is no path to the destination host", code 1.
		return complaint{wire.ICMPv4DestUnreachable, wire.ICMPv4HostUnreachable, 0}, mib.Ip4NeighborUnreachable
	}
	// RFC 4443, 3.1: "inability to resolve the IPv6 destination address into a corresponding link address … Code
	// field is set to 3".
	return complaint{wire.ICMPv6DestUnreachable, wire.ICMPv6AddressUnreachable, 0}, mib.Ip6NeighborUnreachable
}
