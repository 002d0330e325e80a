package ip

import (
	"encoding/binary"

	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// toUpper gives a whole packet for us, at its transport header, to whom it concerns. pointer is where an IPv6 packet
// names its protocol, in octets from its header.
func (q *queue) toUpper(p *packet.Buffer, pointer int) {
	if q.hooks != nil && !q.inputHooks(p) {
		return
	}
	four := p.Dst.Is4()
	known := q.l.transport(p.Proto) != nil
	delivered := &q.n[family(p.Dst)].delivered // RFC 4293: "to IP user-protocols (including ICMP)"
	if p.Proto != wire.ProtoIGMP && !q.isMLD(p) && q.unheard(p) {
		reason := mib.Ip6SourceFiltered
		if four {
			reason = mib.Ip4SourceFiltered
		}
		q.drop(p, reason)
		return
	}
	raw := q.l.raw.Load()
	heard := raw != nil && (*raw).Input(&q.counters, q.now, p)
	switch p.Proto {
	case wire.ProtoIGMP:
		if four {
			*delivered++
			q.toIGMP(p)
			return
		}
	case wire.ProtoICMP:
		if four {
			*delivered++
			q.icmp4(p)
			return
		}
		known = false
	case wire.ProtoICMPv6:
		if !four {
			*delivered++
			q.icmp6(p)
			return
		}
		known = false
	case wire.ProtoNoNext:
		if !four && !heard { // RFC 8200, 4.7: "there is nothing following that header"
			q.drop(p, mib.Ip6NoNextHeader)
			return
		}
	}
	if known {
		*delivered++
		q.toShard(p, ports(p.Proto, p.Bytes()))
		return
	}
	if heard {
		*delivered++
		p.Free()
		return
	}
	if four {
		// RFC 1122, 3.2.2.1: "2 (Protocol Unreachable), when the designated transport protocol is not supported".
		q.reject(p, complaint{wire.ICMPv4DestUnreachable, wire.ICMPv4ProtoUnreachable, 0}, mib.Ip4UnknownProtocol)
		return
	}
	// RFC 8200, 4: "it should discard the packet and send an ICMP Parameter Problem message …, with an ICMP Code
	// value of 1 … and the ICMP Pointer field containing the offset of the unrecognized value".
	q.reject(p, paramProblem6(wire.ICMPv6UnrecognizedNextHeader, pointer), mib.Ip6UnknownHeader)
}

// ports returns source and destination port of a transport header that arrived, as flow.Key.Ports holds them; 0 if
// it is too short, or has none.
func ports(proto uint8, b []byte) uint32 {
	if len(b) < 4 || proto != wire.ProtoTCP && proto != wire.ProtoUDP {
		return 0
	}
	return flow.Ports(binary.BigEndian.Uint16(b[2:]), binary.BigEndian.Uint16(b))
}

// toShard puts p with those for the shard of its flow.
func (q *queue) toShard(p *packet.Buffer, ports uint32) {
	i := 0
	if len(q.groups) > 1 {
		i = q.l.shardIndex(&flow.Key{Local: p.Dst, Remote: p.Src, Ports: ports, Scope: flow.ScopeOf(p.Src, p.In), Proto: p.Proto})
	}
	g := &q.groups[i]
	if g.Empty() {
		q.grouped = append(q.grouped, i)
	}
	g.Push(p)
}

// toTransports delivers what was grouped: one lock a shard.
func (q *queue) toTransports() {
	var refused packet.Batch
	for _, i := range q.grouped {
		g, sh := &q.groups[i], q.l.shards[i]
		sh.Lock()
		for p := g.Pop(); p != nil; p = g.Pop() {
			if q.l.transport(p.Proto).Input(sh, q.now, p) == NoPort {
				refused.Push(p)
			}
		}
		sh.Unlock()
	}
	q.grouped = q.grouped[:0]
	for p := refused.Pop(); p != nil; p = refused.Pop() {
		q.noPort(p)
	}
}

// noPort answers a packet that no socket wants.
func (q *queue) noPort(p *packet.Buffer) {
	c := complaint{wire.ICMPv4DestUnreachable, wire.ICMPv4PortUnreachable, 0}
	if !p.Dst.Is4() {
		c = complaint{wire.ICMPv6DestUnreachable, wire.ICMPv6PortUnreachable, 0}
	}
	switch p.Proto {
	case wire.ProtoUDP:
		// RFC 1122, 4.1.3.1: "If a datagram arrives addressed to a UDP port for which there is no pending LISTEN
		// call, UDP SHOULD send an ICMP Port Unreachable message." RFC 4443, 3.1: likewise, code 4.
		q.reject(p, c, mib.UdpNoPort)
	case wire.ProtoICMP:
		q.drop(p, mib.IcmpIgnored)
	case wire.ProtoICMPv6:
		q.drop(p, mib.Icmp6Ignored)
	default:
		q.reject(p, c, ipCounters[family(p.Dst)].unknown)
	}
}
