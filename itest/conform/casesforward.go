package conform

import "github.com/onlink-go/onlink/wire"

// Forwarding are cases of routers (RFC 1812; RFC 8200; RFC 4443).
func Forwarding() (cases []Case) {
	add6 := func(name string, k Kind, src, dst wire.Addr, next uint8, payload []byte, change ...func(*wire.IPv6Header)) {
		cases = append(cases, Case{Name: "forward IPv6: " + name, Kind: k, Steps: []Step{{Frame: EthTo(0, NodeMAC[0], wire.EtherTypeIPv6, IP6(src, dst, next, payload, change...))}}})
	}
	add4 := func(name string, k Kind, src, dst wire.Addr, proto uint8, payload []byte, change ...func(*wire.IPv4Header)) {
		cases = append(cases, Case{Name: "forward IPv4: " + name, Kind: k, Steps: []Step{{Frame: EthTo(0, NodeMAC[0], wire.EtherTypeIPv4, IP4(src, dst, proto, payload, change...))}}})
	}
	hops := func(n uint8) func(*wire.IPv6Header) { return func(h *wire.IPv6Header) { h.HopLimit = n } }
	ttl := func(n uint8) func(*wire.IPv4Header) { return func(h *wire.IPv4Header) { h.TTL = n } }
	df := func(h *wire.IPv4Header) { h.DontFragment = true }
	opt := func(o ...byte) func(*wire.IPv4Header) { return func(h *wire.IPv4Header) { h.Options = o } }
	p, d := Peer6[0], Peer6[1]
	u := UDP(p, d, Data(8))
	big := UDP(p, d, Data(1400))
	for _, k := range []Kind{RouterNode, SmallRouter} {
		add6("plain", k, p, d, 17, u)
		add6("of 1448 octets", k, p, d, 17, big)
		add6("of 1448 octets in a fragment", k, p, d, fr, Cat(Frag(17, 1, 0, true), big))
		add6("too big and an ICMP error", k, p, d, icmp, ICMP6(p, d, 1, 0, 0, Data(1400)))
		add4("of 1428 octets", k, Peer4[0], Peer4[1], 17, UDP(Peer4[0], Peer4[1], Data(1400)))
		add4("of 1428 octets, DF", k, Peer4[0], Peer4[1], 17, UDP(Peer4[0], Peer4[1], Data(1400)), df)
		add4("of 1428 octets, with options", k, Peer4[0], Peer4[1], 17, UDP(Peer4[0], Peer4[1], Data(1400)), opt(7, 7, 4, 0, 0, 0, 0, 0x99, 4, 1, 2, 0))
		add4("of 1428 octets, a fragment", k, Peer4[0], Peer4[1], 17, Data(1400), func(h *wire.IPv4Header) { h.FragmentOffset, h.MoreFragments = 800, true })
		add4("of 1428 octets, the last fragment", k, Peer4[0], Peer4[1], 17, Data(1403), func(h *wire.IPv4Header) { h.FragmentOffset = 800 })
	}
	k := RouterNode
	for _, h := range []uint8{0, 1, 2, 255} {
		add6("hop limit "+itoa(int(h)), k, p, d, 17, u, hops(h))
		add6("hop limit "+itoa(int(h))+" to nowhere", k, p, Addr("2001:db8:9::1"), 17, u, hops(h))
		add4("TTL "+itoa(int(h)), k, Peer4[0], Peer4[1], 17, u, ttl(h))
	}
	add6("hop limit 1, an ICMP error", k, p, d, icmp, ICMP6(p, d, 1, 0, 0, Data(8)), hops(1))
	add6("hop limit 1, an echo request", k, p, d, icmp, Echo6(p, d, Data(8)), hops(1))
	add6("hop limit 1, to a group", k, p, Addr("ff0e::5"), 17, u, hops(1))
	add6("link-local source", k, PeerLL[0], d, 17, u)
	add6("link-local destination", k, p, Addr("fe80::77"), 17, u)
	add6("both link-local", k, PeerLL[0], Addr("fe80::77"), 17, u)
	add6("unspecified source", k, wire.Addr{}, d, 17, u)
	add6("loopback source", k, wire.Loopback6, d, 17, u)
	add6("group source", k, wire.AllNodes6, d, 17, u)
	add6("own source", k, Node6[0], d, 17, u)
	add6("own source of the other side", k, Node6[1], d, 17, u)
	add6("to the other side of the router", k, p, Node6[1], icmp, Echo6(p, Node6[1], Data(8)))
	add6("to a group", k, p, Addr("ff0e::5"), 17, u)
	add6("to the subnet router anycast", k, p, Addr("2001:db8::"), icmp, Echo6(p, Addr("2001:db8::"), Data(8)))
	add6("to the far subnet router anycast", k, p, Addr("2001:db8:1::"), icmp, Echo6(p, Addr("2001:db8:1::"), Data(8)))
	add6("site-local source", k, Addr("fec0::9"), d, 17, u)
	add6("unknown next header", k, p, d, 143, u)
	add6("no next header", k, p, d, 59, nil)
	add6("routing 0", k, p, d, rt, Cat(Routing(17, 0, 1), u))
	add6("routing 0 for the router", k, p, Node6[0], rt, Cat(Routing(17, 0, 1), u))
	add6("hop-by-hop", k, p, d, hbh, Cat(Ext(17), u))
	for _, t := range []uint8{0x1e, 0x5e, 0x9e, 0xde} {
		add6("hop-by-hop option "+hexName(t), k, p, d, hbh, Cat(Ext(17, t, 0), u))
		add6("destination option "+hexName(t), k, p, d, dopt, Cat(Ext(17, t, 0), u))
		add6("hop-by-hop option "+hexName(t)+" to a group", k, p, Addr("ff0e::5"), hbh, Cat(Ext(17, t, 0), u))
	}
	add6("hop-by-hop router alert", k, p, d, hbh, Cat(Ext(17, 5, 2, 0, 0), u))
	add6("hop-by-hop jumbo", k, p, d, hbh, Cat(Ext(17, wire.IPv6Jumbo, 4, 0, 1, 0, 0), u))
	add6("hop-by-hop cut", k, p, d, hbh, []byte{17, 9, 0, 0, 0, 0, 0, 0})
	add6("bad option in hop-by-hop", k, p, d, hbh, Cat([]byte{17, 0, 0x1e, 9, 0, 0, 0, 0}, u))
	add6("traffic class", k, p, d, 17, u, func(h *wire.IPv6Header) { h.TrafficClass, h.FlowLabel = 0xb9, 0x12345 })
	add6("martian destination ::1", k, p, wire.Loopback6, 17, u)
	add6("back where it came from", k, p, Addr("2001:db8::66"), 17, u)
	p, d = Peer4[0], Peer4[1]
	u = UDP(p, d, Data(8))
	add4("plain", k, p, d, 17, u)
	add4("TTL 1, an ICMP error", k, p, d, 1, ICMP4(3, 1, 0, Data(28)), ttl(1))
	add4("TTL 1, an echo request", k, p, d, 1, Echo4(Data(8)), ttl(1))
	add4("TTL 1, a later fragment", k, p, d, 17, u, ttl(1), func(h *wire.IPv4Header) { h.FragmentOffset = 800 })
	add4("TTL 1, the first fragment", k, p, d, 17, u, ttl(1), func(h *wire.IPv4Header) { h.MoreFragments = true })
	add4("TTL 1, long", k, p, d, 17, UDP(p, d, Data(1000)), ttl(1))
	add4("TTL 1, TOS", k, p, d, 17, u, ttl(1), func(h *wire.IPv4Header) { h.TrafficClass = 0xb9 })
	add4("martian source 0.0.0.0", k, wire.Unspecified4, d, 17, u)
	add4("martian source 127.0.0.1", k, wire.Loopback4, d, 17, u)
	add4("martian source of a group", k, Addr("224.0.0.5"), d, 17, u)
	add4("martian source of class E", k, Addr("240.0.0.1"), d, 17, u)
	add4("martian source of 0/8", k, Addr("0.1.2.3"), d, 17, u)
	add4("own source", k, Node4[0], d, 17, u)
	add4("to the subnet's broadcast", k, p, Addr("198.51.100.255"), 17, u)
	add4("to the subnet's zero", k, p, Addr("198.51.100.0"), 17, u)
	add4("to a group", k, p, Addr("239.1.2.3"), 17, u)
	add4("to 255.255.255.255", k, p, wire.Broadcast4, 17, u)
	add4("to class E", k, p, Addr("240.0.0.1"), 17, u)
	add4("to 0.0.0.0", k, p, wire.Unspecified4, 17, u)
	add4("to 127.0.0.1", k, p, wire.Loopback4, 17, u)
	add4("link-local source", k, Addr("169.254.1.1"), d, 17, u)
	add4("link-local destination", k, p, Addr("169.254.1.1"), 17, u)
	add4("to the other side of the router", k, p, Node4[1], 1, Echo4(Data(8)))
	for _, o := range []struct {
		name string
		o    []byte
	}{
		{"record route", []byte{7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0}}, {"record route full", []byte{7, 7, 8, 1, 2, 3, 4, 0}},
		{"record route bad", []byte{7, 7, 3, 0, 0, 0, 0, 0}},
		{"time stamp with address", []byte{68, 12, 5, 1, 0, 0, 0, 0, 0, 0, 0, 0}},
		{"time stamp full", []byte{68, 8, 9, 0, 1, 2, 3, 4}}, {"time stamp overflow 15", []byte{68, 8, 9, 0xf0, 1, 2, 3, 4}},
		{"loose source route", []byte{131, 7, 4, 192, 0, 2, 9, 0}}, {"loose source route at its end", []byte{131, 7, 8, 192, 0, 2, 9, 0}},
		{"router alert", []byte{148, 4, 0, 0}}, {"unknown", []byte{0x99, 4, 1, 2}}, {"unknown beyond", []byte{1, 0x99, 9, 0}},
	} {
		add4("option "+o.name, k, p, d, 17, u, opt(o.o...))
	}
	cases = append(cases, Case{Name: "forward IPv4: in a broadcast frame", Kind: k, Steps: []Step{{Frame: EthTo(0, wire.BroadcastMAC, wire.EtherTypeIPv4, IP4(p, d, 17, u))}}},
		Case{Name: "forward IPv6: in a group's frame", Kind: k, Steps: []Step{{Frame: EthTo(0, wire.AllNodes6.MulticastMAC(), wire.EtherTypeIPv6, IP6(Peer6[0], Peer6[1], 17, u))}}})
	return cases
}
