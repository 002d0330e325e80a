package conform

import (
	"bytes"
	"encoding/hex"
	"fmt"

	"github.com/onlink-go/onlink/wire"
)

// Describe says what a node sent, in a line, so that what two nodes sent can be compared. steps are what they were asked:
// what quotes one of those is said to.
func Describe(s Sent, steps []Step) string {
	b := s.Frame
	if len(b) < wire.EthernetLen {
		return "short frame " + hex.EncodeToString(b)
	}
	out := fmt.Sprintf("port %d: ", s.Port)
	p := b[wire.EthernetLen:]
	switch uint16(b[12])<<8 | uint16(b[13]) {
	case wire.EtherTypeIPv6:
		return out + describe6(p, steps)
	case wire.EtherTypeIPv4:
		return out + describe4(p, steps)
	}
	return out + "frame " + hex.EncodeToString(b[12:])
}

func describe6(p []byte, steps []Step) string {
	h, err := wire.CheckIPv6(p)
	if err != nil {
		return "bad IPv6 " + hex.EncodeToString(p)
	}
	s := fmt.Sprintf("%v > %v hops %d tc %#x ", h.Src(), h.Dst(), h.HopLimit(), h.TrafficClass())
	next, b := h.NextHeader(), h.Payload()
	if next == wire.ProtoFragment {
		f, err := wire.ParseFragment(b)
		if err != nil {
			return s + "bad fragment header"
		}
		return s + fmt.Sprintf("fragment of %d at %d more %v: %d octets", f.Next, f.Offset, f.More, len(b)-wire.FragmentLen)
	}
	if next == wire.ProtoICMPv6 {
		if !wire.ICMPv6ChecksumOK(b, h.Src(), h.Dst()) {
			s += "BAD CHECKSUM "
		}
		return s + describeICMP(b, wire.ICMPv6IsError, steps)
	}
	return s + describeUpper(next, b, steps)
}

func describe4(p []byte, steps []Step) string {
	h, err := wire.CheckIPv4(p)
	if err != nil || !h.ChecksumOK() {
		return "bad IPv4 " + hex.EncodeToString(p)
	}
	s := fmt.Sprintf("%v > %v ttl %d tos %#x df %v ", h.Src(), h.Dst(), h.TTL(), h.TrafficClass(), h.DontFragment())
	if len(h.Options()) > 0 {
		s += "options " + hex.EncodeToString(h.Options()) + " "
	}
	if h.IsFragment() {
		return s + fmt.Sprintf("fragment of %d at %d more %v: %d octets", h.Protocol(), h.FragmentOffset(), h.MoreFragments(), len(h.Payload()))
	}
	if h.Protocol() == wire.ProtoICMP {
		b := h.Payload()
		if !wire.ICMPv4ChecksumOK(b) {
			s += "BAD CHECKSUM "
		}
		return s + describeICMP(b, wire.ICMPv4IsError, steps)
	}
	return s + describeUpper(h.Protocol(), h.Payload(), steps)
}

func describeICMP(b []byte, isError func(uint8) bool, steps []Step) string {
	m, err := wire.CheckICMP(b)
	if err != nil {
		return "short ICMP"
	}
	s := fmt.Sprintf("ICMP %d/%d rest %#x ", m.Type(), m.Code(), m.Rest())
	if isError(m.Type()) {
		return s + quotes(m.Body(), steps)
	}
	return s + fmt.Sprintf("%d octets", len(m.Body()))
}

// quotes says which packet an error quotes, and how much of it.
func quotes(q []byte, steps []Step) string {
	for i, st := range steps {
		p := st.Frame[wire.EthernetLen:]
		if len(q) <= len(p) && len(q) > 0 && bytes.Equal(q, p[:len(q)]) {
			return fmt.Sprintf("quotes %d of %d octets of step %d", len(q), len(p), i)
		}
	}
	if len(q) > 60 {
		return fmt.Sprintf("quotes %d octets beginning %x", len(q), q[:60])
	}
	return fmt.Sprintf("quotes %x", q)
}

func describeUpper(next uint8, b []byte, steps []Step) string {
	if next == wire.ProtoTCP && len(b) >= 20 {
		return fmt.Sprintf("TCP flags %#x", b[13])
	}
	if next == wire.ProtoUDP && len(b) >= 8 {
		return fmt.Sprintf("UDP %d octets", len(b)-8)
	}
	return fmt.Sprintf("protocol %d: %d octets", next, len(b))
}

// answers reports whether a frame is an ARP reply or a Neighbor Advertisement.
func answers(f []byte) bool {
	p := f[wire.EthernetLen:]
	switch wire.Ethernet(f).EtherType() {
	case wire.EtherTypeARP:
		m, err := wire.ParseARP(p)
		return err == nil && m.Op == wire.ARPReply
	case wire.EtherTypeIPv6:
		h, err := wire.CheckIPv6(p)
		return err == nil && h.NextHeader() == wire.ProtoICMPv6 && len(h.Payload()) > 0 && h.Payload()[0] == wire.ICMPv6NeighborAdvertisement
	}
	return false
}

// describeAnswer says what an answer tells, and to whom.
func describeAnswer(s Sent) string {
	p := s.Frame[wire.EthernetLen:]
	out := fmt.Sprintf("port %d: to %v: ", s.Port, wire.Ethernet(s.Frame).Dst())
	if m, err := wire.ParseARP(p); err == nil {
		return out + fmt.Sprintf("ARP %v is at %v, to %v at %v", m.SenderIP, m.SenderMAC, m.TargetIP, m.TargetMAC)
	}
	h := wire.IPv6(p)
	m, err := wire.ParseNeighborAdvertisement(h.Payload())
	if err != nil || !wire.ICMPv6ChecksumOK(h.Payload(), h.Src(), h.Dst()) {
		return out + "bad NA " + hex.EncodeToString(p)
	}
	return out + fmt.Sprintf("%v > %v hops %d NA %+v", h.Src(), h.Dst(), h.HopLimit(), m)
}

// chatter reports whether a frame is what nodes send by themselves: ARP, Neighbor Discovery, group membership.
func chatter(f []byte) bool {
	switch uint16(f[12])<<8 | uint16(f[13]) {
	case wire.EtherTypeARP:
		return true
	case wire.EtherTypeIPv4:
		return f[wire.EthernetLen+9] == 2 // IGMP
	case wire.EtherTypeIPv6:
		p := f[wire.EthernetLen:]
		if len(p) < wire.IPv6Len {
			return false
		}
		it := wire.WalkExt(p[6], p[wire.IPv6Len:])
		for it.Next() {
		}
		proto, at := it.Upper()
		if proto != wire.ProtoICMPv6 || len(p) <= wire.IPv6Len+at {
			return false
		}
		t := p[wire.IPv6Len+at]
		return t >= wire.ICMPv6MLDQuery && t <= wire.ICMPv6Redirect-1 || t == wire.ICMPv6MLDv2Report
	}
	return false
}
