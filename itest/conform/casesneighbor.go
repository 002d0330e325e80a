package conform

import "github.com/onlink-go/onlink/wire"

// solicitation returns a frame with a Neighbor Solicitation; change is done to the message before its checksum, then frame to
// all of it.
func solicitation(linkDst wire.MAC, src, dst, target wire.Addr, link wire.MAC, change func(m []byte) []byte, header ...func(*wire.IPv6Header)) []byte {
	m := wire.NeighborSolicitation{Target: target, SourceLink: link}
	b := make([]byte, m.Len())
	m.Put(b)
	if change != nil {
		b = change(b)
	}
	wire.FinishICMPv6(b, src, dst)
	header = append([]func(*wire.IPv6Header){func(h *wire.IPv6Header) { h.HopLimit = wire.NDHopLimit }}, header...)
	return EthTo(0, linkDst, wire.EtherTypeIPv6, IP6(src, dst, icmp, b, header...))
}

// Solicitations are cases of Neighbor Solicitations: what is valid, and what is answered how (RFC 4861, 7.1.1, 7.2.4).
func Solicitations() (cases []Case) {
	p, n := Peer6[0], Node6[0]
	group := n.SolicitedNode()
	tester := TesterMAC[0]
	add := func(name string, frame []byte) {
		for _, k := range []Kind{HostNode, RouterNode} {
			cases = append(cases, Case{Name: "NS " + name, Kind: k, Answers: true, Steps: []Step{{Frame: frame}}})
		}
	}
	plain := func(linkDst wire.MAC, src, dst, target wire.Addr, link wire.MAC) []byte {
		return solicitation(linkDst, src, dst, target, link, nil)
	}
	poke := func(at int, v ...byte) []byte {
		return solicitation(group.MulticastMAC(), p, group, n, tester, func(b []byte) []byte { return Poke(b, at, v...) })
	}
	options := func(o ...byte) []byte {
		return solicitation(group.MulticastMAC(), p, group, n, wire.MAC{}, func(b []byte) []byte { return append(b, o...) })
	}
	none := wire.MAC{}
	add("plain", plain(group.MulticastMAC(), p, group, n, tester))
	add("without a link-layer address", plain(group.MulticastMAC(), p, group, n, none))
	add("to us alone", plain(NodeMAC[0], p, n, n, tester))
	add("to us alone, without a link-layer address", plain(NodeMAC[0], p, n, n, none))
	add("to the group in a unicast frame", plain(NodeMAC[0], p, group, n, tester))
	add("to us in a group's frame", plain(group.MulticastMAC(), p, n, n, tester))
	add("in a broadcast frame", plain(wire.BroadcastMAC, p, group, n, tester))
	add("to all nodes", plain(wire.AllNodes6.MulticastMAC(), p, wire.AllNodes6, n, tester))
	add("to our link-local address about the other", plain(NodeMAC[0], PeerLL[0], NodeLL[0], n, tester))
	add("for the link-local address", plain(NodeLL[0].SolicitedNode().MulticastMAC(), PeerLL[0], NodeLL[0].SolicitedNode(), NodeLL[0], tester))
	add("from link-local for global", plain(group.MulticastMAC(), PeerLL[0], group, n, tester))
	add("from off-link", plain(group.MulticastMAC(), Far6, group, n, tester))
	add("from ::", plain(group.MulticastMAC(), wire.Addr{}, group, n, none))
	add("from :: with a link-layer address", plain(group.MulticastMAC(), wire.Addr{}, group, n, tester))
	add("from :: to us alone", plain(NodeMAC[0], wire.Addr{}, n, n, none))
	add("from :: to all nodes", plain(wire.AllNodes6.MulticastMAC(), wire.Addr{}, wire.AllNodes6, n, none))
	add("from a group", plain(group.MulticastMAC(), wire.AllNodes6, group, n, tester))
	add("from ::1", plain(group.MulticastMAC(), wire.Loopback6, group, n, tester))
	add("for another's address", plain(group.MulticastMAC(), p, group, Addr("2001:db8::9:2"), tester))
	add("for a group", plain(wire.AllNodes6.MulticastMAC(), p, wire.AllNodes6, wire.AllNodes6, tester))
	add("for ::", plain(wire.AllNodes6.MulticastMAC(), p, wire.AllNodes6, wire.Addr{}, tester))
	add("for ::1", plain(wire.AllNodes6.MulticastMAC(), p, wire.AllNodes6, wire.Loopback6, tester))
	add("for the other interface's address", plain(wire.AllNodes6.MulticastMAC(), p, wire.AllNodes6, Node6[1], tester))
	add("hop limit 254", solicitation(group.MulticastMAC(), p, group, n, tester, nil, func(h *wire.IPv6Header) { h.HopLimit = 254 }))
	add("hop limit 0", solicitation(group.MulticastMAC(), p, group, n, tester, nil, func(h *wire.IPv6Header) { h.HopLimit = 0 }))
	add("traffic class and flow label", solicitation(group.MulticastMAC(), p, group, n, tester, nil,
		func(h *wire.IPv6Header) { h.TrafficClass, h.FlowLabel = 0xe0, 0x12345 }))
	add("bad checksum", Poke(plain(group.MulticastMAC(), p, group, n, tester), wire.EthernetLen+wire.IPv6Len+2, 0xbe, 0xef))
	add("code 1", poke(1, 1))
	add("code 255", poke(1, 255))
	add("reserved field", poke(4, 0xff, 0xff, 0xff, 0xff))
	add("option of length zero", poke(25, 0))
	add("option beyond the end", poke(25, 2))
	add("too short", solicitation(group.MulticastMAC(), p, group, n, none, func(b []byte) []byte { return b[:20] }))
	add("header only", solicitation(group.MulticastMAC(), p, group, n, none, func(b []byte) []byte { return b[:8] }))
	add("half an option", options(1, 1, 2, 0, 0))
	add("unknown option", options(200, 1, 0, 0, 0, 0, 0, 0))
	add("unknown option of length zero", options(200, 0, 0, 0, 0, 0, 0, 0))
	add("a nonce", options(14, 1, 1, 2, 3, 4, 5, 6))
	add("a target option", options(2, 1, 2, 9, 9, 9, 9, 9))
	add("two link-layer addresses", options(1, 1, 2, 0, 0, 0, 0, 1, 1, 1, 2, 9, 9, 9, 9, 9))
	add("behind a destination option", EthTo(0, group.MulticastMAC(), wire.EtherTypeIPv6, IP6(p, group, dopt,
		Cat(Ext(icmp, 1, 4, 0, 0, 0, 0), plain(none, p, group, n, tester)[wire.EthernetLen+wire.IPv6Len:]), func(h *wire.IPv6Header) { h.HopLimit = 255 })))
	// RFC 6980, 5: "Nodes MUST silently ignore the following Neighbor Discovery and SEcure Neighbor Discovery messages if the
	// packets carrying them include an IPv6 Fragmentation Header".
	add("in a fragment", EthTo(0, group.MulticastMAC(), wire.EtherTypeIPv6, IP6(p, group, wire.ProtoFragment,
		Cat(Frag(icmp, 7, 0, false), plain(none, p, group, n, tester)[wire.EthernetLen+wire.IPv6Len:]), func(h *wire.IPv6Header) { h.HopLimit = 255 })))
	return cases
}

