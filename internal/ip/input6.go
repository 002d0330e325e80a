package ip

import (
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// input6 takes an IPv6 packet, at its header, and finds out whether to deliver, forward or drop it.
func (q *queue) input6(p *packet.Buffer) {
	q.n[1].received++
	if q.iface.NoIPv6 {
		q.drop(p, mib.Ip6NotConfigured)
		return
	}
	h, err := wire.CheckIPv6(p.Bytes())
	if err != nil {
		reason := mib.Ip6Header
		if err == wire.ErrAddress {
			reason = mib.Ip6Mapped
		}
		q.drop(p, reason)
		return
	}
	if n := h.PayloadLen(); n != 0 || h.NextHeader() != wire.ProtoHopByHop { // see lengthless
		p.Truncate(wire.IPv6Len + n) // behind it is the padding of a short frame
	}
	p.Src, p.Dst, p.Proto = h.Src(), h.Dst(), h.NextHeader()
	p.HopLimit, p.TrafficClass = h.HopLimit(), h.TrafficClass()
	if p.Trace != 0 {
		q.l.narrator.toldHeader(q, p)
	}
	if q.hooks != nil && !q.prerouting(p) {
		return
	}
	if len(q.iface.Proxies) > 0 && q.forProxy(p, h) {
		q.local6(p, h, false, false)
		return
	}
	d := q.decide(p)
	if p.Trace != 0 {
		q.l.narrator.toldRoute(q, p, d)
	}
	switch d.verdict {
	case discard:
		if d.verified && isAdvertisement(h) {
			q.local6(p, h, false, false)
			return
		}
		q.drop(p, d.reason)
	case unreachable:
		q.reject(p, complaint{wire.ICMPv6DestUnreachable, d.code, 0}, d.reason)
	case forward:
		// RFC 8200, 4: "Extension headers (except for the Hop-by-Hop Options header) are not processed, inserted, or
		// deleted by any node along a packet's delivery path".
		if h.NextHeader() == wire.ProtoHopByHop && !q.hopByHop(p) {
			return
		}
		q.forward(p, d)
	case ours:
		if h.PayloadLen() == 0 && h.NextHeader() == wire.ProtoHopByHop {
			q.lengthless(p)
			return
		}
		q.local6(p, h, d.fromSelf, false)
	}
}

// isAdvertisement reports whether a packet is a Neighbor Advertisement, which a tentative address hears.
//
// RFC 4862, 5.4: "the interface must accept Neighbor Solicitation and Advertisement messages containing the tentative
// address in the Target Address field". Solicitations that count go to its solicited-node group.
func isAdvertisement(h wire.IPv6) bool {
	b := h.Payload()
	return h.NextHeader() == wire.ProtoICMPv6 && len(b) > 0 && b[0] == wire.ICMPv6NeighborAdvertisement
}

// local6 walks the extension headers of a packet that is for us. fromSelf says whether its source is ours, fragmented
// whether it was put together from fragments.
func (q *queue) local6(p *packet.Buffer, h wire.IPv6, fromSelf, fragmented bool) {
	it := wire.WalkExt(h.NextHeader(), h.Payload())
	for named := it.Pointer(); it.Next(); named = it.Pointer() {
		x := it.Header()
		switch x.Proto {
		case wire.ProtoHopByHop, wire.ProtoDestOpts:
			if !q.options6(p, &x) {
				return
			}
		case wire.ProtoRouting:
			// RFC 8200, 4.4: of an unrecognized routing type, "If Segments Left is zero, the node must ignore the
			// Routing header … If Segments Left is non-zero, the node must discard the packet and send an ICMP
			// Parameter Problem, Code 0, message … pointing to the unrecognized Routing Type." So for type 0 too:
			// RFC 5095, 3.
			if x.SegmentsLeft() != 0 {
				q.reject(p, paramProblem6(wire.ICMPv6ErroneousHeader, wire.IPv6Len+x.Offset+2), mib.Ip6RoutingHeader)
				return
			}
		case wire.ProtoFragment:
			f, _ := wire.ParseFragment(x.Data) // it is there completely: WalkExt saw to that
			// RFC 8200, 4.5: a fragment that is a whole packet ("atomic", RFC 6946) "should be processed as a fully
			// reassembled packet", whatever others have its identification.
			if f.Offset != 0 || f.More {
				q.fragment6(p, &x, &f, it)
				return
			}
			fragmented = true
		case wire.ProtoAH: // there is no IPsec here
			q.reject(p, paramProblem6(wire.ICMPv6UnrecognizedNextHeader, named), mib.Ip6UnknownHeader)
			return
		}
	}
	switch it.Err() {
	case wire.ErrOrder:
		// RFC 8200, 4: "The same action" – Parameter Problem, code 1 – "should be taken if a node encounters a Next
		// Header value of zero in any header other than an IPv6 header."
		q.reject(p, paramProblem6(wire.ICMPv6UnrecognizedNextHeader, it.Pointer()), mib.Ip6UnknownHeader)
		return
	case wire.ErrShort:
		q.drop(p, mib.Ip6Header)
		return
	}
	proto, offset := it.Upper()
	p.Proto = proto
	p.TrimFront(wire.IPv6Len + offset)
	p.SetTransport()
	if fromSelf && proto != wire.ProtoICMPv6 && p.Flags&packet.Loopback == 0 {
		// Neighbor Discovery has to hear whoever uses our address (RFC 4862, 5.4.4); nobody else does.
		q.drop(p, mib.Ip6FromOurs)
		return
	}
	if fragmented && proto == wire.ProtoICMPv6 && p.Len() > 0 && isND(p.Bytes()[0]) {
		// RFC 6980, 5: "Nodes MUST silently ignore the following Neighbor Discovery … messages if the packets carrying
		// them include an IPv6 Fragmentation Header".
		q.drop(p, mib.NdInvalid)
		return
	}
	q.toUpper(p, it.Pointer())
}

// isND reports whether ICMPv6 messages of type typ are Neighbor Discovery.
func isND(typ uint8) bool {
	return typ >= wire.ICMPv6RouterSolicitation && typ <= wire.ICMPv6Redirect
}

// fragment6 takes a fragment whose Fragment header is x, read as f; it stands behind that header.
func (q *queue) fragment6(p *packet.Buffer, x *wire.ExtHeader, f *wire.Fragment, it wire.ExtIter) {
	data := p.Len() - wire.IPv6Len - x.Offset - wire.FragmentLen
	switch {
	case f.More && data%8 != 0:
		// RFC 8200, 4.5: "If the length of a fragment … is not a multiple of 8 octets and the M flag of that
		// fragment is 1, then that fragment must be discarded and an ICMP Parameter Problem, Code 0, message should
		// be sent …, pointing to the Payload Length field".
		q.reject(p, paramProblem6(wire.ICMPv6ErroneousHeader, 4), mib.Ip6Reassembly)
		return
	case x.Offset+f.Offset+data > 65535:
		// "If the length and offset of a fragment are such that the Payload Length of the packet reassembled from
		// that fragment would exceed 65,535 octets, then that fragment must be discarded and an ICMP Parameter
		// Problem, Code 0, message should be sent …, pointing to the Fragment Offset field".
		q.reject(p, paramProblem6(wire.ICMPv6ErroneousHeader, wire.IPv6Len+x.Offset+2), mib.Ip6Reassembly)
		return
	case f.Offset == 0 && misplaced(it) != 0:
		// RFC 8200, 4: "The Hop-by-Hop Options header, when present, must immediately follow the IPv6 header."
		// Put together, the packet would look as if it did.
		q.reject(p, paramProblem6(wire.ICMPv6UnrecognizedNextHeader, misplaced(it)), mib.Ip6UnknownHeader)
		return
	case f.Offset == 0 && !wholeChain(it, len(p.Bytes())-wire.IPv6Len):
		// RFC 8200, 4.5: "If the first fragment does not include all headers through an Upper-Layer header, then that fragment
		// should be discarded and an ICMP Parameter Problem, Code 3, message should be sent …, with the Pointer
		// field set to zero." (RFC 7112, 5, is the reason.)
		q.reject(p, paramProblem6(wire.ICMPv6IncompleteHeaderChain, 0), mib.Ip6Reassembly)
		return
	}
	p.TrimFront(wire.IPv6Len + x.Offset)
	q.parts.Push(p)
}

// misplaced returns where, from where it stands, Hop-by-Hop Options are named; 0: nowhere.
func misplaced(it wire.ExtIter) int {
	for it.Next() {
	}
	if it.Err() == wire.ErrOrder {
		return it.Pointer()
	}
	return 0
}

// wholeChain reports whether all headers from where it stands through the upper-layer one are within the n octets
// behind the IPv6 header.
func wholeChain(it wire.ExtIter, n int) bool {
	for it.Next() {
	}
	proto, offset := it.Upper()
	return it.Err() == nil && n-offset >= upperLen(proto)
}

// upperLen returns how many octets the header of an upper-layer protocol has at least.
func upperLen(proto uint8) int {
	switch proto {
	case wire.ProtoTCP:
		return 20
	case wire.ProtoUDP, wire.ProtoICMPv6:
		return 8
	}
	return 0
}

func paramProblem6(code uint8, pointer int) complaint {
	return complaint{wire.ICMPv6ParamProblem, code, uint32(pointer)}
}
