package conform

import "github.com/onlink-go/onlink/wire"

// Addresses are cases of addresses that mean nothing on a wire, or mean a group (RFC 4291; RFC 1122, 3.2.1.3).
func Addresses() (cases []Case) {
	six := func(name string, src, dst wire.Addr) {
		cases = append(cases, Case{Name: "IPv6 echo " + name, Steps: One(IP6(src, dst, icmp, Echo6(src, dst, Data(8))))},
			Case{Name: "IPv6 UDP " + name, Steps: One(IP6(src, dst, wire.ProtoUDP, UDP(src, dst, Data(8))))},
			Case{Name: "IPv6 unknown option " + name, Steps: One(IP6(src, dst, dopt, Cat(Ext(icmp, 0x9e, 0), Echo6(src, dst, Data(8)))))})
	}
	p, n := Peer6[0], Node6[0]
	six("plain", p, n)
	six("from a group", wire.AllNodes6, n)
	six("from ::", wire.Addr{}, n)
	six("from :: to all nodes", wire.Addr{}, wire.AllNodes6)
	six("from ::1", wire.Loopback6, n)
	six("to ::1", p, wire.Loopback6)
	six("to ::", p, wire.Addr{})
	six("from itself", n, n)
	six("to scope 0", p, Addr("ff00::1"))
	six("to interface-local", p, Addr("ff01::1"))
	six("to all nodes", p, wire.AllNodes6)
	six("to all nodes from link-local", PeerLL[0], wire.AllNodes6)
	six("to all routers", p, wire.AllRouters6)
	six("to solicited-node", p, n.SolicitedNode())
	six("to another solicited-node", p, Addr("ff02::1:ff99:9999"))
	six("to a global group", p, Addr("ff0e::5"))
	six("to link-local", PeerLL[0], NodeLL[0])
	six("to link-local from global", p, NodeLL[0])
	six("to global from link-local", PeerLL[0], n)
	six("compatible source", Addr("::192.0.2.1"), n)
	six("far source", Far6, n)
	six("6to4 source of martian", Addr("2002:7f00:1::1"), n)
	six("site-local source", Addr("fec0::1"), n)
	six("ULA source", Addr("fd00::1"), n)
	six("not the node", p, Addr("2001:db8::77"))
	six("subnet router anycast", p, Addr("2001:db8::"))
	mapped := func(name string, at int) {
		b := IP6(p, n, icmp, Echo6(p, n, Data(8)))
		b = Poke(b, at, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 9)
		cases = append(cases, Case{Name: "IPv6 echo " + name, Steps: One(b)})
	}
	mapped("from mapped", 8)
	mapped("to mapped", 24)
	cases = append(cases,
		Case{Name: "IPv6 unicast in a group's frame", Steps: []Step{{Frame: EthTo(0, wire.AllNodes6.MulticastMAC(), wire.EtherTypeIPv6, IP6(p, n, icmp, Echo6(p, n, Data(8))))}}},
		Case{Name: "IPv6 UDP in a group's frame", Steps: []Step{{Frame: EthTo(0, wire.AllNodes6.MulticastMAC(), wire.EtherTypeIPv6, IP6(p, n, 17, UDP(p, n, Data(8))))}}},
		Case{Name: "IPv6 unknown option in a group's frame", Steps: []Step{{Frame: EthTo(0, wire.AllNodes6.MulticastMAC(), wire.EtherTypeIPv6, IP6(p, n, dopt, Cat(Ext(icmp, 0x9e, 0), Echo6(p, n, Data(8)))))}}},
		Case{Name: "IPv6 in a broadcast frame", Steps: []Step{{Frame: EthTo(0, wire.BroadcastMAC, wire.EtherTypeIPv6, IP6(p, n, icmp, Echo6(p, n, Data(8))))}}},
		Case{Name: "IPv6 group in a unicast frame", Steps: []Step{{Frame: EthTo(0, NodeMAC[0], wire.EtherTypeIPv6, IP6(p, wire.AllNodes6, icmp, Echo6(p, wire.AllNodes6, Data(8))))}}},
		Case{Name: "IPv6 for another station", Steps: []Step{{Frame: EthTo(0, wire.MAC{2, 9, 9, 9, 9, 9}, wire.EtherTypeIPv6, IP6(p, n, icmp, Echo6(p, n, Data(8))))}}},
		Case{Name: "IPv4 in an IPv6 frame", Steps: []Step{{Frame: EthTo(0, NodeMAC[0], wire.EtherTypeIPv6, IP4(Peer4[0], Node4[0], 1, Echo4(Data(8))))}}},
		Case{Name: "IPv6 in an IPv4 frame", Steps: []Step{{Frame: EthTo(0, NodeMAC[0], wire.EtherTypeIPv4, IP6(p, n, icmp, Echo6(p, n, Data(8))))}}})
	four := func(name string, src, dst wire.Addr) {
		cases = append(cases, Case{Name: "IPv4 echo " + name, Steps: One(IP4(src, dst, 1, Echo4(Data(8))))},
			Case{Name: "IPv4 UDP " + name, Steps: One(IP4(src, dst, 17, UDP(src, dst, Data(8))))},
			Case{Name: "IPv4 unknown protocol " + name, Steps: One(IP4(src, dst, 143, Data(8)))})
	}
	p, n = Peer4[0], Node4[0]
	four("plain", p, n)
	four("from 0.0.0.0", wire.Unspecified4, n)
	four("from 0.0.0.0 to all", wire.Unspecified4, wire.Broadcast4)
	four("from 0.1.2.3", Addr("0.1.2.3"), n)
	four("from 127.0.0.1", wire.Loopback4, n)
	four("to 127.0.0.1", p, wire.Loopback4)
	four("to 0.0.0.0", p, wire.Unspecified4)
	four("from a group", Addr("224.0.0.5"), n)
	four("from class E", Addr("240.0.0.1"), n)
	four("to class E", p, Addr("240.0.0.1"))
	four("from 255.255.255.255", wire.Broadcast4, n)
	four("from the subnet's broadcast", Addr("192.0.2.255"), n)
	four("from the subnet's zero", Addr("192.0.2.0"), n)
	four("from itself", n, n)
	four("to all", p, wire.Broadcast4)
	four("to the subnet's broadcast", p, Addr("192.0.2.255"))
	four("to the subnet's zero", p, Addr("192.0.2.0"))
	four("to all hosts", p, Addr("224.0.0.1"))
	four("to another group", p, Addr("224.0.0.251"))
	four("not the node", p, Addr("192.0.2.77"))
	four("far source", Far4, n)
	four("link-local source", Addr("169.254.1.1"), n)
	cases = append(cases,
		Case{Name: "IPv4 unicast in a broadcast frame", Steps: []Step{{Frame: EthTo(0, wire.BroadcastMAC, wire.EtherTypeIPv4, IP4(p, n, 1, Echo4(Data(8))))}}},
		Case{Name: "IPv4 unicast UDP in a broadcast frame", Steps: []Step{{Frame: EthTo(0, wire.BroadcastMAC, wire.EtherTypeIPv4, IP4(p, n, 17, UDP(p, n, Data(8))))}}},
		Case{Name: "IPv4 unicast in a group's frame", Steps: []Step{{Frame: EthTo(0, Addr("224.0.0.1").MulticastMAC(), wire.EtherTypeIPv4, IP4(p, n, 17, UDP(p, n, Data(8))))}}},
		Case{Name: "IPv4 broadcast in a unicast frame", Steps: []Step{{Frame: EthTo(0, NodeMAC[0], wire.EtherTypeIPv4, IP4(p, wire.Broadcast4, 17, UDP(p, wire.Broadcast4, Data(8))))}}})
	return cases
}
