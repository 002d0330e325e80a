package conform

import "github.com/onlink-go/onlink/wire"

// mute reports whether a is a neighbor that says nothing by itself: cases about neighbors speak for these.
func mute(a wire.Addr) bool {
	return a.Is4() && a.V4()>>7 == Node4[0].V4()>>7+1 || a.Hi == Node6[0].Hi && a.Lo>>16 == 0xdead
}

// neighbor returns the answer of the tester, who is every neighbor at the port, to a frame that asks for one; nil: it does
// not.
func neighbor(s Sent) []byte {
	f := s.Frame
	p := f[wire.EthernetLen:]
	switch uint16(f[12])<<8 | uint16(f[13]) {
	case wire.EtherTypeARP:
		m, err := wire.ParseARP(p)
		if err != nil || m.Op != wire.ARPRequest || m.SenderIP.IsUnspecified() || ours(s.Port, m.TargetIP) || mute(m.TargetIP) {
			return nil
		}
		r := wire.ARP{Op: wire.ARPReply, SenderMAC: TesterMAC[s.Port], SenderIP: m.TargetIP, TargetMAC: m.SenderMAC, TargetIP: m.SenderIP}
		b := make([]byte, wire.ARPLen)
		r.Put(b)
		return EthTo(s.Port, NodeMAC[s.Port], wire.EtherTypeARP, b)
	case wire.EtherTypeIPv6:
		h, err := wire.CheckIPv6(p)
		if err != nil || h.NextHeader() != wire.ProtoICMPv6 || len(h.Payload()) < 24 || h.Payload()[0] != wire.ICMPv6NeighborSolicitation {
			return nil
		}
		m, err := wire.ParseNeighborSolicitation(h.Payload())
		if err != nil || h.Src().IsUnspecified() || ours(s.Port, m.Target) || mute(m.Target) {
			return nil
		}
		mac := TesterMAC[s.Port]
		body := append([]byte(nil), h.Payload()[8:24]...)
		body = append(body, 2, 1)
		body = append(body, mac[:]...)
		msg := ICMP6(m.Target, h.Src(), wire.ICMPv6NeighborAdvertisement, 0, 0x6000_0000, body)
		hop255 := func(h *wire.IPv6Header) { h.HopLimit = 255 }
		return EthTo(s.Port, NodeMAC[s.Port], wire.EtherTypeIPv6, IP6(m.Target, h.Src(), wire.ProtoICMPv6, msg, hop255))
	}
	return nil
}
