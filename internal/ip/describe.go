package ip

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// describe tells in a line what p, whose network header is noted, carries: "TCP 49152 → 80 SYN, sequence number 7, no data".
func describe(p *packet.Buffer) string {
	b := p.FromNetwork()
	switch p.EtherType {
	case wire.EtherTypeARP:
		return describeARP(b)
	case wire.EtherTypeIPv4:
		h, err := wire.CheckIPv4(b)
		if err != nil {
			return "a malformed IPv4 packet"
		}
		if at := h.FragmentOffset(); h.IsFragment() {
			return describeFragment(h.Protocol(), at, len(h.Payload()), h.MoreFragments(), uint32(h.ID()))
		}
		return describeTransport(true, h.Protocol(), h.Payload())
	}
	h, err := wire.CheckIPv6(b)
	if err != nil {
		return "a malformed IPv6 packet"
	}
	it := wire.WalkExt(h.NextHeader(), h.Payload())
	for it.Next() {
		x := it.Header()
		if x.Proto != wire.ProtoFragment {
			continue
		}
		if f, err := wire.ParseFragment(x.Data); err == nil && (f.Offset != 0 || f.More) {
			return describeFragment(f.Next, f.Offset, len(h.Payload())-x.Offset-wire.FragmentLen, f.More, f.ID)
		}
	}
	proto, at := it.Upper()
	return describeTransport(false, proto, h.Payload()[min(at, len(h.Payload())):])
}

func describeARP(b []byte) string {
	m, err := wire.ParseARP(b)
	switch {
	case err != nil:
		return "a malformed ARP packet"
	case m.Op == wire.ARPRequest && m.SenderIP == m.TargetIP:
		return fmt.Sprintf("ARP: %v is at %v (announcement)", m.SenderIP, m.SenderMAC)
	case m.Op == wire.ARPRequest && m.SenderIP.IsUnspecified():
		return fmt.Sprintf("ARP: has anybody %v? (probe)", m.TargetIP)
	case m.Op == wire.ARPRequest:
		return fmt.Sprintf("ARP: who has %v? tell %v", m.TargetIP, m.SenderIP)
	}
	return fmt.Sprintf("ARP: %v is at %v", m.SenderIP, m.SenderMAC)
}

func describeFragment(proto uint8, at, n int, more bool, id uint32) string {
	last := ", the last"
	if more {
		last = ""
	}
	return fmt.Sprintf("fragment of %s: octets %d to %d%s, identification %#x", ProtocolName(proto), at, at+n-1, last, id)
}

func describeTransport(four bool, proto uint8, b []byte) string {
	switch {
	case proto == wire.ProtoTCP:
		if h, err := wire.CheckTCP(b); err == nil {
			return fmt.Sprintf("TCP %d → %d %s, sequence number %d%s, %s", h.SrcPort(), h.DstPort(), h.Flags(), h.Seq(),
				acknowledged(h), octets(len(h.Payload())))
		}
	case proto == wire.ProtoUDP:
		if h, err := wire.CheckUDP(b); err == nil {
			return fmt.Sprintf("UDP %d → %d, %s", h.SrcPort(), h.DstPort(), octets(h.Length()-wire.UDPLen))
		}
	case proto == wire.ProtoICMP && four, proto == wire.ProtoICMPv6 && !four:
		return describeICMP(four, b)
	}
	return ProtocolName(proto) + ", " + octets(len(b))
}

func describeICMP(four bool, b []byte) string {
	m, err := wire.CheckICMP(b)
	if err != nil {
		return "a malformed ICMP message"
	}
	name := "ICMPv6 "
	if four {
		name = "ICMP "
	}
	name += strings.TrimPrefix(ICMPText(four, m.Type(), m.Code()), "ICMP ")
	switch {
	case four && (m.Type() == wire.ICMPv4EchoRequest || m.Type() == wire.ICMPv4EchoReply),
		!four && (m.Type() == wire.ICMPv6EchoRequest || m.Type() == wire.ICMPv6EchoReply):
		name += fmt.Sprintf(", identifier %d, sequence number %d", m.ID(), binary.BigEndian.Uint16(b[6:]))
	case !four && len(b) >= 24 && (m.Type() == wire.ICMPv6NeighborSolicitation || m.Type() == wire.ICMPv6NeighborAdvertisement):
		name += " for " + wire.AddrFrom16(b[8:]).String()
	}
	return name
}

func acknowledged(h wire.TCP) string {
	if h.Flags()&wire.ACK == 0 {
		return ""
	}
	return fmt.Sprintf(", acknowledgment number %d", h.Ack())
}

func octets(n int) string {
	switch n {
	case 0:
		return "no data"
	case 1:
		return "1 octet"
	}
	return fmt.Sprintf("%d octets", n)
}

// ProtocolName returns the name of a transport protocol, as "TCP" or "protocol 89".
func ProtocolName(proto uint8) string {
	switch proto {
	case wire.ProtoTCP:
		return "TCP"
	case wire.ProtoUDP:
		return "UDP"
	case wire.ProtoICMP:
		return "ICMP"
	case wire.ProtoICMPv6:
		return "ICMPv6"
	case wire.ProtoIGMP:
		return "IGMP"
	}
	return fmt.Sprintf("protocol %d", proto)
}
