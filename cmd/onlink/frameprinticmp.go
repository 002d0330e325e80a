package main

import (
	"encoding/binary"
	"net/netip"

	"github.com/onlink-go/onlink/wire"
)

// quoted is the packet that an ICMP error is about.
type quoted struct {
	src, dst netip.Addr
	proto    uint8
	port     uint16 // of the destination
}

// quote4 and quote6 read what an error quotes; false if it is too short.
func quote4(b []byte) (q quoted, ok bool) {
	h, err := wire.CheckIPv4Quoted(b)
	if err != nil {
		return q, false
	}
	q = quoted{src: h.Src().Netip(), dst: h.Dst().Netip(), proto: h.Protocol()}
	if rest := b[h.HeaderLen():]; len(rest) >= 4 {
		q.port = binary.BigEndian.Uint16(rest[2:])
	}
	return q, true
}

func quote6(b []byte) (q quoted, ok bool) {
	h, err := wire.CheckIPv6Quoted(b)
	if err != nil {
		return q, false
	}
	q = quoted{src: h.Src().Netip(), dst: h.Dst().Netip(), proto: h.NextHeader()}
	if rest := b[wire.IPv6Len:]; len(rest) >= 4 {
		q.port = binary.BigEndian.Uint16(rest[2:])
	}
	return q, true
}

// unreachable4 is what tcpdump says of destination unreachable, by code, with the quoted destination in place of %v.
var unreachable4 = map[uint8]string{0: "net %v unreachable", 1: "host %v unreachable", 4: "%v unreachable - need to frag", 5: "%v unreachable - source route failed",
	6: "net %v unreachable - unknown", 7: "host %v unreachable - unknown", 8: "%v unreachable - source host isolated", 9: "net %v unreachable - admin prohibited",
	10: "host %v unreachable - admin prohibited", 11: "net %v unreachable - tos prohibited", 12: "host %v unreachable - tos prohibited",
	13: "host %v unreachable - admin prohibited filter", 14: "host %v unreachable - host precedence violation", 15: "host %v unreachable - precedence cutoff"}

// icmp4 prints a message of ICMP.
func (p *framePrinter) icmp4(t *transport) {
	m, err := wire.CheckICMP(t.data)
	if err != nil {
		p.printf("[|icmp]")
		return
	}
	p.printf("ICMP ")
	q, ok := quote4(m.Body())
	switch typ, code := m.Type(), m.Code(); {
	case typ == wire.ICMPv4EchoRequest:
		p.printf("echo request, id %d, seq %d", m.ID(), m.Seq())
	case typ == wire.ICMPv4EchoReply:
		p.printf("echo reply, id %d, seq %d", m.ID(), m.Seq())
	case typ == 3 && code == 2 && ok:
		p.printf("%v protocol %d unreachable", q.dst, q.proto)
	case typ == 3 && code == 3 && ok:
		p.port(q, " unreachable")
	case typ == 3 && ok && unreachable4[code] != "":
		p.printf(unreachable4[code], q.dst)
		if mtu := uint16(m.Rest()); code == 4 && mtu != 0 {
			p.printf(" (mtu %d)", mtu)
		}
	case typ == 5 && ok:
		to := m.Rest()
		gateway := netip.AddrFrom4([4]byte{byte(to >> 24), byte(to >> 16), byte(to >> 8), byte(to)})
		p.printf("redirect %v to %s %v", q.dst, []string{"net", "host", "tos-net", "tos-host"}[code&3], gateway)
	case typ == 11 && code == 0:
		p.printf("time exceeded in-transit")
	case typ == 11 && code == 1:
		p.printf("ip reassembly time exceeded")
	case typ == 12:
		p.printf("parameter problem - octet %d", m.Rest()>>24)
	case typ == 9:
		p.printf("router advertisement")
	case typ == 10:
		p.printf("router solicitation")
	default:
		p.printf("type-#%d", typ)
	}
	p.printf(", length %d", t.n)
}

// port prints the port that a quoted packet was for.
func (p *framePrinter) port(q quoted, end string) {
	name := map[uint8]string{wire.ProtoTCP: "tcp port", wire.ProtoUDP: "udp port"}[q.proto]
	if name == "" {
		p.printf("%v protocol %d port %d%s", q.dst, q.proto, q.port, end)
		return
	}
	p.printf("%v %s %d%s", q.dst, name, q.port, end)
}

