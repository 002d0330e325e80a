package ip

import (
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// input4 takes an IPv4 datagram, at its header, and finds out whether to deliver, forward or drop it.
func (q *queue) input4(p *packet.Buffer) {
	q.n[0].received++
	h, err := wire.CheckIPv4(p.Bytes())
	if err != nil {
		q.drop(p, mib.Ip4Header)
		return
	}
	// RFC 1122, 3.2.1.2: "A host MUST verify the IP header checksum on every received datagram and silently discard
	// every datagram that has a bad checksum."
	if p.Flags&packet.Loopback == 0 && !h.ChecksumOK() {
		q.drop(p, mib.Ip4Checksum)
		return
	}
	p.Truncate(h.TotalLen()) // behind it is the padding of a short frame
	p.Src, p.Dst, p.Proto = h.Src(), h.Dst(), h.Protocol()
	p.HopLimit, p.TrafficClass = h.TTL(), h.TrafficClass()
	if h.DontFragment() {
		p.Flags |= packet.DontFragment
	}
	if p.Trace != 0 {
		q.l.narrator.toldHeader(q, p)
	}
	if q.hooks != nil && !q.prerouting(p) {
		return
	}
	d := q.decide(p)
	if p.Trace != 0 {
		q.l.narrator.toldRoute(q, p, d)
	}
	switch d.verdict {
	case discard:
		q.drop(p, d.reason)
	case unreachable:
		q.reject(p, complaint{wire.ICMPv4DestUnreachable, d.code, 0}, d.reason)
	case forward:
		if h.HeaderLen() > wire.IPv4MinLen && !q.options4(p, h, d.hop.out) {
			return
		}
		q.forward(p, d)
	case ours:
		if d.kind == netif.Broadcast {
			p.Flags |= packet.Broadcast
		}
		// RFC 1122, 3.3.6: "A host SHOULD silently discard a datagram that is received via a link-layer broadcast
		// … but does not specify an IP multicast or broadcast destination address."
		if d.kind == netif.Unicast && p.Flags&packet.LinkMulticast != 0 {
			q.drop(p, mib.Ip4FrameNotUnicast)
			return
		}
		q.local4(p, h)
	}
}

// local4 takes a datagram that is for us.
func (q *queue) local4(p *packet.Buffer, h wire.IPv4) {
	if h.HeaderLen() > wire.IPv4MinLen && !q.options4(p, h, 0) {
		return
	}
	if h.IsFragment() {
		p.TrimFront(h.HeaderLen())
		q.parts.Push(p)
		return
	}
	q.toUpper4(p, h)
}

// toUpper4 takes a whole datagram that is for us.
func (q *queue) toUpper4(p *packet.Buffer, h wire.IPv4) {
	p.TrimFront(h.HeaderLen())
	p.SetTransport()
	q.toUpper(p, 0)
}
