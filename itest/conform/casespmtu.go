package conform

import "github.com/onlink-go/onlink/wire"

// PathMTU are cases of Packet Too Big and Fragmentation Needed (RFC 8201; RFC 1191). Each wants a node that has learned
// nothing yet.
func PathMTU() (cases []Case) {
	p, n := Peer6[0], Node6[0]
	far := Far6
	request := func(from wire.Addr, size int) []byte { return IP6(from, n, icmp, Echo6(from, n, Data(size))) }
	reply := func(to wire.Addr, size int) []byte {
		return IP6(n, to, icmp, ICMP6(n, to, wire.ICMPv6EchoReply, 0, 0x0101_0001, Data(size)))
	}
	tooBig := func(mtu uint32, about []byte) []byte {
		return IP6(p, n, icmp, ICMP6(p, n, wire.ICMPv6PacketTooBig, 0, mtu, about[:min(len(about), 1232)]))
	}
	add := func(name string, packets ...[]byte) {
		cases = append(cases, Case{Name: "path MTU: " + name, Steps: Each(packets...)})
	}
	for _, from := range []wire.Addr{p, far} {
		name := " on-link"
		if from == far {
			name = " off-link"
		}
		for _, mtu := range []uint32{1400, 1280, 1279, 576, 56, 0, 1500, 1501, 100000} {
			add("echo reply, "+itoa(int(mtu))+name, request(from, 1440), tooBig(mtu, reply(from, 1440)), request(from, 1440), request(from, 1200))
		}
		add("twice lower"+name, request(from, 1440), tooBig(1400, reply(from, 1440)), tooBig(1300, reply(from, 1340)), request(from, 1440))
		add("then higher"+name, request(from, 1440), tooBig(1300, reply(from, 1440)), tooBig(1400, reply(from, 1440)), request(from, 1440))
		add("of one only"+name, request(from, 1440), tooBig(1300, reply(from, 1440)), request(Addr("2001:db8::55"), 1440))
		add("of nothing sent"+name, tooBig(1300, reply(from, 1440)), request(from, 1440))
		add("of another's packet"+name, request(from, 1440), tooBig(1300, IP6(Addr("2001:db8::98"), from, icmp, Data(100))), request(from, 1440))
		add("of a first fragment"+name, request(from, 1440), tooBig(1300, reply(from, 1440)),
			tooBig(1280, IP6(n, from, fr, Cat(Frag(icmp, 7, 0, true), ICMP6(n, from, wire.ICMPv6EchoReply, 0, 0x0101_0001, Data(1240))))), request(from, 1440))
		add("quoting little"+name, request(from, 1440), tooBig(1300, reply(from, 1440)[:48]), request(from, 1440))
		add("quoting a header"+name, request(from, 1440), tooBig(1300, reply(from, 1440)[:40]), request(from, 1440))
		add("quoting too little"+name, request(from, 1440), tooBig(1300, reply(from, 1440)[:20]), request(from, 1440))
	}
	p4, n4 := Peer4[0], Node4[0]
	request4 := func(from wire.Addr, size int) []byte { return IP4(from, n4, 1, Echo4(Data(size))) }
	reply4 := func(to wire.Addr, size int) []byte {
		return IP4(n4, to, 1, ICMP4(0, 0, 0x0101_0001, Data(size)))
	}
	needed := func(mtu uint32, about []byte) []byte {
		return IP4(p4, n4, 1, ICMP4(wire.ICMPv4DestUnreachable, wire.ICMPv4FragmentationNeeded, mtu, about[:min(len(about), 548)]))
	}
	for _, mtu := range []uint32{1400, 1280, 576, 552, 551, 500, 68, 67, 0, 1500, 2000} {
		add("IPv4 echo reply, "+itoa(int(mtu)), request4(p4, 1440), needed(mtu, reply4(p4, 1440)), request4(p4, 1440), request4(p4, 100))
	}
	add("IPv4 of nothing sent", needed(1300, reply4(p4, 1440)), request4(p4, 1440))
	return cases
}