// unreachable6 is what tcpdump says of destination unreachable, by code.
var unreachable6 = map[uint8]string{0: "unreachable route", 1: "unreachable prohibited", 2: "beyond scope", 3: "unreachable address"}

// icmp6 prints a message of ICMPv6.
func (p *framePrinter) icmp6(t *transport) {
	m, err := wire.CheckICMP(t.data)
	if err != nil {
		p.printf("[|icmp6]")
		return
	}
	p.printf("ICMP6, ")
	q, ok := quote6(m.Body())
	body := m.Body()
	switch typ, code := m.Type(), m.Code(); {
	case typ == 1 && code == 4 && ok:
		p.printf("destination unreachable, unreachable port, ")
		p.port(q, "")
	case typ == 1 && ok && unreachable6[code] != "":
		p.printf("destination unreachable, %s %v", unreachable6[code], q.dst)
		if code == 2 {
			p.printf(", source address %v", q.src)
		}
	case typ == 2:
		p.printf("packet too big, mtu %d", m.Rest())
	case typ == 3 && code == 0 && ok:
		p.printf("time exceeded in-transit for %v", q.dst)
	case typ == 3:
		p.printf("time exceeded in-transit (reassembly)")
	case typ == 4:
		p.printf("parameter problem, %s - octet %d", []string{"errorneous", "next header", "option", "code-#3"}[min(code, 3)], m.Rest())
	case typ == 128:
		p.printf("echo request, id %d, seq %d", m.ID(), m.Seq())
	case typ == 129:
		p.printf("echo reply, id %d, seq %d", m.ID(), m.Seq())
	case typ == 130:
		p.printf("multicast listener query")
		if t.n >= 28 {
			p.printf(" v2")
		}
		if len(body) >= 16 {
			p.maxDelay(t, m)
		}
	case (typ == 131 || typ == 132) && len(body) >= 16:
		p.printf("multicast listener %smax resp delay: %d addr: %v", map[uint8]string{131: "report", 132: "done"}[typ], m.Rest()>>16, netip.AddrFrom16([16]byte(body[:16])))
	case typ == 133:
		p.printf("router solicitation")
	case typ == 134:
		p.printf("router advertisement")
	case typ == 135 && len(body) >= 16:
		p.printf("neighbor solicitation, who has %v", netip.AddrFrom16([16]byte(body[:16])))
	case typ == 136 && len(body) >= 16:
		p.printf("neighbor advertisement, tgt is %v", netip.AddrFrom16([16]byte(body[:16])))
	case typ == 137 && len(body) >= 32:
		p.printf("redirect, %v to %v", netip.AddrFrom16([16]byte(body[16:32])), netip.AddrFrom16([16]byte(body[:16])))
	case typ == 143:
		p.printf("multicast listener report v2, %d group record(s)", m.Seq())
	default:
		p.printf("type-#%d", typ)
	}
	p.printf(", length %d", t.n)
}

// maxDelay prints how long hearers of a query may wait, and the group it asks for.
func (p *framePrinter) maxDelay(t *transport, m wire.ICMP) {
	if t.n >= 28 {
		p.printf(" [gaddr %v]", netip.AddrFrom16([16]byte(m.Body()[:16])))
		return
	}
	p.printf("max resp delay: %d addr: %v", m.Rest()>>16, netip.AddrFrom16([16]byte(m.Body()[:16])))
}

// igmp prints a message of IGMP.
func (p *framePrinter) igmp(t *transport) {
	b := t.data
	if len(b) < 8 {
		p.printf("[|igmp]")
		return
	}
	group := netip.AddrFrom4([4]byte(b[4:8]))
	p.printf("igmp ")
	switch b[0] {
	case 0x11:
		p.printf("query ")
		if t.n >= 12 {
			p.printf("v3")
		} else {
			p.printf("v%d", map[bool]int{true: 1, false: 2}[b[1] == 0])
		}
		if group.IsMulticast() {
			p.printf(" [gaddr %v]", group)
		}
	case 0x12:
		p.printf("v1 report %v", group)
	case 0x16:
		p.printf("v2 report %v", group)
	case 0x17:
		p.printf("leave %v", group)
	case 0x22:
		p.printf("v3 report, %d group record(s)", binary.BigEndian.Uint16(b[6:]))
	default:
		p.printf("type-#%#x", b[0])
	}
}
