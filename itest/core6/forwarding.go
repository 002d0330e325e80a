package core6

import (
	"bytes"
	"fmt"
	"time"

	"github.com/onlink-go/onlink/itest/conform"
	"github.com/onlink-go/onlink/wire"
)

// passed is a packet that is sent on at the other port: the same, but for one hop less.
func passed(packet []byte, port int) want {
	sent := conform.Poke(packet, 7, packet[7]-1)
	return want{"forwarded packet", func(s *seen) bool { return s.port == port && bytes.Equal(s.packet, sent) }}
}

// forwarding: what a router sends on, and what it says where it does not (RFC 8200; RFC 4443; RFC 4291).
func forwarding() (list []Case) {
	// host1 is at port 0, host3 at port 1.
	src, dst := host1.addr, host3.addr
	rig := func(name, rule string, n Node, run func(b *Bench)) {
		n.Router = true
		list = append(list, Case{Name: name, Rule: rule, Node: n, Run: func(b *Bench) {
			b.boot()
			b.answering(host1, host2, host3, router1, router2)
			run(b)
		}})
	}
	add := func(name, rule string, run func(b *Bench)) { rig(name, rule, Node{}, run) }
	anything := want{"packet", func(s *seen) bool { return !anyNS().ok(s) && !anyNA().ok(s) }}
	over := func(name, rule string, packet []byte) {
		add(name, rule, func(b *Bench) {
			b.in(host1, packet)
			b.expect(2*time.Second, passed(packet, 1).toMAC(host3.mac))
			b.none(time.Second, anything)
		})
	}
	lost := func(name, rule string, packet []byte) {
		add(name, rule, func(b *Bench) {
			b.in(host1, packet)
			b.none(5*time.Second, anything)
		})
	}
	told := func(name, rule string, packet []byte, typ, code uint8, rest uint32) {
		add(name, rule, func(b *Bench) {
			b.in(host1, packet)
			s := b.expect(2*time.Second, anyFault())
			m, _ := s.icmp()
			if m.Type() != typ || m.Code() != code || m.Rest() != rest || s.port != 0 {
				b.Fatalf("there came %v", s)
			}
			b.quotes(s, packet)
			b.none(2*time.Second, anything)
		})
	}
	e := conform.Echo6(src, dst, conform.Data(8))
	to := func(next uint8, parts ...[]byte) []byte {
		return conform.IP6(src, dst, next, conform.Cat(append(parts, e)...))
	}
	from := func(a, b wire.Addr) []byte { return echo(a, b, conform.Data(8)) }
	plain := from(src, dst)

	over("packet", `RFC 8200, 3: "Decremented by 1 by each node that forwards the packet."`, plain)
	add("both ways", `RFC 8200, 3`, func(b *Bench) {
		b.in(host1, plain)
		b.expect(2*time.Second, passed(plain, 1))
		back := from(dst, src)
		b.in(host3, back)
		b.expect(2*time.Second, passed(back, 0).toMAC(host1.mac))
	})
	for _, n := range []uint8{2, 3, 64, 255} {
		over(fmt.Sprintf("hop limit %d", n), `RFC 8200, 3`, echo(src, dst, conform.Data(8), hops(n)))
	}
	for _, n := range []uint8{0, 1} {
		told(fmt.Sprintf("hop limit %d", n), `RFC 4443, 3.3: "If a router receives a packet with a Hop Limit of zero, or if a router decrements a packet's Hop Limit to zero, it MUST discard the packet and originate an ICMPv6 Time Exceeded message with Code 0 to the source of the packet."`,
			echo(src, dst, conform.Data(8), hops(n)), wire.ICMPv6TimeExceeded, 0, 0)
	}
	told("hop limit 1, 1452 octets of data", `RFC 4443, 2.4 (c)`, echo(src, dst, conform.Data(1452), hops(1)), wire.ICMPv6TimeExceeded, 0, 0)
	for _, v := range []uint8{1, 32, 0xfc, 0xff} {
		over(fmt.Sprintf("traffic class %d", v), `RFC 8200, 7: it is passed on`, echo(src, dst, conform.Data(8), func(h *wire.IPv6Header) { h.TrafficClass = v }))
	}
	for _, v := range []uint32{1, 0x34567, 0xfffff} {
		over(fmt.Sprintf("flow label %x", v), `RFC 6437, 2: "Forwarding nodes ... MUST either leave it unchanged"`, echo(src, dst, conform.Data(8), func(h *wire.IPv6Header) { h.FlowLabel = v }))
	}
	for _, n := range []int{0, 1, 33, 1001, 1452} {
		over(fmt.Sprintf("%d octets", n), `RFC 8200, 3: Payload Length`, echo(src, dst, conform.Data(n)))
	}
	over("no next header", `RFC 8200, 4.7: those octets "must be ignored and passed on unchanged if the packet is forwarded"`, to(59))
	over("next header unknown", `RFC 8200, 4: "Extension headers (except for the Hop-by-Hop Options header) are not processed, inserted, or deleted by any node along a packet's delivery path"`, to(143))
	for _, typ := range []uint8{0x07, 0x47, 0x87, 0xc7} {
		over(fmt.Sprintf("destination option %02x", typ), `RFC 8200, 4: they "are not processed"`, to(destOpts, conform.Ext(icmpv6, typ, 0)))
	}
	over("routing header", `RFC 8200, 4: they "are not processed"`, to(routing, conform.Routing(icmpv6, 0, 1)))
	over("unknown routing header", `RFC 8200, 4: they "are not processed"`, to(routing, conform.Routing(icmpv6, 33, 1)))
	over("fragment", `RFC 8200, 4.5: fragments are put together at the destination`, to(fragment, conform.Frag(icmpv6, 7, 80, true)))
	over("fragment of no multiple of 8", `RFC 8200, 4.5: that is the destination's`, conform.IP6(src, dst, fragment, conform.Cat(conform.Frag(icmpv6, 7, 80, true), e[:13])))
	over("hop-by-hop behind destination options", `RFC 8200, 4: "are not processed"`, to(destOpts, conform.Ext(hopByHop), conform.Ext(icmpv6)))
	over("wrong checksum of the message", `RFC 4443, 2.3: that is the destination's`, conform.Poke(plain, 42, 1, 2))
	over("padding of the frame", `RFC 8200, 3: what is behind the packet is no part of it`, plain)
	hbhRule := `RFC 8200, 4.2: the highest-order 2 bits of the Option Type; 4: a node examines hop-by-hop options if it is configured to`
	for _, typ := range []uint8{0x07 | 0x20, 0x1e} {
		over(fmt.Sprintf("hop-by-hop option %02x", typ), hbhRule, to(hopByHop, conform.Ext(icmpv6, typ, 2, 0, 0)))
	}
	over("hop-by-hop padding", hbhRule, to(hopByHop, conform.Ext(icmpv6)))
	over("hop-by-hop router alert", `RFC 2711, 2: the packet is looked at, and forwarded`, to(hopByHop, conform.Ext(icmpv6, 5, 2, 0, 2)))
	lost("hop-by-hop option 47", hbhRule, to(hopByHop, conform.Ext(icmpv6, 0x47, 2, 0, 0)))
	for _, typ := range []uint8{0x87, 0xa7, 0xc7, 0xe7} {
		told(fmt.Sprintf("hop-by-hop option %02x", typ), hbhRule, to(hopByHop, conform.Ext(icmpv6, typ, 2, 0, 0)), wire.ICMPv6ParamProblem, 2, 42)
	}

	// Addresses.
	told("no route", `RFC 4443, 3.1: "If the reason for the failure to deliver is lack of a matching entry in the forwarding node's routing table, the Code field is set to 0."`, from(src, addr("2001:db8:ffff::1")), wire.ICMPv6DestUnreachable, 0, 0)
	told("link-local source", `RFC 4443, 3.1: "If the reason for the failure to deliver is that the destination is beyond the scope of the source address, the Code field is set to 2."`, from(host1.ll, dst), wire.ICMPv6DestUnreachable, 2, 0)
	lost("link-local destination of the other link", `RFC 4291, 2.5.6: "Routers must not forward any packets with Link-Local source or destination addresses to other links."`, from(src, host3.ll))
	lost("both link-local", `RFC 4291, 2.5.6`, from(host1.ll, host3.ll))
	lost("from the unspecified address", `RFC 4291, 2.5.2: "An IPv6 packet with a source address of unspecified must never be forwarded by an IPv6 router."`, from(wire.Addr{}, dst))
	lost("to the unspecified address", `RFC 4291, 2.5.2: "The unspecified address must not be used as the destination address of IPv6 packets"`, from(src, wire.Addr{}))
	lost("from the loopback address", `RFC 4291, 2.5.3: "An IPv6 packet with a destination address of loopback must never be sent outside of a single node and must never be forwarded by an IPv6 router."`, from(addr("::1"), dst))
	lost("to the loopback address", `RFC 4291, 2.5.3`, from(src, addr("::1")))
	lost("from a group", `RFC 4291, 2.7: "Multicast addresses must not be used as source addresses in IPv6 packets or appear in any Routing header."`, from(addr("ff0e::5"), dst))
	for _, g := range []string{"ff00::5", "ff01::5", "ff02::5", "ff05::5", "ff08::5", "ff0e::5", "ff0f::5"} {
		lost("to the group "+g, `RFC 4291, 2.7: "Routers must not forward any multicast packets beyond of the scope indicated by the scop field"; and there is no multicast routing`, from(src, addr(g)))
	}
	lost("payload length beyond the frame", `RFC 8200, 3`, conform.Poke(plain, 4, 0, 200))
	lost("version 5", `RFC 8200, 3`, conform.Poke(plain, 0, 0x50))
	add("unicast in a frame to a group of stations", `RFC 4443, 2.4 (e.4), and no node takes for its own what was sent to others too`, func(b *Bench) {
		b.Send(0, host1.frame(wire.AllNodes6.MulticastMAC(), echo(src, dst, conform.Data(8), hops(1))))
		b.none(2*time.Second, anyFault())
	})
	add("neighbor that does not answer", `RFC 4443, 3.1, and RFC 4861, 7.2.2: "If no Neighbor Advertisement is received after MAX_MULTICAST_SOLICIT solicitations, address resolution has failed. The sender MUST return ICMP destination unreachable indications with code 3 (Address Unreachable) for each packet queued awaiting address resolution."`, func(b *Bench) {
		p := from(src, addr("2001:db8:0:2::dead"))
		start := b.Now()
		b.in(host1, p)
		b.in(host1, conform.Poke(p, 45, 9))
		n := 0
		for range 2 {
			s := b.expect(5*time.Second, fault(wire.ICMPv6DestUnreachable, 3))
			b.between("the time", s.at-start, 2900*time.Millisecond, 3500*time.Millisecond)
			if m, _ := s.icmp(); s.dst == src && len(m.Body()) == len(p) {
				n++
			}
		}
		if n != 2 {
			b.Fatal("they quote something else")
		}
	})
	silent := `RFC 4443, 2.4 (e): no error about errors, redirects, groups, or from who is no single node`
	for _, t := range []uint8{1, 2, 3, 4, 99, 127} {
		m := conform.ICMP6(src, dst, t, 0, 1280, plain)
		lost(fmt.Sprintf("hop limit 1, error %d", t), silent, conform.IP6(src, dst, icmpv6, m, hops(1)))
		m = conform.ICMP6(src, far, t, 0, 1280, plain)
		lost(fmt.Sprintf("no route, error %d", t), silent, conform.IP6(src, far, icmpv6, m))
	}
	lost("hop limit 1, redirect", silent, conform.IP6(src, dst, icmpv6, conform.ICMP6(src, dst, wire.ICMPv6Redirect, 0, 0, make([]byte, 32)), hops(1)))
	lost("hop limit 1, to a group", silent, echo(src, addr("ff0e::5"), conform.Data(8), hops(1)))

	// Packet Too Big.
	big := `RFC 4443, 3.2: "A Packet Too Big MUST be sent by a router in response to a packet that it cannot forward because the packet is larger than the MTU of the outgoing link."; MTU: "The Maximum Transmission Unit of the next-hop link."`
	for _, n := range []int{1280, 1279} {
		rig(fmt.Sprintf("%d octets onto a link of 1280", n), big, Node{SmallMTU: true}, func(b *Bench) {
			p := echo(src, dst, conform.Data(n-48))
			b.in(host1, p)
			b.expect(2*time.Second, passed(p, 1))
		})
	}
	for _, n := range []int{1281, 1300, 1500} {
		rig(fmt.Sprintf("%d octets onto a link of 1280", n), big, Node{SmallMTU: true}, func(b *Bench) {
			p := echo(src, dst, conform.Data(n-48))
			b.in(host1, p)
			s := b.expect(2*time.Second, fault(wire.ICMPv6PacketTooBig, 0))
			b.quotes(s, p)
			if m, _ := s.icmp(); m.Rest() != 1280 || s.src != near1 {
				b.Fatalf("%v", s)
			}
			b.none(2*time.Second, anything)
		})
	}
	rig("too big, and hop limit 1", `RFC 8200, 3: it has no hop left`, Node{SmallMTU: true}, func(b *Bench) {
		b.in(host1, echo(src, dst, conform.Data(1400), hops(1)))
		b.expect(2*time.Second, fault(wire.ICMPv6TimeExceeded, 0))
	})
	rig("too big, an error", silent, Node{SmallMTU: true}, func(b *Bench) {
		b.in(host1, conform.IP6(src, dst, icmpv6, conform.ICMP6(src, dst, 1, 0, 0, conform.Data(1400))))
		b.none(2*time.Second, anyFault())
	})

	// Routes, and what is for the router itself.
	rig("through another router", `RFC 8200, 3, and RFC 4861, 5.2`, Node{Routes: map[string]string{"2001:db8:0:9::/64": "fe80::12"}}, func(b *Bench) {
		p := from(dst, far)
		b.in(host3, p)
		b.expect(2*time.Second, passed(p, 0).toMAC(router2.mac))
	})
	for _, c := range []struct {
		name  string
		a     wire.Addr
		reply wire.Addr
	}{{"its address", near1, near1}, {"its address on the other link", near2, near2}, {"its link-local address", nodeLL, nodeLL}, {"all routers", wire.AllRouters6, near1},
		{"all routers of the site", addr("ff05::2"), near1}, {"all nodes", wire.AllNodes6, near1}} {
		add("echo to "+c.name, `RFC 4291, 2.8: "A router is required to recognize all addresses that a host is required to recognize, plus the following addresses as identifying itself: The Subnet-Router Anycast addresses for all interfaces for which it is configured to act as a router. All other Anycast addresses with which the router has been configured. The All-Routers multicast addresses"`, func(b *Bench) {
			b.in(host1, from(src, c.a))
			if s := b.expect(2*time.Second, reply(src)); s.src != c.reply {
				b.Fatalf("%v", s)
			}
		})
	}
	for _, n := range []uint8{0, 1} {
		for _, a := range []wire.Addr{near1, near2, nodeLL} {
			add(fmt.Sprintf("hop limit %d to %v, which is the router's", n, a), `RFC 8200, 3: "A node that is the destination of a packet should not discard a packet with Hop Limit equal to zero; it should process the packet normally."`, func(b *Bench) {
				b.in(host1, echo(src, a, conform.Data(8), hops(n)))
				b.expect(2*time.Second, reply(src).from(a))
			})
		}
	}
	rig("through a router that does not answer", `RFC 4861, 7.2.2: code 3`, Node{Routes: map[string]string{"2001:db8:0:9::/64": "fe80::dead"}}, func(b *Bench) {
		p := from(dst, far)
		b.in(host3, p)
		b.quotes(b.expect(5*time.Second, fault(wire.ICMPv6DestUnreachable, 3)), p)
	})
	add("solicitation", `RFC 4861, 7.2.4: Router: "A node sets the Router flag ... if it is a router"`, func(b *Bench) {
		b.in(host1, sol(host1.ll, nodeLL.SolicitedNode(), nodeLL, slla(host1.mac)))
		if s := b.expect(time.Second, na(nodeLL).to(host1.ll)); s.body[4] != 0xe0 {
			b.Fatalf("%v: flags %#x", s, s.body[4])
		}
	})
	add("a host's advertisement is none of its business", `RFC 4861, 6.2.7, 6.3: routers do not configure themselves by others' advertisements`, func(b *Bench) {
		b.in(router1, usual().from(router1.ll))
		b.none(5*time.Second, ns(node))
		p := from(dst, addr("2001:db8:ffff::1"))
		b.in(host3, p)
		b.expect(2*time.Second, fault(wire.ICMPv6DestUnreachable, 0))
	})
	rig("redirect to a router", `RFC 4861, 8.2: "A router MUST NOT update its routing tables upon receipt of a Redirect."`, Node{Routes: map[string]string{"2001:db8:0:9::/64": "fe80::11"}}, func(b *Bench) {
		p := from(dst, far)
		b.in(router1, redir(router1.ll, near1, router2.ll, far, tlla(router2.mac)))
		b.in(host3, p)
		b.expect(2*time.Second, passed(p, 0).toMAC(router1.mac))
	})
	return list
}
