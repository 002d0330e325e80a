package ip

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/offload"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// complaint is an ICMP error to be sent about a packet: type, code and second word of the family's message.
type complaint struct {
	typ, code uint8
	rest      uint32
}

// What an error message holds at most, in octets of the packet it is about.
//
// RFC 1812, 4.3.2.3: "the ICMP datagram SHOULD contain as much of the original datagram as possible without the
// length of the ICMP datagram exceeding 576 bytes." RFC 4443, 2.4 (c): "as much of the IPv6 offending (invoking) packet …
// as possible without making the error message packet exceed the minimum IPv6 MTU".
const (
	maxQuote4 = 576 - wire.IPv4MinLen - wire.ICMPLen
	maxQuote6 = wire.IPv6MinMTU - wire.IPv6Len - wire.ICMPLen
)

// reject drops p for r and tells its source why by the complaint c, where that is allowed.
func (q *queue) reject(p *packet.Buffer, c complaint, r mib.Reason) {
	q.l.complain(q.now, q.s, p, c, &q.path, &q.counters, &q.out)
	q.drop(p, r)
}

// complain appends to out the ICMP error c about p, which stays the caller's, unless the rules forbid it or it would
// be one too many. path is scratch.
func (l *Layer) complain(now clock.Instant, s *snapshot, p *packet.Buffer, c complaint, path *Path, counters *mib.Set, out *packet.Batch) {
	about := p.FromNetwork()
	four := p.Dst.Is4()
	if four {
		if !mayComplain4(s, p, about) {
			return
		}
	} else if !mayComplain6(p, about, c) {
		return
	}
	if !l.limits.allow(now, l.Settings(), four, c.typ) {
		if four {
			counters.Inc(mib.IcmpOutRateLimited)
		} else {
			counters.Inc(mib.Icmp6OutRateLimited)
		}
		return
	}
	// RFC 1122, 3.2.2: the source of the error is the address the packet was for, if that is ours; RFC 4443, 2.2 (a).
	// Otherwise it is chosen as for any packet to that destination: RFC 1812, 4.3.2.4; RFC 4443, 2.2 (b).
	query := Query{Dst: p.Src, Scope: uint32(p.In), VRF: s.vrfOf(p.In)}
	if s.Lookup(p.Dst, p.In).Kind == netif.Unicast {
		query.Src = p.Dst
	}
	if l.RouteInto(now, &query, path) != nil {
		return
	}
	if p.GSOSize != 0 {
		first := firstSegment(p)
		defer first.Free()
		about = first.FromNetwork()
	}
	var e *packet.Buffer
	params := Params{Proto: wire.ProtoICMP}
	var options []byte
	if four {
		if h := wire.IPv4(about); h.HeaderLen() > wire.IPv4MinLen && c.typ != wire.ICMPv4ParamProblem {
			options = l.echoOptions4(s, nil, h.Options(), path.Src)
		}
		e = quote(about, maxQuote4-(len(options)+3)&^3, c)
		wire.FinishICMPv4(e.Bytes())
		// RFC 1812, 4.3.2.5: "ICMP error messages SHOULD have their TOS bits set to the same value as the TOS bits in
		// the packet that provoked the sending of the ICMP error message", and "SHOULD have their precedence value set
		// to 6 (INTERNETWORK CONTROL) or 7". The ECN bits stay clear.
		params.TrafficClass = 6<<5 | p.TrafficClass&0x1c
	} else {
		e = quote(about, maxQuote6, c)
		wire.FinishICMPv6(e.Bytes(), path.Src, path.Dst)
		params.Proto = wire.ProtoICMPv6
	}
	l.output(path, &params, options, e)
	out.Push(e)
	l.sentICMP(counters, now, e, c.typ, c.code)
}

// quote returns an ICMP error with c and at most limit octets of the packet it is about, its checksum still to be set.
func quote(about []byte, limit int, c complaint) *packet.Buffer {
	about = about[:min(len(about), limit)]
	e := packet.New(wire.ICMPLen + len(about))
	b := e.Bytes()
	wire.PutICMP(b, c.typ, c.code, c.rest)
	copy(b[wire.ICMPLen:], about)
	return e
}

