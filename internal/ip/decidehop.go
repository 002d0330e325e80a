package ip

import (
	"encoding/binary"

	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/route"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// selectors are what a decision depends on besides addresses and interface, where rules or multipath routes look at it;
// zero where they do not.
type selectors struct {
	mark, ports, label uint32
	class, proto       uint8
}

// selectorsOf returns what decisions about p depend on. p may be at its transport header already.
func (q *queue) selectorsOf(p *packet.Buffer) (s selectors) {
	mark, class, flow := q.s.routes.Depends(p.Dst.Is4())
	if mark {
		s.mark = p.Mark
	}
	if class {
		s.class = p.TrafficClass &^ 3
	}
	if flow {
		s.proto = p.Proto
		if p.Dst.Is4() {
			s.ports = ports4(p.FromNetwork())
		} else {
			h := wire.IPv6(p.FromNetwork())
			s.label = h.FlowLabel()
			s.ports = portsAt(p.Proto, h.Payload())
		}
	}
	return s
}

// ports4 returns the ports of an IPv4 packet, the source in the upper half; 0 for fragments, since all parts of a datagram
// go one way.
func ports4(b []byte) uint32 {
	h := wire.IPv4(b)
	if h.FragmentOffset() != 0 || h.MoreFragments() {
		return 0
	}
	return portsAt(h.Protocol(), h.Payload())
}

func portsAt(proto uint8, b []byte) uint32 {
	if len(b) < 4 || proto != wire.ProtoTCP && proto != wire.ProtoUDP {
		return 0
	}
	return binary.BigEndian.Uint32(b)
}

// findHop looks up where to forward to.
func (d *decision) findHop(s *snapshot, noRoute mib.Reason) {
	q := route.Query{Dst: d.dst, Src: d.src, In: d.in, VRF: s.vrfOf(d.in), Mark: d.mark, TrafficClass: d.class, Proto: d.proto,
		Ports: d.ports, FlowLabel: d.label}
	var r route.Result
	if !s.routes.Lookup(&q, &r) {
		d.verdict, d.reason, d.code = unreachable, noRoute, codeOf(r.Drop(), d.dst.Is4())
		if r.Drop() == route.Blackhole {
			d.verdict = discard
		}
		return
	}
	out := s.Interface(r.Hop.Out)
	if out == nil || out.Loopback {
		d.verdict, d.reason, d.code = unreachable, noRoute, codeOf(route.Unicast, d.dst.Is4())
		return
	}
	if s.Lookup(d.dst, out.Index).Kind == netif.Broadcast {
		// RFC 2644, 2: directed broadcasts are forwarded only where a router is configured to, since they are of more
		// use to attackers than to anybody else.
		return
	}
	d.verdict = forward
	d.hop = onward{out: out.Index, mtu: out.MTUOf(d.dst.Is4()), nextHop: d.dst}
	if r.Gateway != (wire.Addr{}) {
		d.hop.nextHop = r.Gateway
	}
	if mtu := r.Hop.MTU; mtu != 0 && mtu < d.hop.mtu {
		d.hop.mtu = mtu
	}
	d.redirect = out.Index == d.in && d.better(s, out)
}

// codeOf returns the code of the ICMP Destination Unreachable message about packets that meet a route of type t, or none.
// They are Linux's.
func codeOf(t route.Type, four bool) uint8 {
	switch {
	case four && t == route.Unreachable:
		return wire.ICMPv4HostUnreachable
	case four && t == route.Prohibit:
		return wire.ICMPv4AdminProhibited
	case four:
		return wire.ICMPv4NetUnreachable
	case t == route.Prohibit:
		return wire.ICMPv6AdminProhibited
	}
	return wire.ICMPv6NoRoute
}