// arpFrame returns a frame with an ARP packet, changed.
func arpFrame(dst wire.MAC, m wire.ARP, at int, v ...byte) []byte {
	b := make([]byte, wire.ARPLen)
	m.Put(b)
	return EthTo(0, dst, wire.EtherTypeARP, Poke(b, at, v...))
}

// ARPs are cases of ARP packets: what is answered (RFC 826, "Packet Reception").
func ARPs() (cases []Case) {
	p, n := Peer4[0], Node4[0]
	add := func(name string, frame []byte) {
		for _, k := range []Kind{HostNode, RouterNode} {
			cases = append(cases, Case{Name: "ARP " + name, Kind: k, Answers: true, Steps: []Step{{Frame: frame}}})
		}
	}
	all, tester := wire.BroadcastMAC, TesterMAC[0]
	ask := wire.ARP{Op: wire.ARPRequest, SenderMAC: tester, SenderIP: p, TargetIP: n}
	request := func(change func(m *wire.ARP)) []byte {
		m := ask
		change(&m)
		return arpFrame(all, m, 0)
	}
	add("request", arpFrame(all, ask, 0))
	add("request to us alone", arpFrame(NodeMAC[0], ask, 0))
	add("request in a group's frame", arpFrame(wire.AllNodes6.MulticastMAC(), ask, 0))
	add("request in a frame for another", arpFrame(wire.MAC{2, 9, 9, 9, 9, 9}, ask, 0))
	add("request with padding", append(arpFrame(all, ask, 0), make([]byte, 18)...))
	add("request with a target link-layer address", request(func(m *wire.ARP) { m.TargetMAC = wire.MAC{2, 9, 9, 9, 9, 9} }))
	add("request with ours as target link-layer address", request(func(m *wire.ARP) { m.TargetMAC = NodeMAC[0] }))
	add("hardware type 2", arpFrame(all, ask, 0, 0, 2))
	add("hardware type 6", arpFrame(all, ask, 0, 0, 6))
	add("protocol type", arpFrame(all, ask, 2, 0x86, 0xdd))
	add("hardware length 8", arpFrame(all, ask, 4, 8))
	add("hardware length 0", arpFrame(all, ask, 4, 0))
	add("protocol length 16", arpFrame(all, ask, 5, 16))
	add("protocol length 0", arpFrame(all, ask, 5, 0))
	for op := range 11 {
		if op != wire.ARPRequest {
			add([]string{"operation 0", "", "reply", "operation 3", "operation 4", "operation 5", "operation 6", "operation 7", "operation 8",
				"operation 9", "operation 10"}[op], request(func(m *wire.ARP) { m.Op = uint16(op) }))
		}
	}
	add("operation 256", request(func(m *wire.ARP) { m.Op = 256 }))
	add("truncated", arpFrame(all, ask, 0)[:wire.EthernetLen+27])
	add("header only", arpFrame(all, ask, 0)[:wire.EthernetLen+8])
	for _, s := range []struct {
		name string
		a    wire.Addr
	}{{"0.0.0.0", wire.Unspecified4}, {"ours", n}, {"255.255.255.255", wire.Broadcast4}, {"the subnet's broadcast", Addr("192.0.2.255")},
		{"the subnet's zero", Addr("192.0.2.0")}, {"a group", Addr("224.0.0.1")}, {"127.0.0.1", wire.Loopback4}, {"class E", Addr("240.0.0.1")},
		{"off-link", Far4}, {"0.1.2.3", Addr("0.1.2.3")}, {"the target's other interface", Node4[1]}, {"the other interface's link", Peer4[1]}} {
		add("sender "+s.name, request(func(m *wire.ARP) { m.SenderIP = s.a }))
		add("target "+s.name, request(func(m *wire.ARP) { m.TargetIP = s.a }))
	}
	add("gratuitous request of ours", request(func(m *wire.ARP) { m.SenderIP = n }))
	add("probe for another", request(func(m *wire.ARP) { m.SenderIP, m.TargetIP = wire.Unspecified4, Addr("192.0.2.9") }))
	add("target another", request(func(m *wire.ARP) { m.TargetIP = Addr("192.0.2.9") }))
	for _, s := range []struct {
		name string
		a    wire.MAC
	}{{"broadcast", all}, {"a group's", wire.AllNodes6.MulticastMAC()}, {"zero", wire.MAC{}}, {"ours", NodeMAC[0]}, {"not the frame's", wire.MAC{2, 9, 9, 9, 9, 9}}} {
		add("sender link-layer address "+s.name, request(func(m *wire.ARP) { m.SenderMAC, m.SenderIP = s.a, Addr("192.0.2.66") }))
		add("probe, sender link-layer address "+s.name, request(func(m *wire.ARP) { m.SenderMAC, m.SenderIP = s.a, wire.Unspecified4 }))
	}
	return cases
}