// firstSegment returns a copy of the first segment of the super-packet p: that is what was sent.
func firstSegment(p *packet.Buffer) *packet.Buffer {
	q := p.Clone()
	q.RestoreNetwork()
	var parts packet.Batch
	offload.Split(q, 0, &parts)
	first := parts.Pop()
	parts.Free()
	return first
}

// mayComplain4 applies RFC 1122, 3.2.2 and RFC 1812, 4.3.2.7: "An ICMP error message MUST NOT be sent as the result of
// receiving: …".
func mayComplain4(s *snapshot, p *packet.Buffer, about []byte) bool {
	h, err := wire.CheckIPv4Quoted(about)
	if err != nil {
		return false
	}
	switch {
	case p.Dst.IsMulticast() || p.Flags&packet.Broadcast != 0 || p.Dst == wire.Broadcast4:
		return false // "a datagram destined to an IP broadcast or IP multicast address"
	case p.Flags&packet.LinkMulticast != 0:
		return false // "a datagram sent as a link-layer broadcast"
	case h.FragmentOffset() != 0:
		return false // "a non-initial fragment"
	case p.Src.IsUnspecified() || p.Src.IsMulticast() || p.Src.V4()>>28 == 0xf || p.Src.V4()>>24 == 0:
		return false // "a datagram whose source address does not define a single host"
	case p.Src.IsLoopback() && p.Flags&packet.Loopback == 0, s.Lookup(p.Src, p.In).Kind == netif.Broadcast:
		return false // likewise: "e.g., a zero address, a loopback address, a broadcast address, a multicast address"
	}
	if h.Protocol() == wire.ProtoICMP {
		// "an ICMP error message". A type that is not known may be one.
		m := h.Payload()
		return len(m) > 0 && informational4(m[0])
	}
	return true
}

// informational4 reports whether messages of type typ are known not to be errors.
func informational4(typ uint8) bool {
	return typ == wire.ICMPv4EchoReply || typ == wire.ICMPv4EchoRequest || typ >= wire.ICMPv4Timestamp && typ <= wire.ICMPv4MaskReply
}

// mayComplain6 applies RFC 4443, 2.4 (e): "An ICMPv6 error message MUST NOT be originated as a result of receiving the
// following: …".
func mayComplain6(p *packet.Buffer, about []byte, c complaint) bool {
	h, err := wire.CheckIPv6Quoted(about)
	if err != nil {
		return false
	}
	// "(e.3) A packet destined to an IPv6 multicast address. (There are two exceptions to this rule: (1) the Packet
	// Too Big Message …, and (2) the Parameter Problem Message, Code 2 …)" and "(e.4) A packet sent as a link-layer multicast (the exceptions
	// from e.3 apply to this case, too)", (e.5) likewise of broadcast.
	excepted := c.typ == wire.ICMPv6PacketTooBig || c.typ == wire.ICMPv6ParamProblem && c.code == wire.ICMPv6UnrecognizedOption
	if (p.Dst.IsMulticast() || p.Flags&packet.LinkMulticast != 0) && !excepted {
		return false
	}
	// "(e.6) A packet whose source address does not uniquely identify a single node".
	if p.Src.IsUnspecified() || p.Src.IsMulticast() {
		return false
	}
	fragment := false
	it := wire.WalkExt(h.NextHeader(), h.Payload())
	for it.Next() {
		if x := it.Header(); x.Proto == wire.ProtoFragment {
			f, _ := wire.ParseFragment(x.Data)
			if f.Offset != 0 {
				return true // what it is a part of cannot be told; RFC 4443 forbids nothing
			}
			fragment = f.More
		}
	}
	if proto, at := it.Upper(); it.Err() == nil && proto == wire.ProtoICMPv6 {
		// "(e.1) An ICMPv6 error message. (e.2) An ICMPv6 redirect message". Of one too short to tell nothing is known; but
		// that a first fragment is too short is what RFC 8200, 4.5, wants an error for.
		m := h.Payload()[at:]
		if len(m) == 0 {
			return fragment
		}
		return !wire.ICMPv6IsError(m[0]) && m[0] != wire.ICMPv6Redirect
	}
	return true
}
