package ip

import (
	"encoding/binary"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// icmp4 takes an ICMP message for us, at its header.
func (q *queue) icmp4(p *packet.Buffer) {
	m, err := wire.CheckICMP(p.Bytes())
	if err != nil {
		q.drop(p, mib.IcmpMalformed)
		return
	}
	if p.Flags&packet.ChecksumGood == 0 && !wire.ICMPv4ChecksumOK(m) {
		q.drop(p, mib.IcmpChecksum)
		return
	}
	p.Flags |= packet.ChecksumGood
	countICMPIn(&q.counters, true, m.Type())
	switch m.Type() {
	case wire.ICMPv4EchoRequest:
		// RFC 1122, 3.2.2.6: "An ICMP Echo Request destined to an IP broadcast or IP multicast address MAY be
		// silently discarded", which keeps us from amplifying floods.
		if p.Flags&(packet.Broadcast|packet.LinkMulticast) != 0 || p.Dst.IsMulticast() {
			q.drop(p, mib.IcmpIgnored)
			return
		}
		q.echo(p, m)
	case wire.ICMPv4EchoReply:
		q.echoReply(p, m)
	case wire.ICMPv4Timestamp:
		// RFC 1122, 3.2.2.8: "An ICMP Timestamp Request message to an IP broadcast or IP multicast address MAY be silently
		// discarded."
		if p.Flags&(packet.Broadcast|packet.LinkMulticast) != 0 || p.Dst.IsMulticast() || len(m) < wire.ICMPv4TimestampLen {
			q.drop(p, mib.IcmpIgnored)
			return
		}
		q.timestampReply(p, m)
	case wire.ICMPv4DestUnreachable, wire.ICMPv4TimeExceeded, wire.ICMPv4ParamProblem:
		q.icmpError(p, m)
	case wire.ICMPv4Redirect:
		if p.Flags&packet.Loopback != 0 || p.Dst.IsMulticast() {
			q.drop(p, mib.IcmpIgnored)
			return
		}
		q.redirects.Push(p)
	case wire.ICMPv4SourceQuench:
		// RFC 6633, 3: "If a Source Quench message is received, the IP layer MAY silently discard it."
		q.drop(p, mib.IcmpIgnored)
	default:
		// RFC 1122, 3.2.2: "If an ICMP message of unknown type is received, it MUST be silently discarded."
		q.drop(p, mib.IcmpUnknownType)
	}
}

// icmp6 takes an ICMPv6 message for us, at its header.
func (q *queue) icmp6(p *packet.Buffer) {
	m, err := wire.CheckICMP(p.Bytes())
	if err != nil {
		q.drop(p, mib.Icmp6Malformed)
		return
	}
	if p.Flags&packet.ChecksumGood == 0 && !wire.ICMPv6ChecksumOK(m, p.Src, p.Dst) {
		q.drop(p, mib.Icmp6Checksum)
		return
	}
	p.Flags |= packet.ChecksumGood
	countICMPIn(&q.counters, false, m.Type())
	switch m.Type() {
	case wire.ICMPv6EchoRequest:
		if p.Src.IsUnspecified() { // there is nobody to answer
			q.drop(p, mib.Icmp6Ignored)
			return
		}
		q.echo(p, m)
	case wire.ICMPv6EchoReply:
		q.echoReply(p, m)
	case wire.ICMPv6RouterSolicitation, wire.ICMPv6NeighborSolicitation, wire.ICMPv6NeighborAdvertisement,
		wire.ICMPv6RouterAdvertisement, wire.ICMPv6Redirect:
		// A link without link-layer addresses has none of this. RFC 4861, 6.2.6: "A host MUST silently discard any received
		// Router Solicitation messages."
		if q.d.known == nil || p.Flags&packet.Loopback != 0 || m.Type() == wire.ICMPv6RouterSolicitation && !q.l.Settings().Forward6 {
			q.drop(p, mib.Icmp6Ignored)
			return
		}
		q.nds.Push(p)
	case wire.ICMPv6MLDQuery, wire.ICMPv6MLDReport, wire.ICMPv6MLDDone, wire.ICMPv6MLDv2Report:
		if p.Flags&packet.Loopback != 0 {
			q.drop(p, mib.MldIgnored)
			return
		}
		q.groupq.Push(p)
	default:
		if wire.ICMPv6IsError(m.Type()) {
			// RFC 4443, 2.4 (a): "If an ICMPv6 error message of unknown type is received at its destination, it MUST
			// be passed to the upper-layer process that originated the packet that caused the error".
			q.icmpError(p, m)
			return
		}
		// (b): "If an ICMPv6 informational message of unknown type is received, it MUST be silently discarded."
		q.drop(p, mib.Icmp6UnknownType)
	}
}

// echo turns an echo request into its reply and sends it back.
//
// RFC 1122, 3.2.2.6: "Data received in an ICMP Echo Request MUST be entirely included in the resulting Echo Reply."
// RFC 4443, 4.2: likewise; and "An Echo Reply SHOULD be sent in response to an Echo Request message sent to an IPv6
// multicast or anycast address. In this case, the source address of the reply MUST be a unicast address belonging to
// the interface on which the Echo Request message was received."
func (q *queue) echo(p *packet.Buffer, m wire.ICMP) {
	query := Query{Src: p.Dst, Dst: p.Src, Scope: flow.ScopeOf(p.Src, p.In), VRF: q.iface.VRF}
	if p.Dst.IsMulticast() || q.s.Lookup(p.Dst, p.In).Kind == netif.Anycast {
		query.Src, query.Out = wire.Addr{}, p.In
	}
	if !q.l.reuse(q.now, &query, &q.path) {
		q.drop(p, ipCounters[family(p.Dst)].noRoute)
		return
	}
	reply, params := uint8(wire.ICMPv4EchoReply), Params{Proto: p.Proto, TrafficClass: p.TrafficClass}
	if p.Proto == wire.ProtoICMPv6 {
		reply = wire.ICMPv6EchoReply
	}
	if q.path.Src == p.Dst {
		// Source and destination changed places, which does not change the sum; the type did.
		sum := wire.UpdateChecksum(m.Checksum(), binary.BigEndian.Uint16(m), uint16(reply)<<8)
		m[0], m[1] = reply, 0
		binary.BigEndian.PutUint16(m[2:], sum)
	} else {
		m[0], m[1] = reply, 0
		wire.FinishICMPv6(m, q.path.Src, q.path.Dst)
	}
	var options []byte
	if q.path.Src.Is4() {
		options = q.answerOptions4(p)
	}
	if p.Trace != 0 {
		q.toldTaken(p, "ICMP answers it")
	}
	arrived := p.Arrived
	p.Meta = packet.Meta{Arrived: arrived}
	q.l.noteEcho(q.path.Src, q.path.Dst, params.Proto, m.ID())
	q.l.output(&q.path, &params, options, p)
	q.out.Push(p)
	q.l.sentICMP(&q.counters, q.now, p, reply, 0)
}

// timestampReply turns a timestamp request into its reply and sends it back.
//
// RFC 792: "the Originate Timestamp is the time the sender last touched the message before sending it, the Receive Timestamp
// is the time the echoer first touched it on receipt, and the Transmit Timestamp is the time the echoer last touched the
// message on sending it." RFC 1122, 3.2.2.8: it is optional; "the IP source address in an ICMP Timestamp Reply MUST be the
// same as the specific-destination address of the corresponding Timestamp Request message"; Record Route and Timestamp options are
// treated as with an echo.
func (q *queue) timestampReply(p *packet.Buffer, m wire.ICMP) {
	query := Query{Src: p.Dst, Dst: p.Src, Scope: flow.ScopeOf(p.Src, p.In), VRF: q.iface.VRF}
	if !q.l.reuse(q.now, &query, &q.path) {
		q.drop(p, mib.Ip4NoRoute)
		return
	}
	params := Params{Proto: p.Proto, TrafficClass: p.TrafficClass}
	options := q.answerOptions4(p)
	p.Truncate(wire.ICMPv4TimestampLen)
	m[0], m[1] = wire.ICMPv4TimestampReply, 0
	now := q.l.timestamp()
	binary.BigEndian.PutUint32(m[12:], now)
	binary.BigEndian.PutUint32(m[16:], now)
	wire.FinishICMPv4(p.Bytes())
	if p.Trace != 0 {
		q.toldTaken(p, "ICMP answers it")
	}
	arrived := p.Arrived
	p.Meta = packet.Meta{Arrived: arrived}
	q.l.output(&q.path, &params, options, p)
	q.out.Push(p)
	q.l.sentICMP(&q.counters, q.now, p, wire.ICMPv4TimestampReply, 0)
}

// answerOptions4 returns the options for the answer to p, which goes by q.path: nil, or good until the next call.
func (q *queue) answerOptions4(p *packet.Buffer) []byte {
	h := wire.IPv4(p.FromNetwork())
	if h.HeaderLen() == wire.IPv4MinLen {
		return nil
	}
	return q.l.echoOptions4(q.s, q.options[:0], h.Options(), q.path.Src)
}

// reuse routes q into p, unless p is the answer already and still holds.
func (l *Layer) reuse(now clock.Instant, q *Query, p *Path) bool {
	if l.Valid(p) && p.Src == q.Src && p.Dst == q.Dst && p.Scope == q.Scope && p.out == q.Out && p.vrf == q.VRF && p.Flow == q.Flow {
		return true
	}
	return l.RouteInto(now, q, p) == nil
}

// echoReply gives an echo reply to the transport of echo requests. Its flow has the identifier as local port.
func (q *queue) echoReply(p *packet.Buffer, m wire.ICMP) {
	if q.l.transport(p.Proto) == nil {
		reason := mib.IcmpIgnored
		if p.Proto == wire.ProtoICMPv6 {
			reason = mib.Icmp6Ignored
		}
		q.drop(p, reason)
		return
	}
	q.toShard(p, flow.Ports(m.ID(), 0))
}
