// Package hook is where user code sees a packet: at seven points of its way a [Chain] of functions looks at it, may
// change it in place, and lets it go on, drops it or keeps it.
//
//	            ┌── Input ── sockets, ICMP, Neighbor Discovery ── Output ──┐
//	            │                                                          │
//	Ingress ── Prerouting ──────────────── Forward ─────────────────── Postrouting ── Egress
//	frame       packet, fragments too      packet                       packet         frame
//
// What p.Bytes() is, and what of p.Meta holds, at each point:
//
//   - Ingress: the frame as the link delivered it, from its link header on if the link has one. In, Arrived. On a link
//     without link-layer headers EtherType too. Nothing was checked.
//   - Prerouting: an IPv4 or IPv6 packet from its internet header on, whose header was checked, without what may be behind its
//     Total or Payload Length. Besides: EtherType, LinkSrc, Src, Dst, Proto (IPv6: the Next Header), HopLimit, TrafficClass, and
//     of Flags LinkMulticast, Loopback and, of IPv4, DontFragment. Fragments come one by one. A Mark set here is what rules
//     and routes go by.
//   - Input: a packet for this host, from its internet header on. Fragments have been put together, and extension headers
//     looked at: Proto is the transport's. Neighbor Discovery, IGMP and MLD come here too.
//   - Forward: a packet of somebody else's that is about to be sent on. Its TTL or hop limit is decremented. Out, NextHop and
//     PathMTU say where it goes; In, where it came from.
//   - Output: a packet of this host's, from its internet header on; In is 0. Out, NextHop, PathMTU, Src, Dst, Proto, HopLimit,
//     TrafficClass; Mark is the socket's. It is whole: what is too long is cut into fragments behind Postrouting.
//   - Postrouting: what came by Output or Forward. In is 0 for what is ours.
//   - Egress: the frame, link header included, as it goes to the link: fragments, ARP and frames of packet sockets too.
//     Out, and what is left of the rest.
//
// What a host sends to itself goes by Output, Postrouting, Prerouting and Input, with Loopback in Flags from Prerouting on; the
// loopback interface has no frames, and so neither Ingress nor Egress. A copy that comes back to our own members of a group
// is made behind Postrouting, and comes in by Prerouting.
//
// A hook may change the octets of p, but not how many there are, nor how long the headers are; only at Ingress it may. Checksums are its business:
// none is verified a second time. Behind each point but Ingress and Egress, Src, Dst, HopLimit and TrafficClass are read
// from the header again. The way follows a change where it is not decided yet: behind Prerouting, of Src, Dst and Mark; behind Output, where a
// packet whose Src, Dst, TrafficClass or Mark changed is routed anew. A change of addresses at Forward or Postrouting changes what is
// written on the packet, not where it goes. A reply to a packet whose addresses were changed is not changed back by anybody.
//
// What TCP of this host sends may be a super-packet at Output, Postrouting and Egress, with GSOSize set: it is cut into
// segments behind Egress. With ChecksumLater in Flags its transport checksum is made there too, whatever its octets say. What
// a link delivers is not joined to super-packets while there are hooks.
//
// Hooks are called without any lock of the stack, from several goroutines at once, and not again for the same packet: one that
// waits for its neighbor's link-layer address has passed Output and Postrouting. They must not block. They may send, but what
// they send passes the hooks too. A hook that is added or removed is, or is not, called for batches of packets that begin
// afterwards.
package hook

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/packet"
)

// Point is where on a packet's way hooks are called.
type Point uint8

// The points.
const (
	Ingress Point = iota
	Prerouting
	Input
	Forward
	Output
	Postrouting
	Egress

	numPoints
)

// String returns the point's name.
func (p Point) String() string {
	if p >= numPoints {
		return "unknown"
	}
	return [...]string{"Ingress", "Prerouting", "Input", "Forward", "Output", "Postrouting", "Egress"}[p]
}

// Points returns all points, in the order of the constants.
func Points() []Point {
	return []Point{Ingress, Prerouting, Input, Forward, Output, Postrouting, Egress}
}

// Verdict is what a hook makes of a packet.
type Verdict uint8

// The verdicts. What is none of them is Drop.
const (
	Continue Verdict = iota // it goes on, to the next hook
	Drop                    // the stack drops it: mib.Hook
	Stolen                  // it is the hook's, which frees it; the stack forgets it
)

// String returns what becomes of the packet.
func (v Verdict) String() string {
	switch v {
	case Continue:
		return "continue"
	case Stolen:
		return "stolen"
	}
	return "drop"
}

// Func looks at p, at the instant now, and says what becomes of it. It must not keep p unless it returns Stolen.
type Func func(now clock.Instant, p *packet.Buffer) Verdict

// Hook is one function of a chain.
type Hook struct {
	Name     string
	Priority int
	f        Func
}

// Hooks are those of one point in the order they are called. They do not change.
type Hooks []*Hook

// Run calls the hooks one after the other, until one does not let p go on. It returns that one's verdict and place; if all let
// it go on, Continue and their number.
func (h Hooks) Run(now clock.Instant, p *packet.Buffer) (Verdict, int) {
	for i, one := range h {
		if v := one.f(now, p); v != Continue {
			return v, i
		}
	}
	return Continue, len(h)
}
