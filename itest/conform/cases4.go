package conform

import "github.com/onlink-go/onlink/wire"

// Headers4 are cases of IPv4's header and options (RFC 791, 3.1; RFC 1122, 3.2.1).
func Headers4() (cases []Case) {
	p, n := Peer4[0], Node4[0]
	e := Echo4(Data(8))
	with := func(proto uint8, data []byte, options ...byte) []byte {
		return IP4(p, n, proto, data, func(h *wire.IPv4Header) { h.Options = options })
	}
	add := func(name string, packet []byte) {
		cases = append(cases, Case{Name: "IPv4 " + name, Steps: One(packet)})
	}
	good := IP4(p, n, 1, e)
	add("IHL 4", Fix4(Poke(good, 0, 0x44)))
	add("IHL beyond", Fix4(Poke(good, 0, 0x4f)))
	add("checksum", Poke(good, 10, 1, 2))
	add("total length beyond", Fix4(Poke(good, 2, 2, 0)))
	add("total length below header", Fix4(Poke(good, 2, 0, 10)))
	add("version 5", Fix4(Poke(good, 0, 0x55)))
	add("padded", append(append([]byte{}, good...), 1, 2, 3, 4))
	add("TTL 0", Fix4(Poke(good, 8, 0)))
	add("TTL 1", Fix4(Poke(good, 8, 1)))
	add("TOS", Fix4(Poke(good, 1, 0xb9)))
	add("DF", Fix4(Poke(good, 6, 0x40)))
	for _, o := range []struct {
		name string
		o    []byte
	}{
		{"end", []byte{0, 0, 0, 0}}, {"end, then rubbish", []byte{0, 7, 99, 1}}, {"no operations", []byte{1, 1, 1, 1}},
		{"record route", []byte{7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
		{"record route full", []byte{7, 7, 8, 10, 0, 0, 1, 0}},
		{"record route last", []byte{7, 11, 8, 10, 0, 0, 1, 0, 0, 0, 0, 0}},
		{"record route pointer 3", []byte{7, 7, 3, 0, 0, 0, 0, 0}},
		{"record route pointer odd", []byte{7, 7, 5, 0, 0, 0, 0, 0}},
		{"record route pointer beyond", []byte{7, 7, 20, 0, 0, 0, 0, 0}},
		{"record route length 2", []byte{7, 2, 4, 0}}, {"record route length 3", []byte{7, 3, 4, 0}},
		{"record route twice", []byte{7, 7, 4, 0, 0, 0, 0, 7, 7, 4, 0, 0, 0, 0, 0, 0}},
		{"time stamp", []byte{68, 12, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0}[:12]},
		{"time stamp with address", []byte{68, 12, 5, 1, 0, 0, 0, 0, 0, 0, 0, 0}},
		{"time stamp prespecified", []byte{68, 12, 5, 3, 192, 0, 2, 2, 0, 0, 0, 0}},
		{"time stamp prespecified, another", []byte{68, 12, 5, 3, 192, 0, 2, 9, 0, 0, 0, 0}},
		{"time stamp full", []byte{68, 8, 9, 0, 1, 2, 3, 4}},
		{"time stamp overflow 15", []byte{68, 8, 9, 0xf0, 1, 2, 3, 4}},
		{"time stamp length 3", []byte{68, 3, 5, 0}}, {"time stamp pointer 4", []byte{68, 8, 4, 0, 0, 0, 0, 0}},
		{"time stamp bad flag", []byte{68, 12, 5, 2, 0, 0, 0, 0, 0, 0, 0, 0}},
		{"time stamp no room", []byte{68, 10, 9, 1, 1, 2, 3, 4, 0, 0, 0, 0}},
		{"loose source route", []byte{131, 7, 4, 192, 0, 2, 9, 0}}, {"strict source route", []byte{137, 7, 4, 192, 0, 2, 9, 0}},
		{"loose source route at its end", []byte{131, 7, 8, 192, 0, 2, 9, 0}},
		{"loose source route pointer 3", []byte{131, 7, 3, 192, 0, 2, 9, 0}}, {"loose source route length 2", []byte{131, 2, 4, 0}},
		{"two source routes", []byte{131, 7, 8, 192, 0, 2, 9, 137, 7, 8, 192, 0, 2, 9, 0, 0}},
		{"router alert", []byte{148, 4, 0, 0}}, {"router alert value", []byte{148, 4, 1, 1}}, {"router alert length 3", []byte{148, 3, 0, 0}},
		{"security", []byte{130, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}}, {"stream", []byte{136, 4, 0, 1}},
		{"unknown", []byte{0x99, 4, 1, 2}}, {"unknown length 0", []byte{0x99, 0, 1, 2}}, {"unknown length 1", []byte{0x99, 1, 1, 2}},
		{"unknown beyond", []byte{1, 0x99, 9, 0}}, {"length missing", []byte{1, 1, 1, 0x99}},
		{"MTU probe", []byte{11, 4, 5, 220}}, {"traceroute", []byte{82, 12, 0, 1, 0, 0, 0, 0, 192, 0, 2, 1}}, {"quick start", []byte{25, 8, 0, 0, 0, 0, 0, 0}},
		{"CIPSO", []byte{134, 6, 0, 0, 0, 1, 0, 0}},
	} {
		add("option "+o.name, with(1, e, o.o...))
		cases = append(cases, Case{Name: "IPv4 UDP option " + o.name, Steps: One(with(17, UDP(p, n, Data(8)), o.o...))})
	}
	return cases
}

// Messages are cases of ICMP itself (RFC 792; RFC 4443; RFC 1122, 3.2.2).
func Messages() (cases []Case) {
	p, n := Peer6[0], Node6[0]
	add := func(name string, packets ...[]byte) { cases = append(cases, Case{Name: name, Steps: Each(packets...)}) }
	for _, l := range []int{0, 1, 56, 1232, 1452} {
		add("ICMPv6 echo of "+itoa(l), IP6(p, n, icmp, Echo6(p, n, Data(l))))
		add("ICMP echo of "+itoa(l), IP4(Peer4[0], Node4[0], 1, Echo4(Data(l))))
		add("IPv6 UDP to nobody of "+itoa(l), IP6(p, n, 17, UDP(p, n, Data(l))))
		add("IPv4 UDP to nobody of "+itoa(l), IP4(Peer4[0], Node4[0], 17, UDP(Peer4[0], Node4[0], Data(l))))
		add("IPv4 unknown protocol of "+itoa(l), IP4(Peer4[0], Node4[0], 200, Data(l)))
	}
	bad := IP6(p, n, icmp, Echo6(p, n, Data(8)))
	add("ICMPv6 checksum", Poke(bad, 42, 1, 2))
	bad4 := IP4(Peer4[0], Node4[0], 1, Echo4(Data(8)))
	add("ICMP checksum", Poke(bad4, 22, 1, 2))
	add("ICMP short", IP4(Peer4[0], Node4[0], 1, []byte{8, 0, 0xf7, 0xff}))
	add("IPv6 UDP checksum 0", Poke(IP6(p, n, 17, UDP(p, n, Data(8))), 46, 0, 0))
	add("IPv6 UDP checksum", Poke(IP6(p, n, 17, UDP(p, n, Data(8))), 46, 1, 2))
	add("IPv6 UDP short", IP6(p, n, 17, UDP(p, n, Data(8))[:6]))
	add("IPv6 UDP length", Poke(IP6(p, n, 17, UDP(p, n, Data(8))), 44, 0, 99))
	add("IPv4 UDP checksum 0", Poke(IP4(Peer4[0], Node4[0], 17, UDP(Peer4[0], Node4[0], Data(8))), 26, 0, 0))
	add("IPv4 UDP checksum", Poke(IP4(Peer4[0], Node4[0], 17, UDP(Peer4[0], Node4[0], Data(8))), 26, 1, 2))
	add("IPv4 UDP length", Poke(IP4(Peer4[0], Node4[0], 17, UDP(Peer4[0], Node4[0], Data(8))), 24, 0, 99))
	add("IPv6 SYN to nobody", IP6(p, n, 6, SYN(p, n)))
	add("IPv4 SYN to nobody", IP4(Peer4[0], Node4[0], 6, SYN(Peer4[0], Node4[0])))
	for _, t := range []uint8{0, 1, 2, 3, 4, 5, 100, 101, 126, 127, 128, 129, 130, 131, 132, 138, 139, 140, 144, 145, 148, 150, 155, 157, 160, 200, 201, 254, 255} {
		add("ICMPv6 type "+itoa(int(t)), IP6(p, n, icmp, ICMP6(p, n, t, 0, 0x500, IP6(n, p, 17, UDP(n, p, Data(8))))))
		add("ICMPv6 type "+itoa(int(t))+" code 99", IP6(p, n, icmp, ICMP6(p, n, t, 99, 0x500, IP6(n, p, 17, UDP(n, p, Data(8))))))
		add("ICMPv6 type "+itoa(int(t))+" empty", IP6(p, n, icmp, ICMP6(p, n, t, 0, 0, nil)))
		g := wire.AllNodes6
		add("ICMPv6 type "+itoa(int(t))+" to a group", IP6(p, g, icmp, ICMP6(p, g, t, 0, 0, Data(20))))
		o := ICMP6(p, n, t, 0, 0, Data(20))
		add("ICMPv6 type "+itoa(int(t))+" behind unknown option", IP6(p, n, dopt, Cat(Ext(icmp, 0x9e, 0), o)))
		add("ICMPv6 type "+itoa(int(t))+" behind unknown header", IP6(p, n, rt, Cat(Routing(icmp, 9, 1), o)))
	}
	for _, t := range []uint8{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 30, 31, 37, 40, 42, 43, 100, 255} {
		add("ICMP type "+itoa(int(t)), IP4(Peer4[0], Node4[0], 1, ICMP4(t, 0, 0, Data(12))))
		add("ICMP type "+itoa(int(t))+" code 9", IP4(Peer4[0], Node4[0], 1, ICMP4(t, 9, 0, Data(12))))
		add("ICMP type "+itoa(int(t))+" with bad option", IP4(Peer4[0], Node4[0], 1, ICMP4(t, 0, 0, Data(12)), func(h *wire.IPv4Header) { h.Options = []byte{7, 2, 4, 0} }))
		add("ICMP type "+itoa(int(t))+" to all", IP4(Peer4[0], wire.Broadcast4, 1, ICMP4(t, 0, 0, Data(12))))
	}
	return cases
}

// itoa writes a number that is not negative.
func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + string(rune('0'+n%10))
}
